"""Section `[cooling]`."""

from __future__ import annotations

from pydantic import Field

from hil.scenario.base import Number, Section
from hil.scenario.quantity import PerUnit, Power, Time


class Cooling(Section):
    """Cooling of the IT load (docs/model.md, "Cooling"). Defaults are assumptions, stated there."""

    base_w: Power = Field(0.0, ge=0, description="pumps and fans that always run")
    share: Number = Field(0.25, ge=0, le=2, description="electric power for each watt of IT load, once settled")
    lag_s: Time = Field(120.0, ge=0, description="thermal time constant between IT load and chillers")
    power_factor: Number = Field(0.95, gt=0, le=1, description="lagging, constant")
    drop_below_pu: PerUnit = Field(0.0, ge=0, lt=1, description="contactors drop out; 0: never")
    drop_after_s: Time = Field(0.02, ge=0)
    restart_after_s: Time = Field(60.0, ge=0, description="how long the voltage must be back")
    restart_ramp_s: Time = Field(30.0, ge=0)
