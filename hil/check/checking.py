"""Judging a recording: each limit by itself, over the kernel's functions or over its waveforms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hil.check.distortion import current_distortion, voltage_distortion
from hil.check.evidence import as_sure_as_its_steps, blocking, gaps, settling, too_coarse, too_slow, unsettled
from hil.check.ground import JudgedOn
from hil.check.orders import CheckFile
from hil.check.replaying import replayed
from hil.check.runs import RunRows
from hil.check.signals import Signals
from hil.check.transients import transient_overvoltage
from hil.limits.entries import judged
from hil.limits.facts import Facts
from hil.limits.judged import Judged
from hil.limits.replaying import Floats, Replayed
from hil.recordings import Recording
from hil.scenario.limit import DisturbanceCounter, Limit
from hil.verdict.counters import with_counters, without_ups
from hil.verdict.evidence import Evidence
from hil.verdict.limits import limit_result
from hil.verdict.missing import Shown, with_missing
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult, decided, undecided

_OF_WAVEFORMS = {
    "voltage_distortion": voltage_distortion,
    "current_distortion": current_distortion,
    "transient_overvoltage": transient_overvoltage,
}
"""Kinds that no row of RMS values shows, by the function that judges them."""


_FLICKER_S = 0.001


@dataclass(frozen=True)
class Checked:
    """A recording and how its limits ended. reasons: why it is INCONCLUSIVE."""

    recording: Recording
    verdict: Outcome
    limits: dict[str, LimitResult]
    reasons: list[str]
    notes: list[str]


def check_recording(recording: Recording, orders: CheckFile, run: RunRows | None = None) -> Checked:
    """Judge a recording by the limits of a file. run: whose record it is, where it is one's.

    Raises RecordingError for waveforms of which nothing can be made.
    """
    signals = Signals(recording, orders)
    jumps = signals.waveforms("pcc") is not None
    facts = Facts(round(1e9 * signals.period_s), float(orders.frequency_hz), jumps=jumps) if run is None else run.facts
    period_s = signals.period_s if run is None else facts.tick_s
    on = JudgedOn(signals, facts, orders, signals.count, period_s, run)
    with np.errstate(all="ignore"):  # a recording may hold anything
        notes = signals.notes()
        limits = {limit.name: _judge(limit, on) for limit in orders.limits}
    applicable = {name: limit for name, limit in limits.items() if limit.outcome is not Outcome.NOT_APPLICABLE}
    verdict, reasons = decided(applicable, [] if run is None else run.reasons, "no limit is required")
    return Checked(recording, verdict, limits, reasons, [*recording.notes, *notes, *on.notes])


def _judge(limit: Limit, on: JudgedOn) -> LimitResult:
    if limit.kind in _OF_WAVEFORMS:
        return _OF_WAVEFORMS[limit.kind](limit, on)
    try:
        ways = judged(limit, on.facts)
    except KeyError as missing:
        return undecided(limit, [f"nothing is known of {missing.args[0]}"])
    if isinstance(limit, DisturbanceCounter) and not ways:  # at no UPS
        return without_ups(limit) if on.run is not None else undecided(limit, ["nothing is known of UPSs"])
    wanted = list(dict.fromkeys(name for how in ways for name in _inputs(how)))
    quick = hasattr(limit, "band_hz") or limit.kind == "flicker"  # whose band reaches beyond what the mean of a cycle leaves
    columns = {name: on.signals.channel(name, quick=quick) for name in wanted}
    missing_names = [name for name, values in columns.items() if values is None]
    if missing_names:
        return undecided(limit, [f"the recording has no {', '.join(missing_names)}"])
    there = {name: values for name, values in columns.items() if values is not None}
    if on.run is None:  # what a run records is as it was judged
        sure = as_sure_as_its_steps(on.orders.measurement, on.signals, wanted)
        on = replace(on, facts=replace(on.facts, measurement=sure))
        ways = judged(limit, on.facts)
    if limit.kind == "flicker" and any(on.signals.filled(name) for name in there):
        on, there = _for_a_flickermeter(on, there)
    settles = 0 if on.run is not None else settling(ways, on.facts)
    try:
        found = replayed(limit, ways, there, on, settles)
    except ValueError as problem:
        return undecided(limit, [f"{on.signals.recording.rate_hz:g} samples a second do not show it: {problem}"])
    return _with_its_evidence(limit, ways, found, there, on, settles)


def _for_a_flickermeter(on: JudgedOn, there: dict[str, Any]) -> tuple[JudgedOn, dict[str, Any]]:
    """RMS values of waveforms on ticks that a flickermeter can have; they hold nothing that is quicker."""
    count = int(on.count * on.period_s / _FLICKER_S)
    ticks_s, sampled_s = np.arange(count) * _FLICKER_S, np.arange(on.count) * on.period_s
    facts = replace(on.facts, period_ns=round(1e9 * _FLICKER_S))
    thinned = {name: np.interp(ticks_s, sampled_s, values) for name, values in there.items()}
    return replace(on, facts=facts, count=count, period_s=_FLICKER_S), thinned


def _with_its_evidence(
    limit: Limit, ways: Sequence[Judged], found: Replayed, there: dict[str, Any], on: JudgedOn, settles: int
) -> LimitResult:
    facts, run = on.facts, on.run
    measurement = on.orders.measurement if facts.measurement is None or run is not None else facts.measurement
    late_s, offset_s = (0.0, -on.period_s) if run is None else (run.late_s, run.offset_s)
    sampled_s = None if run is None else run.sampled_s
    evidence = Evidence(on.period_s, on.count, measurement, late_s, found.relays, offset_s, sampled_s)
    result = limit_result(evidence, limit, list(zip(ways, found.states, strict=True)))
    result = with_missing(limit, result, _shown(on, found.channels, evidence))
    if isinstance(limit, DisturbanceCounter):
        result = with_counters(result, facts)
    if settles:
        on.notes.append(f"{limit.name}: not judged in the first {settles * facts.tick_s:.3g} s, until its filter has settled")
    on.notes.extend(blocking(limit, there, on))
    lacking = gaps(there, on)
    if run is None:
        lacking += unsettled(limit, ways[0], settles, on.count, facts)
        lacking += too_coarse(ways[0], result, on.signals)
    if run is None or run.every > 1:
        lacking += too_slow(limit, ways[0], max(on.signals.own_period_s(name) for name in there))
    if not lacking:
        return result
    outcome = Outcome.INCONCLUSIVE if result.outcome is Outcome.PASS else result.outcome
    return replace(result, outcome=outcome, reasons=[*result.reasons, *lacking])


def _shown(on: JudgedOn, channels: dict[str, Floats], evidence: Evidence) -> Shown:
    """The samples themselves, and what functions made of them."""
    time_s: Floats = evidence.time_s(0) + evidence.tick_s * np.arange(on.count, dtype=np.float64)

    def signal(name: str) -> tuple[Floats, Floats] | None:
        values = channels.get(name, on.signals.channel(name))
        return None if values is None or values.size != time_s.size else (time_s, values)

    return Shown(on.facts, signal) if on.run is None else Shown(on.facts, signal, on.run.voided, on.run.begin_s)


def _inputs(how: Judged) -> list[str]:
    """Channels that must come from the recording: those that no function makes."""
    made = {name for function in how.functions for name in function.outputs}
    also = [how.channel, *(name for function in how.functions for name in function.inputs)]
    if how.value == "limit.recovery":
        at = "bus" if how.channel.startswith("ups.") else "pcc"
        also.append(f"{at}.voltage_lowest_measured_pu")
    return [name for name in also if name not in made]
