"""Ride-through envelopes: time beyond thresholds, and whether a subject let go too early (docs/protection.md, "Envelopes")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from protection.masks import beyond, stretches


@dataclass(frozen=True)
class Threshold:
    """May be beyond `level` for `allowed` samples, or for any time (None)."""

    level: float
    under: bool
    inclusive: bool
    allowed: int | None


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


@dataclass(frozen=True)
class Episode:
    """Disturbances without an end of recovery between them, (begin, end) each, and the sample behind the last recovery."""

    disturbances: list[tuple[int, int]]
    over: int
    stays: np.ndarray  # of all samples: where the subject stays, by what it was before this episode

    @property
    def begin(self) -> int:
        """First sample."""
        return self.disturbances[0][0]


def envelope(value: np.ndarray, subject: np.ndarray, setting: Envelope, before: float) -> tuple[np.ndarray, np.ndarray]:
    """Largest share of an allowed time, and 1 where the subject has let go although it had to stay.

    before: what the subject was until the first sample.
    """
    outside = ~((value >= setting.low) & (value <= setting.high))
    episodes = _episodes(outside, subject, setting, before)
    shares, exceeded = np.zeros(value.size), np.zeros(value.size, dtype=bool)
    for threshold in setting.thresholds:
        if threshold.allowed is None:
            continue
        is_beyond = beyond(value, threshold.level, under=threshold.under, inclusive=threshold.inclusive)
        count = _in_window(is_beyond, setting.window) if setting.window else _in_disturbances(is_beyond, episodes)
        exceeded |= (count > threshold.allowed) & outside
        shares = np.maximum(shares, count / threshold.allowed if threshold.allowed else 2.0 * (count > 0))
    let_go = np.full(value.size, np.nan)
    for episode in episodes:
        whole = slice(episode.begin, episode.over)
        asked = ~np.maximum.accumulate(exceeded[whole])
        if setting.relative:
            asked &= _time_is_up(episode, setting.recovery)
        failed = np.maximum.accumulate(~episode.stays[whole] & asked)
        let_go[whole] = np.where(asked | failed, failed, np.nan)
    return shares, let_go


def _episodes(outside: np.ndarray, subject: np.ndarray, setting: Envelope, before: float) -> list[Episode]:
    """From the first sample of a disturbance to where, `recovery` after its end at the earliest, the subject stays."""
    found: list[Episode] = []
    calm_from = 0
    disturbances = stretches(outside)
    while disturbances:
        begin = disturbances[0][0]
        calm = subject[calm_from:begin]
        before = _mean(calm[~np.isnan(calm)], setting.gain, before)
        stays = _stays(subject, setting, before)
        joined = []
        over = None
        while over is None:
            joined.append(disturbances.pop(0))
            until = disturbances[0][0] if disturbances else outside.size
            back = np.flatnonzero(stays[joined[-1][1] + setting.recovery : until])
            if back.size:
                over = joined[-1][1] + setting.recovery + int(back[0]) + 1
            elif not disturbances:
                over = outside.size
        found.append(Episode(joined, over, stays))
        calm_from = over
    return found


def _mean(subject: np.ndarray, gain: float, before: float) -> float:
    """First-order mean behind some samples."""
    if not subject.size:
        return before
    mean, _ = signal.lfilter([gain], [1.0, gain - 1.0], subject, zi=[(1.0 - gain) * before])
    return float(mean[-1])


def _stays(subject: np.ndarray, setting: Envelope, before: float) -> np.ndarray:
    """Where the subject is what it must be; of a power that was fed in, that much is fed in again."""
    if setting.relative and before < 0.0:
        return subject <= setting.stays * before
    return subject >= (setting.stays * before if setting.relative else setting.stays)


def _in_window(is_beyond: np.ndarray, window: int) -> np.ndarray:
    """Samples beyond among the latest `window`, that of now included."""
    total = np.concatenate([[0], np.cumsum(is_beyond)])
    n = np.arange(is_beyond.size)
    return total[n + 1] - total[np.maximum(n + 1 - window, 0)]


def _in_disturbances(is_beyond: np.ndarray, episodes: list[Episode]) -> np.ndarray:
    """Samples beyond in a disturbance; its count stands until the next, or the end of the recovery."""
    count = np.zeros(is_beyond.size, dtype=int)
    for episode in episodes:
        begins = [begin for begin, _ in episode.disturbances]
        for (begin, end), until in zip(episode.disturbances, [*begins[1:], episode.over], strict=True):
            count[begin:end] = np.cumsum(is_beyond[begin:end])
            count[end:until] = count[end - 1]
    return count


def _time_is_up(episode: Episode, recovery: int) -> np.ndarray:
    """Where a power must be back: outside disturbances, `recovery` after the end of the last."""
    up = np.zeros(episode.over - episode.begin, dtype=bool)
    begins = [begin for begin, _ in episode.disturbances]
    for (_, end), until in zip(episode.disturbances, [*begins[1:], episode.over], strict=True):
        up[end + recovery - episode.begin : max(until - episode.begin, 0)] = True
    return up
