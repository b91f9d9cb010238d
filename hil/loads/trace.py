"""Recorded power as break-points."""

from __future__ import annotations

from typing import Self

import numpy as np

from hil.loads.base import Floats, Piece
from hil.loads.measured import Samples
from hil.loads.rows import problem
from hil.scenario.load.trace import TraceLoad

_PIECE_ROWS = 4096


class TraceBreakpoints:
    """Lines or steps between the samples of the file, from its first time, which becomes 0.

    The file is read as it is needed; with `repeat` it starts again at its end. Raises ScenarioError naming file and line.
    """

    def __init__(self, load: TraceLoad, source: str) -> None:
        self._load, self._source = load, source
        self._offset_s = 0.0  # of the present pass through the file
        self._period_s: float | None = None
        self._begin()

    def _begin(self) -> None:
        """Go to the first row."""
        self._samples = Samples(self._load, self._source)
        self._first_s: float | None = None
        self._last_s = 0.0  # in the file's own time
        self._held_w: float | None = None  # the last sample's power, where each holds until the next
        self._count = 0

    def __iter__(self) -> Self:
        return self

    @property
    def sampled_s(self) -> float | None:
        """Time between two samples, the median of the first ones; None where nothing lies between rows, or none are read."""
        return None if self._load.exact else self._period_s

    def __next__(self) -> Piece:
        time_s, power_w = self._piece()
        if not time_s.size:
            length_s = self._last_s - (self._first_s or 0.0)
            if not self._load.repeat or length_s <= 0.0:
                raise StopIteration
            self._offset_s += length_s
            self._begin()
            time_s, power_w = self._piece()
        if self._period_s is None and time_s.size > 1:
            self._period_s = float(np.median(np.diff(time_s)))
        if self._load.between == "hold":
            held_w = power_w[0] if self._held_w is None else self._held_w
            before_w = np.concatenate([[held_w], power_w[:-1]])
            self._held_w = float(power_w[-1])
            time_s, power_w = np.repeat(time_s, 2), np.stack([before_w, power_w], axis=1).ravel()
        return time_s + self._offset_s, power_w

    def _piece(self) -> tuple[Floats, Floats]:
        """The next samples as times from the first and powers; none at the end of the file."""
        path = self._load.trace
        times: list[float] = []
        powers: list[float] = []
        while len(times) < _PIECE_ROWS and (sample := next(self._samples, None)) is not None:
            line, time_s, power_w = sample
            if self._first_s is None:
                self._first_s = self._last_s = time_s
            if time_s < self._last_s:
                raise problem(self._source, path, f"time falls from {self._last_s:g} to {time_s:g} s", line)
            self._last_s = time_s
            self._count += 1
            times.append(time_s - self._first_s)
            powers.append(power_w)
        if not times and self._count < 2:
            raise problem(self._source, path, "needs two rows or more" if self._count else "no rows")
        return np.array(times), np.array(powers)


def read_samples(load: TraceLoad, source: str) -> tuple[Floats, Floats]:
    """All samples of a file: times from the first, s, and powers, W, shape (n,) each. Raises ScenarioError."""
    pieces = list(TraceBreakpoints(load.model_copy(update={"between": "line", "repeat": False}), source))
    return np.concatenate([time_s for time_s, _ in pieces]), np.concatenate([power_w for _, power_w in pieces])
