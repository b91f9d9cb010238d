"""Entries of `[[events]]`: what the scenario does to the site at set times."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hil.scenario.base import Flag, Section
from hil.scenario.quantity import PerUnit, Power, Time


class EventSection(Section):
    """Keys of every event."""

    at_s: Time = Field(ge=0)


Fault = Literal["abc", "ag", "bg", "cg", "ab", "bc", "ca", "abg", "bcg", "cag"]


class GridDip(EventSection):
    """The source voltage falls to `residual` for `duration`, in the phases that the fault takes."""

    kind: Literal["grid_dip"] = "grid_dip"
    duration_s: Time = Field(gt=0)
    residual: PerUnit = Field(ge=0, lt=1, description="share that is left of the voltage that the fault takes down")
    fault: Fault = "abc"
    settle_s: Time = Field(0.2, ge=0, description="voltage limits stay blanked this long after it")
    judged: Flag = Field(default=False, description="true: limits are not blanked, the dip itself is judged")


class GenerationLoss(EventSection):
    """The area loses generation (a negative power: load); without `duration` for good."""

    kind: Literal["generation_loss"] = "generation_loss"
    power_w: Power
    duration_s: Time | None = Field(None, gt=0)
    settle_s: Time = Field(30.0, ge=0, description="frequency limits stay blanked this long after it")
    judged: Flag = Field(default=False, description="true: limits are not blanked, the event itself is judged")


class LoadCrash(EventSection):
    """A training job dies: its power falls to idle within one edge and stays there."""

    kind: Literal["load_crash"] = "load_crash"


class WireEvent(EventSection):
    """Keys of what disturbs the wire, for a while."""

    duration_s: Time = Field(gt=0)

    @property
    def disturbs(self) -> str:
        """The device or the broker, which is disturbed by one thing at a time; nothing where that does not matter."""
        return str(getattr(self, "device", "the broker"))


class ServerStop(WireEvent):
    """The Modbus server of a storage device closes its connections and stays away for `duration`."""

    kind: Literal["server_stop"] = "server_stop"
    device: str


class LinkCut(WireEvent):
    """Nothing passes a link for `duration`; what is sent meanwhile arrives afterwards, as TCP has it."""

    kind: Literal["link_cut"] = "link_cut"
    link: str

    @property
    def disturbs(self) -> str:
        """Nothing: cuts add up."""
        return ""


class DeviceSilence(WireEvent):
    """A device's communication hangs for `duration`: connections stay, nothing is answered or published."""

    kind: Literal["device_silent"] = "device_silent"
    device: str


class DeviceLoss(WireEvent):
    """A UPS's communication loses its power: its connection ends without a farewell, and is back after `duration`."""

    kind: Literal["device_lost"] = "device_lost"
    device: str


class BrokerStop(WireEvent):
    """The testbed's own broker dies and is back after `duration`."""

    kind: Literal["broker_stop"] = "broker_stop"


Event = Annotated[
    GridDip | GenerationLoss | LoadCrash | ServerStop | LinkCut | DeviceSilence | DeviceLoss | BrokerStop,
    Field(discriminator="kind"),
]
