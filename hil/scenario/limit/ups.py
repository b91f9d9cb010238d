"""Limits on UPSs: time on battery, overload, transfers, DC link."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hil.scenario.base import CHOICE, Whole
from hil.scenario.limit.base import UPS, Delay, LimitSection
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
    """Load of a UPS, per unit of its rating, above `max` for `delay`: one class of its overload capability."""

    kind: Literal["overload"] = "overload"
    node: str = Field(pattern=rf"^{UPS}$", description="which UPS")
    max: PerUnit = Field(gt=0, description="largest load that is inside the limit, pu of the rating")
    delay_s: Delay = 0.0


class Transfers(LimitSection):
    """How often a UPS goes to battery within a rolling window."""

    kind: Literal["transfers"] = "transfers"
    node: str = Field(pattern=rf"^{UPS}$", description="which UPS")
    max: Whole = Field(ge=0, le=1000, description="most transfers within the window that are inside the limit")
    window_s: Time = Field(gt=0, description="length of the rolling window")


class DcLink(LimitSection):
    """Voltage of the DC link of a UPS, per unit, below `min` for `delay`."""

    kind: Literal["dc_link"] = "dc_link"
    node: str = Field(pattern=rf"^{UPS}$", description="which UPS")
    min: PerUnit = Field(gt=0, lt=1, description="lowest voltage that is inside the limit, pu")
    delay_s: Delay = 0.0
