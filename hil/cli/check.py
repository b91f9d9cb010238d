"""The command `hil check`."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli.trouble import fail

if TYPE_CHECKING:
    from hil.check.checking import Checked


def check(
    recording: Annotated[Path, typer.Argument(help="CSV, Parquet, Arrow or COMTRADE file, or the folder of a run.")],
    limits: Annotated[
        Path | None, typer.Option("--limits", metavar="FILE", help="TOML file of limits and columns; of a run its own limits.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON instead of the table.")] = False,
) -> None:
    """Judge a recording by limits as scenarios have them.

    Exit code: 0 PASS, 1 FAIL, 3 INCONCLUSIVE; 2 wrong usage, or a file that cannot be read as asked.
    """
    from hil.check.api import check as judge
    from hil.errors import HilError

    try:
        result = judge(recording, limits)
    except HilError as error:
        fail(str(error))
    if as_json:
        print(json.dumps(_summary(result), indent=2))  # noqa: T201
    else:
        _print(result)
    raise typer.Exit(result.verdict.exit_code)


def _summary(result: Checked) -> dict[str, object]:
    limits = [
        {**asdict(limit), "outcome": str(limit.outcome), "limit": None if math.isnan(limit.limit) else limit.limit}
        for limit in result.limits.values()
    ]
    recording = result.recording
    return {
        "recording": str(recording.path),
        "rate_hz": recording.rate_hz,
        "duration_s": recording.duration_s,
        "verdict": str(result.verdict),
        "reasons": result.reasons,
        "notes": result.notes,
        "limits": limits,
    }


def _print(result: Checked) -> None:
    from rich.markup import escape

    from hil.cli import terminal
    from hil.cli.table import limits_table, notes_of, wide_enough
    from hil.report.words import held

    console = terminal.console()
    recording = result.recording
    console.print(
        f"[bold]{escape(str(recording.path))}[/] · {recording.duration_s:g} s at {recording.rate_hz:g} samples a second"
    )
    for note in result.notes:
        console.print(f"[yellow]{escape(note)}[/]")
    table = limits_table(result.limits)
    wide_enough(console, table)
    console.print()
    console.print(table)
    console.print()
    for name, limit in result.limits.items():
        for note in notes_of(limit):
            console.print(f"{escape(name)}: {note}")
        for reason in [] if limit.required else limit.reasons:
            console.print(f"[dim]{escape(name)}: {escape(reason)}[/]")
    for reason in result.reasons:
        console.print(f"[yellow]{escape(reason)}[/]")
    console.print(f"{result.verdict}  {held(result.limits)}")
