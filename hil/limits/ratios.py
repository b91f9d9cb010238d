"""Ratios: how their settings become parameters of the kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from hil.kernel.layout import CODES


@dataclass(frozen=True)
class Ratio:
    """A signal of others of the same instant.

    quotient: *scale·a/b*; current: *scale·√(a² + b²)/c*; magnitude: *scale·|a|*; scaled: *scale·a*; gate: *a* while *b* is at
    least `least`, else not a number. scale: for instance nominal frequency over nominal voltage, so that 24 is 1 at rated
    excitation. least: also of what is divided by; below it the ratio is 0.
    """

    kind: Literal["quotient", "current", "magnitude", "gate", "scaled"]
    scale: float = 1.0
    least: float = 1e-9

    def fill(self, params: Any, *, channels: tuple[int, ...], output: int) -> None:
        """Write a `RatioParams`; channels: a, b, c, as many as the kind has."""
        params["kind"] = CODES[f"ratio.{self.kind}"]
        for name, channel in zip(("channel", "second", "third"), channels, strict=False):
            params[name] = channel
        params["output"], params["scale"], params["least"] = output, self.scale, self.least

    def value(self, *inputs: float) -> float:
        """What it makes of values of its channels."""
        if self.kind == "magnitude":
            return self.scale * abs(inputs[0])
        if self.kind == "scaled":
            return self.scale * inputs[0]
        if self.kind == "gate":
            return inputs[0] if inputs[1] >= self.least else math.nan
        by = inputs[1 if self.kind == "quotient" else 2]
        if not by >= self.least:
            return 0.0
        return self.scale * (inputs[0] if self.kind == "quotient" else math.hypot(inputs[0], inputs[1])) / by
