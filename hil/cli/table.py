"""The verdict as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from hil.cli import terminal
from hil.cli.load_lines import load_lines
from hil.report.words import missing, quantity, said, worst
from hil.verdict.outcome import Outcome

if TYPE_CHECKING:
    from rich.console import Console

    from hil.realtime.evidence import Timing
    from hil.report.result import Result
    from hil.verdict.expectations import ExpectationResult
    from hil.verdict.result import LimitResult

_MOST = 1000  # nothing is cut or broken: a terminal that is narrower wraps whole lines
_COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.INCONCLUSIVE: "yellow"}


def print_result(result: Result) -> None:
    """Print what was run, every limit, the verdict and why."""
    console = terminal.console()
    scenario = result.scenario
    console.print(
        f"[bold]{escape(scenario.name)}[/] · {result.duration_s:g} s at {scenario.tick_s * 1e3:g} ms · seed {scenario.seed} · "
        f"{_clock(result)} · waveform {result.waveform_hash}"
    )
    for line in load_lines(result.load):
        console.print(escape(line))
    table = limits_table(result.limits)
    wide_enough(console, table)
    console.print()
    console.print(table)
    console.print()
    if result.expectations:
        expected = expectations_table(result.expectations)
        wide_enough(console, expected)
        console.print(expected)
        console.print()
    notes = [
        f"{escape(name)}: {note}" for name, limit in result.limits.items() for note in [*notes_of(limit), *reasons_of(limit)]
    ]
    if scenario.warm_up_s > 0.0:
        notes.append(f"[dim]nothing judged in the first {scenario.warm_up_s:g} s (warm_up)[/]")
    for line in [*notes, ""] if notes else []:
        console.print(line)
    for shortfall in [] if result.timing is None else result.timing.obtained.get("missing", []):
        console.print(f"[yellow]clock: {escape(shortfall)}[/]")
    for reason in result.reasons:
        console.print(f"[yellow]{escape(reason)}[/]")
    where = "" if result.folder is None else f"   {result.folder}"
    colour = _COLOURS[result.verdict]
    if result.folder is not None and find_spec("matplotlib") is None:
        console.print("[dim]no picture: pip install 'ridethrough\\[plot]'[/]")
    console.print(f"[{colour}]{result.verdict}[/]  {said(result.limits, result.expectations)}{escape(where)}")


def wide_enough(console: Console, table: Table) -> None:
    """Let nothing of a table be cut or broken."""
    console.width = max(console.width, Measurement.get(console, console.options.update(width=_MOST), table).maximum)


def scheduling(timing: Timing) -> str:
    """At which priority the loop ran, in a few words."""
    priority = timing.obtained.get("priority", 0)
    if timing.demoted_s is not None:
        return f"SCHED_FIFO {priority} until it gave it back at {timing.demoted_s:.3f} s: it never slept"
    return f"SCHED_FIFO {priority}" if priority else "ordinary priority"


def _clock(result: Result) -> str:
    timing = result.timing
    if timing is None:
        wire = "" if result.scenario.transport == "wire" else "without a wire, "
        return f"lock-step, {wire}{result.realtime_factor:,.0f} x real time"
    words = f"wall clock, speed {timing.speed:g}, {scheduling(timing)}"
    if not timing.ticks:
        return words
    late = ", ".join(f"{name} {us:,.0f}" for name, us in timing.lateness_us.items() if name != "p99.9")
    return f"{words}, lateness {late} µs, overruns {100 * timing.overrun_share:.2g} %"


def limits_table(limits: Mapping[str, LimitResult]) -> Table:
    """A row a limit."""
    table = Table(box=None, pad_edge=True, header_style="dim")
    for name, justify in (("limit", "left"), ("node", "left"), ("worst", "right"), ("limit", "right"), ("margin", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("at", justify="right", no_wrap=True)
    table.add_column("result", no_wrap=True)
    for limit in limits.values():
        colour = _COLOURS.get(limit.outcome, "dim")
        note = "" if limit.required else " [dim](not required)[/]"
        if limit.unverified:
            note += " [yellow](unverified)[/]"
        table.add_row(
            escape(limit.name),
            limit.node,
            worst(limit),
            "" if math.isnan(limit.limit) else quantity(limit.limit, limit),
            "" if limit.margin is None else f"{100 * limit.margin:.1f} %",
            "" if limit.at_s is None else f"{limit.at_s:.3f} s",
            f"[{colour}]{limit.outcome}[/]{note}",
        )
    return table


def expectations_table(expectations: Mapping[str, ExpectationResult]) -> Table:
    """A row an expectation."""
    table = Table(box=None, pad_edge=True, header_style="dim")
    for name in ("expectation", "expected", "shown", "result"):
        table.add_column(name, no_wrap=True)
    for one in expectations.values():
        colour = _COLOURS.get(one.outcome, "dim")
        table.add_row(escape(one.name), escape(one.expected), escape(one.shown), f"[{colour}]{one.outcome}[/]")
    return table


def notes_of(limit: LimitResult) -> list[str]:
    """What stands beneath the table of a limit."""
    notes = []
    if limit.first_violation_s is not None:
        often = "" if limit.excursions == 1 else f", {limit.excursions} times"
        notes.append(f"first violated at {limit.first_violation_s:.3f} s, {limit.time_beyond_s:.3f} s beyond in all{often}")
    if limit.tripped_s is not None:
        notes.append(f"tripped the {limit.trips} breaker at {limit.tripped_s:.3f} s")
    short = missing(limit)
    if short is not None:
        notes.append(short)
    if limit.blanked_s > 0.0 and limit.worst is not None:
        notes.append(f"[dim]{limit.blanked_s:.3f} s not judged, while a scripted stimulus acted[/]")
    return notes


def reasons_of(limit: LimitResult) -> list[str]:
    """What is said of a limit beside its outcome; of what keeps a required one from being decided the verdict says it."""
    told = limit.required and limit.outcome not in (Outcome.FAIL, Outcome.NOT_APPLICABLE)
    return [] if told else [f"[dim]{escape(reason)}[/]" for reason in limit.reasons]
