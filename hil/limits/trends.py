"""Slopes and block averages: how their settings become parameters of the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hil.kernel.arena import Arena
from hil.limits.ticks import ticks_of


@dataclass(frozen=True)
class Slope:
    """Slope per second of the line of least squares through the samples of a closed rolling window.

    blank: the stimulus while which it holds its input, by the names in `hil.kernel.layout.CODES`.
    """

    window_s: float
    blank: str = "blank.never"

    def fill(
        self, params: Any, state: Any, places: Arena, *, dt_s: float, channel: int, output: int, blank: int, before: float
    ) -> None:
        """Write a `SlopeParams` and a `SlopeState`. before: what the channel was for ever before the first sample."""
        length = max(1, ticks_of(self.window_s, dt_s)) + 1
        params["channel"], params["output"], params["blank"] = channel, output, blank
        params["offset"], params["length"] = places.place(length), length
        params["per_second"] = 12.0 / (length * (length**2 - 1.0) * dt_s)
        state["origin"] = state["held"] = before


@dataclass(frozen=True)
class Blocks:
    """Difference of the means of two consecutive blocks, per second. start_s: after the first sample a block begins there."""

    window_s: float
    start_s: float = 0.0
    blank: str = "blank.never"

    def fill(self, params: Any, state: Any, *, dt_s: float, channel: int, output: int, blank: int, before: float) -> None:
        """Write a `BlockParams` and a `BlockState`. before: what the channel was for ever before the first sample."""
        length = max(1, ticks_of(self.window_s, dt_s))
        params["channel"], params["output"], params["blank"] = channel, output, blank
        params["length"], params["per_second"] = length, 1.0 / (length * dt_s)
        state["origin"] = state["held"] = before
        state["count"] = -ticks_of(self.start_s, dt_s) % length
