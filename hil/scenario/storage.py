"""Sections `[bess.NAME]` and `[bess.NAME.driver]`."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import Number, Refused, Section, Share, Whole
from hil.scenario.listen import LoopbackAddress
from hil.scenario.quantity import Apparent, Energy, Frequency, PerUnit, Power, Ramp, Temperature, Time, Voltage, WholeSeconds


class Driver(Section):
    """How a device's driver talks to it: it owns the cycle and all writes."""

    rate_hz: Frequency = Field(20.0, ge=0.001, le=1000.0)
    timeout_s: Time = Field(0.25, gt=0, description="for one answer")
    reversion_s: WholeSeconds = Field(5.0, ge=0, le=86_400, description="WSetRvrtTms; 0: it never reverts")
    ramp_down_s: Time = Field(2.0, ge=0, description="from the last set-point to 0 W when leaving")


class Bess(Section):
    """A battery-storage system: battery, converter and the emulated inverter's firmware (docs/model.md)."""

    rating_va: Apparent = Field(gt=0, le=2e9)
    energy_wh: Energy = Field(gt=0)
    soc: Share = 0.5
    firmware: Literal["sunspec"] = "sunspec"
    endpoint: Literal["emulated"] = "emulated"
    listen: LoopbackAddress = "127.0.0.1:0"
    unit_id: Whole = Field(1, ge=1, le=247)
    charge_w: Power | None = Field(None, gt=0, description="most it charges; default: the rating")
    discharge_w: Power | None = Field(None, gt=0)
    current_limit: PerUnit = Field(1.1, gt=0, le=3)
    priority: Literal["active", "reactive"] = "active"
    setpoint_ramp_w_per_s: Ramp | None = Field(None, gt=0, description="default: rating in 10 s")
    slew_w_per_s: Ramp | None = Field(None, gt=0, description="default: rating in 50 ms")
    converter_lag_s: Time = Field(0.02, ge=0)
    cease_below: PerUnit = Field(0.0, ge=0, lt=1)
    soc_min: Share = 0.05
    soc_max: Share = 0.95
    dc_voltage_v: Voltage = Field(1200.0, gt=0)
    resistance: Number = Field(0.010, ge=0, lt=0.25, description="voltage drop at rated power, share of dc_voltage")
    rc1_resistance: Number = Field(0.005, ge=0, lt=0.25)
    rc1_time_s: Time = Field(30.0, gt=0)
    rc2_resistance: Number = Field(0.005, ge=0, lt=0.25)
    rc2_time_s: Time = Field(600.0, gt=0)
    standby_loss: Number = Field(0.002, ge=0, lt=0.2)
    linear_loss: Number = Field(0.008, ge=0, lt=0.2)
    quadratic_loss: Number = Field(0.007, ge=0, lt=0.2)
    ambient_degc: Temperature = Field(25.0, ge=-50, le=80)
    temperature_rise_degc: Temperature = Field(15.0, ge=0, description="lasting, at rated power")
    thermal_time_s: Time = Field(3600.0, gt=0)
    driver: Driver = Field(default_factory=lambda: Driver.model_validate({}))

    @model_validator(mode="after")
    def _soc_inside(self) -> Self:
        if self.soc_min >= self.soc_max:
            raise Refused(f"must be below soc_max = {self.soc_max:g}", "soc_min")
        return self
