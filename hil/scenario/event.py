"""Entries of `[[events]]`: what the scenario does to the site at set times."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hil.scenario.base import Section
from hil.scenario.quantity import PerUnit, Power, Time


class EventSection(Section):
    """Keys of every event."""

    at_s: Time = Field(alias="at", ge=0)


class GridDip(EventSection):
    """The source voltage falls to `residual` for `duration`."""

    kind: Literal["grid_dip"]
    duration_s: Time = Field(alias="duration", gt=0)
    residual: PerUnit = Field(ge=0, lt=1)
    settle_s: Time = Field(0.2, alias="settle", ge=0, description="voltage limits stay blanked this long after it")


class GenerationLoss(EventSection):
    """The area loses generation (a negative power: load); without `duration` for good."""

    kind: Literal["generation_loss"]
    power_w: Power = Field(alias="power")
    duration_s: Time | None = Field(None, alias="duration", gt=0)
    settle_s: Time = Field(30.0, alias="settle", ge=0, description="frequency limits stay blanked this long after it")


class LoadCrash(EventSection):
    """A training job dies: its power falls to idle within one edge and stays there."""

    kind: Literal["load_crash"]


class ServerStop(EventSection):
    """A device's server closes its connections and stays away for `duration`."""

    kind: Literal["server_stop"]
    device: str
    duration_s: Time = Field(alias="duration", gt=0)


Event = Annotated[GridDip | GenerationLoss | LoadCrash | ServerStop, Field(discriminator="kind")]
