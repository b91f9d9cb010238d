"""The command `hil doctor`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli.trouble import UNFINISHED, fail

if TYPE_CHECKING:
    from hil.doctor.examination import Examination

_LEAST_HZ, _MOST_HZ = 100.0, 10_000.0


def doctor(
    seconds: Annotated[float, typer.Option(min=1, max=86_400, help="How long to measure.")] = 30.0,
    rate: Annotated[str, typer.Option(help="Ticks to measure with, 100 Hz to 10 kHz; every rate is judged.")] = "1 kHz",
    load: Annotated[
        bool, typer.Option("--load", help="Keep cores, memory, disk and loopback busy meanwhile, as a run beside others.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Say which tick rates are honest on this machine, and what to change.

    Measures how late the loop of a run on the wall clock is, without a scenario; later runs carry the result. Changes nothing.
    Exit code: 0 once it has measured, however poor the machine is; 2 wrong usage, 4 it could not measure.
    """
    from hil.doctor.saved import place, save
    from hil.errors import HilError

    rate_hz = _rate(rate)
    if sys.stderr.isatty():
        print(f"measuring for {seconds:g} s …", file=sys.stderr)  # noqa: T201
    try:
        from hil.doctor.examination import examine

        found = examine(seconds, rate_hz, load=load)
    except (HilError, OSError) as error:
        fail(f"hil doctor: {error}", UNFINISHED)
    path = place()
    document = found.document()
    if path is None:
        print("not stored: no home folder, and no XDG_STATE_HOME", file=sys.stderr)  # noqa: T201
    else:
        try:
            save(document, path)
        except OSError as error:
            print(f"not stored: {path}: cannot be written ({error.strerror or error})", file=sys.stderr)  # noqa: T201
            path = None
    if as_json:
        print(json.dumps(document, indent=2))  # noqa: T201
        return
    print_examination(found)
    if path is not None:
        print(f"\nstored in {path}: later runs here carry it")  # noqa: T201


def print_examination(found: Examination) -> None:
    """Print the machine, what was measured, which rates are honest, and what to change."""
    from rich.markup import escape
    from rich.table import Table

    from hil.cli import terminal
    from hil.doctor.bands import LEAST_TICKS, Band, fastest, linuxcnc

    console = terminal.console()
    timing = found.measured.timing
    console.print(escape(_machine(found)))
    console.print(escape(_loop(found)))
    for line in timing.obtained["missing"]:
        console.print(f"[yellow]not given: {escape(line.removesuffix(' (hil doctor says how)'))}[/]")
    late = ", ".join(f"{name} {us:,.1f}" for name, us in timing.lateness_us.items())
    stolen = "" if timing.stolen_share is None else f"; stolen by the host {100 * timing.stolen_share:.2g} %"
    console.print(f"lateness {late} µs; {timing.overruns:,} of {timing.ticks:,} ticks missed{stolen}")
    console.print(linuxcnc(timing.lateness_us["max"]))
    console.print()
    table = Table(box=None, pad_edge=True, header_style="dim")
    for name in ("rate", "missed", "at most"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("trust", no_wrap=True)
    table.add_column("", no_wrap=True)
    for rate in found.rates:
        colour = {Band.GOOD: "green", Band.USABLE: "green", Band.DOUBTFUL: "yellow"}.get(rate.band, "bold red")
        shares = (f"{100 * share:.2g} %" for share in (rate.missed_share, rate.missed_at_most))
        table.add_row(frequency(rate.rate_hz), *shares, f"[{colour}]{rate.band}[/]", f"[dim]{rate.band.words}[/]")
    console.print(table)
    console.print()
    honest_hz = fastest(found.rates, Band.USABLE)
    console.print("no rate is honest here" if honest_hz is None else f"honest here up to {frequency(honest_hz)}")
    if timing.ticks < LEAST_TICKS:
        console.print(f"[dim]{timing.ticks:,} ticks are too few for more than doubtful: it takes {LEAST_TICKS:,}[/]")
    if not found.load:
        console.print("[dim]with nothing beside it; hil doctor --load keeps the machine busy meanwhile[/]")
    if found.advice:
        console.print("\nwhat to change, most effective first")
    for one in found.advice:
        console.print(f" {one.key}: {escape(one.problem)}")
        if one.command is not None:
            console.print(f"   [bold]{escape(one.command)}[/]")


def frequency(rate_hz: float) -> str:
    """A rate as people write it."""
    return f"{rate_hz / 1e3:g} kHz" if rate_hz >= 1e3 else f"{rate_hz:g} Hz"


def _machine(found: Examination) -> str:
    facts = found.facts
    kernel = f"{facts.system} {facts.kernel}" + (f" {facts.preemption}" if facts.preemption else "")
    what = [facts.node, f"{facts.cpu_model or facts.machine}, {len(facts.cpus)} cores", kernel]
    return " · ".join([*what, *(f"in {where}" for where in (facts.virtualisation, facts.container) if where)])


def _loop(found: Examination) -> str:
    timing, measured = found.measured.timing, found.measured
    obtained = timing.obtained
    scheduler = f"{obtained['scheduler']} {obtained['priority']}" if obtained["priority"] else obtained["scheduler"]
    core = "" if obtained["cpu"] is None else f", core {obtained['cpu']}"
    memory = "locked" if obtained["memory_locked"] else "not locked"
    beside = "under load" if found.load else "no load"
    how = f"{scheduler}{core}, memory {memory}, spin {obtained['spin_us']:.0f} µs"
    return f"{measured.seconds:g} s at {frequency(measured.rate_hz)}, {beside} · {how}"


def _rate(text: str) -> float:
    from hil.scenario.quantity import FREQUENCY

    try:
        rate_hz = FREQUENCY.read(text, plain=False)
    except ValueError as problem:
        fail(f"--rate {text!r}: {problem}")
    if not _LEAST_HZ <= rate_hz <= _MOST_HZ:
        fail(f"--rate {text!r}: must be {frequency(_LEAST_HZ)} to {frequency(_MOST_HZ)}")
    if 10**9 % rate_hz:
        fail(f"--rate {text!r}: a second must hold whole ticks of whole nanoseconds, as at 100, 250, 500, 1000, 2000, 5000 Hz")
    return rate_hz
