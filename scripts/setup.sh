#!/bin/sh
# Makes the private environment .venv with the project, its extensions and the tools for tests and lint in it.
# Says in one line which system package is missing. PYTHON names the interpreter, VENV the folder. With
# RIDETHROUGH_REQUIRE_PEERS=1 it also takes in the other implementations that tests compare with.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}

missing() { echo "ridethrough: $1: install it with: $2" >&2; exit 1; }

command -v "$PYTHON" >/dev/null 2>&1 || missing "no $PYTHON" "apt-get install python3"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    || missing "$("$PYTHON" --version) is older than 3.11" "apt-get install python3 (Debian 12, Ubuntu 24.04 or newer)"
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || missing "no venv module for $PYTHON" "apt-get install python3-venv"
command -v "${CC:-cc}" >/dev/null 2>&1 || missing "no C compiler" "apt-get install gcc libc6-dev"
HEADERS=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("include"))')
[ -f "$HEADERS/Python.h" ] || missing "no Python headers in $HEADERS" "apt-get install python3-dev"
echo '#include <stdio.h>' | "${CC:-cc}" -E - >/dev/null 2>&1 || missing "no C library headers" "apt-get install libc6-dev"

[ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
EXTRAS=build,lint,test
[ "${RIDETHROUGH_REQUIRE_PEERS:-0}" != 1 ] || EXTRAS=$EXTRAS,peers
# "compat": the sources themselves stand on the path, so that editors and type checkers find them too.
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat \
    --editable ".[$EXTRAS]"
touch "$VENV/.ready"
