"""Section `[gensets]`."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from hil.scenario.base import ASSUMED, CHOICE, Number, Refused, Section, Share, Whole, source
from hil.scenario.quantity import PerUnit, Power, Time


class Gensets(Section):
    """Generating sets, alike and in parallel, behind a transfer switch at the bus (docs/model.md, "Generating sets").

    Without the section there are none.
    """

    rating_w: Power = Field(gt=0, description="rated active power of each set")
    count: Whole = Field(default=1, ge=1, le=1000, description="how many there are", json_schema_extra=CHOICE)
    power_factor: Number = Field(
        default=0.8,
        gt=0,
        le=1,
        description="rated power factor: rated apparent power is rating over it",
        json_schema_extra=source("rated power factor of ISO 8528-1"),
    )
    start_delay_s: Time = Field(
        default=10.0,
        ge=0,
        description="from the order to start until rated speed and voltage",
        json_schema_extra=source("NFPA 110, Type 10"),
    )
    lost_below: PerUnit = Field(
        default=0.85,
        gt=0,
        lt=1,
        description="measured voltage of the lowest phase at the PCC below which the grid is lost",
        json_schema_extra=ASSUMED,
    )
    back_above: PerUnit = Field(
        default=0.9, gt=0, lt=1.2, description="and from which on it is back", json_schema_extra=ASSUMED
    )
    transfer_after_s: Time = Field(
        default=1.0,
        ge=0,
        description="how long the grid must be lost before the sets start; once they are up the bus is transferred",
        json_schema_extra=ASSUMED,
    )
    return_after_s: Time = Field(
        default=300.0,
        ge=0,
        description="how long the grid must be back before the bus returns to it",
        json_schema_extra=ASSUMED,
    )
    transfer_s: Time = Field(
        default=0.2,
        alias="transfer_time",
        ge=0,
        description="how long the switch is open between its two sources",
        json_schema_extra=ASSUMED,
    )
    cool_down_s: Time = Field(default=300.0, ge=0, description="how long they run on without load", json_schema_extra=ASSUMED)
    inertia_s: Time = Field(
        default=1.0, gt=0, description="inertia constant H, on the rated apparent power", json_schema_extra=ASSUMED
    )
    friction: Share = Field(
        default=0.05, description="power that a set takes to turn, share of its rating", json_schema_extra=ASSUMED
    )
    first_step: Share = Field(
        default=0.55,
        gt=0,
        description="share of the rating that the engine gives at once, without boost of its turbocharger",
        json_schema_extra=source("assumed, so that load is taken in the steps 0-50-80-100 % of ISO 8528-5"),
    )
    overload: Number = Field(
        default=1.1, ge=1, le=2, description="most power that it gives, share of the rating", json_schema_extra=ASSUMED
    )
    overload_s: Time = Field(
        default=10.0,
        alias="overload_time",
        ge=0,
        description="how long it is asked for more until it trips",
        json_schema_extra=ASSUMED,
    )
    turbo_s: Time = Field(
        default=1.5, alias="turbo_time", ge=0.02, description="time constant of the boost", json_schema_extra=ASSUMED
    )
    actuator_s: Time = Field(
        default=0.1, alias="actuator_time", ge=0.02, description="time constant of the fuel", json_schema_extra=ASSUMED
    )
    droop: Share = Field(
        default=0.0,
        description="fall of the frequency, per unit, from no load to rated load; 0: isochronous",
        json_schema_extra=CHOICE,
    )
    governor_gain: Number = Field(
        default=10.0,
        gt=0,
        le=200,
        description="fuel, share of the rating, for a frequency deviation per unit",
        json_schema_extra=ASSUMED,
    )
    governor_s: Time = Field(
        default=0.8,
        alias="governor_time",
        gt=0,
        description="time in which the governor's integral adds as much again",
        json_schema_extra=ASSUMED,
    )
    transient_reactance: PerUnit = Field(
        default=0.2,
        gt=0.01,
        le=1,
        description="X'd: behind it the voltage stands in the first moment",
        json_schema_extra=ASSUMED,
    )
    synchronous_reactance: PerUnit = Field(
        default=2.0, gt=0.01, le=10, description="Xd: the reaction of the armature, once settled", json_schema_extra=ASSUMED
    )
    resistance: PerUnit = Field(default=0.01, ge=0, le=0.2, description="of the armature", json_schema_extra=ASSUMED)
    field_s: Time = Field(
        default=2.0,
        alias="field_time",
        gt=0.05,
        description="T'd0: open-circuit time constant of the field",
        json_schema_extra=ASSUMED,
    )
    exciter_s: Time = Field(
        default=0.05, alias="exciter_time", ge=0.02, description="time constant of the exciter", json_schema_extra=ASSUMED
    )
    ceiling: Number = Field(
        default=5.0,
        gt=1,
        le=20,
        description="most field, in units of the field without load at rated voltage",
        json_schema_extra=ASSUMED,
    )
    regulator_gain: Number = Field(
        default=20.0, gt=0, le=1000, description="field for a voltage deviation per unit", json_schema_extra=ASSUMED
    )
    regulator_s: Time = Field(
        default=1.0,
        alias="regulator_time",
        gt=0,
        description="time in which the regulator's integral adds as much again",
        json_schema_extra=ASSUMED,
    )
    under_frequency: Share = Field(
        default=0.15, gt=0, description="fall of the frequency, per unit, below which they trip", json_schema_extra=ASSUMED
    )
    under_frequency_s: Time = Field(
        default=0.5, alias="under_frequency_time", ge=0, description="after so long", json_schema_extra=ASSUMED
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.back_above <= self.lost_below:
            raise Refused(f"must be above lost_below = {self.lost_below:g}", "back_above")
        if self.synchronous_reactance < self.transient_reactance:
            raise Refused(f"must be at least transient_reactance = {self.transient_reactance:g}", "synchronous_reactance")
        return self
