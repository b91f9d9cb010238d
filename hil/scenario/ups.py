"""Sections `[ups.NAME]`, `[ups.NAME.mqtt]`, `[ups.NAME.driver]`: a double-conversion UPS.

Defaults and their sources: docs/model.md, "UPS".
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import Flag, Number, Refused, Section, Share, Whole
from hil.scenario.mqtt import UpsDriverSection, UpsMqttSection
from hil.scenario.quantity import Energy, Frequency, PerUnit, Power, Temperature, Time, Voltage


class Ups(Section):
    """An uninterruptible power supply between bus and IT load."""

    rating_w: Power = Field(gt=0, le=2e9, description="of the output")
    share: Share | None = Field(None, description="of the IT demand; default: what is left, by rating")
    # Rectifier and line.
    input_limit: PerUnit = Field(1.3, gt=0, le=3, description="current limit of the rectifier, of the rating")
    input_power_factor: Number = Field(0.99, gt=0, le=1, description="lagging, constant")
    input_low: PerUnit = Field(0.85, gt=0, lt=1, description="window of the line: lowest phase")
    input_high: PerUnit = Field(1.1, gt=1, le=2, description="highest phase")
    input_frequency_hz: Frequency = Field(3.0, gt=0, description="deviation from nominal")
    transfer_s: Time = Field(0.004, ge=0, description="outside before the rectifier lets go")
    qualify_s: Time = Field(10.0, ge=0, description="inside before the walk-in")
    walk_in_delay_s: Time = Field(0.0, ge=0)
    walk_in_s: Time = Field(10.0, ge=0, description="from nothing to the input limit")
    recharge_w: Power | None = Field(None, ge=0, description="most; default: a tenth of the rating")
    recharge_above: PerUnit = Field(0.9, ge=0, lt=1, description="no recharge while the lowest phase is below")
    recharge_taper: Number = Field(0.05, gt=0, le=1, description="span of SoC below full in which it falls to nothing")
    # DC link, inverter, bypass.
    dc_link_s: Time = Field(0.02, ge=0.001, le=10, description="its energy: so long at the rating")
    dc_link_lag_s: Time = Field(0.002, ge=0)
    dc_low: PerUnit = Field(0.8, gt=0, lt=1, description="the inverter stops below")
    rectifier_loss: Number = Field(0.012, ge=0, lt=0.2, description="share of its input")
    standby_loss: Number = Field(0.004, ge=0, lt=0.2)
    linear_loss: Number = Field(0.007, ge=0, lt=0.2)
    quadratic_loss: Number = Field(0.011, ge=0, lt=0.2)
    overload: PerUnit = Field(1.25, ge=1, le=10)
    overload_s: Time = Field(30.0, alias="overload_time", ge=0)
    overload_high: PerUnit = Field(1.5, ge=1, le=10)
    overload_high_s: Time = Field(0.5, alias="overload_high_time", ge=0)
    bypass_window: PerUnit = Field(0.1, gt=0, lt=1, description="deviation from 1 pu, lowest and highest phase")
    bypass_frequency_hz: Frequency = Field(2.0, gt=0, description="deviation from nominal")
    bypass_return_s: Time = Field(5.0, ge=0, description="without overload")
    interruption_s: Time = Field(0.1, ge=0, description="least, where there is nothing to go over to")
    # Battery.
    energy_wh: Energy | None = Field(None, gt=0, description="default: autonomy")
    autonomy_s: Time = Field(300.0, gt=0, description="at rated output, where no energy is given")
    soc: Share = 1.0
    battery_limit: PerUnit = Field(1.5, gt=0, le=5, description="discharge, of the rating")
    low_battery: Share = Field(0.2, description="alarm")
    shutdown: Share = Field(0.05, description="the battery gives no more")
    chemistry: Literal["vrla", "lfp"] = "vrla"
    dc_voltage_v: Voltage = Field(480.0, gt=0)
    resistance: Number = Field(0.03, ge=0, lt=0.15, description="voltage drop at rated power, share of dc_voltage")
    rc1_resistance: Number = Field(0.01, ge=0, lt=0.1)
    rc1_time_s: Time = Field(20.0, gt=0)
    rc2_resistance: Number = Field(0.01, ge=0, lt=0.1)
    rc2_time_s: Time = Field(300.0, gt=0)
    ambient_degc: Temperature = Field(25.0, ge=-50, le=80)
    temperature_rise_degc: Temperature = Field(15.0, ge=0, description="lasting, at rated power")
    thermal_time_s: Time = Field(3600.0, gt=0)
    # Disturbance counter and grid support.
    counter: Flag = Field(default=False, description="so many disturbances within its window take the UPS off the grid")
    counter_disturbances: Whole = Field(3, ge=1, le=8)
    counter_window_s: Time = Field(60.0, gt=0)
    support_reserve: Share = Field(0.5, description="of the battery, for its own load")
    support_s: Time = Field(10.0, alias="support_timeout", ge=0, description="a support not renewed ends; 0: never")

    # On the wire.
    mqtt: UpsMqttSection = Field(default_factory=lambda: UpsMqttSection.model_validate({}))
    driver: UpsDriverSection = Field(default_factory=lambda: UpsDriverSection.model_validate({}))

    @property
    def rated_energy_wh(self) -> float:
        """Energy between SoC 0 and 1."""
        if self.energy_wh is not None:
            return float(self.energy_wh)
        rated = 1.0 + self.standby_loss + self.linear_loss + self.quadratic_loss
        return float(self.rating_w * rated * self.autonomy_s / 3600.0)

    @property
    def recharge_max_w(self) -> float:
        """Most with which it recharges."""
        return float(self.rating_w / 10.0 if self.recharge_w is None else self.recharge_w)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.shutdown >= self.low_battery:
            raise Refused(f"must be below low_battery = {self.low_battery:g}", "shutdown")
        if self.overload_high < self.overload:
            raise Refused(f"must be at least overload = {self.overload:g}", "overload_high")
        return self
