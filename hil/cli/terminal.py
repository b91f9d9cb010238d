"""Where tables are printed: the terminal, or a pipe that is wide enough for them."""

from __future__ import annotations

import sys

from rich.console import Console

_WIDTH = 160  # where the output is no terminal


def console() -> Console:
    """Standard output, without colours of rich's own; lines that are text are never broken."""
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDTH)
