"""Put the compiled modules of a wheel into a tree of sources: `python scripts/take_extensions.py WHEEL TREE`."""

from __future__ import annotations

import sys
import zipfile

wheel, tree = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(tree, [name for name in archive.namelist() if name.endswith(".so")])
