"""Section `[cooling]`."""

from __future__ import annotations

from pydantic import Field

from hil.scenario.base import ASSUMED, CHOICE, Number, Section
from hil.scenario.quantity import PerUnit, Power, Time


class Cooling(Section):
    """Cooling, whose power follows the heat of the IT load (docs/model.md, "Cooling"); without the section there is none."""

    base_w: Power = Field(default=0.0, ge=0, description="power of pumps and fans that always run", json_schema_extra=ASSUMED)
    share: Number = Field(
        default=0.25,
        ge=0,
        le=2,
        description="electric power for each watt of IT load, once settled",
        json_schema_extra=ASSUMED,
    )
    lag_s: Time = Field(
        default=120.0, ge=0, description="thermal time constant between IT load and chillers", json_schema_extra=ASSUMED
    )
    power_factor: Number = Field(
        default=0.95, gt=0, le=1, description="power factor of the cooling, lagging and constant", json_schema_extra=ASSUMED
    )
    drop_below_pu: PerUnit = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="bus voltage below which its contactors drop out; 0: never",
        json_schema_extra=CHOICE,
    )
    drop_after_s: Time = Field(
        default=0.02, ge=0, description="how long the voltage must be below before they drop out", json_schema_extra=ASSUMED
    )
    restart_after_s: Time = Field(
        default=60.0,
        ge=0,
        description="how long the voltage must be back before the cooling restarts",
        json_schema_extra=ASSUMED,
    )
    restart_ramp_s: Time = Field(
        default=30.0, ge=0, description="time in which it then rises to its full power", json_schema_extra=ASSUMED
    )
