"""Harmonic subgroups of IEC 61000-4-7 in windows of about 200 ms, synchronised to the fundamental."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.waves.sliding import Floats

TAPS = 32
"""Samples on which one between them is made."""
_BETA = 7.86  # of the Kaiser window: 80 dB
HIGHEST = 0.4
"""Share of the sampling rate up to which samples are made true to 0.1 %."""
_AT_ONCE = 64  # windows


@dataclass(frozen=True, eq=False)
class Subgroups:
    """RMS values of the harmonic subgroups of some signals, a row a window.

    begins: of the windows and the end of the last, in samples, shape (windows + 1,). values: shape (signals, windows,
    highest + 1), by order; NaN for windows in which samples or the fundamental are missing; of order 0 nothing is said.
    """

    begins: Floats
    values: Floats

    @property
    def highest(self) -> int:
        """The highest order."""
        return int(self.values.shape[2]) - 1


def cycles_of(nominal_hz: float) -> int:
    """Cycles of a window: 12 at 60 Hz, 10 at 50 Hz."""
    return max(1, round(0.2 * nominal_hz))


def highest_order(rate_hz: float, nominal_hz: float, most: int) -> int:
    """The highest order that samples at a rate show, at most `most`."""
    return min(most, math.floor(HIGHEST * rate_hz / nominal_hz))


def subgroups(signals: Sequence[Floats], turns: Floats, cycles: int, samples: int, highest: int) -> Subgroups:
    """Subgroups of signals that share their samples.

    turns: of the fundamental, at each sample; NaN where it is not known. cycles: of a window. samples: of a window at nominal
    frequency; it is sampled again at as many points, evenly in its own length. highest: order; its upper neighbour must lie
    below half of `samples`.
    """
    begins = _begins(turns, cycles)
    windows = max(0, begins.size - 1)
    stacked = np.stack(signals)
    values = np.full((len(signals), windows, highest + 1), np.nan)
    for first in range(0, windows, _AT_ONCE):
        last = min(first + _AT_ONCE, windows)
        at = begins[first:last, None] + (begins[first + 1 : last + 1] - begins[first:last])[:, None] * (
            np.arange(samples) / samples
        )
        spectrum = np.abs(np.fft.rfft(resampled(stacked, at), axis=2)) * (math.sqrt(2.0) / samples)
        squares = np.square(spectrum)
        for order in range(1, highest + 1):
            centre = order * cycles
            values[:, first:last, order] = np.sqrt(squares[:, :, centre - 1 : centre + 2].sum(axis=2))
    lost = np.concatenate([[0], np.cumsum(np.isnan(turns))])
    inside = np.clip(np.round(begins).astype(np.int64), 0, turns.size)
    values[:, np.diff(lost[inside]) > 0] = np.nan
    return Subgroups(begins, values)


def _begins(turns: Floats, cycles: int) -> Floats:
    """Where whole windows begin and end, in samples, from the first on of which all is known."""
    known = np.flatnonzero(~np.isnan(turns))
    if known.size < 2:
        return np.empty(0)
    ascending = np.maximum.accumulate(turns[known])
    start = math.ceil(ascending[0])
    marks = np.arange(start, ascending[-1], cycles)
    found: Floats = np.interp(marks, ascending, known.astype(np.float64))
    return found


def resampled(stacked: Any, at: Floats) -> Any:
    """Values between samples, by a sinc under a Kaiser window; shape (signals,) + that of `at`.

    stacked: samples, shape (signals, n). at: times in samples, shape (windows, m); beyond either end samples are zero.
    """
    half = TAPS // 2
    first, last = math.floor(at.min()) - half, math.ceil(at.max()) + half + 1
    near = np.zeros((stacked.shape[0], last - first))
    inside = slice(max(first, 0), min(last, stacked.shape[1]))
    near[:, inside.start - first : inside.stop - first] = stacked[:, inside]
    found = np.empty((stacked.shape[0], *at.shape))
    offsets = np.arange(1 - half, half + 1) - first
    for window in range(at.shape[0]):  # of a size that stays in the cache
        base = np.floor(at[window])
        place = (at[window] - base) * _STEPS
        row = place.astype(np.int64)
        part = (place - row)[:, None]
        weights = _WEIGHTS[row] * (1.0 - part) + _WEIGHTS[row + 1] * part
        found[:, window] = np.einsum("smt,mt->sm", near[:, base.astype(np.int64)[:, None] + offsets], weights)
    return found


def _weights() -> Floats:
    """What each of the samples nearby counts, a row for each part of a sample, shape (steps + 2, TAPS)."""
    half = TAPS // 2
    distance = np.arange(_STEPS + 2)[:, None] / _STEPS - np.arange(1 - half, half + 1)
    share = np.minimum(np.abs(distance) / half, 1.0)
    found = np.sinc(distance) * np.i0(_BETA * np.sqrt(1.0 - share**2))
    weights: Floats = found / found.sum(axis=1, keepdims=True)  # a constant stays one
    return weights


_STEPS = 2048
_WEIGHTS = _weights()
"""By parts of a sample; between two of them a line is true to a millionth."""
