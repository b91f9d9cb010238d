"""Limits on power: how far it may move, how it may oscillate and must die away, 32 and 37, and its return after a dip."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from hil.scenario.base import ASSUMED, CHOICE, Number, Share, Whole, source
from hil.scenario.limit.base import UPS, AtPcc, Delay, LimitSection, TripSection
from hil.scenario.quantity import Frequency, PerUnit, Power, Time


def _rising_band(value: tuple[float, float]) -> tuple[float, float]:
    if not 0.0 < value[0] < value[1]:
        raise ValueError("must be [low, high] with 0 < low < high")
    return value


Band = Annotated[tuple[Frequency, Frequency], AfterValidator(_rising_band)]


class PeakToPeak(LimitSection):
    """Range of measured power in a rolling window."""

    kind: Literal["peak_to_peak"] = "peak_to_peak"
    node: AtPcc = "pcc"
    max_w: Power = Field(gt=0, description="largest difference between two powers within the window that is inside the limit")
    window_s: Time = Field(gt=0, description="length of the rolling window")


class DynamicRange(LimitSection):
    """Range of measured power in a rolling window, as a share of a rated or contracted power."""

    kind: Literal["dynamic_range"] = "dynamic_range"
    node: AtPcc = "pcc"
    of_w: Power = Field(gt=0, description="rated or contracted power that the range is a share of")
    max: Share = Field(gt=0, description="largest range, as a share of that power, that is inside the limit")
    window_s: Time = Field(gt=0, description="length of the rolling window")


class Variation(LimitSection):
    """Range, in a rolling window, of the power after a band-pass: how ERCOT's proposal of 2026 and LIPA judge variation.

    It looks at the power itself, not at what the measuring window leaves of it, which is little above its inverse.
    """

    kind: Literal["variation"] = "variation"
    node: AtPcc = "pcc"
    band_hz: Band = Field(description="lower and upper edge of the band-pass, at which its gain is 0.71")
    order: Whole | None = Field(
        default=None,
        ge=1,
        le=8,
        description="order of the Butterworth band-pass; without it orders 1, 2 and 4 are judged, and must agree",
    )
    max_w: Power = Field(gt=0, description="largest difference between two powers within the window that is inside the limit")
    window_s: Time = Field(gt=0, description="length of the rolling window")


class Oscillation(LimitSection):
    """Amplitude of the strongest oscillation of the power in a band, over a sliding window."""

    kind: Literal["oscillation"] = "oscillation"
    node: AtPcc = "pcc"
    band_hz: Band = Field(description="lower and upper edge of the band that is searched")
    window_s: Time = Field(gt=0, description="length of the window; it tells frequencies apart that differ by its inverse")
    max_w: Power = Field(gt=0, description="largest amplitude (half of peak to peak) that is inside the limit")


class Damping(LimitSection):
    """Damping ratio of the strongest oscillation of the power in a band, while its amplitude is above a threshold.

    It is judged where it stays below for two and a half windows: of an oscillation that has just begun it is not known.
    """

    kind: Literal["damping"] = "damping"
    node: AtPcc = "pcc"
    band_hz: Band = Field(description="lower and upper edge of the band that is searched")
    window_s: Time = Field(gt=0, description="length of the window; the energy of one is held against that of the one before")
    above_w: Power = Field(gt=0, description="amplitude (half of peak to peak) above which an oscillation is judged")
    min: Share = Field(lt=1, description="smallest damping ratio that is inside the limit")


class BandShare(LimitSection):
    """Share of the power's alternating energy that lies in a band, over a sliding window."""

    kind: Literal["band_share"] = "band_share"
    node: AtPcc = "pcc"
    band_hz: Band = Field(description="lower and upper edge of the band")
    window_s: Time = Field(gt=0, description="length of the window; it tells frequencies apart that differ by its inverse")
    max: Share = Field(gt=0, description="largest share of the band that is inside the limit")


class ReversePower(TripSection):
    """32: power that the site gives to the grid above `max` for `delay`."""

    kind: Literal["reverse_power"] = "reverse_power"
    node: AtPcc = "pcc"
    max_w: Power = Field(gt=0, description="largest power given to the grid that is inside the limit")
    delay_s: Delay = 0.0


class Underpower(TripSection):
    """37: power that the site takes from the grid below `min` for `delay`: load that was lost."""

    kind: Literal["underpower"] = "underpower"
    node: AtPcc = "pcc"
    min_w: Power = Field(gt=0, description="smallest power taken from the grid that is inside the limit")
    delay_s: Delay = 0.0


class Recovery(LimitSection):
    """Power back at `share` of what it was before a dip within `max` of the voltage's return; scripted or not."""

    kind: Literal["recovery"] = "recovery"
    node: str = Field(
        default="pcc",
        pattern=rf"^(pcc|{UPS})$",
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
