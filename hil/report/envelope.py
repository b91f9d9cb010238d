"""What is drawn of a long signal: for each column of pixels its lowest and its highest sample, so that no peak is lost."""

from __future__ import annotations

from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.intp]]


def envelope(values: Floats, columns: int) -> Places:
    """Places of the samples to draw, in order: first, last, and each column's lowest and highest; all where they are few.

    values: shape (n,), at equal steps of time; samples that are not numbers are left out. At most 2*columns + 2 places.
    """
    if values.size <= 2 * columns:
        return np.flatnonzero(np.isfinite(values))
    width = -(-values.size // columns)
    missing = np.full(-values.size % width, np.nan)
    table = np.concatenate([values, missing]).reshape(-1, width)
    known = np.isfinite(table)
    starts = np.arange(table.shape[0])[known.any(axis=1)] * width
    table, known = table[known.any(axis=1)], known[known.any(axis=1)]
    lowest = starts + np.where(known, table, np.inf).argmin(axis=1)
    highest = starts + np.where(known, table, -np.inf).argmax(axis=1)
    ends = np.array([place for place in (0, values.size - 1) if np.isfinite(values[place])], np.intp)
    return np.unique(np.concatenate([ends, lowest, highest]))
