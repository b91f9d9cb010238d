"""The command `hil verify`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hil.cli.trouble import fail

if TYPE_CHECKING:
    from hil.verify.playing import Report


def verify(
    *,
    every: Annotated[bool, typer.Option("--all", help="Print every vector, not only those that fail.")] = False,
    as_json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write all as JSON; - prints it alone.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a report, one page that prints.")] = None,
) -> None:
    """Say whether the protection functions do what the standards say: play every reference vector through the compiled code.

    Takes seconds. Exit code: 0 all hold, 1 one or more do not, 2 wrong usage.
    """
    import time

    from hil.verify.playing import verify as play_all

    begin = time.perf_counter()
    report = play_all()
    seconds = time.perf_counter() - begin
    facts = {"versions": _versions(), "date": time.strftime("%Y-%m-%d %H:%M:%S %z")}
    if html is not None:
        from hil.verify.page import page

        _write(html, page(report, **facts), "--html")
    if as_json is not None:
        text = json.dumps(facts | report.document(), indent=1) + "\n"
        if as_json == "-":
            sys.stdout.write(text)
        else:
            _write(Path(as_json), text, "--json")
    if as_json != "-":
        print_report(report, seconds, every=every)
    raise typer.Exit(1 if report.failed else 0)


def print_report(report: Report, seconds: float, *, every: bool) -> None:
    """Print a summary by standard, the vectors that fail or all, and the total."""
    from rich.table import Table

    from hil.cli import terminal
    from hil.verify.page import summary

    console = terminal.console()
    table = Table(box=None, pad_edge=True, header_style="dim")
    for name, right in (("standard", 0), ("edition", 0), ("vectors", 1), ("hold", 1), ("evidence", 0)):
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for standard, edition, vectors, hold, evidence in summary(report):
        colour = "green" if hold == vectors else "bold red"
        table.add_row(standard, edition, f"{vectors:,}", f"[{colour}]{hold:,}[/]", evidence)
    console.print(table)
    for row in report.rows if every else report.failed:
        _print_row(console, row)
    failed = len(report.failed)
    console.print()
    verdict = "[bold red]FAIL[/]" if failed else "[green]PASS[/]"
    left = f"{len(report.excluded)} groups of values left out (--html says which and why)"
    console.print(f"{verdict}  {len(report.rows) - failed:,} of {len(report.rows):,} vectors hold · {seconds:.1f} s · {left}")


def _print_row(console: Any, row: Any) -> None:
    from rich.markup import escape

    mark = "[green]holds[/]" if row.passed else "[bold red]FAILS[/]"
    error = "" if row.error is None else f", error {row.error:.3g}"
    console.print(f"\n{mark} {escape(f'{row.standard}, {row.clause}: {row.name}')} [dim]{row.evidence}[/]")
    console.print(f"   {escape(f'{row.function}: {row.input}')}", style="dim")
    console.print(f"   expected {escape(row.expected)}; got {escape(row.got)}{error}; tolerance {escape(row.tolerance)}")


def _versions() -> str:
    import platform
    from importlib.metadata import version

    return (
        f"ridethrough {version('ridethrough')}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    )


def _write(path: Path, text: str, option: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{option} {path}: cannot be written ({error.strerror or error})")
