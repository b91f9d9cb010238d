"""Recorded power from a CSV file as break-points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hil.loads.base import Floats
from hil.loads.rows import problem, rows
from hil.scenario.load import TraceLoad

_PIECE_ROWS = 4096


def trace_breakpoints(load: TraceLoad, source: str) -> Iterator[tuple[Floats, Floats]]:
    """Straight lines between the samples of the file, from its first time, which becomes 0.

    The file is read as it is needed; with `repeat` it starts again at its end. Raises ScenarioError naming file and line.
    """
    offset = 0.0
    while True:
        length = 0.0
        for time_s, power_w in _pieces(load, source):
            length = float(time_s[-1])
            yield time_s + offset, power_w
        if not load.repeat or length <= 0.0:
            return
        offset += length


def _pieces(load: TraceLoad, source: str) -> Iterator[tuple[Floats, Floats]]:
    times: list[float] = []
    powers: list[float] = []
    for time, power in _rows(load.trace, load.time_column, load.power_column, source):
        times.append(time)
        powers.append(power * load.scale)
        if len(times) == _PIECE_ROWS:
            yield np.array(times), np.array(powers)
            times, powers = [], []
    if times:
        yield np.array(times), np.array(powers)


def _rows(path: Path, time_column: str, power_column: str, source: str) -> Iterator[tuple[float, float]]:
    first = last = None
    count = 0
    for line, cells in rows(path, (time_column, power_column), source):
        try:
            time, power = map(float, cells)
        except ValueError:
            raise problem(source, path, "time and power must be numbers", line) from None
        if not (np.isfinite(time) and np.isfinite(power)):
            raise problem(source, path, "time and power must be finite", line)
        if last is not None and time < last:
            raise problem(source, path, f"time falls from {last:g} to {time:g} s", line)
        first = time if first is None else first
        last = time
        count += 1
        yield time - first, power
    if count < 2:
        raise problem(source, path, "needs two rows or more" if count else "no rows")
