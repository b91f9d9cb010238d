"""Sections `[grid]`, `[transformer]` and `[measurement]`."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import ASSUMED, CHOICE, Flag, Number, Refused, Section, Share, source
from hil.scenario.interconnection import INTERCONNECTIONS, Interconnection, InterconnectionName
from hil.scenario.quantity import Apparent, Frequency, PerUnit, Power, Time, Voltage

_IEEE_1547 = source("default of IEEE 1547-2018, as EPRI's OpenDER states it")
_AREA_VA = 60e9
_GOVERNOR_LIMIT = 0.1


class Grid(Section):
    """The grid at the point of common coupling, PCC (docs/model.md, "Network" and "Frequency")."""

    voltage_v: Voltage = Field(
        default=34.5e3, gt=0, description="nominal voltage at the PCC, line to line", json_schema_extra=ASSUMED
    )
    frequency_hz: Frequency = Field(
        default=60.0, ge=16.0, le=400.0, description="nominal frequency", json_schema_extra=source("nominal in North America")
    )
    short_circuit_va: Apparent = Field(
        gt=0, description="short-circuit power at the PCC: the larger, the less the voltage moves with the load"
    )
    x_over_r: Number = Field(
        default=12.0, ge=0, description="reactance over resistance of the grid's impedance", json_schema_extra=ASSUMED
    )
    source_pu: PerUnit = Field(
        default=1.0, gt=0.5, lt=1.5, description="voltage behind the grid's impedance", json_schema_extra=ASSUMED
    )
    constant_current_below_pu: PerUnit = Field(
        default=0.9,
        gt=0,
        lt=1,
        description="bus voltage below which the load is a constant current instead of a constant power",
        json_schema_extra=ASSUMED,
    )
    validity_floor: Number = Field(
        default=3.0,
        ge=0,
        description="short-circuit power over the largest demand, below which the model is not valid and PASS is blocked",
        json_schema_extra=ASSUMED,
    )
    interconnection: InterconnectionName | None = Field(
        default=None,
        description="area whose answer to a loss of a thousand megawatts is taken, at its frequency; keys that are given go "
        "before what it says; default: none of them",
        json_schema_extra=CHOICE,
    )
    unverified: Flag = Field(
        default=False,
        description="true: an interconnection whose figure no source that was read confirms is taken all the same",
        json_schema_extra=CHOICE,
    )
    area_va: Apparent | None = Field(
        default=None,
        gt=0,
        description="base of the area behind the grid, whose frequency moves; default: 60 GVA, or the interconnection's",
        json_schema_extra=ASSUMED,
    )
    inertia_s: Time = Field(default=4.0, ge=0.1, description="inertia constant H of the area", json_schema_extra=ASSUMED)
    damping: Number = Field(
        default=1.0,
        ge=0,
        description="damping D of the area: power per unit for a frequency deviation per unit",
        json_schema_extra=ASSUMED,
    )
    droop: Share = Field(
        default=0.05,
        description="frequency deviation, per unit, for which the governors give the area's whole base",
        json_schema_extra=_IEEE_1547,
    )
    governor_time_s: Time = Field(
        default=0.5, ge=0.02, description="time constant of the governors", json_schema_extra=ASSUMED
    )
    governor_limit: Share | None = Field(
        default=None,
        description="most that the governors give, share of the area's base; default: 0.1, or the interconnection's",
        json_schema_extra=ASSUMED,
    )
    deadband_hz: Frequency = Field(
        default=0.036, ge=0, description="frequency deviation that the governors do not answer", json_schema_extra=_IEEE_1547
    )

    @property
    def preset(self) -> Interconnection | None:
        """The interconnection, if it is one of ours."""
        return None if self.interconnection is None else INTERCONNECTIONS[self.interconnection]

    @property
    def area_base_va(self) -> float:
        """Base of the area: of the file; or of the interconnection, with this droop, damping and dead band; or the default."""
        if self.area_va is not None:
            return float(self.area_va)
        return _AREA_VA if self.preset is None else self.preset.base_va(self.damping, self.droop, self.deadband_hz)

    @property
    def governor_most(self) -> float:
        """Most that the governors give, share of the base."""
        if self.governor_limit is not None:
            return float(self.governor_limit)
        return _GOVERNOR_LIMIT if self.preset is None else self.preset.governor_limit

    @model_validator(mode="after")
    def _takes_its_interconnection(self) -> Self:
        if self.preset is None:
            return self
        if self.preset.unverified and not self.unverified:
            raise Refused("must come with unverified = true: no source that was read confirms its figure", "interconnection")
        if self.frequency_hz != self.preset.nominal_hz:
            raise Refused(f"must be {self.preset.nominal_hz:g} Hz in {self.interconnection}", "frequency")
        if self.damping == 0.0 and self.droop == 0.0 and self.area_va is None:
            raise Refused("needs damping or droop above 0: nothing else ends the deviation of a loss", "interconnection")
        return self


class Transformer(Section):
    """Between the PCC and the bus of load and storage; without the section they are one (docs/model.md, "Network")."""

    rating_va: Apparent = Field(gt=0, description="rated power, the base of its impedance")
    impedance: Number = Field(
        default=0.08, gt=0, le=0.5, description="short-circuit voltage, share of the rated", json_schema_extra=ASSUMED
    )
    x_over_r: Number = Field(
        default=20.0, ge=0, description="reactance over resistance of its impedance", json_schema_extra=ASSUMED
    )
    ratio: Number = Field(
        default=1.0,
        gt=0.5,
        lt=1.5,
        description="turns ratio off nominal: below 1 it raises the bus voltage",
        json_schema_extra=CHOICE,
    )
    group: Literal["Dyn1", "Dyn5", "Dyn7", "Dyn11", "YNyn0", "Yyn0"] = Field(
        default="Dyn11",
        description="vector group, which decides what an unbalanced dip looks like at the bus",
        json_schema_extra=ASSUMED,
    )

    @property
    def clock(self) -> int:
        """By how many times 30° the bus lags the PCC."""
        return int(self.group.lstrip("DYNyn"))

    @property
    def passes_zero_sequence(self) -> bool:
        """Whether both sides are stars with their neutrals."""
        return self.group == "YNyn0"


class Measurement(Section):
    """Measured signals, as relays, controllers and firmware see them: their windows, and how late they arrive."""

    window_s: Time = Field(
        default=1.0 / 60.0,
        gt=0,
        description="window of voltage (RMS) and power (mean); default: one cycle of 60 Hz",
        json_schema_extra=ASSUMED,
    )
    frequency_window_s: Time = Field(
        default=0.1, gt=0, description="window of the frequency (mean)", json_schema_extra=ASSUMED
    )
    delay_s: Time = Field(default=0.0, ge=0, description="how much later a measured value arrives", json_schema_extra=CHOICE)
    power_uncertainty_w: Power = Field(
        default=0.0,
        ge=0,
        description="expanded uncertainty (k = 2) of a measured power: a limit with less margin cannot PASS",
        json_schema_extra=CHOICE,
    )
    voltage_uncertainty: PerUnit = Field(
        default=0.0, ge=0, lt=1, description="the same of a measured voltage, pu", json_schema_extra=CHOICE
    )
    frequency_uncertainty_hz: Frequency = Field(
        default=0.0, ge=0, description="the same of the measured frequency", json_schema_extra=CHOICE
    )
