"""Sliding windows of the pure-Python twin of benchmarks/tick.py."""

from __future__ import annotations

from collections import deque


class Mean:
    """Mean of the last samples; a second sum replaces the first once a window, so that rounding cannot accumulate."""

    def __init__(self, ticks: int, fill: float) -> None:
        self.samples = deque([fill] * ticks, maxlen=ticks)
        self.ticks, self.at = ticks, 0
        self.total, self.fresh = fill * ticks, 0.0

    def push(self, x: float) -> float:
        """Add a sample; returns the mean."""
        self.total += x - self.samples[0]
        self.fresh += x
        self.samples.append(x)
        self.at += 1
        if self.at == self.ticks:
            self.at, self.total, self.fresh = 0, self.fresh, 0.0
        return self.total / self.ticks


class Peak:
    """Largest of the last samples: a queue of falling candidates."""

    def __init__(self, ticks: int) -> None:
        self.candidates: deque[tuple[float, int]] = deque()
        self.ticks = ticks

    def push(self, x: float, tick: int) -> float:
        """Add a sample; returns the largest."""
        candidates = self.candidates
        while candidates and candidates[-1][0] <= x:
            candidates.pop()
        candidates.append((x, tick))
        if candidates[0][1] <= tick - self.ticks:
            candidates.popleft()
        return candidates[0][0]

    def clear(self) -> None:
        """Forget."""
        self.candidates.clear()
