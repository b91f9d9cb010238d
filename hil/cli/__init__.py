"""Command line `hil`. Heavy imports happen inside the commands: `--help` must answer at once."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `hil` command."""
    from hil.cli.app import app

    app()
