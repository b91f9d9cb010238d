"""Entries of `[[limits]]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hil.scenario.base import ASSUMED, CHOICE, Flag, Number, Section, ShareWindow, source
from hil.scenario.quantity import Frequency, FrequencyRate, PerUnit, Power, Ramp, Temperature, Time

_BESS = r"bess\.[A-Za-z][A-Za-z0-9_-]*"
_UPS = r"ups\.[A-Za-z][A-Za-z0-9_-]*"
_AtPcc = Annotated[
    Literal["pcc"],
    Field(
        description="where it is judged: the point of common coupling, where the site meets the grid", json_schema_extra=CHOICE
    ),
]
_Delay = Annotated[
    Time,
    Field(ge=0, description="how long a value must stay beyond, without a break, to be a violation", json_schema_extra=CHOICE),
]


class LimitSection(Section):
    """Keys of every limit."""

    name: str = Field(min_length=1, description="what the verdict calls it; names differ")
    required: Flag = Field(
        default=False, description="true: the verdict is PASS only if this limit holds", json_schema_extra=CHOICE
    )


class Undervoltage(LimitSection):
    """27: RMS voltage of the lowest phase below `min` for `delay`. Scripted dips are stimulus and do not count.

    At `ups.NAME` it is the voltage of the output, and dips do count: they must not reach the load.
    """

    kind: Literal["undervoltage"] = "undervoltage"
    node: str = Field(
        default="pcc",
        pattern=rf"^(pcc|bus|{_UPS})$",
        description="whose voltage: of the PCC, of the bus, or of the output of a UPS",
        json_schema_extra=CHOICE,
    )
    min: PerUnit = Field(gt=0, lt=1, description="lowest voltage that is inside the limit, pu")
    delay_s: _Delay = 0.0


class Overvoltage(LimitSection):
    """59: RMS voltage of the highest phase above `max` for `delay`."""

    kind: Literal["overvoltage"] = "overvoltage"
    node: Literal["pcc", "bus"] = Field(
        default="pcc", description="whose voltage: of the PCC, or of the bus", json_schema_extra=CHOICE
    )
    max: PerUnit = Field(gt=1, lt=3, description="highest voltage that is inside the limit, pu")
    delay_s: _Delay = 0.0


class Underfrequency(LimitSection):
    """81U: measured frequency below `min` for `delay`. Scripted frequency events are stimulus and do not count."""

    kind: Literal["underfrequency"] = "underfrequency"
    node: _AtPcc = "pcc"
    min_hz: Frequency = Field(gt=0, description="lowest frequency that is inside the limit")
    delay_s: _Delay = 0.0


class Overfrequency(LimitSection):
    """81O: measured frequency above `max` for `delay`."""

    kind: Literal["overfrequency"] = "overfrequency"
    node: _AtPcc = "pcc"
    max_hz: Frequency = Field(gt=0, description="highest frequency that is inside the limit")
    delay_s: _Delay = 0.0


class RateOfChange(LimitSection):
    """81R: rate of change of the measured frequency over `window`, either way, above `max` for `delay`."""

    kind: Literal["rocof"] = "rocof"
    node: _AtPcc = "pcc"
    max_hz_per_s: FrequencyRate = Field(gt=0, description="fastest rise or fall of the frequency that is inside the limit")
    window_s: Time = Field(
        default=0.5,
        gt=0,
        description="time over which the frequency's change is taken, and by which it is divided",
        json_schema_extra=source("EirGrid's 1 Hz/s is over 500 ms; docs/model.md"),
    )
    delay_s: _Delay = 0.0


class RampRate(LimitSection):
    """Difference of the mean of measured power over the window; `direction` says which way is judged."""

    kind: Literal["ramp"] = "ramp"
    node: _AtPcc = "pcc"
    max_w_per_s: Ramp = Field(gt=0, description="steepest ramp of the power that is inside the limit")
    window_s: Time = Field(gt=0, description="time over which the mean's change is taken, and by which it is divided")
    mean_s: Time = Field(default=1.0, gt=0, description="averaging window of the power, before that", json_schema_extra=CHOICE)
    direction: Literal["both", "up", "down"] = Field(
        default="both", description="which way is judged: both, only a rise (up), only a fall (down)", json_schema_extra=CHOICE
    )


class PeakToPeak(LimitSection):
    """Range of measured power in a rolling window."""

    kind: Literal["peak_to_peak"] = "peak_to_peak"
    node: _AtPcc = "pcc"
    max_w: Power = Field(gt=0, description="largest difference between two powers within the window that is inside the limit")
    window_s: Time = Field(gt=0, description="length of the rolling window")


class SocRange(LimitSection):
    """State of charge inside `window`."""

    kind: Literal["soc_window"] = "soc_window"
    node: str = Field(pattern=rf"^({_BESS}|{_UPS})$", description="whose state of charge: of a BESS or of a UPS")
    window: ShareWindow = Field(
        description="lowest and highest state of charge that are inside the limit; of a UPS 1 is no bound"
    )


class ConverterCurrent(LimitSection):
    """Converter current, per unit of rated current, above `max` for `delay`."""

    kind: Literal["converter_current"] = "converter_current"
    node: str = Field(pattern=rf"^{_BESS}$", description="whose converter: of a BESS")
    max: PerUnit = Field(gt=0, description="largest current that is inside the limit, pu of the rated one")
    delay_s: _Delay = 0.0


class OnBattery(LimitSection):
    """Time that a UPS is on battery, from the loss of the line to the end of its walk-in, above `max`."""

    kind: Literal["on_battery"] = "on_battery"
    node: str = Field(pattern=rf"^{_UPS}$", description="which UPS")
    max_s: Time = Field(gt=0, description="longest time on battery that is inside the limit")
    counts: Literal["longest", "total"] = Field(
        default="longest",
        description="which time: of the longest stretch on battery, or of all stretches together (total)",
        json_schema_extra=CHOICE,
    )


class BatteryTemperature(LimitSection):
    """Temperature of a battery above `max` for `delay`; nearest ANSI number: 26, apparatus thermal device."""

    kind: Literal["battery_temperature"] = "battery_temperature"
    node: str = Field(pattern=rf"^({_BESS}|{_UPS})$", description="whose battery: of a BESS or of a UPS")
    max_degc: Temperature = Field(description="highest temperature that is inside the limit; above the ambient of the battery")
    delay_s: _Delay = 0.0


class Recovery(LimitSection):
    """Power back at `share` of what it was before a dip within `max` of the voltage's return; scripted or not."""

    kind: Literal["recovery"] = "recovery"
    node: str = Field(
        default="pcc",
        pattern=rf"^(pcc|{_UPS})$",
        description="whose power: through the PCC, or the input of a UPS, which goes by the voltage at the bus",
        json_schema_extra=CHOICE,
    )
    max_s: Time = Field(
        gt=0, description="longest time from the end of a dip until the power is back that is inside the limit"
    )
    share: Number = Field(
        default=0.9,
        gt=0,
        le=1,
        description="part of the power before the dip that counts as back",
        json_schema_extra=source("ERCOT NOGRR282, EirGrid, CAISO's proposal; docs/model.md"),
    )
    below: PerUnit = Field(
        default=0.9,
        gt=0,
        lt=1,
        description="a dip begins where the lowest phase falls below it, and ends where it is not below any more, pu",
        json_schema_extra=source("ERCOT NOGRR282, EirGrid; docs/model.md"),
    )
    mean_s: Time = Field(
        default=1.0, gt=0, description="averaging window of the power before the dip", json_schema_extra=ASSUMED
    )
    hold_s: Time = Field(
        default=0.1,
        ge=0,
        description="how long the power must stay back, without a break, to count as back",
        json_schema_extra=ASSUMED,
    )


Limit = Annotated[
    Undervoltage
    | Overvoltage
    | Underfrequency
    | Overfrequency
    | RateOfChange
    | RampRate
    | PeakToPeak
    | SocRange
    | ConverterCurrent
    | OnBattery
    | BatteryTemperature
    | Recovery,
    Field(discriminator="kind"),
]
