"""The contract between how a kind of limit is judged and those who build and read it."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

BELOW_ONE = math.nextafter(1.0, 0.0)
"""Upper bound of a share at which a function operates: beyond it is 1 and more."""


@dataclass(frozen=True)
class Function:
    """A protection function that makes channels of others.

    family: of `hil.kernel.layout.FUNCTIONS`. inputs, outputs: channels. settings: what the family's builder takes.
    """

    family: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: Hashable


@dataclass(frozen=True)
class Judged:
    """One channel between two bounds, infinite where there is none.

    value: what is made of the channel, by the names in `hil.kernel.layout.CODES` ("limit.level"). unit: of worst and bound.
    reference: from where margins count. window_s, mean_s, delay_s: as the limit has them. blanked_by: the stimulus that voids
    samples. timer_s: how far back the samples lie that a relay has counted. variant: what tells it from others that the same
    limit is judged by; empty where there is one. agree: whether these must agree, else each must hold. functions: what makes
    the channel, in their order. scale: what value and bounds are multiplied by for `unit`. picks_up_on: of a relay's channel,
    the bound by which it would be judged without one. nearer: the channel of a relay whose pick-up lies nearer by the
    uncertainty of what was measured; empty where there is none.
    """

    channel: str
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    value: str = "limit.level"
    reference: float = 0.0
    window_s: float = 0.0
    mean_s: float = 0.0
    delay_s: float = 0.0
    timer_s: float = 0.0
    blanked_by: str = "blank.never"
    variant: str = ""
    agree: bool = True
    functions: tuple[Function, ...] = ()
    scale: float = 1.0
    picks_up_on: Judged | None = None
    nearer: str = ""

    @property
    def bound(self) -> Judged:
        """The signal and the bounds that people know it by: without the relay, if one judges."""
        return self.picks_up_on or self


def between(low: float, high: float, normal: float) -> float:
    """A value inside bounds, of which one may be infinite, from which margins count: the normal one where that is inside."""
    if low < normal < high:
        return normal
    if math.isfinite(low) and math.isfinite(high):
        return 0.5 * (low + high)
    return low + (abs(normal - low) or 1.0) if math.isfinite(low) else high - (abs(normal - high) or 1.0)


def at_ups(limit: Any) -> bool:
    """Whether a limit is at a UPS."""
    return bool(limit.node.startswith("ups."))
