"""Section `[bess.NAME.forming]`."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from hil.scenario.base import ASSUMED, CHOICE, Number, Refused, Section, Share
from hil.scenario.quantity import PerUnit, Time


class Forming(Section):
    """How a converter forms its voltage: a virtual synchronous machine (docs/model.md, "Grid-forming")."""

    inertia_s: Time = Field(
        default=1.0, ge=0.01, description="virtual inertia constant H, on its rating", json_schema_extra=ASSUMED
    )
    damping: Number = Field(
        default=50.0,
        ge=0,
        le=10_000,
        description="power per unit for a slip per unit against the frequency of the bus",
        json_schema_extra=ASSUMED,
    )
    droop: Share = Field(
        default=0.02,
        ge=0.001,
        description="fall of its frequency, per unit, from no power to its rating",
        json_schema_extra=ASSUMED,
    )
    voltage_droop: Share = Field(
        default=0.05,
        description="fall of its voltage, per unit, from no reactive power to its rating",
        json_schema_extra=ASSUMED,
    )
    reactance: PerUnit = Field(default=0.15, ge=0.01, le=2, description="virtual reactance", json_schema_extra=ASSUMED)
    resistance: PerUnit = Field(default=0.03, ge=0, le=2, description="virtual resistance", json_schema_extra=ASSUMED)
    filter_s: Time = Field(
        default=0.02, ge=0, description="time constant of the reactive power that it measures", json_schema_extra=ASSUMED
    )
    restore_s: Time = Field(
        default=2.0,
        alias="restore_time",
        ge=0,
        description="time constant with which it brings an island back to nominal frequency, and into step; 0: never",
        json_schema_extra=CHOICE,
    )

    @model_validator(mode="after")
    def _steps(self) -> Self:
        if 0.0 < self.restore_s < 0.02:
            raise Refused("must be 0 s, or at least 0.02 s", "restore_time")
        return self
