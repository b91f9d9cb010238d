"""The command `hil check`."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hil.check.checking import Checked


def check(
    recording: Annotated[Path, typer.Argument(help="CSV, Parquet, Arrow or COMTRADE file, or the folder of a run.")],
    limits: Annotated[
        Path | None, typer.Option("--limits", metavar="FILE", help="TOML file of limits and columns; of a run its own limits.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON instead of the table.")] = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write verdict and limits as JUnit XML, for a CI server.")
    ] = None,
) -> None:
    """Judge a recording by limits as scenarios have them.

    Exit code: 0 PASS, 1 FAIL, 3 INCONCLUSIVE; 2 wrong usage, or a file that cannot be read as asked.
    """
    from hil.check.api import check as judge
    from hil.cli.junit import JUnitFile
    from hil.errors import HilError

    file = JUnitFile(junit, str(recording))
    begun_s = time.monotonic()
    try:
        result = judge(recording, limits)
    except HilError as error:
        file.fail(str(error))
    code = file.tell_check(result, _properties(result, limits), time.monotonic() - begun_s)
    if as_json:
        print(json.dumps(_summary(result), indent=2))  # noqa: T201
    else:
        _print(result)
    raise typer.Exit(code)


def _properties(result: Checked, limits: Path | None) -> list[tuple[str, object]]:
    """What a JUnit file says of a check besides its limits."""
    from importlib.metadata import version

    recording = result.recording
    return [
        ("verdict", result.verdict),
        ("recording", recording.path),
        ("limits", limits),
        ("rate_hz", f"{recording.rate_hz:g}"),
        ("duration_s", f"{recording.duration_s:g}"),
        ("version.ridethrough", version("ridethrough")),
        *((f"note.{number}", note) for number, note in enumerate(result.notes, start=1)),
    ]


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
    from hil.cli.table import limits_table, notes_of, reasons_of, wide_enough
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
        for note in [*notes_of(limit), *reasons_of(limit)]:
            console.print(f"{escape(name)}: {note}")
    for reason in result.reasons:
        console.print(f"[yellow]{escape(reason)}[/]")
    console.print(f"{result.verdict}  {held(result.limits)}")
