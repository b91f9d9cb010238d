"""Sections `[supervisor.NAME]`: who decides the targets of which devices."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from hil.scenario.base import Flag, Refused, Section, Share, ShareWindow
from hil.scenario.paths import NamedObject
from hil.scenario.quantity import Frequency, Power, Ramp, Time


def different_upss(value: list[str]) -> list[str]:
    """The names, if no two are the same."""
    if len(set(value)) < len(value):
        raise ValueError("must be different UPSs")
    return value


class SupervisorSection(Section):
    """Keys of every supervisor."""

    required: Flag = True
    stale_after_s: Time = Field(1.0, gt=0, description="longest silence that the verdict allows")

    @property
    def led(self) -> list[str]:
        """The devices that it leads."""
        raise NotImplementedError


class SocWindow(SupervisorSection):
    """Keeps the state of charge in its window by moving the bias around which the absorber acts."""

    kind: Literal["soc_window"] = "soc_window"
    device: str
    rate_hz: Frequency = Field(10.0, ge=0.001, le=1000.0)
    window: ShareWindow = (0.3, 0.8)
    horizon_s: Time = Field(600.0, gt=0, description="time in which it would bring the SoC to mid-window")
    most: Share = Field(0.2, description="largest set-point, share of the rating")

    @property
    def led(self) -> list[str]:
        """The device."""
        return [self.device]


class UpsGroup(SupervisorSection):
    """Brings UPSs back one after the other after a dip, recharges them, and has them support the grid (docs/mqtt.md)."""

    kind: Literal["ups_group"] = "ups_group"
    devices: list[str] = Field(min_length=1)
    rate_hz: Frequency = Field(2.0, ge=0.001, le=1000.0)
    stale_after_s: Time = Field(3.0, gt=0, description="longest silence that the verdict allows")
    ramp_w_per_s: Ramp = Field(gt=0, description="of the grid, while all together come back")
    staged: Flag = Field(default=True, description="false: each comes back as it is set of its own")
    recharge_share: Share = Field(0.25, gt=0, description="of the ramp, with which the recharge rises once all are back")
    recharge_w: Power | None = Field(None, ge=0, description="most of one UPS; default: what it takes")
    support_w: Power = Field(0.0, ge=0, description="most that one UPS takes over from the grid")
    support_below_hz: Frequency | None = Field(None, gt=0, description="nothing above it")
    support_full_hz: Frequency | None = Field(None, gt=0, description="all of it at and below")

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
    device: str | None = Field(None, description="the BESS that a controllers.Supervisor leads")
    devices: list[str] = Field([], description="the UPSs that a controllers.UpsSupervisor leads")
    parameters: dict[str, Any] = Field(default_factory=dict, description="arguments of the class, with or without their unit")

    @property
    def led(self) -> list[str]:
        """The device, or the UPSs."""
        return [*([] if self.device is None else [self.device]), *self.devices]

    _different = field_validator("devices")(different_upss)

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if (self.device is None) == (not self.devices):
            raise Refused("give device = 'bess.NAME', or devices = ['ups.NAME', ...]", "device")
        return self


SupervisorKind = Annotated[SocWindow | UpsGroup | OwnSupervisor, Field(discriminator="kind")]
