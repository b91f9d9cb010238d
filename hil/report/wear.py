"""Wear of a storage from what it did: cycles of its state of charge by rainflow counting, full cycles, throughput, swing."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]


def _series(values: Any, name: str) -> Floats:
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1:
        raise ValueError(f"{name} = an array of {series.ndim} dimensions: must be of one")
    if not np.all(np.isfinite(series)):
        raise ValueError(f"{name}[{int(np.argmin(np.isfinite(series)))}]: must be a finite number")
    return series


def reversals(values: Any) -> Floats:
    """First value, each peak and each valley, last value; a value that stands still is one. Shape (n,), n <= len(values)."""
    series = _series(values, "values")
    if len(series) < 2:
        return series
    series = series[np.concatenate([[True], np.diff(series) != 0.0])]
    turns = np.diff(np.sign(np.diff(series))) != 0.0
    kept: Floats = series[np.concatenate([[True], turns, np.ones(min(1, len(series) - 1), bool)])]
    return kept


def rainflow(values: Any) -> tuple[Floats, Floats, Floats]:
    """Cycles of a history by rainflow counting, ASTM E1049-85, 5.4.4: their ranges, means and counts, each of shape (n,).

    A count is 1 of a cycle and 0.5 of a half cycle, in the order in which they are closed; the history is not taken to repeat,
    so that what never closes is left as half cycles. Raises ValueError for an array of more than one dimension and for what is
    not finite.
    """
    waiting: list[float] = []
    closed: list[tuple[float, float, float]] = []
    for point in reversals(values).tolist():
        waiting.append(point)
        while len(waiting) >= 3:
            first, second, third = waiting[-3:]
            if abs(third - second) < abs(second - first):
                break
            if len(waiting) == 3:
                closed.append((first, second, 0.5))
                del waiting[0]
            else:
                closed.append((first, second, 1.0))
                del waiting[-3:-1]
    closed += [(first, second, 0.5) for first, second in itertools.pairwise(waiting)]
    starts, ends, counts = np.array(closed, dtype=np.float64).reshape(-1, 3).T
    return np.abs(ends - starts), 0.5 * (starts + ends), counts


def depth_histogram(soc: Any, edges: Any) -> Floats:
    """Rainflow cycles of a state of charge by their depth. edges: rising, shape (n + 1,). Returns their counts, shape (n,).

    A depth on an edge belongs to the bin above it, on the last edge to the last bin; one beyond the edges is in none.
    """
    bounds = _series(edges, "edges")
    if len(bounds) < 2 or np.any(np.diff(bounds) <= 0.0):
        raise ValueError("edges: must be two numbers or more, each above the one before")
    depths, _, counts = rainflow(soc)
    counted: Floats = np.histogram(depths, bounds, weights=counts)[0]
    return counted


def equivalent_full_cycles(soc: Any) -> float:
    """Full cycles that move as much charge as a state of charge has moved, both ways: half of its total variation."""
    return float(np.sum(np.abs(np.diff(_series(soc, "soc"))))) / 2.0


def soc_swing(soc: Any) -> float:
    """Highest less lowest state of charge; 0 of an empty series."""
    series = _series(soc, "soc")
    return float(np.ptp(series)) if len(series) else 0.0


def throughput_j(power_w: Any, dt_s: float) -> float:
    """Energy that has gone through, charged and discharged together, J, from powers that each last `dt_s`."""
    if not dt_s > 0.0:
        raise ValueError(f"dt_s = {dt_s:g}: must be above 0")
    return float(np.sum(np.abs(_series(power_w, "power_w")))) * dt_s
