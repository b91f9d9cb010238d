"""Entries of `[[limits]]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hil.scenario.base import Flag, Section, ShareWindow
from hil.scenario.quantity import Frequency, PerUnit, Power, Ramp, Time

_BESS = r"bess\.[A-Za-z][A-Za-z0-9_-]*"
_UPS = r"ups\.[A-Za-z][A-Za-z0-9_-]*"


class LimitSection(Section):
    """Keys of every limit."""

    name: str = Field(min_length=1)
    required: Flag = False


class Undervoltage(LimitSection):
    """27: RMS voltage of the lowest phase below `min` for `delay`. Scripted dips are stimulus and do not count.

    At `ups.NAME` it is the voltage of the output, and dips do count: they must not reach the load.
    """

    kind: Literal["undervoltage"] = "undervoltage"
    node: str = Field("pcc", pattern=rf"^(pcc|bus|{_UPS})$")
    min: PerUnit = Field(gt=0, lt=1)
    delay_s: Time = Field(0.0, alias="delay", ge=0)


class Overvoltage(LimitSection):
    """59: RMS voltage of the highest phase above `max` for `delay`."""

    kind: Literal["overvoltage"] = "overvoltage"
    node: Literal["pcc", "bus"] = "pcc"
    max: PerUnit = Field(gt=1, lt=3)
    delay_s: Time = Field(0.0, alias="delay", ge=0)


class Underfrequency(LimitSection):
    """81U: measured frequency below `min` for `delay`. Scripted frequency events are stimulus and do not count."""

    kind: Literal["underfrequency"] = "underfrequency"
    node: Literal["pcc"] = "pcc"
    min_hz: Frequency = Field(alias="min", gt=0)
    delay_s: Time = Field(0.0, alias="delay", ge=0)


class Overfrequency(LimitSection):
    """81O: measured frequency above `max` for `delay`."""

    kind: Literal["overfrequency"] = "overfrequency"
    node: Literal["pcc"] = "pcc"
    max_hz: Frequency = Field(alias="max", gt=0)
    delay_s: Time = Field(0.0, alias="delay", ge=0)


class RampRate(LimitSection):
    """Difference of the mean of measured power over the window; `direction` says which way is judged."""

    kind: Literal["ramp"] = "ramp"
    node: Literal["pcc"] = "pcc"
    max_w_per_s: Ramp = Field(alias="max", gt=0)
    window_s: Time = Field(alias="window", gt=0)
    mean_s: Time = Field(1.0, alias="mean", gt=0)
    direction: Literal["both", "up", "down"] = "both"


class PeakToPeak(LimitSection):
    """Range of measured power in a rolling window."""

    kind: Literal["peak_to_peak"] = "peak_to_peak"
    node: Literal["pcc"] = "pcc"
    max_w: Power = Field(alias="max", gt=0)
    window_s: Time = Field(alias="window", gt=0)


class SocRange(LimitSection):
    """State of charge inside `window`."""

    kind: Literal["soc_window"] = "soc_window"
    node: str = Field(pattern=rf"^({_BESS}|{_UPS})$")
    window: ShareWindow


class ConverterCurrent(LimitSection):
    """Converter current, per unit of rated current, above `max` for `delay`."""

    kind: Literal["converter_current"] = "converter_current"
    node: str = Field(pattern=rf"^{_BESS}$")
    max: PerUnit = Field(gt=0)
    delay_s: Time = Field(0.0, alias="delay", ge=0)


Limit = Annotated[
    Undervoltage | Overvoltage | Underfrequency | Overfrequency | RampRate | PeakToPeak | SocRange | ConverterCurrent,
    Field(discriminator="kind"),
]
