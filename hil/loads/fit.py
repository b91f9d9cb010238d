"""Parameters of a training job from its measured power: levels, iterations, edges, checkpoints, and what samples leave open.

The power is taken to be that of `kind = "training"`: one level while it computes, one while it communicates, checkpoints at a
third. Times are those at which straight lines between samples cross the middle of two levels; so they do not suffer from
samples that are means over their period. What it cannot tell it does not make up: it is None, and `open` says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hil.loads.base import Floats

_LEAST_SWING = 0.05  # of the power: what swings less has no phases
_TOP = 0.15  # of the swing: so far below the highest samples the compute phase still is
_LONG_DEVIATIONS = 9.0  # median deviations, six standard ones: by so much a low phase is longer than those of iterations
_LONG = 0.1  # and by so much of them
_LEAST_JITTER = 0.005  # what is less is taken to be none
_EDGE_SAMPLES = 2.0  # that an edge must last
_BLUR = 2.4  # means over a period and lines between them make the square of an edge longer by so many squared periods
_NEAR = (0.25, 0.75)  # of the swing: so far it is at the low level, and from there at the high one
_BELOW_HIGH = (0.8, 0.9)  # the same while the low level is not known yet
_LEAST_ITERATIONS = 3


@dataclass
class Fitted:
    """A fitted job, SI; powers as shares of `power_w`. open: what was not resolved, by key, and why."""

    power_w: float
    samples: int
    sampled_s: float
    iteration_s: float | None = None
    compute_share: float | None = None
    communication_power: float | None = None
    edge_s: float | None = None
    jitter: float | None = None
    idle_power: float | None = None
    start_s: float | None = None
    stop_s: float | None = None
    checkpoint_every_s: float | None = None
    checkpoint_duration_s: float | None = None
    checkpoint_power: float | None = None
    iterations: int = 0
    checkpoints: int = 0
    open: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Crossings:
    """When the power rises and falls through the middle, s."""

    rises: Floats
    falls: Floats


def fit(time_s: Floats, power_w: Floats) -> Fitted:
    """Fit a job to samples in order of time, shape (n,) each, n >= 16. Raises ValueError for too few, or for no job's."""
    if time_s.size < 16:
        raise ValueError(f"{time_s.size} samples: must be 16 or more")
    if power_w.max() <= 0.0:
        raise ValueError("its power is never above 0: there is no job")
    if power_w.min() < 0.0:
        raise ValueError(f"its power is below 0 at {time_s[int(np.argmin(power_w))]:g} s: no job gives power back")
    period_s = float(np.median(np.diff(time_s)))
    low_w, high_w = (float(w) for w in np.percentile(power_w, (2, 98)))
    high_w = float(np.median(power_w[power_w >= high_w - _TOP * (high_w - low_w)]))
    found = Fitted(high_w, int(time_s.size), period_s)
    if high_w - low_w < _LEAST_SWING * abs(high_w):
        found.open["iteration"] = f"the power swings by less than {_LEAST_SWING:.0%} of itself: no phases are seen"
        return found
    crossings = _crossings(time_s, power_w, low_w, high_w, _BELOW_HIGH)
    edge_s = float(time_s[-1] - time_s[0])
    for _ in range(3):  # edges, once they are known, are no part of a low phase
        low_w = _usual_low(time_s, power_w, low_w, crossings, 0.6 * edge_s + 0.5 * period_s)
        edge_s = _edge_seen(time_s, power_w, low_w, high_w, crossings)
        crossings = _crossings(time_s, power_w, low_w, high_w)
    _phases(found, time_s, power_w, low_w, crossings)
    return found


def _usual_low(time_s: Floats, power_w: Floats, low_w: float, crossings: _Crossings, edge_s: float) -> float:
    """The level of the low phases: the median over them of their own, for idle and checkpoints are fewer."""
    lows = []
    for fall_s, rise_s in _low_phases(crossings):
        begin, end = np.searchsorted(time_s, (fall_s + edge_s, rise_s - edge_s))
        if end > begin:
            lows.append(float(np.median(power_w[begin:end])))
        elif (all_of := power_w[slice(*np.searchsorted(time_s, (fall_s, rise_s)))]).size:
            lows.append(float(all_of.min()))
    return float(np.median(lows)) if lows else low_w


def _low_phases(crossings: _Crossings) -> list[tuple[float, float]]:
    """From each fall to the next rise."""
    after = np.searchsorted(crossings.rises, crossings.falls)
    return [(fall, crossings.rises[k]) for fall, k in zip(crossings.falls, after, strict=True) if k < crossings.rises.size]


def _crossings(time_s: Floats, power_w: Floats, low_w: float, high_w: float, near: tuple[float, float] = _NEAR) -> _Crossings:
    """Crossings of the middle; one counts once the power has come near the other level, so that noise makes none."""
    share = (power_w - low_w) / (high_w - low_w)
    middle = 0.5 * (near[0] + near[1])
    side = np.where(share > near[1], 1, np.where(share < near[0], -1, 0))
    known = np.flatnonzero(side)
    turns = known[1:][side[known[1:]] != side[known[:-1]]]
    found: dict[int, list[float]] = {1: [], -1: []}
    for turn in turns:
        now = int(side[turn])
        before = turn - 1
        while before > 0 and (share[before] - middle) * now >= 0.0:
            before -= 1
        a, b = share[before], share[before + 1]
        found[now].append(float(time_s[before] + (middle - a) / (b - a) * (time_s[before + 1] - time_s[before])))
    return _Crossings(np.array(found[1]), np.array(found[-1]))


def _phases(found: Fitted, time_s: Floats, power_w: Floats, low_w: float, crossings: _Crossings) -> None:
    """Iterations and everything that is reckoned from them."""
    lows = np.array(_low_phases(crossings)).reshape(-1, 2)
    cycles = np.diff(crossings.rises)
    if cycles.size < _LEAST_ITERATIONS:
        found.open["iteration"] = f"{cycles.size} whole iterations: must be {_LEAST_ITERATIONS} or more"
        return
    lasted_s = lows[:, 1] - lows[:, 0]
    usual_s = float(np.median(lasted_s))
    spread_s = _LONG_DEVIATIONS * float(np.median(np.abs(lasted_s - usual_s)))
    long = lows[lasted_s > usual_s + max(spread_s, _LONG * usual_s, 2.0 * found.sampled_s)]
    usual = ~np.isin(crossings.rises[1:], long[:, 1])
    if usual.sum() < _LEAST_ITERATIONS:
        found.open["iteration"] = f"{usual.sum()} whole iterations: must be {_LEAST_ITERATIONS} or more"
        return
    iteration_s = float(np.mean(cycles[usual]))
    found.iteration_s, found.iterations = iteration_s, int(usual.sum())
    begins, ends = crossings.rises[:-1][usual], crossings.rises[1:][usual]
    falls = crossings.falls[np.searchsorted(crossings.falls, begins)]
    inside = falls < ends
    found.compute_share = float(np.mean((falls[inside] - begins[inside]) / (ends[inside] - begins[inside])))
    found.communication_power = low_w / found.power_w
    _edge(found, time_s, power_w, low_w, crossings)
    edge_s = found.edge_s or 0.0
    if usual_s - edge_s < 2.0 * found.sampled_s:
        found.open["communication_power"] = _under("its level lasts", usual_s - edge_s, found.sampled_s)
    _jitter(found, cycles[usual])
    _checkpoints(found, time_s, power_w, low_w, usual_s, long)
    _idle(found, time_s, power_w, crossings)


def _under(what: str, time_s: float, sampled_s: float) -> str:
    return f"{what} {max(time_s, 0.0):.3g} s, under two samples, {2.0 * sampled_s:.3g} s"


def _edge(found: Fitted, time_s: Floats, power_w: Floats, low_w: float, crossings: _Crossings) -> None:
    """The length of edges, where samples show it."""
    edge_s = _edge_seen(time_s, power_w, low_w, found.power_w, crossings)
    edge_s = max(0.0, edge_s**2 - _BLUR * found.sampled_s**2) ** 0.5
    if edge_s < _EDGE_SAMPLES * found.sampled_s:
        found.open["edge"] = f"shorter than two samples, {_EDGE_SAMPLES * found.sampled_s:.3g} s"
    else:
        found.edge_s = edge_s


def _edge_seen(time_s: Floats, power_w: Floats, low_w: float, high_w: float, crossings: _Crossings) -> float:
    """How long edges look: from a tenth to nine tenths of each, the median."""
    share = (power_w - low_w) / (high_w - low_w)
    taken = []
    for at, aims in [*((t, (0.1, 0.9)) for t in crossings.rises), *((t, (0.9, 0.1)) for t in crossings.falls)]:
        k = int(np.searchsorted(time_s, at))
        begin, end = _reach(time_s, share, k, -1, aims[0]), _reach(time_s, share, k, 1, aims[1])
        if begin is not None and end is not None:
            taken.append((end - begin) / 0.8)
    return float(np.median(taken)) if taken else 0.0


def _reach(time_s: Floats, share: Floats, k: int, step: int, aim: float) -> float | None:
    """When, from sample k in one direction, straight lines come to a share."""
    a = k if step > 0 else k - 1
    above = aim > 0.5
    while 0 <= a < share.size and (share[a] < aim if above else share[a] > aim):
        a += step
    b = a - step
    if not (0 <= a < share.size and 0 <= b < share.size):
        return None
    return float(time_s[b] + (aim - share[b]) / (share[a] - share[b]) * (time_s[a] - time_s[b]))


def _jitter(found: Fitted, cycles: Floats) -> None:
    """Spread of the iterations, less what steps between samples would have of themselves."""
    assert found.iteration_s is not None
    own_s = found.sampled_s / 6.0**0.5 if found.edge_s is None else 0.0
    spread_s = float(np.std(cycles))
    if spread_s <= 1.5 * own_s:
        if own_s > 0.01 * found.iteration_s:
            found.open["jitter"] = f"below {1.5 * own_s / found.iteration_s:.2g}, which samples make of themselves"
        return
    jitter = (spread_s**2 - own_s**2) ** 0.5 / found.iteration_s
    found.jitter = jitter if jitter > _LEAST_JITTER else None


def _checkpoints(found: Fitted, time_s: Floats, power_w: Floats, low_w: float, usual_s: float, long: Any) -> None:
    """Low phases that last longer than those of iterations: their level, length and period."""
    found.checkpoints = len(long)
    if not len(long):
        return
    edge_s = found.edge_s or 0.0
    levels, lengths = [], []
    for fall_s, rise_s in long:
        a, b = np.searchsorted(time_s, (fall_s + usual_s + edge_s, rise_s - edge_s))
        inside = power_w[a:b] if b > a else power_w[max(0, b - 1) : b + 1]
        level_w = float(np.median(inside))
        levels.append(level_w)
        # It falls at the middle of its edge from the low level, and rises through the middle of low and high.
        rise = (0.5 * (found.power_w + low_w) - level_w) / (found.power_w - level_w)
        lengths.append((rise_s - rise * edge_s) - (fall_s + usual_s - 0.5 * edge_s) - edge_s)
    found.checkpoint_power = max(0.0, float(np.median(levels)) / found.power_w)
    found.checkpoint_duration_s = float(np.median(lengths))
    if found.checkpoint_duration_s < 2.0 * found.sampled_s:
        found.open["checkpoint_duration"] = _under("it lasts", found.checkpoint_duration_s, found.sampled_s)
    if len(long) > 1:
        found.checkpoint_every_s = float((long[-1][0] - long[0][0]) / (len(long) - 1))
    else:
        found.open["checkpoint_every"] = "one checkpoint only"


def _idle(found: Fitted, time_s: Floats, power_w: Floats, crossings: _Crossings) -> None:
    """What it draws before its first rise and after its last fall, where that is longer than an iteration."""
    assert found.iteration_s is not None
    margin_s = max(found.edge_s or 0.0, 2.0 * found.sampled_s)
    spans = [(time_s[0], crossings.rises[0] - margin_s, "start"), (crossings.falls[-1] + margin_s, time_s[-1], "stop")]
    levels = []
    for begin_s, end_s, which in spans:
        inside = power_w[(time_s >= begin_s) & (time_s <= end_s)]
        if end_s - begin_s > 1.2 * found.iteration_s and inside.size > 4:
            levels.append(float(np.median(inside)))
            edge_s = found.edge_s or 0.0
            if which == "start":
                found.start_s = float(crossings.rises[0] - 0.5 * edge_s - time_s[0])
            else:
                found.stop_s = float(crossings.falls[-1] - 0.5 * edge_s - time_s[0])
    if levels:
        found.idle_power = max(0.0, levels[-1] / found.power_w)
    else:
        found.open["idle_power"] = "no stretch longer than an iteration before or after the job"
