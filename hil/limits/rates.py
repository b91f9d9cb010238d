"""Rates of change: how their settings become parameters of the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hil.kernel.arena import Arena
from hil.kernel.layout import CODES
from hil.limits.ticks import ticks_of


@dataclass(frozen=True)
class Rate:
    """The difference of a channel over a window, per second. blank: the stimulus that voids it."""

    window_s: float
    blank: str

    def fill(self, params: Any, state: Any, places: Arena, *, dt_s: float, channel: int, output: int, before: float) -> None:
        """Write a `RateParams` and a `RateState`. before: what the channel was up to the first sample."""
        window = max(1, ticks_of(self.window_s, dt_s))
        params["channel"], params["output"], params["blank"] = channel, output, CODES[self.blank]
        params["per_second"] = 1.0 / (window * dt_s)
        places.delay(state["past"], window, before)
