"""What is drawn of a long signal: for each column of pixels its lowest and its highest sample, so that no peak is lost.

It takes a signal in pieces, and keeps no more of it than what is drawn.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]

_GAP = 1.5  # of a step between rows: what is longer has none in it


class Points(NamedTuple):
    """Samples to draw, in order, shape (n,) each; values are no numbers where a line must break."""

    time_s: Floats
    low: Floats
    high: Floats


class Envelope:
    """Samples of a signal, or of a band from `low` to `high`, as far as columns of pixels show them.

    view: the times that are shown; of those beyond, the nearest sample on either side. Samples that are not numbers are left
    out. Where rows are missing, for longer than a column of pixels if there are many, there is a gap.
    """

    def __init__(self, view: tuple[float, float], columns: int) -> None:
        self._view = view
        self._columns = columns
        self._few: list[Floats] | None = [np.empty((3, 0))]  # until there are too many to draw them all
        self._rows = 0
        self._lowest = np.full((3, columns), np.nan)
        self._highest = np.full((3, columns), np.nan)
        self._edges: list[Floats] = []  # first, last, and on both sides of each gap
        self._last = np.empty((3, 0))  # sample that is a number
        self._last_s = np.empty(0)  # row, whatever it holds
        self._gaps: list[tuple[float, float]] = []
        self._step_s = np.inf
        self._over = False

    def add(self, time_s: Floats, low: Floats, high: Floats) -> None:
        """The next samples in order of time, shape (n,) each."""
        first, last = np.searchsorted(time_s, self._view[0]), np.searchsorted(time_s, self._view[1], side="right")
        if first:  # all rows before the view but the newest
            self._few, self._rows = [np.empty((3, 0))], 0
        if self._over or not time_s.size:
            return
        part = slice(max(0, int(first) - 1), int(last) + 1)
        self._over = bool(last < time_s.size)
        rows = np.stack([time_s[part], low[part], high[part]])
        if self._few is None:
            self._gather(rows)
            return
        self._few.append(rows)
        self._rows += rows.shape[1]
        if self._rows > 2 * self._columns:
            rows, self._few = np.concatenate(self._few, axis=1), None
            self._step_s = _step_s(rows[0])
            self._gather(rows)

    def points(self) -> Points:
        """What to draw: at most 2*columns + 2 samples, two more for each gap, and one without values in it."""
        if self._few is not None:
            rows = np.concatenate(self._few, axis=1)
            gaps = _gaps(rows[0], _GAP * _step_s(rows[0]))
        else:
            rows = np.concatenate([self._lowest, self._highest, *self._edges, self._last], axis=1)
            gaps = self._gaps
        rows = rows[:, np.isfinite(rows).all(axis=0)]
        breaks = np.array([[0.5 * (before + after), np.nan, np.nan] for before, after in gaps]).reshape(-1, 3).T
        rows = np.concatenate([rows, breaks], axis=1)
        _, places = np.unique(rows[0], return_index=True)
        return Points(*rows[:, places])

    def _gather(self, rows: Floats) -> None:
        """Keep of rows the lowest and highest of each column, and what lies beside gaps."""
        known = rows[:, np.isfinite(rows).all(axis=0)]
        if known.size and not self._edges:
            self._edges.append(known[:, :1])
        width_s = (self._view[1] - self._view[0]) / self._columns
        for before, after in _gaps(np.concatenate([self._last_s, rows[0]]), max(_GAP * self._step_s, width_s)):
            self._gaps.append((before, after))
            beside = np.concatenate([self._last, known], axis=1)
            place = int(np.searchsorted(beside[0], after))
            self._edges.append(beside[:, max(0, place - 1) : place + 1])
        self._last_s = rows[0, -1:]
        if known.size:
            self._last = known[:, -1:]
        known = known[:, (self._view[0] <= known[0]) & (known[0] <= self._view[1])]
        if not known.size:
            return
        places = np.minimum((known[0] - self._view[0]) / width_s, self._columns - 1).astype(np.intp)
        starts = [0, *(np.flatnonzero(np.diff(places)) + 1).tolist(), places.size]
        for start, end in pairwise(starts):
            column = places[start]
            lowest, highest = start + known[1, start:end].argmin(), start + known[2, start:end].argmax()
            if not known[1, lowest] >= self._lowest[1, column]:
                self._lowest[:, column] = known[:, lowest]
            if not known[2, highest] <= self._highest[2, column]:
                self._highest[:, column] = known[:, highest]


def _step_s(time_s: Floats) -> float:
    """How far rows are apart, but for gaps."""
    return float(np.median(np.diff(time_s))) if time_s.size > 1 else np.inf


def _gaps(time_s: Floats, longest_s: float) -> list[tuple[float, float]]:
    """Neighbours among times that are farther apart."""
    places = np.flatnonzero(np.diff(time_s) > longest_s)
    return list(zip(time_s[places].tolist(), time_s[places + 1].tolist(), strict=True))
