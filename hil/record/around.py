"""Every tick, but only from some time before to some time after certain moments."""

from __future__ import annotations

from collections import deque

import numpy as np

from hil.record.rows import Marks, Rows, Ticks
from hil.record.streams import Around


class AroundMoments:
    """Keeps the rows around moments, each once; holds no more than those of `before` ticks, which the next may ask for."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._scripted = np.array(around.ticks, np.int64)
        self._earlier: deque[tuple[Ticks, Rows]] = deque()
        self._until = -1  # tick to which the last moment reaches
        self._seen = -1

    def take(self, ticks: Ticks, values: Rows, marks: Marks) -> tuple[Ticks, Rows]:
        """The rows that these moments, and those before, keep."""
        nothing = np.empty(0, np.int64), values[:0]
        if ticks.size == 0:
            return nothing
        moments = self._moments(ticks, marks)
        if moments.size == 0 and ticks[0] > self._until:
            self._remember(ticks, values)
            return nothing
        if moments.size:
            ticks = np.concatenate([*(earlier for earlier, _ in self._earlier), ticks])
            values = np.concatenate([*(earlier for _, earlier in self._earlier), values])
            self._earlier.clear()
        kept = ticks <= self._until
        if moments.size:
            following = np.searchsorted(moments, ticks - self._around.after)  # the first that reaches so far
            nearest = moments[np.minimum(following, moments.size - 1)]
            kept |= (following < moments.size) & (nearest - self._around.before <= ticks)
            self._until = max(self._until, int(moments[-1]) + self._around.after)
        self._remember(ticks[~kept], values[~kept])
        return ticks[kept], values[kept]

    def end(self) -> tuple[Ticks, Rows]:
        """What no moment has asked for is left out."""
        return np.empty(0, np.int64), np.empty((0, 0), np.float32)

    def _moments(self, ticks: Ticks, marks: Marks) -> Ticks:
        """Ticks of the moments up to the last of these rows, ascending; the script's too whose rows were lost on the way."""
        begin, end = np.searchsorted(self._scripted, [self._seen + 1, ticks[-1] + 1])
        self._seen = int(ticks[-1])
        scripted = self._scripted[begin:end]
        if self._around.marks == 0:
            return scripted
        marked = ticks[marks & self._around.marks != 0]
        return np.union1d(marked, scripted) if scripted.size else marked

    def _remember(self, ticks: Ticks, values: Rows) -> None:
        """Hold back what is left, as far as the moment of the next tick would ask for it."""
        oldest = self._seen + 1 - self._around.before
        if ticks.size and ticks[-1] >= oldest:
            later = int(np.searchsorted(ticks, oldest))
            self._earlier.append((ticks, values) if later == 0 else (ticks[later:].copy(), values[later:].copy()))
        while self._earlier and self._earlier[0][0][-1] < oldest:
            self._earlier.popleft()
