"""What changed between two runs, as tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hil.cli import terminal
from hil.report.settings import Changed, shown
from hil.report.words import quantity, worst

if TYPE_CHECKING:
    from hil.report.difference import Difference, LimitPair
    from hil.report.result import Result
    from hil.report.waveforms import Waveforms
    from hil.verdict.result import LimitResult

_MOST_CHANNELS = 12
_GONE = "—"


def print_difference(difference: Difference) -> None:
    """Print what differs; of what is the same, that it is."""
    console = terminal.console()
    for sign, run in (("-", difference.before), ("+", difference.after)):
        console.print(f"{sign} {escape(_name(run))}: {run.verdict}")
        for reason in run.reasons:
            console.print(f"  [yellow]{escape(reason)}[/]")
    for title, rows in (("settings", difference.settings), ("made with", difference.provenance)):
        if rows or title == "settings":
            console.print(f"\n[bold]{title}[/]{'' if rows else ': the same'}")
        if rows:
            console.print(_settings(rows))
    apart = [limit for limit in difference.limits if not limit.same]
    console.print(f"\n[bold]limits[/]{'' if apart else ': the same'}")
    if apart:
        console.print(_limits(difference.limits))
    _print_waveforms(console, difference.waveforms)


def _name(run: Result) -> str:
    return run.scenario.name if run.folder is None else str(run.folder)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=True, header_style="dim", show_header=bool(columns))
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
    return table


def _settings(rows: list[Changed]) -> Table:
    table = _table()
    for row in rows:
        table.add_row(escape(row.key), escape(shown(row.before)), "->", escape(shown(row.after)))
    return table


def _limits(limits: list[LimitPair]) -> Table:
    table = _table("", "limit", "node", "worst", "limit", "margin", "first violation", "result")
    for limit in limits:
        given = limit.after or limit.before
        assert given is not None
        table.add_row(
            " " if limit.same else "[bold]*[/]",
            escape(limit.name),
            given.node,
            _change(limit, worst),
            _change(limit, lambda one: quantity(one.limit, one)),
            _change(limit, lambda one: _GONE if one.margin is None else f"{100 * one.margin:.1f} %"),
            _change(limit, lambda one: _GONE if one.first_violation_s is None else f"{one.first_violation_s:.3f} s"),
            _change(limit, lambda one: str(one.outcome) if one.required else f"{one.outcome} (not required)"),
        )
    return table


def _change(limit: LimitPair, words: Callable[[LimitResult], str]) -> str:
    before, after = (_GONE if one is None else words(one) for one in (limit.before, limit.after))
    return escape(before if before == after else f"{before} -> {after}")


def _print_waveforms(console: Console, waveforms: Waveforms) -> None:
    if waveforms.same:
        console.print("\n[bold]waveforms[/]: the same to the bit")
        return
    console.print("\n[bold]waveforms[/]")
    for line in waveforms.unlike:
        console.print(f" {escape(line)}")
    if not waveforms.deviations:
        if waveforms.rows:
            console.print(
                f" the same in all {waveforms.rows:,} recorded rows; they differ between them, or in channels not recorded"
            )
        return
    console.print(f" {len(waveforms.deviations)} of {waveforms.channels} channels differ, first at {waveforms.first_s:.3f} s")
    table = _table("channel", ">largest", ">of its span", ">at", ">RMS", ">first at")
    for deviation in waveforms.deviations[:_MOST_CHANNELS]:
        table.add_row(
            deviation.channel,
            f"{deviation.largest:.4g}",
            f"{100 * deviation.share:.3g} %",
            f"{deviation.at_s:.3f} s",
            f"{deviation.rms:.4g}",
            f"{deviation.first_s:.3f} s",
        )
    console.print(table)
    if len(waveforms.deviations) > _MOST_CHANNELS:
        console.print(f" and {len(waveforms.deviations) - _MOST_CHANNELS} more; --json has them all")
