"""The table of `hil wire`: for each required limit, driver cycle against latency."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from hil.cli import terminal
from hil.session.wire_table import WireCell
from hil.verdict.outcome import Outcome

_COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "bold red"}
_WORDS = {Outcome.PASS: "held", Outcome.FAIL: "violated"}


def print_wire_table(cells: list[WireCell]) -> None:
    """Print one table a limit, and what else kept a run from PASS."""
    console = terminal.console()
    latencies = list(dict.fromkeys(cell.latency_s for cell in cells))
    for limit in cells[0].outcomes:
        table = Table(box=None, pad_edge=False, title=f"[bold]{escape(limit)}[/]", title_justify="left")
        table.add_column("cycle", justify="right")
        for latency_s in latencies:
            table.add_column(f"{latency_s * 1e3:g} ms", justify="right")
        for cycle_s in dict.fromkeys(cell.cycle_s for cell in cells):
            row = [_cell(cell, limit) for cell in cells if cell.cycle_s == cycle_s]
            table.add_row(f"{cycle_s * 1e3:g} ms", *row)
        console.print(table)
        console.print()
    for cell in cells:
        for reason in cell.reasons:
            console.print(f"[yellow]{cell.cycle_s * 1e3:g} ms, {cell.latency_s * 1e3:g} ms: {escape(reason)}[/]")


def shown(cell: WireCell, limit: str) -> str:
    """How a limit ended, in words, with its margin."""
    outcome, margin = cell.outcomes[limit], cell.margins[limit]
    word = _WORDS.get(outcome, outcome.lower())
    return word if margin is None else f"{word} {margin * 100:.1f} %"


def _cell(cell: WireCell, limit: str) -> str:
    colour = _COLOURS.get(cell.outcomes[limit], "yellow")
    return f"[{colour}]{shown(cell, limit)}[/]"
