"""Limits on how fast active power may move, in the forms that grid codes give them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hil.scenario.base import CHOICE
from hil.scenario.limit.base import AtPcc, LimitSection
from hil.scenario.quantity import Ramp, Time

FORMS = ("mean_difference", "endpoint", "slope", "range", "block_average")
"""What a ramp over a window may be the ramp of."""
_MEAN_S = 1.0


class RampRate(LimitSection):
    """Ramp of measured power over the window, in one of several forms; `direction` says which way is judged."""

    kind: Literal["ramp"] = "ramp"
    node: AtPcc = "pcc"
    max_w_per_s: Ramp = Field(gt=0, description="steepest ramp of the power that is inside the limit")
    window_s: Time = Field(gt=0, description="time over which the power's change is taken, and by which it is divided")
    form: Literal["mean_difference", "endpoint", "slope", "range", "block_average", "unstated"] = Field(
        default="mean_difference",
        description="what is divided by the window: the change of a rolling mean, the difference of the powers at both ends, "
        "the rise of the line of least squares through it (slope), its largest less its smallest power (range), or the "
        "difference of the means of two blocks as long as it; unstated: all of them are judged, and must agree",
        json_schema_extra=CHOICE,
    )
    mean_s: Time | None = Field(
        default=None,
        gt=0,
        description=f"averaging window of the power before; only with mean_difference and unstated; default: {_MEAN_S:g} s",
    )
    block_start_s: Time | None = Field(
        default=None,
        ge=0,
        description="a block begins so long after the run does; only with block_average; without it one may begin at any "
        "sample, and the worst is judged",
    )
    direction: Literal["both", "up", "down"] = Field(
        default="both",
        description="which way is judged: both, only a rise (up), only a fall (down); range has no direction",
        json_schema_extra=CHOICE,
    )

    @property
    def averaged_s(self) -> float:
        """How long the power is averaged for the difference of a mean."""
        return _MEAN_S if self.mean_s is None else float(self.mean_s)
