"""Means over a window that ends with each sample, of any length: each sample holds until the next."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Complexes = np.ndarray[Any, np.dtype[np.complex128]]


def sliding_mean(values: Any, samples: float | Floats) -> Any:
    """Mean of the latest `samples` samples, which need not be a whole number; NaN until there are as many, and over gaps.

    values: real or complex, shape (n,). samples: a number, or one for each sample, shape (n,); at least 1.
    """
    missing = np.isnan(values)
    gaps = bool(missing.any())
    total = np.concatenate([[0.0], np.cumsum(np.where(missing, 0.0, values) if gaps else values)])
    mean = _between(total, samples)
    if gaps:
        lost = _between(np.concatenate([[0.0], np.cumsum(missing, dtype=np.float64)]), samples)
        mean[lost > 0.0] = np.nan
    return mean


def _between(total: Any, samples: float | Floats) -> Any:
    """Differences of a running sum, drawn as a line between samples, over its latest `samples`, divided by these."""
    count = total.size - 1
    if isinstance(samples, float):
        return _between_alike(total, samples)
    begin = np.arange(1, count + 1) - samples
    first = np.floor(begin).astype(np.int64)
    part = begin - first
    early = first < 0
    first[early] = 0
    upper = np.minimum(first + 1, count)
    found = (total[1:] - (total[first] + part * (total[upper] - total[first]))) / samples
    found[early] = np.nan
    return found


def _between_alike(total: Any, samples: float) -> Any:
    """The same for windows of one length, without looking up where each begins."""
    count = total.size - 1
    whole = math.ceil(samples)
    found = np.full(count, np.nan, total.dtype)
    if whole <= count:
        part = whole - samples
        before = (1.0 - part) * total[: count - whole + 1] + part * total[1 : count - whole + 2]
        found[whole - 1 :] = (total[whole:] - before) / samples
    return found
