"""Limits on batteries: state of charge, temperature, cells, rates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hil.scenario.base import Number, ShareWindow
from hil.scenario.limit.base import BESS, UPS, Delay, LimitSection
from hil.scenario.quantity import Temperature


class SocRange(LimitSection):
    """State of charge inside `window`."""

    kind: Literal["soc_window"] = "soc_window"
    node: str = Field(pattern=rf"^({BESS}|{UPS})$", description="whose state of charge: of a BESS or of a UPS")
    window: ShareWindow = Field(
        description="lowest and highest state of charge that are inside the limit; of a UPS 1 is no bound"
    )


class BatteryTemperature(LimitSection):
    """Temperature of a battery above `max` for `delay`; nearest ANSI number: 26, apparatus thermal device."""

    kind: Literal["battery_temperature"] = "battery_temperature"
    node: str = Field(pattern=rf"^({BESS}|{UPS})$", description="whose battery: of a BESS or of a UPS")
    max_degc: Temperature = Field(description="highest temperature that is inside the limit; above the ambient of the battery")
    delay_s: Delay = 0.0


class CRate(LimitSection):
    """Current of a battery over its rated capacity, either way, above `max` for `delay`."""

    kind: Literal["c_rate"] = "c_rate"
    node: str = Field(pattern=rf"^({BESS}|{UPS})$", description="whose battery: of a BESS or of a UPS")
    max: Number = Field(gt=0, description="largest current that is inside the limit, in rated capacities per hour")
    delay_s: Delay = 0.0
