"""Limits on UPSs: time on battery, overload, transfers, DC link, output voltage."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import CHOICE, Refused, Whole
from hil.scenario.limit.base import UPS, Delay, LimitSection, one_of
from hil.scenario.limit.ride import AtLevel, Steps, StepWindow
from hil.scenario.quantity import PerUnit, Time


class OnBattery(LimitSection):
    """Time that a UPS is on battery, from the loss of the line to the end of its walk-in, above `max`."""

    kind: Literal["on_battery"] = "on_battery"
    node: str = Field(pattern=rf"^{UPS}$", description="which UPS")
    max_s: Time = Field(gt=0, description="longest time on battery that is inside the limit")
    counts: Literal["longest", "total"] = Field(
        default="longest",
        description="which time: of the longest stretch on battery, or of all stretches together (total)",
        json_schema_extra=CHOICE,
    )


class Overload(LimitSection):
    """Load of a UPS, per unit of its rating: above `max` for `delay`, or above a level of `steps` for longer than its time.

    Several limits with `max` and `delay` are classes whose times run consecutively: one sample inside begins them anew. The
    times of `steps` add up, in an overload or in a rolling `window`.
    """

    kind: Literal["overload"] = "overload"
    node: str = Field(pattern=rf"^{UPS}$", description="which UPS")
    max: PerUnit | None = Field(
        default=None, gt=0, description="largest load that is inside the limit, pu of the rating; or steps"
    )
    delay_s: Delay = 0.0
    steps: Steps = Field(
        default_factory=list, description="[level, time] pairs: how long the load may be above each level, pu of the rating"
    )
    window_s: Time = Field(
        default=0.0,
        ge=0,
        description="rolling window in which the times of a step add up; 0: from where the load rises above the lowest level "
        "to where it is back",
        json_schema_extra=CHOICE,
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.max is None and not self.steps:
            raise Refused("missing; an overload has max, or steps", "max")
        if self.max is not None and self.steps:
            raise Refused("a limit with steps has no max: each step has its level", "max")
        if self.steps and self.delay_s > 0.0:
            raise Refused("a limit with steps has no delay: each step has its time", "delay")
        if self.max is not None and self.window_s > 0.0:
            raise Refused("is for the times of steps", "window")
        return self


class Transfers(LimitSection):
    """How often a UPS goes to battery within a rolling window."""

    kind: Literal["transfers"] = "transfers"
    node: str = Field(pattern=rf"^{UPS}$", description="which UPS")
    max: Whole = Field(ge=0, le=1000, description="most transfers within the window that are inside the limit")
    window_s: Time = Field(gt=0, description="length of the rolling window")


class DisturbanceCounter(LimitSection):
    """No UPS counts disturbances to decide that it stays off the grid, as ERCOT's NOGRR282 forbids.

    Violated where a UPS has `counter` on, at the begin or the end of a run, or has counted a disturbance in it.
    """

    kind: Literal["disturbance_counter"] = "disturbance_counter"
    node: str = Field(
        default="pcc",
        pattern=rf"^(pcc|{UPS})$",
        description="which UPS; pcc: each of the site",
        json_schema_extra=CHOICE,
    )


class DcLink(LimitSection):
    """Voltage of the DC link of a UPS, per unit, below `min` or above `max` for `delay`."""

    kind: Literal["dc_link"] = "dc_link"
    node: str = Field(pattern=rf"^{UPS}$", description="which UPS")
    min: PerUnit | None = Field(default=None, gt=0, lt=1, description="lowest voltage that is inside the limit, pu")
    max: PerUnit | None = Field(default=None, gt=1, lt=3, description="highest voltage that is inside the limit, pu")
    delay_s: Delay = 0.0

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        one_of(self, "min", "max")
        return self


class OutputVoltage(LimitSection):
    """Envelope of a UPS's output voltage: below or above a level for longer than its time, which adds up in a disturbance.

    A disturbance begins where the voltage leaves the levels of the first steps, and ends where it is back. Dips of the grid
    are judged: they must not reach the load. RMS values say nothing of what is shorter than a cycle.
    """

    kind: Literal["output_voltage"] = "output_voltage"
    node: str = Field(pattern=rf"^{UPS}$", description="which UPS")
    below: Steps = Field(
        default_factory=list, description="[level, time] pairs: how long the voltage may be below each level, pu of nominal"
    )
    above: Steps = Field(
        default_factory=list, description="[level, time] pairs: how long the voltage may be above each level, pu of nominal"
    )
    window_s: StepWindow = 0.0
    at_level: AtLevel = False

    @model_validator(mode="after")
    def _around_nominal(self) -> Self:
        if not (self.below or self.above):
            raise Refused("missing; an envelope has steps below or above", "below")
        if any(level >= 1.0 for level, _ in self.below):
            raise Refused("must have levels below 1 pu", "below")
        if any(level <= 1.0 for level, _ in self.above):
            raise Refused("must have levels above 1 pu", "above")
        return self
