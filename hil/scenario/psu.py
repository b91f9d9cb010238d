"""Section `[psu]`."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from hil.scenario.base import ASSUMED, CHOICE, Number, Refused, Section, Whole, source
from hil.scenario.quantity import PerUnit, Time


class Psu(Section):
    """Power supplies of the IT load (docs/model.md, "Power supplies"); without the section it takes any voltage."""

    drop_below: PerUnit = Field(
        default=0.7,
        gt=0,
        lt=1,
        description="voltage of its phase below which a supply takes nothing, and lives on its capacitors",
        json_schema_extra=source("ITIC curve, below which no interruption is excluded"),
    )
    drop_below_spread: PerUnit = Field(
        default=0.0, ge=0, lt=1, description="by how much less the last of them do so, evenly spread", json_schema_extra=CHOICE
    )
    hold_up_s: Time = Field(
        default=0.02,
        ge=0,
        description="how long the capacitors last; then the supply drops out, and its load is lost",
        json_schema_extra=source("Open Rack V3 power supply at full load; ITIC curve"),
    )
    hold_up_spread_s: Time = Field(
        default=0.0, ge=0, description="by how much longer those of the last do, evenly spread", json_schema_extra=CHOICE
    )
    banks: Whole = Field(
        default=1,
        ge=1,
        le=100,
        description="supplies that differ by the spreads, in equal shares; the seed pairs voltages and times",
        json_schema_extra=CHOICE,
    )
    refill: Number = Field(
        default=0.1,
        gt=0,
        le=1,
        description="power beyond their load's, share of it, with which capacitors are filled again",
        json_schema_extra=ASSUMED,
    )
    restart_after_s: Time | None = Field(
        default=None,
        ge=0,
        description="how long the voltage must be back before what has dropped out restarts; default: it stays off",
    )
    restart_ramp_s: Time = Field(
        default=30.0, ge=0, description="time in which it then rises to its full power", json_schema_extra=ASSUMED
    )

    @model_validator(mode="after")
    def _spread(self) -> Self:
        if self.drop_below_spread >= self.drop_below:
            raise Refused(f"must be below drop_below = {self.drop_below:g}", "drop_below_spread")
        if self.banks == 1 and (self.drop_below_spread > 0.0 or self.hold_up_spread_s > 0.0):
            raise Refused("needs more than 1 for a spread", "banks")
        return self
