"""Recorded power from a CSV file as break-points."""

from __future__ import annotations

from typing import Self

import numpy as np

from hil.loads.base import Piece
from hil.loads.rows import Rows, problem
from hil.scenario.load.trace import TraceLoad

_PIECE_ROWS = 4096


class TraceBreakpoints:
    """Straight lines between the samples of the file, from its first time, which becomes 0.

    The file is read as it is needed; with `repeat` it starts again at its end. Raises ScenarioError naming file and line.
    """

    def __init__(self, load: TraceLoad, source: str) -> None:
        self._load, self._source = load, source
        self._offset_s = 0.0  # of the present pass through the file
        self._begin()

    def _begin(self) -> None:
        """Go to the first row."""
        load = self._load
        self._rows = Rows(load.trace, (load.time_column, load.power_column), self._source)
        self._first_s: float | None = None
        self._last_s = 0.0  # in the file's own time
        self._count = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Piece:
        samples = self._samples()
        if not samples:
            length_s = self._last_s - (self._first_s or 0.0)
            if not self._load.repeat or length_s <= 0.0:
                raise StopIteration
            self._offset_s += length_s
            self._begin()
            samples = self._samples()
        time_s, power_w = np.array(samples).T
        return time_s + self._offset_s, power_w

    def _samples(self) -> list[tuple[float, float]]:
        """The next rows as time from the first and power; none at the end of the file."""
        samples: list[tuple[float, float]] = []
        while len(samples) < _PIECE_ROWS and (row := next(self._rows, None)) is not None:
            samples.append(self._sample(*row))
        if not samples and self._count < 2:
            raise problem(self._source, self._load.trace, "needs two rows or more" if self._count else "no rows")
        return samples

    def _sample(self, line: int, cells: list[str]) -> tuple[float, float]:
        path = self._load.trace
        try:
            time_s, power = map(float, cells)
        except ValueError:
            raise problem(self._source, path, "time and power must be numbers", line) from None
        if not (np.isfinite(time_s) and np.isfinite(power)):
            raise problem(self._source, path, "time and power must be finite", line)
        if self._first_s is None:
            self._first_s = self._last_s = time_s
        if time_s < self._last_s:
            raise problem(self._source, path, f"time falls from {self._last_s:g} to {time_s:g} s", line)
        self._last_s = time_s
        self._count += 1
        return time_s - self._first_s, power * self._load.scale
