"""Importing a user's file by its path, with what stands beside it."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

_ONE_AT_A_TIME = threading.RLock()  # the path and the table of modules belong to the whole process
_INSTALLED = ("site-packages", "dist-packages")
_OURS = ("hil", "firmware_sim", "controllers")  # never the user's, wherever the file stands


def import_file(path: Path) -> tuple[ModuleType, tuple[Path, ...]]:
    """The module of a file, and the files of its folder that it took in, itself first.

    Its folder is first on the path while it runs, as a script's is, and what stands there is taken from there even where
    something of that name has been imported before. Afterwards it is forgotten again, so that a file of the same name in
    another folder, or a newer one here, is not taken for it.
    """
    name = f"_own_{path.stem}_{abs(hash(str(path))):x}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with _ONE_AT_A_TIME, _first_on_the_path(path.parent) as taken:
        sys.modules[name] = module  # numba and pickle look a function's module up
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return module, (path, *sorted(taken - {path}))


@contextlib.contextmanager
def _first_on_the_path(folder: Path) -> Iterator[set[Path]]:
    """Yields a set that holds, afterwards, the files of the folder that were imported."""
    taken: set[Path] = set()
    aside = {name: module for name, module in sys.modules.items() if _stands_in(folder, name.partition(".")[0])}
    for name in aside:
        del sys.modules[name]
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield taken
    finally:
        with contextlib.suppress(ValueError):  # the file may have taken it off itself
            sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            places = _places(sys.modules[name])
            users = name.partition(".")[0] not in _OURS and not name.startswith("_own_")
            if users and any(_belongs(place, folder) for place in places):
                taken |= {place for place in places if place.is_file()}
                del sys.modules[name]
        sys.modules.update(aside)


def _stands_in(folder: Path, name: str) -> bool:
    """Whether an import of that name would find something in the folder."""
    return name not in _OURS and ((folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file())


def _places(module: ModuleType) -> list[Path]:
    """The file of a module, or the folders of a package without one."""
    file = getattr(module, "__file__", None)
    return [Path(file)] if file else [Path(place) for place in getattr(module, "__path__", [])]


def _belongs(place: Path, folder: Path) -> bool:
    """Whether a place is the user's: in the folder or below it, but not in an environment that lies there."""
    return place.is_relative_to(folder) and not any(part in _INSTALLED for part in place.relative_to(folder).parts)
