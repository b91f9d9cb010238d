"""Sections `[supervisor.NAME]`: who decides the targets of which devices."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from hil.scenario.base import CHOICE, Flag, Refused, Section, Share, ShareWindow
from hil.scenario.paths import NamedObject
from hil.scenario.quantity import Frequency, Power, Ramp, Time


def different_upss(value: list[str]) -> list[str]:
    """The names, if no two are the same."""
    if len(set(value)) < len(value):
        raise ValueError("must be different UPSs")
    return value


class SupervisorSection(Section):
    """Keys of every supervisor."""

    required: Flag = Field(
        default=True, description="true: its silence beyond stale_after blocks PASS", json_schema_extra=CHOICE
    )
    stale_after_s: Time = Field(
        default=1.0,
        gt=0,
        description="how long it may be silent before PASS is blocked, and how long a target stays valid",
        json_schema_extra=CHOICE,
    )

    @property
    def led(self) -> list[str]:
        """The devices that it leads."""
        raise NotImplementedError


class SocWindow(SupervisorSection):
    """Keeps the state of charge in its window by moving the bias around which the absorber acts."""

    kind: Literal["soc_window"] = "soc_window"
    device: str = Field(description="the device that it leads, 'bess.NAME'")
    rate_hz: Frequency = Field(
        default=10.0, ge=0.001, le=1000.0, description="how many times a second it decides", json_schema_extra=CHOICE
    )
    window: ShareWindow = Field(
        default=(0.3, 0.8), description="[lowest, highest] state of charge that it keeps", json_schema_extra=CHOICE
    )
    horizon_s: Time = Field(
        default=600.0,
        gt=0,
        description="time in which its bias would bring the state of charge to mid-window",
        json_schema_extra=CHOICE,
    )
    most: Share = Field(default=0.2, description="largest set-point, share of the device's rating", json_schema_extra=CHOICE)

    @property
    def led(self) -> list[str]:
        """The device."""
        return [self.device]


class UpsGroup(SupervisorSection):
    """Brings UPSs back one after the other after a dip, recharges them, and has them support the grid (docs/mqtt.md)."""

    kind: Literal["ups_group"] = "ups_group"
    devices: list[str] = Field(min_length=1, description="the UPSs that it leads, a list of 'ups.NAME'")
    rate_hz: Frequency = Field(
        default=2.0, ge=0.001, le=1000.0, description="how many times a second it decides", json_schema_extra=CHOICE
    )
    stale_after_s: Time = Field(
        default=3.0, gt=0, description="how long it may be silent before PASS is blocked", json_schema_extra=CHOICE
    )
    ramp_w_per_s: Ramp = Field(gt=0, description="ramp of the grid's power while all of them together come back")
    staged: Flag = Field(
        default=True,
        description="true: one after the other along the ramp; false: each comes back as it is set of its own",
        json_schema_extra=CHOICE,
    )
    recharge_share: Share = Field(
        default=0.25,
        gt=0,
        description="share of the ramp with which the recharge rises once all are back",
        json_schema_extra=CHOICE,
    )
    recharge_w: Power | None = Field(
        default=None, ge=0, description="most with which it lets one UPS recharge; default: what the UPS takes"
    )
    support_w: Power = Field(
        default=0.0,
        ge=0,
        description="most that one UPS takes over from the grid when the frequency falls",
        json_schema_extra=CHOICE,
    )
    support_below_hz: Frequency | None = Field(
        default=None,
        gt=0,
        description="frequency above which there is no support; needed with support, below the grid's nominal",
    )
    support_full_hz: Frequency | None = Field(
        default=None,
        gt=0,
        description="frequency at and below which all of it is given; needed with support, below support_below",
    )

    @property
    def led(self) -> list[str]:
        """The UPSs."""
        return list(self.devices)

    _different = field_validator("devices")(different_upss)

    @model_validator(mode="after")
    def _support(self) -> Self:
        if self.support_w > 0.0:
            for key in ("support_below", "support_full"):
                if getattr(self, f"{key}_hz") is None:
                    raise Refused("must be given with support", key)
            assert self.support_below_hz is not None
            assert self.support_full_hz is not None
            if self.support_full_hz >= self.support_below_hz:
                raise Refused(f"must be below support_below = {self.support_below_hz:g} Hz", "support_full")
        return self


class OwnSupervisor(SupervisorSection):
    """A supervisor of one's own: a class in a file beside the scenario, or in a module (docs/supervisors.md)."""

    kind: Literal["own"] = "own"
    path: NamedObject = Field(alias="class", description="'file.py:Name' beside the scenario, or 'package.module:Name'")
    device: str | None = Field(default=None, description="the BESS that a controllers.Supervisor leads")
    devices: list[str] = Field(default=[], description="the UPSs that a controllers.UpsSupervisor leads")
    parameters: dict[str, Any] = Field(default_factory=dict, description="arguments of the class, with or without their unit")

    @property
    def led(self) -> list[str]:
        """The device, or the UPSs."""
        return [*([] if self.device is None else [self.device]), *self.devices]

    _different = field_validator("devices")(different_upss)

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.device is not None and self.devices:
            raise Refused("give device = 'bess.NAME' or devices = ['ups.NAME', ...], not both", "device")
        if not self.led:
            raise Refused("give device = 'bess.NAME', or devices = ['ups.NAME', ...]", "device")
        return self


SupervisorKind = Annotated[SocWindow | UpsGroup | OwnSupervisor, Field(discriminator="kind")]
