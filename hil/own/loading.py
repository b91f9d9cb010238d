"""Loading what a scenario names as `file.py:name` or `package.module:name`."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hil.own.imports import import_file

_FILES: dict[str, tuple[Path, ...]] = {}


def load_named(named: str, fits: Callable[[Any], bool], wanted: str, lacks: Callable[[type], str] | None = None) -> Any:
    """What is so named. fits: whether an object is what is wanted; wanted: what that is, in words.

    lacks: where a class is wanted, what one lacks that does not fit. Raises ValueError with what is wrong, in one line.
    """
    where, _, attribute = named.rpartition(":")
    try:
        if where.endswith(".py"):
            module, _FILES[where] = import_file(Path(where))
        else:
            module = importlib.import_module(where)
        found = getattr(module, attribute, None)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a user's module raises is told in one line
        raise ValueError(f"cannot be imported: {told(error, where)}") from None
    if not fits(found):
        there = ", ".join(key for key, value in vars(module).items() if fits(value)) or "none"
        if lacks is not None and isinstance(found, type):
            raise ValueError(f"{attribute} {lacks(found)}; there are: {there}")
        kind = "a class" if isinstance(found, type) else f"of type {type(found).__name__}"
        is_what = "there is no such name" if found is None else f"{attribute} is {kind}"
        raise ValueError(f"{is_what}; must name {wanted}, there are: {there}")
    return found


def files_of(named: str) -> tuple[Path, ...]:
    """The file that was loaded for a name, and what it imported from beside itself; none for a module."""
    return _FILES.get(named.rpartition(":")[0], ())


def place_in_own(error: BaseException) -> str | None:
    """Where in a user's file an error was raised, or what was raised called: file and line; None where it was in none."""
    own = {str(file): file.name for files in _FILES.values() for file in files}
    lines = [
        (own[frame.filename], frame.lineno) for frame in traceback.extract_tb(error.__traceback__) if frame.filename in own
    ]
    return "{} line {}".format(*lines[-1]) if lines else None


def told(error: BaseException, where: str) -> str:
    """An error of a user's file in one line, with the line of that file where it has one."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == where]
    at = f" (line {lines[-1]})" if lines and not isinstance(error, SyntaxError) else ""
    return f"{type(error).__name__}: {error}{at}"
