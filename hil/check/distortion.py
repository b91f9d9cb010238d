"""Harmonics against limits of the kind of IEEE 519: aggregated over intervals, and judged by percentiles within periods."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.check.ground import JudgedOn
from hil.check.waveforms import TO_GROUND, Waveforms, wave_of
from hil.scenario.limit import CurrentDistortion, VoltageDistortion
from hil.scenario.limit.waveform import BANDS, Statistic
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult, undecided
from hil.waves.harmonics import cycles_of
from hil.waves.sliding import Floats
from hil.waves.statistics import aggregated, percentile

_NORMAL_PU = (0.9, 1.1)
"""RMS voltages beyond these flag a window, as IEC 61000-4-30 has it: what it shows is a dip or a swell, and no harmonics."""
_SAME = 1e-9


@dataclass(frozen=True)
class _Asked:
    """Limits by order, shares of a base; those of order 1 are the limits of all orders together. shape (orders + 1,)."""

    signals: Mapping[str, Floats]
    bases: Mapping[str, float]
    bounds: Floats
    what: str

    @property
    def total(self) -> str:
        """What all orders together are called."""
        return "THD" if self.what == "voltage" else "TDD"


@dataclass
class _Found:
    """What is judged so far, and the value with the least margin."""

    worst: float = math.nan
    bound: float = math.nan
    margin: float = math.inf
    at_s: float | None = None
    first_s: float | None = None
    beyond_s: float = 0.0
    often: int = 0
    where: str = ""


def voltage_distortion(limit: Any, on: JudgedOn) -> LimitResult:
    """Judge harmonics of the voltage, by its nominal value."""
    assert isinstance(limit, VoltageDistortion)
    waves = on.signals.waveforms(limit.node)
    if waves is None:
        return undecided(limit, [f"the recording has no {wave_of(limit.node, 'a')}"])
    if (elsewhere := _elsewhere(limit, waves)) is not None:
        return elsewhere
    bounds = np.full(limit.highest + 1, limit.individual)
    bounds[1] = limit.total
    bases = {phase: waves.base_v(phase) for phase in waves.voltages}
    return _judged(limit, on, waves, _Asked(waves.voltages, bases, bounds, "voltage"))


def current_distortion(limit: Any, on: JudgedOn) -> LimitResult:
    """Judge harmonics of the current, by the demand current."""
    assert isinstance(limit, CurrentDistortion)
    waves, file = on.signals.waveforms(limit.node), on.orders.waveforms
    lacks = [wave_of(limit.node, phase, "current") for phase in TO_GROUND if waves is None or phase not in waves.currents]
    if waves is None or len(lacks) == len(TO_GROUND):
        return undecided(limit, [f"the recording has no {lacks[0]}"])
    if (elsewhere := _elsewhere(limit, waves)) is not None:
        return elsewhere
    if file.demand_current_a is None or file.short_circuit_current_a is None:
        what = "demand_current" if file.demand_current_a is None else "short_circuit_current"
        return undecided(limit, [f"the file does not say waveforms.{what}"])
    demand_a = float(file.demand_current_a)
    ratio = float(file.short_circuit_current_a) / demand_a
    row = next((row for row in reversed(limit.table) if row[0] <= ratio), None)
    if row is None:
        return undecided(limit, [f"its table begins at a ratio of {limit.table[0][0]:g}, and this one is {ratio:.3g}"])
    orders = np.arange(limit.highest + 1)
    bounds = np.asarray(row[1:-1])[np.clip(np.searchsorted(BANDS, orders, side="right") - 1, 0, len(BANDS) - 1)]
    bounds = np.where((orders % 2 == 0) & (orders <= limit.even_up_to), limit.even_share * bounds, bounds)
    bounds[1] = row[-1]
    result = _judged(limit, on, waves, _Asked(waves.currents, dict.fromkeys(waves.currents, demand_a), bounds, "current"))
    on.notes.append(f"{limit.name}: short-circuit over demand current is {ratio:.3g}: the row from {row[0]:g} on")
    return result


def _elsewhere(limit: VoltageDistortion | CurrentDistortion, waves: Waveforms) -> LimitResult | None:
    """The result where a limit is for other nominal voltages."""
    most = math.inf if limit.up_to_v is None else float(limit.up_to_v)
    if limit.above_v < waves.nominal_v <= most:
        return None
    to = "" if limit.up_to_v is None else f" and up to {most / 1e3:g} kV"
    reason = f"is for nominal voltages above {limit.above_v / 1e3:g} kV{to}, and this one is {waves.nominal_v / 1e3:g} kV"
    return _result(limit, _Found(), Outcome.NOT_APPLICABLE, [reason])


def _judged(limit: VoltageDistortion | CurrentDistortion, on: JudgedOn, waves: Waveforms, asked: _Asked) -> LimitResult:
    window_s = cycles_of(waves.nominal_hz) / waves.nominal_hz
    groups = waves.harmonics(asked.what, limit.highest)
    shares = groups.values / np.array(list(asked.bases.values()))[:, None, None]
    shares[:, :, 1] = np.sqrt(np.square(shares[:, :, 2:]).sum(axis=2))
    reasons = on.signals.strange(limit.node)
    if groups.highest < limit.highest:
        shown = f"harmonics up to order {groups.highest} of {limit.highest}"
        reasons.append(f"{waves.rate_hz:g} samples a second show {shown}")
    missing = int(np.isnan(shares[:, :, 1]).any(axis=0).sum())
    if missing:
        reasons.append(f"samples, or the fundamental, are missing in {missing} of {shares.shape[1]} windows of {window_s:g} s")
    flagged = _flagged(waves, groups.begins)
    if flagged.any():
        shares[:, flagged] = np.nan
        low, high = _NORMAL_PU
        on.notes.append(
            f"{limit.name}: {int(flagged.sum())} of {flagged.size} windows of {window_s:g} s are left out: a voltage was"
            f" beyond {low:g} to {high:g} pu"
        )
    found = _Found()
    for statistic in limit.statistics:
        together = max(1, round(statistic.interval_s / window_s))
        values = aggregated(shares, together)
        times_s = groups.begins[::together] * on.signals.period_s
        reasons += _by_percentile(found, list(asked.signals), asked, values, times_s, statistic)
    if found.where:
        on.notes.append(f"{limit.name}: least margin at {found.where}")
    margin_pu = abs(found.bound - found.worst)
    unsure = float(on.orders.measurement.voltage_uncertainty) if isinstance(limit, VoltageDistortion) else 0.0
    if margin_pu < unsure:
        reasons.append(
            f"its margin, {100 * margin_pu:.3g} %, is below the expanded uncertainty of what was measured, "
            f"{100 * unsure:.3g} %"
        )
    outcome = Outcome.INCONCLUSIVE if reasons else Outcome.PASS
    return _result(limit, found, Outcome.FAIL if found.first_s is not None else outcome, list(dict.fromkeys(reasons)))


def _flagged(waves: Waveforms, begins: Floats) -> Any:
    """Windows in which an RMS voltage was beyond what is normal."""
    lowest, highest = (waves.channel(f"voltage_{which}_measured_pu") for which in ("lowest", "highest"))
    assert lowest is not None
    assert highest is not None
    if begins.size < 2:
        return np.zeros(0, np.bool_)
    at = np.floor(begins[:-1]).astype(np.int64)
    with np.errstate(invalid="ignore"):
        beyond = (lowest < _NORMAL_PU[0]) | (highest > _NORMAL_PU[1])
    return np.logical_or.reduceat(beyond[: math.ceil(begins[-1])], at)


def _by_percentile(
    found: _Found,
    names: list[str],
    asked: _Asked,
    values: Any,
    times_s: Floats,
    statistic: Statistic,
) -> list[str]:
    """Judge one statistic, shape of values (signals, intervals, orders + 1); why it is not decided.

    It is violated where more values are beyond than the percentile of a whole period leaves, whatever the others would be.
    """
    interval_s, period_s = float(statistic.interval_s), float(statistic.period_s)
    bounds = statistic.factor * asked.bounds[: values.shape[2]]
    share = statistic.percentile / 100.0
    what = f"{statistic.percentile:g} % of {interval_s:g} s values in {period_s:g} s"
    count, per_period = values.shape[1], max(1, round(period_s / interval_s))
    if count == 0:
        return [f"{what}: no interval is whole"]
    may_be_beyond = per_period - math.ceil(share * per_period - _SAME)
    reasons = []
    for begin in range(0, count, per_period):
        block = values[:, begin : begin + per_period]
        level = percentile(block, share)
        with np.errstate(invalid="ignore"):
            beyond = block > bounds * (1.0 + _SAME)
            margin = (bounds - level) / bounds
        margin[:, 0] = np.nan
        beyond[:, :, 0] = False
        violated = beyond.sum(axis=1) > may_be_beyond
        whole = block.shape[1] == per_period
        if np.isnan(level[:, 1]).any():
            reasons.append(f"{what}: no value is valid")
            continue
        signal, order = np.unravel_index(int(np.nanargmin(margin)), margin.shape)
        if margin[signal, order] < found.margin:
            latest = int(np.nanargmax(block[signal, :, order]))
            found.margin, found.worst, found.bound = (
                float(margin[signal, order]),
                float(level[signal, order]),
                float(bounds[order]),
            )
            found.at_s = float(times_s[min(begin + latest + 1, times_s.size - 1)])
            found.where = f"{asked.total if order == 1 else f'order {order}'} of phase {names[signal]}, {what}"
        if violated.any():
            over = (beyond & violated[:, None, :]).any(axis=(0, 2))
            first_s = float(times_s[begin + int(np.flatnonzero(over)[0])])
            found.first_s = first_s if found.first_s is None else min(found.first_s, first_s)
            found.beyond_s += float(over.sum()) * interval_s
            found.often += int(np.count_nonzero(np.diff(over, prepend=False) & over))
        elif not whole and begin == 0:
            kept = "beyond its limit" if margin[signal, order] < 0.0 else "within its limit"
            reasons.append(f"{what}: the recording, {count * interval_s:g} s of them, is shorter; it is {kept} there")
    return reasons


def _result(limit: VoltageDistortion | CurrentDistortion, found: _Found, outcome: Outcome, reasons: list[str]) -> LimitResult:
    known = not math.isnan(found.worst)
    return LimitResult.of(
        limit,
        outcome,
        unit="%",
        limit=100.0 * found.bound,
        worst=100.0 * found.worst if known else None,
        margin=found.margin if known else None,
        at_s=found.at_s,
        first_violation_s=found.first_s,
        time_beyond_s=found.beyond_s,
        excursions=found.often,
        reasons=reasons,
    )
