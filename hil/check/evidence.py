"""What a recording does not show: why a limit that was not violated is not known to have held."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hil.limits.channels import least_jump
from hil.limits.facts import Facts
from hil.limits.filters import butterworth
from hil.limits.judged import Judged
from hil.limits.settings import BandPass
from hil.limits.thermals import Thermal
from hil.scenario.grid import Measurement
from hil.scenario.limit import Limit
from hil.scenario.limit_rules import MOST_HZ
from hil.verdict.result import LimitResult

if TYPE_CHECKING:
    from hil.check.ground import JudgedOn
    from hil.check.signals import Signals

_STEP = 2.0 / math.sqrt(12.0)
"""Expanded uncertainty (k = 2) of a value that was rounded to a step, as part of the step."""
_LEAST_RATE = 2.0
"""Samples that a delay or a window must hold for the recording to show it."""
_TOLD = 4
"""Times that a limit was blocked that are told one by one."""
_SETTLED = math.log(100.0)
"""Time constants after which a hundredth is left of where a filter began."""


def as_sure_as_its_steps(measurement: Measurement, signals: Signals, names: list[str]) -> Measurement:
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


def too_slow(limit: Limit, how: Judged, period_s: float) -> list[str]:
    """What the samples, so far apart, do not show. period_s: of the slowest signal that it looks at."""
    found = []
    band = getattr(limit, "band_hz", None)
    if band is not None and band[1] > MOST_HZ / period_s * (1.0 + 1e-9):
        found.append(f"its band reaches to {band[1]:g} Hz, beyond 0.4 of {1.0 / period_s:g} samples a second")
    own_s = float(getattr(limit, "delay_s", 0.0))  # of a relay, which judges it
    times = [("window", how.window_s), ("mean", how.mean_s), ("delay", max(how.delay_s, own_s))]
    if limit.kind in ("overload", "output_voltage"):
        times += [("step", float(time_s)) for name in ("steps", "below", "above") for _, time_s in getattr(limit, name, ())]
    for what, time_s in times:
        if 0.0 < time_s < _LEAST_RATE * period_s * (1.0 - 1e-9):
            found.append(f"its {what}, {time_s:g} s, is shorter than two samples, {_LEAST_RATE * period_s:g} s")
    return found


def too_coarse(how: Judged, result: LimitResult, signals: Signals) -> list[str]:
    """A margin within what samples leave open: of a time their period, of a device's signal the step of its numbers."""
    if result.worst is None:
        return []
    left = abs(result.limit - result.worst)
    if how.unit == "s" and left < signals.period_s * (1.0 - 1e-9):
        return [f"its margin, {left:.3g} s, is shorter than the time between two samples, {signals.period_s:g} s"]
    step = _STEP * signals.step(how.channel)
    if not how.channel.startswith(("pcc.", "bus.")) and how.value == "limit.level" and left < step:
        return [f"its margin, {left:.3g}, is below what the steps of its numbers leave open, {step:.3g}"]
    return []


def gaps(there: dict[str, Any], on: JudgedOn) -> list[str]:
    """Samples that are missing, but for those before windows over waveforms were full."""
    signals, rows = on.signals, on.count / on.signals.count
    missing = max(
        int(signals.missing(name, values)[math.ceil(rows * signals.filled(name)) :].sum()) for name, values in there.items()
    )
    strange = {line: None for name in there if signals.filled(name) for line in signals.strange(name.rpartition(".")[0])}
    return [*([f"{missing} samples are missing"] if missing else []), *strange]


def blocking(limit: Limit, there: dict[str, Any], on: JudgedOn) -> list[str]:
    """For how long, and by which jumps of the phase, a limit was blocked; that it cannot be, where there are no waveforms."""
    if getattr(limit, "block_jump_deg", None) is None or on.run is not None:
        return []
    waves = on.signals.waveforms("pcc")
    if waves is None:
        return [f"{limit.name}: block_jump blocks nothing: of pcc no waveforms were recorded, which would show a phase jump"]
    found = []
    for name in there:
        least_deg = least_jump(name)
        if least_deg is None:
            continue
        edges = np.flatnonzero(np.diff(waves.around_jumps(least_deg), prepend=False, append=False))
        for begin, end in edges.reshape(-1, 2):
            those = [jump for jump in waves.jumps(least_deg) if begin <= jump.at < end]
            largest = max(those, key=lambda jump: abs(jump.degrees))
            what = "a phase jump of" if len(those) == 1 else "phase jumps of up to"
            blocked_s = (end - begin) * on.period_s
            found.append(
                (blocked_s, f"for {blocked_s:.3f} s by {what} {largest.degrees:.1f} deg at {largest.at * on.period_s:.3f} s")
            )
    if len(found) > _TOLD:
        total_s = sum(blocked_s for blocked_s, _ in found)
        return [f"{limit.name}: blocked {len(found)} times, {total_s:.3f} s in all, the first {found[0][1]}"]
    return [f"{limit.name}: blocked {told}" for _, told in found]


def settling(ways: Sequence[Judged], facts: Facts) -> int:
    """Samples until a limit's slowest filter has settled, to a hundredth, and its window holds nothing from before that."""
    slowest = 0.0
    for function in (function for how in ways for function in how.functions):
        band = function.settings
        if isinstance(band, BandPass) and band.high_hz < 0.5 / facts.tick_s:
            for _, _, _, a1, a2 in butterworth("band_pass", band.order, (band.low_hz, band.high_hz), 1.0 / facts.tick_s):
                slowest = max(slowest, *(abs(pole) for pole in np.roots([1.0, a1, a2])))
    return math.ceil(-_SETTLED / math.log(slowest)) + facts.ticks_of(ways[0].window_s) if slowest else 0


def unsettled(limit: Limit, how: Judged, settles: int, count: int, facts: Facts) -> list[str]:
    """A filter or a thermal image that remembers more than the recording tells."""
    if settles > count:
        return [
            f"its filter settles, and its window is full after that, in {settles * facts.tick_s:.3g} s: more than was recorded"
        ]
    for function in how.functions:
        if isinstance(function.settings, Thermal):
            needs_s = _SETTLED * float(limit.time_constant_s)  # type: ignore[union-attr]
            if needs_s > count * facts.tick_s:
                return [f"how warm it was at the beginning is not known, and forgotten only after {needs_s:.4g} s"]
    return []
