"""What tames a load before the site's own devices do: sub-tables of `[load]`. Equations and sources: docs/loads.md.

Each acts on the power at the tick rate; a table that is absent does nothing.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import CHOICE, Number, Refused, Section, Share, source
from hil.scenario.quantity import EnergyJ, Power, Ramp, Time

_ASSUMED = source("assumed; docs/loads.md")
_PROFILE = "that of the profile"
_PRESETS = source("one vendor's open code, not NVIDIA's; docs/loads.md")

PROFILES = {
    "conservative": (90.0, 70.0, 5.0),
    "moderate": (70.0, 200.0, 2.0),
    "aggressive": (50.0, 500.0, 1.0),
    "balanced": (80.0, 150.0, 3.0),
}
"""Floor in percent, rates in W/s of one GPU, hysteresis in s."""


class Filler(Section):
    """A second workload in software that fills the GPUs' power up where the job leaves it low; needs the GPUs' rated power."""

    fill: Share = Field(
        default=1.0,
        description="share of the GPUs' thermal design power that it fills up to",
        json_schema_extra=source("up to the thermal design power (arXiv 2508.14318)"),
    )
    delay_s: Time = Field(
        default=0.001,
        ge=0,
        le=1.0,
        description="how late it sees the power, whole ticks",
        json_schema_extra=source("monitoring every millisecond (arXiv 2508.14318)"),
    )
    overhead: Number = Field(
        default=0.05,
        ge=0,
        lt=1,
        description="by how much it lengthens each iteration of a training job, share; requests and recordings are not slowed",
        json_schema_extra=source("below 5 % (arXiv 2508.14318): that bound"),
    )


class Smoothing(Section):
    """Power smoothing of GPUs, with the names of NVIDIA's interface in lower case; needs the number of GPUs."""

    profile: Literal["conservative", "moderate", "aggressive", "balanced"] | None = Field(
        default=None, description="settings that are taken where they are not given; default: none, all must be given"
    )
    percent_tmp_floor: Number | None = Field(
        default=None,
        ge=0,
        le=90,
        description=f"power floor in percent of the thermal design power; default: {_PROFILE}",
        json_schema_extra=source("at most 90 % (arXiv 2508.14318); profiles: one vendor's open code, not NVIDIA's"),
    )
    ramp_up_rate_w_per_s: Ramp | None = Field(
        default=None, gt=0, description=f"rise at a start, of one GPU; default: {_PROFILE}", json_schema_extra=_PRESETS
    )
    ramp_down_rate_w_per_s: Ramp | None = Field(
        default=None, gt=0, description=f"fall at an end, of one GPU; default: {_PROFILE}", json_schema_extra=_PRESETS
    )
    ramp_down_hysteresis_s: Time | None = Field(
        default=None,
        ge=0,
        description=f"how long the floor is held below which the job has fallen; default: {_PROFILE}",
        json_schema_extra=_PRESETS,
    )

    @property
    def floor(self) -> float:
        """Power floor, share of the thermal design power."""
        return self._of(self.percent_tmp_floor, 0) / 100.0

    @property
    def up_w_per_s(self) -> float:
        """Rise of one GPU at a start."""
        return self._of(self.ramp_up_rate_w_per_s, 1)

    @property
    def down_w_per_s(self) -> float:
        """Fall of one GPU at an end."""
        return self._of(self.ramp_down_rate_w_per_s, 1)

    @property
    def hold_s(self) -> float:
        """How long the floor is held."""
        return self._of(self.ramp_down_hysteresis_s, 2)

    def _of(self, given: float | None, place: int) -> float:
        return float(PROFILES[self.profile or "balanced"][place] if given is None else given)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for key in ("percent_tmp_floor", "ramp_up_rate_w_per_s", "ramp_down_rate_w_per_s", "ramp_down_hysteresis_s"):
            if self.profile is None and getattr(self, key) is None:
                raise Refused("missing; it has a default only with a profile", key.removesuffix("_w_per_s").removesuffix("_s"))
        return self


class Capping(Section):
    """Two thresholds of a row's power above which clocks are capped, late, and a power brake (POLCA)."""

    provisioned_w: Power = Field(gt=0, description="power that the thresholds are shares of: GPUs and hosts")
    t1: Share = Field(default=0.80, gt=0, description="first threshold", json_schema_extra=source("POLCA (arXiv 2308.12908)"))
    t2: Share = Field(default=0.89, gt=0, description="second threshold", json_schema_extra=source("POLCA (arXiv 2308.12908)"))
    hysteresis: Share = Field(
        default=0.05,
        description="how far below its threshold the power must fall for a cap to be taken back",
        json_schema_extra=source("POLCA (arXiv 2308.12908)"),
    )
    latency_s: Time = Field(
        default=40.0,
        gt=0,
        description="from a threshold to its cap, and back",
        json_schema_extra=source("out of band, up to 40 s: POLCA (arXiv 2308.12908)"),
    )
    t1_power: Share = Field(
        default=0.9, description="what the cap of t1 leaves of the GPUs' power, share", json_schema_extra=_ASSUMED
    )
    t2_power: Share = Field(
        default=0.8,
        description="what the cap of t2 leaves of the GPUs' power, share",
        json_schema_extra=source("20 % less peak power by capped clocks, at 7 % of performance at most (arXiv 2308.12908)"),
    )
    brake_threshold: Number = Field(
        default=1.0,
        gt=0,
        le=2,
        description="power that calls the power brake",
        json_schema_extra=source("assumed: all that is provisioned; docs/loads.md"),
    )
    brake_latency_s: Time = Field(
        default=5.0,
        gt=0,
        description="from its threshold to the power brake, and back",
        json_schema_extra=source("POLCA (arXiv 2308.12908)"),
    )
    brake_power: Share = Field(
        default=0.3,
        description="what the power brake leaves of the GPUs' power, share",
        json_schema_extra=source("assumed; POLCA's brake lowers clocks to 288 MHz; docs/loads.md"),
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.t2 < self.t1:
            raise Refused(f"must be at least t1 = {self.t1:g}", "t2")
        if self.hysteresis >= self.t1:
            raise Refused(f"must be below t1 = {self.t1:g}, or no cap is ever taken back", "hysteresis")
        return self


class Rack(Section):
    """Capacitors in the racks, behind the power supplies: they hold the mean of the power; needs the number of GPUs."""

    energy_j: EnergyJ = Field(
        default=65.0,
        gt=0,
        description="usable energy for each GPU",
        json_schema_extra=source("GB300: 65 J for each GPU, secondary; docs/loads.md"),
    )
    power_w: Power | None = Field(
        default=None, gt=0, description="the most they give or take for each GPU; default: what their energy allows"
    )
    flatten_s: Time = Field(
        default=1.0, gt=0, description="time constant of the mean that they hold", json_schema_extra=_ASSUMED
    )
    recharge_s: Time = Field(
        default=5.0, gt=0, description="time constant with which they return to `soc`", json_schema_extra=_ASSUMED
    )
    soc: Share = Field(
        default=0.5, description="state of charge at which they begin, and to which they return", json_schema_extra=_ASSUMED
    )


class Supply(Section):
    """From the GPUs to the wall: hosts, losses, and the input filter, which gives edges their rise time."""

    host: Number = Field(
        default=0.0,
        ge=0,
        description="constant power of hosts and fans, share of the GPUs' rated power; 0.38 would be that of a DGX H100",
        json_schema_extra=CHOICE,
    )
    efficiency: Number = Field(
        default=1.0, gt=0, le=1, description="of the power supplies, constant", json_schema_extra=CHOICE
    )
    rise_s: Time = Field(
        default=0.02,
        ge=0,
        description="time in which a step passes from 10 to 90 %; first order, energy is kept",
        json_schema_extra=source("assumed: that of a power supply's hold-up of 20 ms (OCP ORv3)"),
    )
