"""What a command prints and returns where it cannot do what it was asked."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import typer

USAGE = 2
UNFINISHED = 4


def fail(message: str, code: int = USAGE) -> NoReturn:
    """Print one line on standard error and leave with an exit code."""
    print(message, file=sys.stderr)  # noqa: T201
    raise typer.Exit(code)


def can_draw(option: str, path: Path, what: str) -> None:
    """Leave with one line where nothing draws here, or not into such a file. what: the module of `hil.report` that draws."""
    try:
        formats: tuple[str, ...] = import_module(f"hil.report.{what}").FORMATS
    except ImportError as error:
        fail(f"no {(error.name or 'matplotlib').partition('.')[0]}, which draws: pip install 'ridethrough[plot]'")
    if path.suffix.lower() not in formats:
        fail(f"{option} {path}: must end in {' or '.join(formats)}")


def never_over(option: str, path: Path, read: Iterable[str | Path]) -> None:
    """Leave with one line where what an option names is a file that the command reads: nobody's work is written over."""
    for source in read:
        if path.exists() and Path(source).exists() and path.samefile(source):
            fail(f"{option} {path}: is what is read, which is not written over")
