"""Entries of `[[events]]`: what the scenario does to the site at set times."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hil.scenario.base import ASSUMED, CHOICE, Flag
from hil.scenario.event_kind import EventSection, WireEvent
from hil.scenario.fault import DeviceFault
from hil.scenario.limit.base import BESS, UPS
from hil.scenario.operator import UpsCommand
from hil.scenario.quantity import PerUnit, Power, Time

Fault = Literal["abc", "ag", "bg", "cg", "ab", "bc", "ca", "abg", "bcg", "cag"]


class GridDip(EventSection):
    """The source voltage falls to `residual` for `duration`, in the phases that the fault takes."""

    kind: Literal["grid_dip"] = "grid_dip"
    duration_s: Time = Field(gt=0, description="how long the dip lasts")
    residual: PerUnit = Field(ge=0, lt=1, description="share that is left of the voltage that the fault takes down")
    fault: Fault = Field(
        default="abc",
        description="phases that it takes down: all three, one or two to ground (g), or two between them (docs/model.md)",
        json_schema_extra=CHOICE,
    )
    settle_s: Time = Field(
        default=0.2, ge=0, description="how long voltage and power limits stay blanked after it", json_schema_extra=ASSUMED
    )
    judged: Flag = Field(
        default=False, description="true: limits are not blanked, the dip itself is judged", json_schema_extra=CHOICE
    )

    @property
    def disturbs(self) -> str:
        """The voltage; a file may have dips of all three phases together."""
        return "the voltage"


class GridOutage(EventSection):
    """The utility is gone at the PCC, as behind a breaker of its own; without `duration` for good."""

    kind: Literal["grid_outage"] = "grid_outage"
    duration_s: Time | None = Field(default=None, gt=0, description="how long it is gone; default: for good")
    settle_s: Time = Field(
        default=0.2, ge=0, description="how long voltage and power limits stay blanked after it", json_schema_extra=ASSUMED
    )
    judged: Flag = Field(
        default=False, description="true: limits are not blanked, the outage itself is judged", json_schema_extra=CHOICE
    )


class GenerationLoss(EventSection):
    """The area loses generation (a negative power: load); without `duration` for good."""

    kind: Literal["generation_loss"] = "generation_loss"
    power_w: Power = Field(description="generation that is lost; negative: load that is lost")
    duration_s: Time | None = Field(default=None, gt=0, description="how long it is gone; default: for good")
    settle_s: Time = Field(
        default=30.0, ge=0, description="how long frequency limits stay blanked after it", json_schema_extra=ASSUMED
    )
    judged: Flag = Field(
        default=False, description="true: limits are not blanked, the event itself is judged", json_schema_extra=CHOICE
    )


class LoadCrash(EventSection):
    """A training job dies: its power falls and stays there until it restarts; needs a training load, or one in a sum.

    One that is down already goes to the new power, and restarts as this says.
    """

    kind: Literal["load_crash"] = "load_crash"
    load: str | None = Field(default=None, description="which part of a sum dies, with all its copies; default: the load")
    fall_s: Time | None = Field(default=None, ge=0, description="time in which its power falls; default: that of the load")
    to_w: Power | None = Field(default=None, ge=0, description="power to which it falls; default: idle")
    restart_after_s: Time | None = Field(
        default=None, ge=0, description="from the crash to the restart, at least fall; default: that of the load"
    )
    restart_ramp_s: Time | None = Field(
        default=None, ge=0, description="time in which it then rises to power; default: that of the load"
    )


class ResetLockout(EventSection):
    """Somebody resets the lock-out (86) of a breaker, or does not wait for it to reclose: an open breaker closes at once."""

    kind: Literal["reset_lockout"] = "reset_lockout"
    breaker: str = Field(
        pattern=rf"^(pcc|{BESS}|{UPS})$",
        description="which breaker, one that a limit trips: 'pcc', 'bess.NAME', or 'ups.NAME', at its input",
    )


class ServerStop(WireEvent):
    """The Modbus server of a storage device closes its connections and stays away for `duration`."""

    of: ClassVar[tuple[str, ...]] = ("bess.",)
    kind: Literal["server_stop"] = "server_stop"
    device: str = Field(description="the device, 'bess.NAME'")


class LinkCut(WireEvent):
    """Nothing passes a link for `duration`; what is sent meanwhile arrives afterwards, as TCP has it."""

    kind: Literal["link_cut"] = "link_cut"
    link: str = Field(description="the link, 'link.NAME'; cuts of one link add up")

    @property
    def disturbs(self) -> str:
        """Nothing: cuts add up."""
        return ""


class DeviceSilence(WireEvent):
    """A device's communication hangs for `duration`: connections stay, nothing is answered or published."""

    of: ClassVar[tuple[str, ...]] = ("bess.", "ups.", "meter.")
    kind: Literal["device_silent"] = "device_silent"
    device: str = Field(description="the device, 'bess.NAME', 'ups.NAME' or 'meter.NAME'")


class DeviceLoss(WireEvent):
    """A UPS's communication loses its power: its connection ends without a farewell, so that the broker publishes its will."""

    of: ClassVar[tuple[str, ...]] = ("ups.",)
    kind: Literal["device_lost"] = "device_lost"
    device: str = Field(description="the device, 'ups.NAME'")


class BrokerStop(WireEvent):
    """The testbed's own broker dies and comes back after `duration`; wills wait for its return."""

    kind: Literal["broker_stop"] = "broker_stop"


Stimulus = GridDip | GridOutage | GenerationLoss
"""What acts on the grid."""

PlantEvent = Stimulus | LoadCrash | ResetLockout
"""What the plant or the load knows from the start."""

Event = Annotated[
    PlantEvent | ServerStop | LinkCut | DeviceSilence | DeviceLoss | BrokerStop | DeviceFault | UpsCommand,
    Field(discriminator="kind"),
]
