"""Limits on what only samples of the waveform show: harmonics, and overvoltages shorter than a cycle. For recordings alone."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hil.scenario.base import CHOICE, Number, Refused, Section, Share, Whole, source
from hil.scenario.limit.base import UPS, LimitSection
from hil.scenario.quantity import PerUnit, Time, Voltage

_IEEE_519 = source("IEEE 519-2022; from memory, docs/check.md")
BANDS = (2, 11, 17, 23, 35)
"""Orders at which the columns of a table of currents begin."""

_WIDTH = len(BANDS) + 2


def _rows(value: list[list[float]]) -> list[list[float]]:
    ratios = [row[0] for row in value if row]
    if not value or ratios != sorted(set(ratios)) or any(len(row) != _WIDTH for row in value):
        raise ValueError(f"must be rows of {_WIDTH} numbers, the first of which ascends")
    if any(not 0.0 < share <= 1.0 for row in value for share in row[1:]):
        raise ValueError("must have shares above 0 and up to 1 behind the ratio of each row")
    return value


def _above(value: list[tuple[PerUnit, Time]]) -> list[tuple[PerUnit, Time]]:
    if not value or any(level <= 1.0 or time_s < 0.0 for level, time_s in value):
        raise ValueError("must be pairs of a level above 1 and a time of 0 or more")
    return value


class Statistic(Section):
    """A percentile, within a period, of what is aggregated over intervals: at most `factor` times the limit."""

    interval_s: Time = Field(gt=0, description="over which values are aggregated, as the root of their mean square")
    percentile: Number = Field(gt=0, le=100, description="share of the values that must be within, %")
    factor: Number = Field(default=1.0, gt=0, description="by which the limit is multiplied", json_schema_extra=CHOICE)
    period_s: Time = Field(gt=0, description="in which the values are counted")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.period_s < self.interval_s:
            raise Refused("must be at least the interval", "period")
        return self


class DistortionSection(LimitSection):
    """What looks at harmonics, of each phase by itself: subgroups of IEC 61000-4-7 in windows of 10 or 12 cycles."""

    node: Literal["pcc", "bus"] = Field(
        default="pcc", description="whose waveforms: of the PCC, or of the bus", json_schema_extra=CHOICE
    )
    above_v: Voltage = Field(
        default=0.0, ge=0, description="applies to a nominal voltage (phase to phase) above it", json_schema_extra=CHOICE
    )
    up_to_v: Voltage | None = Field(default=None, gt=0, description="and up to it; without it to any")
    statistics: list[Statistic] = Field(min_length=1, description="each of which must hold")
    highest: Whole = Field(default=50, ge=2, le=100, description="highest order that counts", json_schema_extra=_IEEE_519)


class VoltageDistortion(DistortionSection):
    """Harmonics of the voltage, each and all together (THD), as shares of the nominal voltage.

    For recordings of waveforms alone (`hil check`).
    """

    kind: Literal["voltage_distortion"] = "voltage_distortion"
    individual: Share = Field(gt=0, description="largest share of one order that is inside the limit")
    total: Share = Field(gt=0, description="largest share of all orders together, as the root of the sum of squares")


class CurrentDistortion(DistortionSection):
    """Harmonics of the current, each and all together (TDD), as shares of the demand current.

    The row of the table goes by short-circuit current over demand current, both of the file. For recordings of waveforms alone
    (`hil check`).
    """

    kind: Literal["current_distortion"] = "current_distortion"
    table: Annotated[list[list[Number]], AfterValidator(_rows)] = Field(
        description="rows of [ratio from which on, share of orders 2 to 10, 11 to 16, 17 to 22, 23 to 34, 35 and above, TDD]"
    )
    even_share: Share = Field(
        default=1.0, gt=0, description="part of the table's shares that even orders have", json_schema_extra=CHOICE
    )
    even_up_to: Whole = Field(
        default=0, ge=0, description="highest even order of which that is so; the others have all", json_schema_extra=CHOICE
    )


class TransientOvervoltage(LimitSection):
    """Instantaneous voltage of each phase, by the peak of the nominal one, above a level for longer than its time.

    What is judged is the largest share of a time that is used up; above 1 the limit is violated. For recordings of waveforms
    alone (`hil check`).
    """

    kind: Literal["transient_overvoltage"] = "transient_overvoltage"
    node: str = Field(
        default="pcc",
        pattern=rf"^(pcc|bus|{UPS})$",
        description="whose voltage: of the PCC, of the bus, or of the output of a UPS",
        json_schema_extra=CHOICE,
    )
    above: Annotated[list[tuple[PerUnit, Time]], AfterValidator(_above)] = Field(
        description="[level, time] pairs: longest time above the level that is inside the limit; pu of the nominal peak"
    )
    window_s: Time = Field(
        default=0.0,
        ge=0,
        description="rolling window in which the time above a level adds up; 0: each time by itself, without a break",
        json_schema_extra=CHOICE,
    )
