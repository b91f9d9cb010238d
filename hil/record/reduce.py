"""Fewer rows than ticks: the newest of so many ticks, their mean, or mean, least and largest of each channel."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hil.record.rows import Marks, Rows, Ticks


class Sampled:
    """Keeps the row of every n-th tick."""

    def __init__(self, every: int) -> None:
        self._every = every

    def take(self, ticks: Ticks, values: Rows, marks: Marks) -> tuple[Ticks, Rows]:  # noqa: ARG002
        """Those of them that are due."""
        if self._every == 1:
            return ticks, values
        due = ticks % self._every == 0
        return (ticks, values) if due.all() else (ticks[due], values[due])

    def end(self) -> tuple[Ticks, Rows]:
        """Nothing waits."""
        return np.empty(0, np.int64), np.empty((0, 0), np.float32)


class Buckets:
    """Mean of the ticks since the last row, and beside it, if asked, the least and the largest: NAME, NAME.min, NAME.max.

    A bucket ends at a whole multiple of `every` ticks, and its row stands there; the last one may be shorter and stands where
    it ends. The mean is that of float64 sums made tick by tick, so that it does not depend on how the rows came. Of a bucket
    that lost ticks on the way it is the mean of those that came.
    """

    def __init__(self, every: int, channels: int, *, extremes: bool) -> None:
        self._every = every
        self._extremes = extremes
        self._sums = np.zeros((1, channels))
        self._least = np.empty((1, channels), np.float32)
        self._largest = np.empty((1, channels), np.float32)
        self._count = 0
        self._last = 0

    def take(self, ticks: Ticks, values: Rows, marks: Marks) -> tuple[Ticks, Rows]:  # noqa: ARG002
        """The buckets that are whole now."""
        done: list[tuple[Ticks, Rows]] = []
        for place in _stretches(ticks):
            self._stretch(ticks[place], values[place], done)
        return _joined(done, self._width)

    def end(self) -> tuple[Ticks, Rows]:
        """The last bucket, if it holds anything."""
        done: list[tuple[Ticks, Rows]] = []
        if self._count:
            self._finish(done, at=self._last)
        return _joined(done, self._width)

    @property
    def _width(self) -> int:
        return self._sums.shape[1] * (3 if self._extremes else 1)

    def _stretch(self, ticks: Ticks, values: Rows, done: list[tuple[Ticks, Rows]]) -> None:
        """Ticks without a gap."""
        every = self._every
        if self._count and _end(int(ticks[0]), every) != _end(self._last, every):  # its other ticks were lost
            self._finish(done, at=_end(self._last, every))
        head = min(-int(ticks[0] - 1) % every, ticks.size)  # the rest of a bucket that has begun
        whole = (ticks.size - head) // every
        if head:
            self._gather(ticks[:head], values[:head], done)
        if whole:
            block = values[head : head + whole * every].reshape(whole, every, values.shape[1])
            sums = np.add.accumulate(block, axis=1, dtype=np.float64)[:, -1]
            ends = ticks[head + every - 1 : head + whole * every : every]
            done.append((ends, self._row(sums, every, block.min(axis=1), block.max(axis=1))))
        if head + whole * every < ticks.size:
            self._gather(ticks[head + whole * every :], values[head + whole * every :], done)

    def _gather(self, ticks: Ticks, values: Rows, done: list[tuple[Ticks, Rows]]) -> None:
        """Ticks of one bucket, which may not be all of it."""
        self._sums = np.add.accumulate(np.concatenate([self._sums, values]), axis=0, dtype=np.float64)[-1:]
        least, largest = values.min(axis=0, keepdims=True), values.max(axis=0, keepdims=True)
        self._least = np.minimum(self._least, least) if self._count else least
        self._largest = np.maximum(self._largest, largest) if self._count else largest
        self._count += ticks.size
        self._last = int(ticks[-1])
        if self._last % self._every == 0:
            self._finish(done, at=self._last)

    def _finish(self, done: list[tuple[Ticks, Rows]], at: int) -> None:
        done.append((np.array([at]), self._row(self._sums, self._count, self._least, self._largest)))
        self._sums = np.zeros_like(self._sums)
        self._count = 0

    def _row(self, sums: np.ndarray[tuple[int, ...], np.dtype[np.float64]], count: int, least: Rows, largest: Rows) -> Rows:
        mean = (sums / count).astype(np.float32)
        if not self._extremes:
            return mean
        return np.stack([mean, least, largest], axis=2).reshape(mean.shape[0], -1)


def _end(tick: int, every: int) -> int:
    """Where the bucket of a tick ends."""
    return -(-tick // every) * every


def _stretches(ticks: Ticks) -> list[slice]:
    """Where ticks follow each other without a gap."""
    if ticks.size == 0:
        return []
    if ticks[-1] - ticks[0] == ticks.size - 1:
        return [slice(0, ticks.size)]
    cuts = [0, *(np.flatnonzero(np.diff(ticks) > 1) + 1).tolist(), ticks.size]
    return [slice(begin, end) for begin, end in pairwise(cuts)]


def _joined(done: list[tuple[Ticks, Rows]], width: int) -> tuple[Ticks, Rows]:
    if not done:
        return np.empty(0, np.int64), np.empty((0, width), np.float32)
    return np.concatenate([ticks for ticks, _ in done]), np.concatenate([rows for _, rows in done])
