"""Samples laid on an even grid, and where that invents."""

from __future__ import annotations

from typing import Literal

import numpy as np

from hil.recordings.raw import Floats, Mask

_SAME = 1e-6  # of a period: so close is the same time


def laid(grid_s: Floats, sampled_s: Floats, values: Floats, period_s: float, by: Literal["hold", "linear"]) -> Floats:
    """Values at the times of a grid, shape of `grid_s`; NaN before the first sample, and of a line after the last.

    sampled_s: ascending, shape (n,), as values.
    """
    out = np.full(grid_s.size, np.nan)
    last = np.searchsorted(sampled_s, grid_s + _SAME * period_s, side="right") - 1
    there = last >= 0
    out[there] = values[last[there]]
    if by == "linear" and values.size:
        after = grid_s > sampled_s[-1] + _SAME * period_s
        with np.errstate(all="ignore"):
            out[there] = np.interp(grid_s[there], sampled_s, values)
        out[after] = np.nan
    return out


def invented_beyond(
    grid_s: Floats, sampled_s: Floats, period_s: float, own_s: float, gap_periods: float, by: Literal["hold", "linear"]
) -> Mask:
    """Where `laid` goes by no sample near enough; own_s: period of the samples."""
    if sampled_s.size == 0:
        return np.ones(grid_s.size, np.bool_)
    near_s = _SAME * period_s
    last = np.searchsorted(sampled_s, grid_s + near_s, side="right") - 1
    age_s = grid_s - sampled_s[np.maximum(last, 0)]
    apart_s = np.append(np.diff(sampled_s), np.inf)[np.maximum(last, 0)]
    gap = (apart_s > gap_periods * own_s * (1 + _SAME)) & (age_s > near_s)
    if by == "hold":  # the last sample stands for its own period
        gap &= ~((last == sampled_s.size - 1) & (age_s <= own_s * (1 + _SAME)))
    return gap | (last < 0)
