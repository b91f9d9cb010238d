"""Judging a recording: each limit by itself, over the kernel's functions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hil.check.orders import CheckFile
from hil.check.signals import Signals
from hil.limits.entries import judged
from hil.limits.facts import DeviceFacts, Facts
from hil.limits.judged import Judged
from hil.limits.replaying import Floats, replayed
from hil.recordings import Recording
from hil.scenario.grid import Measurement
from hil.scenario.limit import DisturbanceCounter, Limit
from hil.verdict.counters import with_counters
from hil.verdict.limits import Evidence, LimitResult, decided, limit_result, undecided
from hil.verdict.missing import Shown, with_missing
from hil.verdict.outcome import Outcome

_STEP = 2.0 / math.sqrt(12.0)
"""Expanded uncertainty (k = 2) of a value that was rounded to a step, as part of the step."""
_LEAST_RATE = 2.0
"""Samples that a delay or a window must hold for the recording to show it."""


@dataclass(frozen=True)
class Checked:
    """A recording and how its limits ended. reasons: why it is INCONCLUSIVE."""

    recording: Recording
    verdict: Outcome
    limits: dict[str, LimitResult]
    reasons: list[str]
    notes: list[str]


def check_recording(recording: Recording, orders: CheckFile, devices: dict[str, DeviceFacts] | None = None) -> Checked:
    """Judge a recording by the limits of a file. devices: what limits on devices must know of them."""
    signals = Signals(recording)
    facts = Facts(round(1e9 * signals.period_s), float(orders.frequency_hz), devices or {})
    limits = {limit.name: _judge(limit, signals, facts, orders.measurement) for limit in orders.limits}
    verdict, reasons = decided(limits, [], "no limit is required")
    return Checked(recording, verdict, limits, reasons, list(recording.notes))


def _judge(limit: Limit, signals: Signals, facts: Facts, measurement: Measurement) -> LimitResult:
    try:
        ways = judged(limit, facts)
    except KeyError as missing:
        return undecided(limit, [f"nothing is known of {missing.args[0]}"])
    if not ways:
        return undecided(limit, ["nothing is known of UPSs"])
    wanted = list(dict.fromkeys(name for how in ways for name in _inputs(how)))
    columns = {name: signals.channel(name) for name in wanted}
    missing_names = [name for name, values in columns.items() if values is None]
    if missing_names:
        return undecided(limit, [f"the recording has no {', '.join(missing_names)}"])
    there = {name: values for name, values in columns.items() if values is not None}
    sure = _as_sure_as_its_steps(measurement, signals, wanted)
    ways = judged(limit, replace(facts, measurement=sure))
    try:
        states, relays, channels = replayed([(limit, how) for how in ways], there, facts)
    except ValueError as problem:
        return undecided(limit, [f"{signals.recording.rate_hz:g} samples a second do not show it: {problem}"])
    result = limit_result(
        Evidence(facts.tick_s, signals.count, sure, relays=relays), limit, list(zip(ways, states, strict=True))
    )
    result = with_missing(limit, result, _shown(signals, channels, facts))
    if isinstance(limit, DisturbanceCounter):
        result = with_counters(result, facts)
    lacking = [*_too_slow(limit, ways[0], facts), *_gaps(there)]
    if not lacking:
        return result
    outcome = Outcome.INCONCLUSIVE if result.outcome is Outcome.PASS else result.outcome
    return replace(result, outcome=outcome, reasons=[*result.reasons, *lacking])


def _shown(signals: Signals, channels: dict[str, Floats], facts: Facts) -> Shown:
    """The samples themselves, and what functions made of them."""
    time_s: Floats = facts.tick_s * np.arange(1, signals.count + 1, dtype=np.float64)

    def signal(name: str) -> tuple[Floats, Floats] | None:
        values = channels.get(name, signals.channel(name))
        return None if values is None else (time_s, values)

    return Shown(facts, signal)


def _inputs(how: Judged) -> list[str]:
    """Channels that must come from the recording: those that no function makes."""
    made = {name for function in how.functions for name in function.outputs}
    also = [how.channel, *(name for function in how.functions for name in function.inputs)]
    if how.value == "limit.recovery":
        at = "bus" if how.channel.startswith("ups.") else "pcc"
        also.append(f"{at}.voltage_lowest_measured_pu")
    return [name for name in also if name not in made]


def _as_sure_as_its_steps(measurement: Measurement, signals: Signals, names: list[str]) -> Measurement:
    """The uncertainty of what was measured, with that of the steps in which it was recorded."""
    steps = {name: _STEP * signals.step(name) for name in names}

    def wider(own: float, ending: str) -> float:
        return math.hypot(own, max((step for name, step in steps.items() if name.endswith(ending)), default=0.0))

    return measurement.model_copy(
        update={
            "power_uncertainty_w": wider(float(measurement.power_uncertainty_w), "_w"),
            "voltage_uncertainty": wider(float(measurement.voltage_uncertainty), "_pu"),
            "frequency_uncertainty_hz": wider(float(measurement.frequency_uncertainty_hz), "_hz"),
        }
    )


def _too_slow(limit: Limit, how: Judged, facts: Facts) -> list[str]:
    """What the samples are too far apart for."""
    found = []
    own_s = float(getattr(limit, "delay_s", 0.0))  # of a relay, which judges it
    times = [("window", how.window_s), ("mean", how.mean_s), ("delay", max(how.delay_s, own_s))]
    if limit.kind in ("overload", "output_voltage"):
        times += [("step", float(time_s)) for name in ("steps", "below", "above") for _, time_s in getattr(limit, name, ())]
    for what, time_s in times:
        if 0.0 < time_s < _LEAST_RATE * facts.tick_s * (1.0 - 1e-9):
            found.append(f"its {what}, {time_s:g} s, is shorter than two samples, {_LEAST_RATE * facts.tick_s:g} s")
    return found


def _gaps(there: dict[str, Any]) -> list[str]:
    missing = max(int(np.isnan(values).sum()) for values in there.values())
    return [f"{missing} samples are missing"] if missing else []
