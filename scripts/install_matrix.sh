#!/bin/sh
# Every way to install, away from the sources: a wheel on every claimed Python that is on this machine, each in an environment of
# its own; then, in that of the first, sdist and editable in its place. Each time `hil run` from the command line and the script
# of the README. Takes .venv for making the sdist. (`make test` installs editable too.) KEEP names a folder
# to work in, which is made and left: env-VERSION has the wheel of dist-VERSION in it, for tests on that Python.
set -eu
cd "$(dirname "$0")/.."
VENV=$(cd "${VENV:-.venv}" && pwd)
WORK=${KEEP:-$(mktemp -d)}
[ -n "${KEEP:-}" ] && mkdir "$WORK" || trap 'rm -rf "$WORK"' EXIT
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check build
git clone -q . "$WORK/tree"
"$VENV/bin/python" -m build --sdist --outdir "$WORK/dist" "$WORK/tree" >"$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }
SDIST=$(ls "$WORK"/dist/*.tar.gz)

check() {  # kind, version, what to install
    env="$WORK/env-$2"
    pip="$env/bin/python -m pip --quiet --disable-pip-version-check"
    $pip uninstall --yes ridethrough >"$WORK/log" 2>&1
    ! (cd "$WORK" && "$env/bin/python" -c 'import hil') 2>/dev/null || { echo "installed: $1-$2: something was left behind"; exit 1; }
    $pip install $3 >"$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }
    mkdir "$WORK/elsewhere-$1-$2"
    (
        cd "$WORK/elsewhere-$1-$2"
        "$env/bin/hil" run training_job >out || { cat out; exit 1; }
        grep -q '^PASS  5 of 5 required limits held' out || { cat out; exit 1; }
        "$env/bin/hil" run inference_replay --set duration='120 s' --set limits='[]' >out || [ $? = 3 ] || { cat out; exit 1; }
        "$env/bin/hil" init >out && "$env/bin/hil" validate scenario.toml >out || { cat out; exit 1; }
        "$env/bin/hil" show >out || [ $? = 3 ] || { cat out; exit 1; }
        "$env/bin/python" "$WORK/tree/scripts/installed.py"
    )
    echo "installed: $1-$2: ok"
}

first=
for version in 3.11 3.12 3.13; do
    python=$(scripts/find_python.sh "$version") || { echo "installed: Python $version is not on this machine: not run"; continue; }
    "$python" -m venv "$WORK/env-$version"
    "$WORK/env-$version/bin/python" -m pip install --quiet --disable-pip-version-check build
    "$WORK/env-$version/bin/python" -m build --wheel --outdir "$WORK/dist-$version" "$WORK/tree" >"$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }
    check wheel "$version" "$WORK/dist-$version/$(ls "$WORK/dist-$version" | grep whl)"
    if [ -z "$first" ]; then
        first=$version
        check sdist "$version" "$SDIST"
        git clone -q . "$WORK/editable-tree"
        check editable "$version" "--editable $WORK/editable-tree"
    fi
done
