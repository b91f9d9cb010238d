"""Ride-through envelopes: time beyond thresholds, and whether a subject let go too early (docs/protection.md, "Envelopes")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from protection.masks import beyond, stretches
from scipy import signal


@dataclass(frozen=True)
class Threshold:
    """May be beyond `level` for `allowed` samples."""

    level: float
    under: bool
    inclusive: bool
    allowed: int

    def beyond(self, value: np.ndarray) -> np.ndarray:
        """Where a value is beyond it."""
        return beyond(value, self.level, under=self.under, inclusive=self.inclusive)


@dataclass(frozen=True)
class Envelope:
    """Settings, times in samples. window 0: thresholds count in a disturbance.

    relative: `stays` is a share of the subject's mean before the disturbance, a first-order mean that takes a `gain` of each
    new sample.
    """

    low: float
    high: float
    thresholds: tuple[Threshold, ...]
    stays: float
    window: int = 0
    recovery: int = 0
    relative: bool = False
    gain: float = 1.0


def envelope(value: np.ndarray, subject: np.ndarray, setting: Envelope) -> tuple[np.ndarray, np.ndarray]:
    """Largest share of an allowed time, and 1 where the subject has let go although it had to stay."""
    outside = ~((value >= setting.low) & (value <= setting.high))
    counts = [_count(threshold.beyond(value), outside, setting.window) for threshold in setting.thresholds]
    shares, exceeded = np.zeros(value.size), np.zeros(value.size, dtype=bool)
    for threshold, count in zip(setting.thresholds, counts, strict=True):
        exceeded |= count > threshold.allowed
        shares = np.maximum(shares, count / threshold.allowed if threshold.allowed else 2.0 * (count > 0))
    let_go = np.full(value.size, np.nan)
    for begin, end in _episodes(outside, setting.recovery):
        calm_before = np.concatenate([*(subject[b:e] for b, e in _calm(outside, setting.recovery, begin)), np.zeros(0)])
        let_go[begin:end] = _let_go(subject, calm_before, (begin, end), outside, exceeded, setting)
    return shares, let_go


def _count(is_beyond: np.ndarray, outside: np.ndarray, window: int) -> np.ndarray:
    """Samples beyond: in a rolling window of so many, or in the disturbance that each sample belongs to."""
    total = np.concatenate([[0], np.cumsum(is_beyond)])
    if window:
        n = np.arange(is_beyond.size)
        return total[n + 1] - total[np.maximum(n + 1 - window, 0)]
    count = np.zeros(is_beyond.size, dtype=int)
    for begin, end in stretches(outside):
        count[begin:end] = np.cumsum(is_beyond[begin:end])
    return count


def _episodes(outside: np.ndarray, recovery: int) -> list[tuple[int, int]]:
    """Disturbances with the recoveries after them, which last to the sample `recovery` after the end; joined where they meet."""
    spread = outside.copy()
    for _, end in stretches(outside):
        spread[end : end + recovery + 1] = True
    return stretches(spread)


def _calm(outside: np.ndarray, recovery: int, before: int) -> list[tuple[int, int]]:
    """Stretches before a sample that belong to no disturbance or recovery."""
    busy = np.zeros(outside.size, dtype=bool)
    for begin, end in _episodes(outside, recovery):
        busy[begin:end] = True
    return stretches(~busy[:before])


def _let_go(
    subject: np.ndarray,
    calm_before: np.ndarray,
    episode: tuple[int, int],
    outside: np.ndarray,
    exceeded: np.ndarray,
    setting: Envelope,
) -> np.ndarray:
    begin, end = episode
    least = setting.stays
    judged = np.ones(end - begin, dtype=bool)
    if setting.relative:
        mean = calm_before[0] if calm_before.size else subject[0]
        if calm_before.size:
            gain = setting.gain
            mean = signal.lfilter([gain], [1.0, gain - 1.0], calm_before, zi=[(1.0 - gain) * mean])[0][-1]
        least = setting.stays * mean
        n = np.arange(end - begin)
        latest_outside = np.maximum.accumulate(np.where(outside[begin:end], n, -1))
        judged = n - latest_outside - 1 >= setting.recovery
        judged &= ~outside[begin:end]
    may_trip = np.maximum.accumulate(exceeded[begin:end])
    gone = judged & (subject[begin:end] < least) & ~may_trip
    return np.maximum.accumulate(gone).astype(float)
