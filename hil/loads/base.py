"""What a load is to the engine: a stream of break-points, turned into blocks of ticks.

A stream is an iterator whose whole state is plain data: copied (`copy.deepcopy`) in mid-stream, copy and original go on alike.
That is what a snapshot of a run holds of its load.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from hil.loads.sampler import fill

Floats = np.ndarray[Any, np.dtype[np.float64]]
Piece = tuple[Floats, Floats]


class Feed(Protocol):
    """Who gives the load, block by block."""

    @property
    def tick(self) -> int:
        """First tick of the next block."""

    def block(self, ticks: int) -> Floats:
        """Mean power of the next `ticks` ticks, W; fewer, or none, where there is no more."""


class LoadFeed:
    """Blocks of power at the tick rate from an endless or ending stream of break-points.

    breakpoints: pieces `(time_s, power_w)` of a piecewise-linear power, times in order across pieces; two equal times are a
    step. Only the pieces that the current block needs are held.
    """

    def __init__(self, breakpoints: Iterator[Piece], period_s: float) -> None:
        self._pieces = breakpoints
        self._period_s = period_s
        self._time_s: Floats = np.empty(0)
        self._power_w: Floats = np.empty(0)
        self._tick = 0
        self._ended = False

    @property
    def tick(self) -> int:
        """First tick of the next block."""
        return self._tick

    @property
    def first_w(self) -> float:
        """Power at the beginning of what is still to come, W."""
        if self._time_s.size == 0:
            self._take()
        return float(self._power_w[0])

    def block(self, ticks: int) -> Floats:
        """Mean power of the next `ticks` ticks, W; fewer, or none, where the stream has ended."""
        end_s = (self._tick + ticks) * self._period_s
        while not self._ended and (self._time_s.size < 2 or self._time_s[-1] < end_s):
            self._take()
        start_s = self._tick * self._period_s
        if self._ended:
            left = self._time_s[-1] - start_s if self._time_s.size >= 2 else 0.0
            ticks = min(ticks, max(0, int(left / self._period_s + 1e-6)))
        out = np.empty(ticks)
        if ticks:
            used = fill(self._time_s - start_s, self._power_w, 0.0, self._period_s, out)
            self._time_s, self._power_w = self._time_s[used:], self._power_w[used:]
            self._tick += ticks
        return out

    def _take(self) -> None:
        """One more piece of the stream."""
        piece = next(self._pieces, None)
        if piece is None:
            self._ended = True
        else:
            self._time_s = np.concatenate([self._time_s, piece[0]])
            self._power_w = np.concatenate([self._power_w, piece[1]])
