"""Command line `hil`: one module a group of commands, and how what they find is printed.

Heavy imports happen inside the commands: `--help` must answer at once. What a command does stands in the rooms that it calls;
nothing imports this one.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the `hil` command."""
    from hil.errors import InstallationError
    from hil.packages import check_together

    try:
        check_together()
    except InstallationError as error:
        print(f"hil: {error}", file=sys.stderr)  # noqa: T201
        raise SystemExit(2) from None
    from hil.cli.app import app

    app()
