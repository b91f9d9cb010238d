"""What was missing where a ramp limit was violated: the energy of a storage that would have held it."""

from __future__ import annotations

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
