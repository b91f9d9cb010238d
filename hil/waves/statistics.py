"""Aggregation of windows by IEC 61000-4-30, and percentiles of what comes out."""

from __future__ import annotations

from typing import Any

import numpy as np

_SAME = 1e-9


def aggregated(values: Any, together: int) -> Any:
    """Root of the mean square of each `together` values in a row along the second last axis; NaN where one is.

    values: shape (..., windows, orders). What is left over at the end is left out.
    """
    whole = values.shape[-2] // together
    cut = values[..., : whole * together, :]
    shaped = cut.reshape(*values.shape[:-2], whole, together, values.shape[-1])
    return np.sqrt(np.mean(np.square(shaped), axis=-2))


def percentile(values: Any, share: float) -> Any:
    """The least value that a share of those along the second last axis does not exceed; NaN where there are none.

    values: shape (..., n, orders), at least one; what is NaN does not count.
    """
    there = (~np.isnan(values)).sum(axis=-2)
    place = np.maximum(np.ceil(share * there - _SAME).astype(np.int64) - 1, 0)
    return np.take_along_axis(np.sort(values, axis=-2), np.expand_dims(place, -2), axis=-2)[..., 0, :]
