#!/bin/sh
# Prints an interpreter of the given version (3.12, …) that runs and can make environments; fails where there is none.
set -u
works() { "$1" -c "import ensurepip, sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '$VERSION')" >/dev/null 2>&1; }
VERSION=$1
for candidate in "python$VERSION" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$VERSION".*/bin/python; do
    if works "$candidate"; then
        echo "$candidate"
        exit 0
    fi
done
exit 1
