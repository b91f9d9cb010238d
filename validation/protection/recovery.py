"""Recovery after dips over a recording, from its definition (docs/model.md, "Limits")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BEFORE, IN_DIP, AFTER_DIP = 0, 1, 2


@dataclass(frozen=True)
class Recovery:
    """Of every sample the samples since the end of the dip while the power is not back (not a number: not judged).

    befores: the power before each dip. phase: where the recording ends.
    """

    samples: np.ndarray
    befores: list[float]
    phase: int


def recovery(
    power: np.ndarray,
    voltage: np.ndarray,
    *,
    before: float,
    late: int,
    mean: int,
    hold: int,
    below: float = 0.9,
    share: float = 0.9,
    slack: float = 0.0,
) -> Recovery:
    """Every dip, its `before`, its end, and the times while the power was not back.

    before: what the power was for ever before the recording. late, mean, hold: samples. slack: what may be missing.
    """
    untainted = np.concatenate([np.full(mean + late, before), power]).copy()  # sample k stands at k + mean + late
    low = voltage < below
    value = np.full(power.size, np.nan)
    k, befores, phase = 0, [], BEFORE
    while k < power.size:
        if not low[k]:
            k += 1
            continue
        begin = k
        reference = untainted[begin + 1 : begin + mean + 1].mean()  # samples begin - late - mean + 1 … begin - late
        befores.append(float(reference))
        since, back = None, 0
        while k < power.size:
            if low[k]:
                since, back = None, 0
            else:
                since = k if since is None else since
                wanted = share * reference
                bad = power[k] < wanted - slack if reference >= 0 else power[k] > wanted + slack
                value[k] = k - since + 1 if bad else 0.0
                back = 0 if bad else back + 1
                if back > hold:
                    break
            k += 1
        phase = BEFORE if k < power.size else (AFTER_DIP if since is not None else IN_DIP)
        untainted[begin - late + 1 + mean + late : k + 1 + mean + late] = reference
        k += 1
    return Recovery(value, befores, phase)
