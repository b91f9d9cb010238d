"""Ride-through envelopes: how thresholds and lines become parameters of the kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hil.kernel.arena import Arena
from hil.kernel.layout import CODES
from hil.limits.ticks import ticks_of


@dataclass(frozen=True)
class Threshold:
    """For how long a value may be beyond a level before a device may trip; 0: not at all.

    inclusive: at the level is beyond it. slope_s: of a sloping line, by how many seconds the allowed time grows with each unit
    of the value; `allowed_s` is then that at the level, and `least_s` where the line ends.
    """

    level: float
    allowed_s: float
    under: bool = True
    inclusive: bool = False
    slope_s: float = 0.0
    least_s: float = 0.0

    @property
    def last_inside(self) -> float:
        """The value next to beyond it."""
        return math.nextafter(self.level, math.inf if self.under else -math.inf) if self.inclusive else self.level


@dataclass(frozen=True)
class Envelope:
    """Thresholds around a continuous band, which ends where the outermost of them begin.

    window_s: rolling window in which each threshold counts its time; 0: in the disturbance. stays: the subject has let go
    where it is below; `relative`: that is a share of its mean (first order, `mean_s`) before the disturbance, to which it must
    be back `recovery_s` after its end.
    """

    thresholds: tuple[Threshold, ...]
    window_s: float = 0.0
    stays: float = -math.inf
    relative: bool = False
    recovery_s: float = 0.0
    mean_s: float = 1.0

    @property
    def low(self) -> float:
        """Lowest value of the continuous band."""
        return max((one.last_inside for one in self.thresholds if one.under), default=-math.inf)

    @property
    def high(self) -> float:
        """Highest value of the continuous band."""
        return min((one.last_inside for one in self.thresholds if not one.under), default=math.inf)

    def fill(
        self,
        params: Any,
        state: Any,
        places: Arena,
        *,
        dt_s: float,
        channel: int,
        output: int,
        subject: int | None = None,
        before: float = 0.0,
    ) -> None:
        """Write an `EnvelopeParams` and an `EnvelopeState`.

        subject: the channel that shows whether it stays; None: nobody's staying is judged. before: of the subject, up to the
        first sample. Raises ValueError for more thresholds than the kernel takes.
        """
        most = CODES["envelope.most_thresholds"]
        if len(self.thresholds) > most:
            raise ValueError(f"thresholds: at most {most}, and there are {len(self.thresholds)}")
        params["channel"], params["output"] = channel, output
        params["subject"] = channel if subject is None else subject
        params["stays"] = -math.inf if subject is None else self.stays
        params["relative"] = subject is not None and self.relative
        params["recovery_ticks"] = ticks_of(self.recovery_s, dt_s)
        params["mean_gain"] = -math.expm1(-dt_s / self.mean_s) if self.mean_s > 0.0 else 1.0
        params["low"], params["high"] = self.low, self.high
        params["window_ticks"] = ticks_of(self.window_s, dt_s)
        if params["window_ticks"]:
            params["offset"] = places.place(int(params["window_ticks"]))
        params["thresholds"] = len(self.thresholds)
        for i, one in enumerate(self.thresholds):
            params["level"][i], params["under"][i], params["inclusive"][i] = one.level, one.under, one.inclusive
            params["allowed_ticks"][i] = ticks_of(one.allowed_s, dt_s)
            params["slope"][i], params["least_ticks"][i] = one.slope_s / dt_s, ticks_of(one.least_s, dt_s)
        state["before"] = before
