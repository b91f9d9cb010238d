"""Ride-through envelopes: what a site must stay through, and must come back from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from hil.scenario.base import ASSUMED, CHOICE, Flag, Number, source
from hil.scenario.limit.base import UPS, LimitSection
from hil.scenario.quantity import PerUnit, Time

_MOST_STEPS = 7

Step = tuple[PerUnit, Time]


def _steps(value: list[Step]) -> list[Step]:
    if len(value) > _MOST_STEPS:
        raise ValueError(f"must have at most {_MOST_STEPS} steps")
    if any(level <= 0.0 or time_s < 0.0 for level, time_s in value):
        raise ValueError("must be pairs of a level above 0 and a time of 0 or more")
    return value


Steps = Annotated[list[Step], AfterValidator(_steps)]
StepWindow = Annotated[
    Time,
    Field(
        ge=0,
        description="rolling window in which the times of a step add up; 0: they add up within a disturbance",
        json_schema_extra=CHOICE,
    ),
]
AtLevel = Annotated[Flag, Field(description="true: at a level counts as beyond it", json_schema_extra=CHOICE)]


class RideThrough(LimitSection):
    """Must-ride envelope: a power that does not come back after a disturbance from which it had to, violates the limit.

    A disturbance begins where the voltage (or the frequency) leaves the levels of the first steps, and ends where it is back.
    As long as it is beyond no step for longer than its time, the power must be back at `share` within `recovery` of the end.
    Beyond the envelope nothing is asked.
    """

    kind: Literal["ride_through"] = "ride_through"
    node: str = Field(
        default="pcc",
        pattern=rf"^(pcc|{UPS})$",
        description="whose power must come back: through the PCC, or the input of a UPS, which goes by the voltage at the bus",
        json_schema_extra=CHOICE,
    )
    signal: Literal["voltage", "frequency"] = Field(
        default="voltage", description="what is disturbed: the voltage, or the frequency at the PCC", json_schema_extra=CHOICE
    )
    below: Steps = Field(
        default_factory=list,
        description="[level, time] pairs: below the level for longer than the time nothing is asked; pu of nominal",
    )
    above: Steps = Field(
        default_factory=list,
        description="[level, time] pairs: above the level for longer than the time nothing is asked; pu of nominal",
    )
    below_line: Steps = Field(
        default_factory=list,
        description="two [level, time] pairs, the upper one first: below its level the time that is allowed follows the line "
        "between them, and below the other level stays as it is there; pu of nominal",
    )
    window_s: StepWindow = 0.0
    at_level: AtLevel = False
    share: Number = Field(
        default=0.9,
        gt=0,
        le=1,
        description="part of the power before the disturbance that counts as back",
        json_schema_extra=source("ERCOT NOGRR282, EirGrid, CAISO's proposal; docs/model.md"),
    )
    recovery_s: Time = Field(ge=0, description="longest time from the end of a disturbance until the power is back")
    mean_s: Time = Field(
        default=1.0, gt=0, description="time constant of the mean of the power before", json_schema_extra=ASSUMED
    )
