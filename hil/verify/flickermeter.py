"""A flickermeter on an envelope that is all there: a recording, or a modulation of the standard's tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.kernel.arena import Arena
from hil.kernel.layout import parameter_dtypes, state_dtypes
from hil.kernel.protection.replay import Replay
from hil.limits.flicker import fill_flicker

Samples = npt.NDArray[np.float64]
_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Flicker:
    """What a flickermeter put out, one value a tick; not a number before there is one."""

    level: Samples
    pst: Samples
    plt: Samples


def flickermeter(
    *, tick_s: float, lamp: str = "230 V", frequency_hz: float = 50.0, settle_s: float = 120.0, observe_s: float = 600.0
) -> Replay:
    """Make a compiled flickermeter for rows of four channels, an envelope and the three outputs.

    Raises ValueError as `hil.limits.flicker.fill_flicker` does.
    """
    params, state = np.zeros(1, parameter_dtypes()["flickers"]), np.zeros(1, state_dtypes()["flickers"])
    arena = Arena()
    fill_flicker(
        params[0],
        state[0],
        arena,
        channel=0,
        output=1,
        blank=0,
        tick_s=tick_s,
        lamp=lamp,
        frequency_hz=frequency_hz,
        settle_s=settle_s,
        observe_s=observe_s,
    )
    return Replay({"flickers": params}, {"flickers": state, "arena": arena.array()})


def measure(meter: Replay, envelope: npt.ArrayLike) -> Flicker:
    """Let a flickermeter go on over an envelope, in any unit, one value a tick."""
    given = np.asarray(envelope, np.float64)
    found = Flicker(*(np.empty(len(given)) for _ in range(3)))
    rows = np.empty((min(len(given), _AT_ONCE), 4))
    for begin in range(0, len(given), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        some = rows[: len(given[part])]
        some[:, 0] = given[part]
        meter.run(some)
        found.level[part], found.pst[part], found.plt[part] = some[:, 1], some[:, 2], some[:, 3]
    return found


def modulated(shape: str, changes_per_min: float, relative_percent: float, *, duration_s: float, tick_s: float) -> Samples:
    """An envelope of mean 1 that changes as those of the standard's tables.

    shape: "sine" or "rectangular". Two changes are a period. relative_percent: from lowest to highest, in percent of the mean.
    Raises ValueError for another shape.
    """
    half_periods = np.arange(round(duration_s / tick_s)) * tick_s * (changes_per_min / 60.0)
    if shape == "sine":
        course: Samples = np.sin(np.pi * half_periods)
    elif shape == "rectangular":
        course = 1.0 - 2.0 * (np.floor(half_periods + 1e-9) % 2.0)  # an edge that is on a tick stays there
    else:
        raise ValueError(f"shape {shape!r}: must be sine or rectangular")
    return np.asarray(1.0 + relative_percent / 200.0 * course, np.float64)
