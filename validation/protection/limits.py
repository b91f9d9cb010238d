"""Limits over a recording: what each looks at, where it is judged, and what a verdict counts (docs/model.md, "Limits")."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from protection.images import held
from protection.masks import beyond, stretches, sustained


@dataclass(frozen=True)
class Judged:
    """Of every sample: the value a limit sees, whether it is judged there, whether it is beyond; the worst values sustained.

    size: of what the values are made of, against which rounding is measured.
    """

    value: np.ndarray
    judged: np.ndarray
    beyond: np.ndarray
    highest: float
    lowest: float
    size: float

    def counts(self) -> dict[str, int]:
        """What a limit counts: samples beyond, excursions and the first sample of one."""
        begins = [begin for begin, _ in stretches(self.beyond)]
        return {
            "beyond_ticks": int(self.beyond.sum()),
            "excursions": len(begins),
            "first_tick": begins[0] if begins else -1,
        }


def level(value: np.ndarray, low: float, high: float, delay: int, blanked: np.ndarray) -> Judged:
    """Strictly beyond for a closed window of `delay`; timers begin anew behind what is blanked or not a number."""
    judged = ~blanked & ~np.isnan(value)
    out = np.zeros(value.size, dtype=bool)
    highest, lowest = -math.inf, math.inf
    for begin, end in stretches(judged):
        tall, deep = (sustained(value[begin:end], delay, worst) for worst in (np.min, np.max))
        out[end - tall.size : end] = beyond(tall, high, under=False) | beyond(deep, low, under=True)
        highest = max([highest, *tall.tolist()])
        lowest = min([lowest, *deep.tolist()])
    return Judged(value, judged, out, highest, lowest, size(value, 0.0))


def at_once(value: np.ndarray, low: float, high: float, void: np.ndarray, of: float) -> Judged:
    """Strictly beyond, without a delay; `of` is the size that rounding is measured by."""
    judged = level(value, low, high, 0, void)
    return dataclasses.replace(judged, size=of)


def size(value: np.ndarray, first: float) -> float:
    """Largest magnitude of what is a number."""
    return max(abs(first), float(np.max(np.abs(value[~np.isnan(value)]), initial=0.0)))


def ramp(value: np.ndarray, mean: int, window: int, first: float, blanked: np.ndarray, dt: float) -> np.ndarray:
    """Difference of the running mean over `window`, divided by it; `first` is what the signal was for ever before."""
    into = np.concatenate([np.full(mean + window, first), held(value, blanked, first)])
    means = np.lib.stride_tricks.sliding_window_view(into, mean).mean(axis=1)[1:]
    return (means[window:] - means[:-window]) / (window * dt)


def peak_to_peak(value: np.ndarray, window: int, first: float, blanked: np.ndarray) -> np.ndarray:
    """Largest minus smallest of the closed window of `window` samples before each."""
    into = held(value, blanked, first)
    into = np.concatenate([np.full(window, into[0]), into])
    return np.ptp(np.lib.stride_tricks.sliding_window_view(into, window + 1), axis=1)


def rate(value: np.ndarray, window: int, first: float, dt: float) -> np.ndarray:
    """Difference over `window`, divided by it; what is blanked is in it too."""
    return (value - np.concatenate([np.full(window, first), value])[: value.size]) / (window * dt)


def blanked_for_rate(blanked: np.ndarray, window: int) -> np.ndarray:
    """Where a rate is not judged: until its window lies wholly after the blanked time."""
    out = blanked.copy()
    for _, end in stretches(blanked):
        out[end : end + window] = True
    return out


def spent(value: np.ndarray, counted: float, *, total: bool) -> np.ndarray:
    """Samples for which the value has been `counted`, in its stretch or in all so far; 0 where it is not."""
    is_so = value == counted
    if total:
        return np.where(is_so, np.cumsum(is_so), 0)
    out = np.zeros(value.size, dtype=int)
    for begin, end in stretches(is_so):
        out[begin:end] = np.arange(1, end - begin + 1)
    return out
