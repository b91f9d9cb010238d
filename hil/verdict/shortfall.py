"""What was missing where a limit on power was violated: energy of a storage that would have held it, from rows of a record."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]


def ramp_shortfall_j(time_s: Floats, power_w: Floats, most_w_per_s: float, direction: str) -> float:
    """Energy between fullest and emptiest of a lossless storage that makes of a power one that is never steeper, J.

    time_s, power_w: shape (n,). The other follows the power as closely as the limit allows, from the first sample on and
    without knowing what comes; taken as an instantaneous slope, which a limit over a window does not ask for in full.
    direction: which way the limit judges ("both", "up", "down").
    """
    up, down = (np.inf if direction == other else most_w_per_s for other in ("down", "up"))
    follower_w = float(power_w[0])
    energy_j = most_j = least_j = 0.0
    for step_s, wanted_w in zip(np.diff(time_s).tolist(), power_w[1:].tolist(), strict=True):
        follower_w = min(max(wanted_w, follower_w - down * step_s), follower_w + up * step_s)
        energy_j += (wanted_w - follower_w) * step_s
        most_j, least_j = max(most_j, energy_j), min(least_j, energy_j)
    return most_j - least_j


def range_follower(power_w: Floats, step_s: float, most_w: float, window_s: float, restore_s: float = math.inf) -> Floats:
    """A power whose range in any closed window is at most `most_w`, and that follows another, W; causal.

    power_w: shape (n,), a sample each step_s. Each sample is the one nearest to what is wanted that keeps the range of its
    window. restore_s: time constant with which a storage that makes up the difference is brought back to where it began.
    """
    window = max(1, math.floor(window_s / step_s + 1e-6))
    out = np.empty(power_w.size)
    high: deque[tuple[int, float]] = deque()
    low: deque[tuple[int, float]] = deque()
    given_j = 0.0
    for n, wanted_w in enumerate(power_w.tolist()):
        while high and high[0][0] < n - window:
            high.popleft()
        while low and low[0][0] < n - window:
            low.popleft()
        follower_w = wanted_w + given_j / restore_s
        if high:
            follower_w = min(max(follower_w, high[0][1] - most_w), low[0][1] + most_w)
        while high and high[-1][1] <= follower_w:
            high.pop()
        while low and low[-1][1] >= follower_w:
            low.pop()
        high.append((n, follower_w))
        low.append((n, follower_w))
        given_j += (wanted_w - follower_w) * step_s
        out[n] = follower_w
    return out


def swing_j(power_w: Floats, step_s: float) -> float:
    """Energy between fullest and emptiest of a lossless storage that gives a power, J."""
    energy_j = np.concatenate([[0.0], np.cumsum(power_w) * step_s])
    return float(np.ptp(energy_j))


def range_shortfall_j(power_w: Floats, step_s: float, most_w: float, window_s: float) -> float:
    """Energy between fullest and emptiest of a lossless storage that makes of a power one whose range is never too large, J.

    The least of some such storages, none of which knows what comes: one follows the power as closely as it may, others besides
    return to where they began, with time constants of parts of the window. So it is enough, and not the least of all.
    """
    return min(
        swing_j(power_w - range_follower(power_w, step_s, most_w, window_s, restore_s), step_s)
        for restore_s in (math.inf, window_s, 0.1 * window_s, 0.01 * window_s)
    )


def beyond_j(power_w: Floats, step_s: float, bound_w: float, *, under: bool, delay_s: float) -> tuple[float, float, int]:
    """Energy between a power and a bound in stretches that violate it, J; how long those last in all, s; how many they are.

    A stretch is of samples strictly beyond, one that is not a number ends it; it violates the bound if it spans the delay.
    Its whole energy counts, from its first sample on, each for step_s.
    """
    beyond = power_w < bound_w if under else power_w > bound_w
    edges = np.flatnonzero(np.diff(np.concatenate([[False], beyond, [False]])))
    energy_j, samples, count = 0.0, 0, 0
    for begin, end in edges.reshape(-1, 2).tolist():
        if (end - 1 - begin) * step_s >= delay_s - 1e-9:
            energy_j += float(np.abs(power_w[begin:end] - bound_w).sum()) * step_s
            samples += end - begin
            count += 1
    return energy_j, samples * step_s, count


def sine_j(amplitude_w: float, most_w: float, frequency_hz: float) -> float:
    """Energy between fullest and emptiest of a lossless storage that takes from a sine what it has beyond an amplitude, J."""
    return (amplitude_w - most_w) / (math.pi * frequency_hz)
