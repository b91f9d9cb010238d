"""Limits on batteries: state of charge, temperature, voltage of cells and string, rates."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import CHOICE, Number, Refused, ShareWindow
from hil.scenario.limit.base import BESS, UPS, Delay, TripSection, one_of
from hil.scenario.quantity import Temperature, Voltage


class SocRange(TripSection):
    """State of charge inside `window`."""

    kind: Literal["soc_window"] = "soc_window"
    node: str = Field(pattern=rf"^({BESS}|{UPS})$", description="whose state of charge: of a BESS or of a UPS")
    window: ShareWindow = Field(
        description="lowest and highest state of charge that are inside the limit; of a UPS 1 is no bound"
    )
    delay_s: Delay = 0.0


class VoltageStage(TripSection):
    """A stage of a battery's voltage protection: what it watches is below `min` or above `max` for `delay`."""

    node: str = Field(pattern=rf"^({BESS}|{UPS})$", description="whose battery: of a BESS or of a UPS")
    min_v: Voltage | None = Field(
        default=None, gt=0, description="lowest voltage that is inside the limit; below the nominal one"
    )
    max_v: Voltage | None = Field(
        default=None, gt=0, description="highest voltage that is inside the limit; above the nominal one"
    )
    delay_s: Delay = 0.0
    release_v: Voltage | None = Field(
        default=None,
        gt=0,
        description="voltage at which it drops out, inside of its one bound: before, a delay runs on, and a violation stays; "
        "default: at the bound",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        one_of(self, "min_v", "max_v")
        if self.min_v is not None and self.max_v is not None:
            if self.min_v >= self.max_v:
                raise Refused(f"must be below max = {self.max_v:g} V", "min")
            if self.release_v is not None:
                raise Refused("needs one bound, min or max; of a stage with both it is not clear whose it is", "release")
        elif self.release_v is not None:
            if self.min_v is not None and self.release_v <= self.min_v:
                raise Refused(f"must be above min = {self.min_v:g} V", "release")
            if self.max_v is not None and self.release_v >= self.max_v:
                raise Refused(f"must be below max = {self.max_v:g} V", "release")
        return self


class CellVoltage(VoltageStage):
    """Voltage of the lowest cell of a battery below `min`, or of the highest above `max`, for `delay`.

    One stage of a battery management system; several stages are several limits. Cells of the model are all alike: a run
    judges the voltage of the battery over its cells in series, a recording may have the lowest and the highest cell.
    """

    kind: Literal["cell_voltage"] = "cell_voltage"


class DcVoltage(VoltageStage):
    """27 and 59 of DC: voltage of a battery at its terminals below `min` or above `max` for `delay`."""

    kind: Literal["dc_voltage"] = "dc_voltage"


class BatteryTemperature(TripSection):
    """Temperature of a battery below `min` or above `max` for `delay`; nearest ANSI number: 26, apparatus thermal device."""

    kind: Literal["battery_temperature"] = "battery_temperature"
    node: str = Field(pattern=rf"^({BESS}|{UPS})$", description="whose battery: of a BESS or of a UPS")
    min_degc: Temperature | None = Field(
        default=None, description="lowest temperature that is inside the limit; below the ambient of the battery"
    )
    max_degc: Temperature | None = Field(
        default=None, description="highest temperature that is inside the limit; above the ambient of the battery"
    )
    during: Literal["always", "charging", "discharging"] = Field(
        default="always",
        description="when it is judged: always, or while a current flows into the battery, or out of it, "
        "whatever the ambient then is",
        json_schema_extra=CHOICE,
    )
    least: Number = Field(
        default=0.001,
        gt=0,
        description="least current that counts as one, in rated capacities per hour; with during",
        json_schema_extra=CHOICE,
    )
    delay_s: Delay = 0.0

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        one_of(self, "min_degc", "max_degc")
        if self.min_degc is not None and self.max_degc is not None and self.min_degc >= self.max_degc:
            raise Refused(f"must be below max = {self.max_degc:g} degC", "min")
        return self


class CRate(TripSection):
    """Current of a battery over its rated capacity above `max` either way, or above what each way has, for `delay`."""

    kind: Literal["c_rate"] = "c_rate"
    node: str = Field(pattern=rf"^({BESS}|{UPS})$", description="whose battery: of a BESS or of a UPS")
    max: Number | None = Field(
        default=None,
        gt=0,
        description="largest current, either way, that is inside the limit, in rated capacities per hour",
    )
    charge: Number | None = Field(
        default=None, gt=0, description="largest charging current that is inside the limit, in rated capacities per hour"
    )
    discharge: Number | None = Field(
        default=None, gt=0, description="largest discharging current that is inside the limit, in rated capacities per hour"
    )
    delay_s: Delay = 0.0

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        one_of(self, "max", "charge", "discharge")
        if self.max is not None and (self.charge is not None or self.discharge is not None):
            raise Refused("is for both ways: without charge and discharge", "max")
        return self
