"""Sections `[ups.NAME]`, `[ups.NAME.mqtt]`, `[ups.NAME.driver]`: a double-conversion UPS."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from hil.scenario.base import ASSUMED, CHOICE, Flag, Number, Refused, Section, Share, Whole, source
from hil.scenario.battery import Ambient, ChargeRate, DcVoltage, DischargeRate, SelfDischarge, TemperatureRise, ThermalTime
from hil.scenario.chemistry import Cell, Drops, UpsChemistry, cell_of, check_battery
from hil.scenario.modbus import UpsModbusSection
from hil.scenario.mqtt import UpsDriverSection, UpsMqttSection
from hil.scenario.quantity import Energy, Frequency, PerUnit, Power, Temperature, Time, Voltage
from hil.scenario.ups_spread import UpsSpread, check_spread, units_of

_MITSUBISHI = source("Mitsubishi 9800A specification")
_BYPASS = source("Schneider: ±10 % and ±2 Hz, interruption at least 100 ms")
_OVERLOAD = source("Staco: 1.25 pu for 30 s")
_OVERLOAD_HIGH = source("Huawei UPS2000-G: beyond 1.5 pu for 0.5 s")
_NERC = source("NERC's incident review of 10 July 2024: three within one minute")
_OWN_DROPS = Drops(resistance=0.03, rc1_resistance=0.01, rc1_time_s=20.0, rc2_resistance=0.01, rc2_time_s=300.0)
_LOSSES = source("assumed, within what data sheets say: 96.7 % end to end at rating; docs/model.md")


class Ups(Section):
    """A double-conversion UPS between bus and IT load (docs/model.md, "UPS"), or with `count` a group of them.

    Without any, the IT load stands at the bus. All keys of a group but `share` are of one unit (docs/ups_groups.md).
    """

    count: Whole | None = Field(
        default=None,
        ge=1,
        le=4000,
        description="makes it a group of so many units, with channels of the group alone; default: one UPS",
    )
    rating_w: Power = Field(gt=0, le=2e9, description="rated power of the output")
    share: Share | None = Field(
        default=None,
        description="share of the IT demand that it feeds, all together at most 1; default: what is left, by rating",
    )
    voltage_v: Voltage = Field(
        default=400.0,
        gt=0,
        description="nominal voltage of input and output, line to line, as its registers show it; the model is per unit",
        json_schema_extra=ASSUMED,
    )
    # Rectifier and line.
    input_limit: PerUnit = Field(
        default=1.3,
        gt=0,
        le=3,
        description="current limit of the rectifier, per unit of the rating",
        json_schema_extra=ASSUMED,
    )
    input_power_factor: Number = Field(
        default=0.99, gt=0, le=1, description="power factor of the rectifier, lagging and constant", json_schema_extra=ASSUMED
    )
    input_low: PerUnit = Field(
        default=0.85,
        gt=0,
        lt=1,
        description="lowest voltage of the lowest phase at which the line is good",
        json_schema_extra=ASSUMED,
    )
    input_high: PerUnit = Field(
        default=1.1,
        gt=1,
        le=2,
        description="highest voltage of the highest phase at which the line is good",
        json_schema_extra=ASSUMED,
    )
    input_frequency_hz: Frequency = Field(
        default=3.0, gt=0, description="largest deviation from nominal at which the line is good", json_schema_extra=ASSUMED
    )
    transfer_s: Time = Field(
        default=0.004,
        ge=0,
        description="how long the line must be bad before the rectifier lets go",
        json_schema_extra=source("the short end of what transfer switches take; docs/model.md"),
    )
    qualify_s: Time = Field(
        default=10.0,
        ge=0,
        description="how long the line must be good before the rectifier comes back",
        json_schema_extra=source("3, 10 or 30 s: Mitsubishi 9800A specification"),
    )
    walk_in_delay_s: Time = Field(
        default=0.0,
        ge=0,
        description="how long it then waits until its input rises",
        json_schema_extra=source("starts within 3 s of the return: Mitsubishi 9800A specification"),
    )
    walk_in_s: Time = Field(
        default=10.0,
        ge=0,
        description="walk-in: time in which its input rises from nothing to input_limit",
        json_schema_extra=source("5 to 30 s: Mitsubishi 9800A specification"),
    )
    recharge_w: Power | None = Field(
        default=None,
        ge=0,
        description="most power into the battery; default: a tenth of the rating",
        json_schema_extra=_MITSUBISHI,
    )
    recharge_above: PerUnit = Field(
        default=0.9,
        ge=0,
        lt=1,
        description="voltage of the lowest phase below which it does not recharge",
        json_schema_extra=ASSUMED,
    )
    recharge_taper: Number = Field(
        default=0.05,
        gt=0,
        le=1,
        description="span of state of charge below full in which the recharge falls to nothing",
        json_schema_extra=ASSUMED,
    )
    # DC link, inverter, bypass.
    dc_link_s: Time = Field(
        default=0.02, ge=0.001, le=10, description="energy of the DC link, as time at the rating", json_schema_extra=ASSUMED
    )
    dc_link_lag_s: Time = Field(
        default=0.002, ge=0, description="time constant with which the DC link is held", json_schema_extra=ASSUMED
    )
    dc_low: PerUnit = Field(
        default=0.8, gt=0, lt=1, description="voltage of the DC link below which the inverter stops", json_schema_extra=ASSUMED
    )
    rectifier_loss: Number = Field(
        default=0.012, ge=0, lt=0.2, description="loss of the rectifier, share of its input", json_schema_extra=_LOSSES
    )
    standby_loss: Number = Field(
        default=0.004,
        ge=0,
        lt=0.2,
        description="constant loss of the inverter, share of the rating",
        json_schema_extra=_LOSSES,
    )
    linear_loss: Number = Field(
        default=0.007,
        ge=0,
        lt=0.2,
        description="loss that grows with the power, share at rated power",
        json_schema_extra=_LOSSES,
    )
    quadratic_loss: Number = Field(
        default=0.011,
        ge=0,
        lt=0.2,
        description="loss that grows with the square of the power, share at rated power",
        json_schema_extra=_LOSSES,
    )
    overload: PerUnit = Field(
        default=1.25,
        ge=1,
        le=10,
        description="load above which the inverter lets go after overload_time",
        json_schema_extra=_OVERLOAD,
    )
    overload_s: Time = Field(
        default=30.0,
        alias="overload_time",
        ge=0,
        description="how long the inverter carries a load above overload",
        json_schema_extra=_OVERLOAD,
    )
    overload_high: PerUnit = Field(
        default=1.5,
        ge=1,
        le=10,
        description="load above which it lets go after overload_high_time; at least overload",
        json_schema_extra=_OVERLOAD_HIGH,
    )
    overload_high_s: Time = Field(
        default=0.5,
        alias="overload_high_time",
        ge=0,
        description="how long the inverter carries a load above overload_high",
        json_schema_extra=_OVERLOAD_HIGH,
    )
    bypass_window: PerUnit = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="largest deviation of any phase from 1 pu at which the load may go over to the bypass",
        json_schema_extra=_BYPASS,
    )
    bypass_frequency_hz: Frequency = Field(
        default=2.0,
        gt=0,
        description="largest deviation from nominal at which the load may go over to the bypass",
        json_schema_extra=_BYPASS,
    )
    bypass_return_s: Time = Field(
        default=5.0,
        ge=0,
        description="how long there must be no overload before the load goes back to the inverter",
        json_schema_extra=ASSUMED,
    )
    interruption_s: Time = Field(
        default=0.1,
        ge=0,
        description="least interruption of the output, where there was nothing to go over to",
        json_schema_extra=_BYPASS,
    )
    # Battery.
    energy_wh: Energy | None = Field(
        default=None, gt=0, description="energy of the battery between state of charge 0 and 1; default: by autonomy"
    )
    autonomy_s: Time = Field(
        default=300.0,
        gt=0,
        description="how long the battery feeds the rated output, where no energy is given",
        json_schema_extra=ASSUMED,
    )
    soc: Share = Field(default=1.0, description="state of charge at the start", json_schema_extra=CHOICE)
    battery_limit: PerUnit = Field(
        default=1.5,
        gt=0,
        le=5,
        description="most with which the battery discharges, per unit of the rating",
        json_schema_extra=ASSUMED,
    )
    low_battery: Share = Field(default=0.2, description="state of charge of the low-battery alarm", json_schema_extra=ASSUMED)
    shutdown: Share = Field(
        default=0.05,
        description="state of charge at which the battery gives no more; below low_battery",
        json_schema_extra=ASSUMED,
    )
    chemistry: UpsChemistry = Field(
        default="vrla",
        description="what stores the energy: curve of the open-circuit voltage, resistances, C-rates, self-discharge",
        json_schema_extra=ASSUMED,
    )
    dc_voltage_v: DcVoltage = 480.0
    resistance: Number | None = Field(
        default=None,
        ge=0,
        lt=0.15,
        description="voltage drop at rated power, share of dc_voltage; default: the chemistry's, 0.03 of vrla and lfp",
        json_schema_extra=ASSUMED,
    )
    rc1_resistance: Number | None = Field(
        default=None,
        ge=0,
        lt=0.1,
        description="voltage drop of the fast RC pair at rated power, share of dc_voltage; default: likewise, 0.01",
        json_schema_extra=ASSUMED,
    )
    rc1_time_s: Time | None = Field(
        default=None,
        gt=0,
        description="time constant of the fast RC pair; default: the chemistry's, 20 s of vrla and lfp",
        json_schema_extra=ASSUMED,
    )
    rc2_resistance: Number | None = Field(
        default=None,
        ge=0,
        lt=0.1,
        description="voltage drop of the slow RC pair at rated power, share of dc_voltage; default: likewise, 0.01",
        json_schema_extra=ASSUMED,
    )
    rc2_time_s: Time | None = Field(
        default=None,
        gt=0,
        description="time constant of the slow RC pair; default: the chemistry's, 300 s of vrla and lfp",
        json_schema_extra=ASSUMED,
    )
    charge_c_rate: ChargeRate = None
    discharge_c_rate: DischargeRate = None
    self_discharge_w: SelfDischarge = None
    ambient_degc: Ambient = 25.0
    temperature_rise_degc: TemperatureRise = 15.0
    thermal_time_s: ThermalTime = 3600.0
    over_temperature_degc: Temperature = Field(
        default=50.0,
        description="temperature of the battery above which it is not recharged",
        json_schema_extra=ASSUMED,
    )
    eco: Flag = Field(
        default=False,
        description="true: the bypass feeds the output while the line is good, the inverter only when it is not",
        json_schema_extra=CHOICE,
    )
    # Disturbance counter and grid support.
    counter: Flag = Field(
        default=False,
        description="true: too many disturbances take it off the grid until it is reset",
        json_schema_extra=CHOICE,
    )
    counter_disturbances: Whole = Field(
        default=3, ge=1, le=8, description="how many disturbances within counter_window are too many", json_schema_extra=_NERC
    )
    counter_window_s: Time = Field(
        default=60.0, gt=0, description="time within which disturbances are counted", json_schema_extra=_NERC
    )
    support_reserve: Share = Field(
        default=0.5,
        description="state of charge below which it does not support the grid: kept for its own load",
        json_schema_extra=ASSUMED,
    )
    support_s: Time = Field(
        default=10.0,
        alias="support_timeout",
        ge=0,
        description="time after which a support that is not renewed ends; 0: never",
        json_schema_extra=CHOICE,
    )

    # On the wire.
    mqtt: UpsMqttSection = Field(
        default_factory=lambda: UpsMqttSection.model_validate({}), description="what the UPS publishes, and how often"
    )
    modbus: UpsModbusSection | None = Field(
        default=None, description="its registers on Modbus TCP too, where the transport is a wire; none without the section"
    )
    driver: UpsDriverSection = Field(
        default_factory=lambda: UpsDriverSection.model_validate({}), description="how the UPS's driver talks to it"
    )
    spread: UpsSpread | None = Field(default=None, description="in which keys the units of a group differ; none without it")

    @property
    def rated_energy_wh(self) -> float:
        """Energy between SoC 0 and 1."""
        if self.energy_wh is not None:
            return float(self.energy_wh)
        rated = 1.0 + self.standby_loss + self.linear_loss + self.quadratic_loss
        return float(self.rating_w * rated * self.autonomy_s / 3600.0)

    @property
    def cell(self) -> Cell:
        """Its battery's parameters, from the file or from its chemistry."""
        return cell_of(self, _OWN_DROPS, float(self.rating_w), self.rated_energy_wh)

    @property
    def recharge_max_w(self) -> float:
        """Most with which it recharges."""
        return float(self.rating_w / 10.0 if self.recharge_w is None else self.recharge_w)

    @property
    def counts(self) -> bool:
        """Whether it, or any unit of the group, counts disturbances at the start."""
        spread = None if self.spread is None else self.spread.counter_disturbances
        return bool(self.counter) if spread is None else any(spread.among)

    def units(self, seed: int, name: str) -> list[Ups]:
        """Each unit of a group by itself, as the seed has drawn it; of one UPS the UPS."""
        return [self] if self.count is None else units_of(self, int(self.count), self.spread, seed, name)

    @model_validator(mode="after")
    def _grouped(self) -> Self:
        if self.spread is not None and self.count is None:
            raise Refused("needs count: one UPS has nothing to differ from", "spread")
        wires = {"modbus": None, "mqtt": UpsMqttSection, "driver": UpsDriverSection}
        for key, of_one in wires.items() if self.count is not None else ():
            if getattr(self, key) != (None if of_one is None else of_one.model_validate({})):
                raise Refused("a group of UPSs has no wire", key)
        if self.spread is not None:
            check_spread(self, self.spread)
        return self

    @model_validator(mode="after")
    def _within_c_rates(self) -> Self:
        charge = (self.recharge_max_w, "rating" if self.recharge_w is None else "recharge")
        check_battery(self, self.rated_energy_wh, charge, (self.battery_limit * self.rating_w, "battery_limit"))
        return self

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.shutdown >= self.low_battery:
            raise Refused(f"must be below low_battery = {self.low_battery:g}", "shutdown")
        if self.overload_high < self.overload:
            raise Refused(f"must be at least overload = {self.overload:g}", "overload_high")
        return self
