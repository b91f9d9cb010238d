"""Masks over a recording: what is beyond a bound, in which stretches, and picked up with hysteresis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def stretches(mask: np.ndarray) -> list[tuple[int, int]]:
    """Beginnings and ends (exclusive) of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def beyond(value: np.ndarray, bound: float, *, under: bool, inclusive: bool = False) -> np.ndarray:
    """Where a value is below (`under`) or above a bound; `inclusive`: or at it. What is not a number is not."""
    if under:
        return value <= bound if inclusive else value < bound
    return value >= bound if inclusive else value > bound


def hysteresis(on: np.ndarray, off: np.ndarray) -> np.ndarray:
    """On from a sample of `on` to the first of `off`, which gives way to `on`; off before the first."""
    said = on | off
    latest = np.maximum.accumulate(np.where(said, np.arange(on.size), -1))
    return (latest >= 0) & on[latest]


def sustained(value: np.ndarray, delay: int, worst: Callable[..., np.ndarray]) -> np.ndarray:
    """What a value has held over the closed window of `delay` samples before each, from sample `delay` on.

    worst: np.min for an upper bound, np.max for a lower one. Empty where the recording is shorter.
    """
    if value.size <= delay:
        return np.zeros(0)
    return worst(np.lib.stride_tricks.sliding_window_view(value, delay + 1), axis=1)
