"""Recorded power from a CSV file as break-points."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hil.errors import ScenarioError
from hil.loads.base import Floats
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
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        columns = reader.fieldnames or []
        for column in (time_column, power_column):
            if column not in columns:
                raise ScenarioError(
                    source, "load.trace", f" = {str(path)!r}: no column {column!r}; it has: {', '.join(columns)}"
                )
        first = last = None
        rows = 0
        for row in reader:
            where = f" = {str(path)!r}: line {reader.line_num}"
            try:
                time, power = float(row[time_column]), float(row[power_column])
            except (TypeError, ValueError):
                raise ScenarioError(source, "load.trace", f"{where}: time and power must be numbers") from None
            if not (np.isfinite(time) and np.isfinite(power)):
                raise ScenarioError(source, "load.trace", f"{where}: time and power must be finite")
            if last is not None and time < last:
                raise ScenarioError(source, "load.trace", f"{where}: time falls from {last:g} to {time:g} s")
            first = time if first is None else first
            last = time
            rows += 1
            yield time - first, power
    if rows < 2:
        problem = "needs two rows or more" if rows else "no rows"
        raise ScenarioError(source, "load.trace", f" = {str(path)!r}: {problem}")
