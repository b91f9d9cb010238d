"""Thermal image, 49: how its settings become parameters of the kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Thermal:
    """Thermal image (IEC 60255-149): it operates at 1.

    base: current in the unit of the channel, of which it bears `k` for ever. time_constant_s: of heating; cooling_s: of
    cooling, None: the same. before: the current on which it has settled.
    """

    time_constant_s: float
    k: float = 1.05
    base: float = 1.0
    cooling_s: float | None = None
    before: float = 0.0

    def fill(self, params: Any, state: Any, *, dt_s: float, channel: int, output: int) -> None:
        """Write a `ThermalParams` and a `ThermalState`."""
        params["channel"], params["output"] = channel, output
        params["per_square"] = 1.0 / (self.k * self.base) ** 2
        params["heating"] = -math.expm1(-dt_s / self.time_constant_s)
        params["cooling"] = -math.expm1(-dt_s / (self.time_constant_s if self.cooling_s is None else self.cooling_s))
        state["level"] = state["towards"] = self.before**2 * float(params["per_square"])
