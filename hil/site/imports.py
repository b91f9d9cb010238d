"""Importing a user's file by its path, with what stands beside it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def import_file(path: Path) -> tuple[ModuleType, tuple[Path, ...]]:
    """The module of a file, and the files of its folder that it took in, itself first.

    Its folder is first on the path while it runs, as a script's is. What it imported from there is forgotten again
    afterwards, so that a file of the same name in another folder, or a newer one here, is not taken for it.
    """
    folder = path.parent
    name = f"_law_{path.stem}_{abs(hash(str(path))):x}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        sys.modules[name] = module  # numba and pickle look a function's module up
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(folder))
        beside = {key: file for key in set(sys.modules) - before - {name} if (file := _file(key, folder)) is not None}
        for key in beside:
            del sys.modules[key]
    return module, (path, *sorted(beside.values()))


def _file(name: str, folder: Path) -> Path | None:
    """The file of a loaded module, where it stands in that folder or below it."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return Path(file) if file is not None and Path(file).is_relative_to(folder) else None
