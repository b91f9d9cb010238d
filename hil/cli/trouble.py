"""What a command prints and returns where it cannot do what it was asked."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

USAGE = 2
UNFINISHED = 4


def fail(message: str, code: int = USAGE) -> NoReturn:
    """Print one line on standard error and leave with an exit code."""
    print(message, file=sys.stderr)  # noqa: T201
    raise typer.Exit(code)
