#!/bin/sh
# Every way to install, each in an environment of its own, away from the sources: a wheel on every claimed Python that is on this
# machine, sdist and editable on the first of them; `hil run` from the command line and the script of the README. Takes .venv for
# making the sdist. (`make test`, which .ci/run calls for every claimed Python, installs editable too.)
set -eu
cd "$(dirname "$0")/.."
VENV=$(cd "${VENV:-.venv}" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check build
git clone -q . "$WORK/tree"
"$VENV/bin/python" -m build --sdist --outdir "$WORK/dist" "$WORK/tree" >"$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }
SDIST=$(ls "$WORK"/dist/*.tar.gz)

check() {  # name, interpreter, what to install
    "$2" -m venv "$WORK/$1"
    "$WORK/$1/bin/python" -m pip install --quiet --disable-pip-version-check $3 >"$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }
    mkdir "$WORK/$1/elsewhere"
    (
        cd "$WORK/$1/elsewhere"
        "$WORK/$1/bin/hil" run training_job >out || { cat out; exit 1; }
        grep -q '^PASS  5 of 5 required limits held' out || { cat out; exit 1; }
        "$WORK/$1/bin/hil" run inference_replay --set duration='120 s' --set limits='[]' >out || [ $? = 3 ] || { cat out; exit 1; }
        "$WORK/$1/bin/hil" init >out && "$WORK/$1/bin/hil" validate scenario.toml >out || { cat out; exit 1; }
        "$WORK/$1/bin/hil" show >out || [ $? = 3 ] || { cat out; exit 1; }
        "$WORK/$1/bin/python" "$WORK/tree/scripts/installed.py"
    )
    echo "installed: $1: ok"
}

first=
for version in 3.11 3.12 3.13; do
    python=$(scripts/find_python.sh "$version") || { echo "installed: Python $version is not on this machine: not run"; continue; }
    "$python" -m venv "$WORK/build-$version"
    "$WORK/build-$version/bin/python" -m pip install --quiet --disable-pip-version-check build
    "$WORK/build-$version/bin/python" -m build --wheel --outdir "$WORK/dist-$version" "$WORK/tree" >"$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }
    check "wheel-$version" "$python" "$WORK/dist-$version/$(ls "$WORK/dist-$version" | grep whl)"
    if [ -z "$first" ]; then
        first=$version
        check "sdist-$version" "$python" "$SDIST"
        git clone -q . "$WORK/editable-tree"
        check "editable-$version" "$python" "--editable $WORK/editable-tree"
    fi
done
