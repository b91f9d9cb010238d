"""Counters: how their settings become parameters of the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hil.kernel.arena import Arena
from hil.limits.ticks import ticks_of


@dataclass(frozen=True)
class Counter:
    """How often a channel has gone below (or above) a bound within a rolling window, both ends of which belong to it.

    most: events within a window that are told apart; beyond that the count stays there.
    """

    bound: float
    window_s: float
    under: bool = True
    most: int = 64

    def fill(self, params: Any, places: Arena, *, dt_s: float, channel: int, output: int) -> None:
        """Write a `CounterParams`; the state begins as zeros."""
        params["channel"], params["output"] = channel, output
        params["under"], params["bound"] = self.under, self.bound
        params["window_ticks"] = ticks_of(self.window_s, dt_s)
        params["offset"], params["ring"] = places.place(self.most), self.most
