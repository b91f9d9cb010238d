"""How long the instantaneous voltage was above levels, in parts of a sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from hil.check.ground import JudgedOn
from hil.check.waveforms import BETWEEN, TO_GROUND, Waveforms, wave_of
from hil.scenario.limit import TransientOvervoltage
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult, undecided
from hil.waves.sliding import Floats

_AT_ONCE = 2.0
"""The share of an allowed time of 0 that any time above its level uses up, as in envelopes."""
_SAME = 1e-9


def transient_overvoltage(limit: Any, on: JudgedOn) -> LimitResult:
    """Judge a limit on instantaneous voltages by all phases that there are."""
    assert isinstance(limit, TransientOvervoltage)
    waves = on.signals.waveforms(limit.node)
    if waves is None:
        return undecided(limit, [f"the recording has no {wave_of(limit.node, 'a')}"])
    period_s = on.signals.period_s
    worst, at, first, beyond_s, often = 0.0, None, None, 0.0, 0
    where, reasons = "", []
    missing = 0
    for phase in (phase for phase in (*TO_GROUND, *BETWEEN) if phase in waves.voltages):
        height = _height(waves, phase)
        missing = max(missing, int(np.isnan(height).sum()))
        for level, allowed_s in limit.above:
            used = _used(height - level, period_s, float(limit.window_s), float(allowed_s))
            largest = float(used.max())
            if at is None or largest > worst:
                worst, at = largest, int(used.argmax())
                where = f"above {level:g} pu of phase {phase}"
            over = used > 1.0 + _SAME
            if over.any():
                begins = np.flatnonzero(np.diff(over, prepend=False) & over)
                first = int(begins[0]) if first is None else min(first, int(begins[0]))
                often += begins.size
                beyond_s += float(np.count_nonzero(over)) * period_s
    unsure = float(on.orders.measurement.voltage_uncertainty)
    if first is None and unsure and _violated(limit, waves, period_s, unsure):
        reasons.append(f"with voltages higher by the expanded uncertainty of what was measured, {unsure:g} pu, it is violated")
    for level, allowed_s in limit.above:
        if 0.0 < allowed_s < 2.0 * period_s * (1.0 - _SAME):
            reasons.append(f"its {allowed_s:g} s above {level:g} pu are shorter than two samples, {2.0 * period_s:g} s")
    reasons += on.signals.strange(limit.node)
    if missing:
        reasons.append(f"{missing} samples are missing")
    if float(limit.window_s) > on.signals.count * period_s:
        reasons.append(f"its window, {limit.window_s:g} s, is longer than the recording, {on.signals.count * period_s:g} s")
    if worst > 0.0:
        on.notes.append(f"{limit.name}: most of an allowed time was used {where}")
    outcome = Outcome.FAIL if first is not None else Outcome.INCONCLUSIVE if reasons else Outcome.PASS
    return LimitResult.of(
        limit,
        outcome,
        unit="",
        limit=1.0,
        worst=worst,
        margin=1.0 - worst,
        at_s=None if at is None else at * period_s,
        first_violation_s=None if first is None else first * period_s,
        time_beyond_s=beyond_s,
        excursions=often,
        reasons=reasons,
    )


def _violated(limit: TransientOvervoltage, waves: Waveforms, period_s: float, more_pu: float) -> bool:
    """Whether the limit would be violated by voltages that are higher."""
    return any(
        bool((_used(_height(waves, phase) + more_pu - level, period_s, limit.window_s, allowed_s) > 1.0 + _SAME).any())
        for phase in waves.voltages
        for level, allowed_s in limit.above
    )


def _height(waves: Waveforms, phase: str) -> Floats:
    """Magnitude of the voltage of a phase, pu of the nominal peak."""
    found: Floats = np.abs(waves.voltages[phase]) / (np.sqrt(2.0) * waves.base_v(phase))
    return found


def _used(above: Floats, period_s: float, window_s: float, allowed_s: float) -> Floats:
    """Share of an allowed time that is used up at each sample.

    above: by how much the voltage is above the level; between two samples it is a line.
    """
    time_s = np.zeros(above.size)
    if not bool((above > 0.0).any()):
        return time_s
    left, right = above[:-1], above[1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip(np.maximum(left, right) / np.abs(right - left), 0.0, 1.0)
        share = np.where((left > 0.0) & (right > 0.0), 1.0, np.where((left > 0.0) | (right > 0.0), share, 0.0))
    time_s[1:] = np.nan_to_num(share) * period_s
    total = np.cumsum(time_s)
    if window_s > 0.0:
        begin = np.arange(above.size) - round(window_s / period_s)
        spent = total - np.where(begin > 0, total[np.maximum(begin, 0)], 0.0)
    else:
        rises = np.concatenate([[True], ~(left > 0.0)])  # each time by itself counts from what had been spent before it
        before = np.where(rises | (time_s == 0.0), total - time_s, 0.0)
        spent = np.where(time_s > 0.0, total - np.maximum.accumulate(before), 0.0)
    if allowed_s == 0.0:
        return np.where(time_s > 0.0, _AT_ONCE, 0.0)
    found: Floats = spent / allowed_s
    return found
