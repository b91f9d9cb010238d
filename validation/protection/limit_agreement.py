"""Random cases of every kind of limit through both implementations."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from protection import limits, replays
from protection.agreement import Tally, distance
from protection.limits import Judged
from protection.recovery import recovery
from protection.relays import Relay, relay
from protection.waveforms import blanks, gaps, samples_of, ticks, waveform

NEVER = 1e300
ANOTHER_SUM = 1e-9  # of the size of the waveform: means round by the order of their sums


def compared(judged: Judged, compiled: replays.Compiled, *columns: np.ndarray, blanked: np.ndarray | None = None) -> Tally:
    """Beyond or not after every sample, what is counted, and the worst values that were sustained."""
    seen = compiled.samples(*columns, field="beyond", blanked=blanked).astype(bool)
    state = compiled.replay.states["limits"][0]
    counts = {**judged.counts(), "valid_ticks": int(judged.judged.sum())}
    differ = int(np.sum(seen != judged.beyond)) + sum(int(state[name]) != number for name, number in counts.items())
    off = 0.0
    for name, worst in (("highest", judged.highest), ("lowest", judged.lowest)):
        if compiled.param["has_high" if name == "highest" else "has_low"]:
            same = worst == state[name]
            off = max(off, 0.0 if same else abs(worst - float(state[name])) / max(judged.size, 1e-300))
    return Tally(judged.value.size, differ, int(judged.beyond.sum()), off)


def midway(value: np.ndarray, rng: np.random.Generator) -> float:
    """A bound between two samples of what was worked out by another sum, and on neither; any where there are none."""
    known = np.unique(value[np.isfinite(value)])
    wide = np.flatnonzero(np.diff(known) > 1e-6 * max(float(np.max(np.abs(known), initial=0.0)), 1.0))
    if not wide.size:
        return float(known[-1]) + 1.0 if known.size else 1.0
    at = int(rng.choice(wide))
    return float(known[at] + known[at + 1]) / 2.0


def level_case(rng: np.random.Generator) -> Tally:
    """A level on both sides, with a delay; and a relay of the same bound, time and drop-out, which must agree with both."""
    samples = samples_of(rng)
    low, high = 0.9, 1.1
    sides = rng.integers(1, 4)
    low, high = (low if sides & 1 else -math.inf), (high if sides & 2 else math.inf)
    value = gaps(rng, waveform(rng, samples, [bound for bound in (low, high) if math.isfinite(bound)]))
    delay, blanked = ticks(rng, samples), blanks(rng, samples)
    judged = limits.level(value, low, high, delay, blanked)
    tally = compared(judged, replays.limit("level", low=low, high=high, delay=delay), value, blanked=blanked)
    if sides in (1, 2):
        bound = high if sides == 2 else low
        setting = Relay(bound, bound, under=sides == 1, delay_samples=delay)
        for share in (relay(value, setting, blanked), replays.relay(value, setting, blanked)):
            tally += Tally(samples, int(np.sum((share >= 1.0) != judged.beyond)), int(np.sum(share >= 1.0)))
    return tally


def ramp_case(rng: np.random.Generator) -> Tally:
    """A ramp of the mean, through stimuli."""
    samples, dt = samples_of(rng), float(rng.choice([1e-3, 1e-2]))
    value, blanked = gaps(rng, waveform(rng, samples, [0.9, 1.1])), blanks(rng, samples)
    mean, window, first = max(1, ticks(rng, samples)), max(1, ticks(rng, samples)), float(rng.choice([1.0, value[0]]))
    if math.isnan(first):
        first = 1.0
    ramp = limits.ramp(value, mean, window, first, blanked, dt)
    bound = midway(np.abs(ramp), rng)
    judged = limits.at_once(ramp, -bound, bound, blanked | np.isnan(value), 2.0 * limits.size(value, first) / (window * dt))
    return compared(judged, replays.limit_ramp(mean, window, first, dt, low=-bound, high=bound), value, blanked=blanked)


def range_case(rng: np.random.Generator) -> Tally:
    """Peak to peak in a closed rolling window, through stimuli; exact."""
    samples = samples_of(rng)
    value, blanked = gaps(rng, waveform(rng, samples, [0.9, 1.1])), blanks(rng, samples)
    window, first = ticks(rng, samples), 1.0
    swing = limits.peak_to_peak(value, window, first, blanked)
    bound = float(rng.choice(swing))  # at the bound is inside
    judged = limits.at_once(swing, -math.inf, bound, blanked | np.isnan(value), 1.0)
    return compared(judged, replays.limit_range(window, first, high=bound), value, blanked=blanked)


def rate_case(rng: np.random.Generator) -> Tally:
    """Rate of change with a delay, judged again once its window lies behind a stimulus."""
    samples, dt = samples_of(rng), float(rng.choice([1e-3, 1e-2]))
    value, blanked = gaps(rng, waveform(rng, samples, [59.5, 60.5])), blanks(rng, samples)
    window, delay, first = max(1, ticks(rng, samples)), ticks(rng, samples), 60.0
    rate = limits.rate(value, window, first, dt)
    bound = midway(np.abs(rate), rng)
    judged = limits.level(rate, -bound, bound, delay, limits.blanked_for_rate(blanked, window))
    return compared(judged, replays.limit_rate(window, first, dt, low=-bound, high=bound, delay=delay), value, blanked=blanked)


def time_case(rng: np.random.Generator) -> Tally:
    """Time spent at one value, in a stretch or in all."""
    samples, total = samples_of(rng), bool(rng.random() < 0.5)
    value = (waveform(rng, samples, [1.0]) > 1.0).astype(float)
    bound = float(ticks(rng, samples))
    judged = limits.at_once(
        limits.spent(value, 1.0, total=total).astype(float), -math.inf, bound, np.zeros(samples, bool), 1.0
    )
    return compared(judged, replays.limit_time(1.0, total=total, high=bound), value)


def recovery_case(rng: np.random.Generator) -> Tally:
    """Recovery of a power after dips, some within the recovery of another; fed in or drawn."""
    samples = samples_of(rng)
    voltage = waveform(rng, samples, [0.9])
    voltage[rng.random(samples) < 0.5] = 1.0
    sign = float(rng.choice([1.0, -1.0]))
    power = sign * 10.0 * (1.0 + 0.02 * rng.standard_normal(samples))
    for begin in rng.integers(0, samples, rng.integers(0, 6)):
        power[begin : begin + rng.integers(1, max(2, samples // 6))] *= rng.choice([0.0, 0.5, 0.93])
    late, mean, hold = 1 + ticks(rng, samples // 4), max(1, ticks(rng, samples)), ticks(rng, samples // 4)
    keys = {"below": 0.9, "share": 0.9, "slack": 1e-9}
    found = recovery(power, voltage, before=sign * 10.0, late=late, mean=mean, hold=hold, **keys)
    bound = float(ticks(rng, samples // 4))
    judged = limits.at_once(found.samples, -math.inf, bound, np.isnan(found.samples), 1.0)
    compiled = replays.limit_recovery(sign * 10.0, late, mean, hold, high=bound, **keys)
    tally = compared(judged, compiled, power, voltage)
    state = compiled.replay.states["limits"][0]
    off = distance(np.array(found.befores[-1:]), np.array([state["before"]])[: len(found.befores)], 1.0)
    return tally + Tally(1, int(state["phase"] != found.phase), 0, off)


CASES: dict[str, Callable[[np.random.Generator], Tally]] = {
    "level with delay": level_case,
    "ramp of the mean": ramp_case,
    "peak to peak": range_case,
    "rate of change": rate_case,
    "time spent": time_case,
    "recovery": recovery_case,
}
