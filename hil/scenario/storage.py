"""Sections `[bess.NAME]` and `[bess.NAME.driver]`."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import ASSUMED, CHOICE, Number, Refused, Section, Share, Whole, source
from hil.scenario.battery import Ambient, ChargeRate, DcVoltage, DischargeRate, SelfDischarge, TemperatureRise, ThermalTime
from hil.scenario.chemistry import BessChemistry, Cell, Drops, cell_of, check_battery
from hil.scenario.forming import Forming
from hil.scenario.listen import LoopbackAddress
from hil.scenario.quantity import Apparent, Energy, Frequency, PerUnit, Power, Ramp, Temperature, Time, WholeSeconds

Firmware = Literal[
    "sunspec",
    "kaco-gridsave",
    "victron-ess",
    "sungrow-sh",
    "solaredge-storedge",
    "fronius-gen24",
    "sma-cyclic",
    "foxess-h3",
]
DRIVEN: Firmware = "sunspec"
"""The one that our drivers speak to."""

WATCHED: frozenset[Firmware] = frozenset(("victron-ess", "solaredge-storedge", "sma-cyclic", "foxess-h3"))
"""Those with a time-out that is there before any register sets it."""

_LFP_DROPS = Drops(resistance=0.010, rc1_resistance=0.005, rc1_time_s=30.0, rc2_resistance=0.005, rc2_time_s=600.0)
_LOSSES = source("assumed, within the range of data sheets: 97.3 % from DC to AC at rated power; docs/model.md")


class Driver(Section):
    """How a storage device's driver talks to it: it owns the cycle and all writes."""

    rate_hz: Frequency = Field(
        default=20.0,
        ge=0.001,
        le=1000.0,
        description="cycles a second: a reading, and what has been decided",
        json_schema_extra=CHOICE,
    )
    timeout_s: Time = Field(default=0.25, gt=0, description="how long it waits for one answer", json_schema_extra=CHOICE)
    reversion_s: WholeSeconds = Field(
        default=5.0,
        ge=0,
        le=86_400,
        description="time without a new set-point after which the device reverts to its own (SunSpec WSetRvrtTms); 0: never",
        json_schema_extra=CHOICE,
    )
    ramp_down_s: Time = Field(
        default=2.0, ge=0, description="from the last set-point to 0 W when the driver leaves", json_schema_extra=CHOICE
    )


class Bess(Section):
    """A battery-storage system: battery, converter and the emulated inverter's firmware (docs/model.md)."""

    rating_va: Apparent = Field(
        gt=0,
        le=2e9,
        description="rated power of the converter",
        json_schema_extra=source("at most what the 32 bits of SunSpec's WSet hold in steps of 1 W"),
    )
    energy_wh: Energy = Field(gt=0, description="energy of the battery between state of charge 0 and 1")
    soc: Share = Field(default=0.5, description="state of charge at the start", json_schema_extra=CHOICE)
    firmware: Firmware = Field(
        default="sunspec",
        description="which device is emulated: docs/personalities.md; our drivers speak to 'sunspec'",
        json_schema_extra=CHOICE,
    )
    watchdog_s: WholeSeconds | None = Field(
        default=None,
        ge=0,
        le=86_400,
        description="time-out without a write after which it leaves its controller, before any register sets it; 0: never; "
        "default: the vendor's",
    )
    endpoint: Literal["emulated"] = Field(
        default="emulated",
        description="what stands behind the wire; the only one yet: real devices need the wall clock",
        json_schema_extra=CHOICE,
    )
    listen: LoopbackAddress = Field(
        default="127.0.0.1:0",
        description="loopback address and port of its Modbus TCP server; port 0: any free one",
        json_schema_extra=CHOICE,
    )
    unit_id: Whole | None = Field(
        default=None,
        ge=1,
        le=247,
        description="Modbus unit identifier; 0 and 255 are answered too; default: the vendor's, 1 of 'sunspec'",
    )
    charge_w: Power | None = Field(default=None, gt=0, description="most power with which it charges; default: the rating")
    discharge_w: Power | None = Field(
        default=None, gt=0, description="most power with which it discharges; default: the rating"
    )
    current_limit: PerUnit = Field(
        default=1.1, gt=0, le=3, description="most current of the converter, per unit of the rated", json_schema_extra=ASSUMED
    )
    priority: Literal["active", "reactive"] = Field(
        default="active", description="which power takes its part of the current first", json_schema_extra=CHOICE
    )
    initial: Literal["running", "standby", "off"] = Field(
        default="running", description="what it does at the start, and after a reboot", json_schema_extra=CHOICE
    )
    start_s: Time = Field(
        default=0.0, alias="start_time", ge=0, description="how long it takes to start from off", json_schema_extra=CHOICE
    )
    resync_s: Time = Field(
        default=0.2,
        alias="resync_time",
        ge=0,
        description="how long it takes to follow the grid again after its PLL has lost it",
        json_schema_extra=ASSUMED,
    )
    setpoint_ramp_w_per_s: Ramp | None = Field(
        default=None,
        gt=0,
        description="ramp with which it follows its set-point; default: the rating in 10 s",
        json_schema_extra=ASSUMED,
    )
    slew_w_per_s: Ramp | None = Field(
        default=None,
        gt=0,
        description="fastest change of the converter's command; default: the rating in 50 ms",
        json_schema_extra=ASSUMED,
    )
    converter_lag_s: Time = Field(
        default=0.02, ge=0, description="time constant with which the converter follows its command", json_schema_extra=ASSUMED
    )
    control: Literal["following", "forming"] = Field(
        default="following",
        description="following: gives power at the voltage that it finds; forming: a voltage of its own, whatever it finds",
        json_schema_extra=CHOICE,
    )
    forming: Forming | None = Field(default=None, description="how it forms its voltage; of control = 'forming' alone")
    cease_below: PerUnit = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="voltage below which it gives nothing (momentary cessation); 0: never",
        json_schema_extra=CHOICE,
    )
    soc_min: Share = Field(
        default=0.05, description="state of charge below which it does not discharge", json_schema_extra=ASSUMED
    )
    soc_max: Share = Field(
        default=0.95, description="state of charge above which it does not charge", json_schema_extra=ASSUMED
    )
    chemistry: BessChemistry = Field(
        default="lfp",
        description="what stores the energy: curve of the open-circuit voltage, resistances, C-rates, self-discharge",
        json_schema_extra=ASSUMED,
    )
    dc_voltage_v: DcVoltage = 1200.0
    resistance: Number | None = Field(
        default=None,
        ge=0,
        lt=0.25,
        description="voltage drop at rated power, share of dc_voltage; default: the chemistry's, 0.010 of lfp",
        json_schema_extra=ASSUMED,
    )
    rc1_resistance: Number | None = Field(
        default=None,
        ge=0,
        lt=0.25,
        description="voltage drop of the fast RC pair at rated power, share of dc_voltage; default: likewise, 0.005 of lfp",
        json_schema_extra=ASSUMED,
    )
    rc1_time_s: Time | None = Field(
        default=None,
        gt=0,
        description="time constant of the fast RC pair; default: the chemistry's, 30 s of lfp",
        json_schema_extra=ASSUMED,
    )
    rc2_resistance: Number | None = Field(
        default=None,
        ge=0,
        lt=0.25,
        description="voltage drop of the slow RC pair at rated power, share of dc_voltage; default: likewise, 0.005 of lfp",
        json_schema_extra=ASSUMED,
    )
    rc2_time_s: Time | None = Field(
        default=None,
        gt=0,
        description="time constant of the slow RC pair; default: the chemistry's, 600 s of lfp",
        json_schema_extra=ASSUMED,
    )
    charge_c_rate: ChargeRate = None
    discharge_c_rate: DischargeRate = None
    self_discharge_w: SelfDischarge = None
    standby_loss: Number = Field(
        default=0.002,
        ge=0,
        lt=0.2,
        description="constant loss of the converter, share of the rating",
        json_schema_extra=_LOSSES,
    )
    linear_loss: Number = Field(
        default=0.008,
        ge=0,
        lt=0.2,
        description="loss that grows with the power, share at rated power",
        json_schema_extra=_LOSSES,
    )
    quadratic_loss: Number = Field(
        default=0.007,
        ge=0,
        lt=0.2,
        description="loss that grows with the square of the power, share at rated power",
        json_schema_extra=_LOSSES,
    )
    ambient_degc: Ambient = 25.0
    temperature_rise_degc: TemperatureRise = 15.0
    thermal_time_s: ThermalTime = 3600.0
    over_temperature_degc: Temperature = Field(
        default=60.0,
        description="temperature of the battery above which it trips; its power falls to nothing in the 10 K below",
        json_schema_extra=ASSUMED,
    )
    driver: Driver = Field(
        default_factory=lambda: Driver.model_validate({}), description="how the device's driver talks to it"
    )

    @property
    def cell(self) -> Cell:
        """Its battery's parameters, from the file or from its chemistry."""
        return cell_of(self, _LFP_DROPS, float(self.rating_va), float(self.energy_wh))

    @model_validator(mode="after")
    def _within_c_rates(self) -> Self:
        charge = (self.charge_w or self.rating_va, "charge" if self.charge_w else "rating")
        discharge = (self.discharge_w or self.rating_va, "discharge" if self.discharge_w else "rating")
        check_battery(self, float(self.energy_wh), charge, discharge)
        return self

    @model_validator(mode="after")
    def _has_watchdog(self) -> Self:
        if self.watchdog_s is not None and self.firmware not in WATCHED:
            have = ", ".join(sorted(map(repr, WATCHED)))
            raise Refused(f"needs firmware = one of {have}; {self.firmware!r} has none but what its registers set", "watchdog")
        return self

    @model_validator(mode="after")
    def _forms(self) -> Self:
        if self.forming is not None and self.control != "forming":
            raise Refused("needs control = 'forming'", "forming")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.soc_min >= self.soc_max:
            raise Refused(f"must be below soc_max = {self.soc_max:g}", "soc_min")
        if self.over_temperature_degc <= self.ambient_degc:
            raise Refused(f"must be above ambient = {self.ambient_degc:g} degC", "over_temperature")
        return self
