"""Sections `[absorber.NAME]`: which fast law acts for a device, where it acts, and what it measures."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from hil.scenario.base import ASSUMED, CHOICE, OF_ANOTHER_KIND, Number, Refused, Section, Share, source
from hil.scenario.paths import NamedObject
from hil.scenario.quantity import Frequency, Ramp, Time


def _parameter(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("must be a number, or a quantity such as '18 MW/min'")  # noqa: TRY004  # as pydantic wants it
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


_IEEE_1547 = source("IEEE 1547-2018 default, as EPRI's OpenDER states it")
_OTHER: dict[str, Any] = {"description": "of another kind; not used", "json_schema_extra": {OF_ANOTHER_KIND: True}}
Parameters = dict[str, Annotated[Any, BeforeValidator(_parameter)]]


class AbsorberSection(Section):
    """Keys of every absorber."""

    device: str = Field(description="the device that it acts for, bess.NAME; each has at most one absorber")
    placement: Literal["device", "wire"] = Field(
        default="device",
        description="where the law acts: in the firmware of the inverter, or in the controller, whose driver sends its answer",
        json_schema_extra=CHOICE,
    )
    share: Share | None = Field(
        default=None,
        description="part of the answer to the load that this device gives; default: by rating",
        json_schema_extra=CHOICE,
    )
    filter_s: Time = Field(
        default=0.001, gt=0, description="averaging window of its load measurement", json_schema_extra=ASSUMED
    )
    delay_s: Time = Field(
        default=0.0, ge=0, description="delay of that measurement, on top of one tick", json_schema_extra=ASSUMED
    )
    update_s: Time = Field(default=0.001, gt=0, description="period at which the law runs", json_schema_extra=ASSUMED)
    stale_after_s: Time = Field(
        default=1.0,
        gt=0,
        description="on the wire: how long the device may go without an accepted answer before PASS is blocked",
        json_schema_extra=CHOICE,
    )

    @property
    def led(self) -> list[str]:
        """The devices that it commands."""
        return [self.device]


class NoAbsorber(AbsorberSection):
    """No fast law: the inverter follows its set-point alone. Keys of other kinds may stand, so that one can be turned off."""

    kind: Literal["none"] = "none"
    ramp_w_per_s: Ramp | None = Field(default=None, gt=0, **_OTHER)
    ramp_down_w_per_s: Ramp | None = Field(default=None, gt=0, **_OTHER)
    time_s: Time | None = Field(default=None, gt=0, **_OTHER)
    soc_target: Share | None = Field(default=None, **_OTHER)
    restore_time_s: Time | None = Field(default=None, ge=1.0, **_OTHER)
    restore_most: Share | None = Field(default=None, **_OTHER)
    droop: Number | None = Field(default=None, ge=1e-6, le=1, **_OTHER)
    deadband_hz: Frequency | None = Field(default=None, ge=0, **_OTHER)
    law: NamedObject | None = Field(default=None, **_OTHER)
    parameters: Parameters = Field(default_factory=dict, **_OTHER)


class RampLimit(AbsorberSection):
    """The grid follows the load at a bounded rate; storage gives the rest."""

    kind: Literal["ramp_limit"] = "ramp_limit"
    ramp_w_per_s: Ramp = Field(gt=0, description="how fast the grid's part of the load may rise")
    ramp_down_w_per_s: Ramp | None = Field(
        default=None, gt=0, description="how fast it may fall; default: as fast as it may rise", json_schema_extra=CHOICE
    )


class HighPass(AbsorberSection):
    """The grid follows the load with a time constant; storage gives the rest, and slowly restores its state of charge."""

    kind: Literal["high_pass"] = "high_pass"
    time_s: Time = Field(gt=0, description="time constant with which the grid's part follows the load")
    soc_target: Share = Field(
        default=0.5, description="state of charge to which the device is brought back", json_schema_extra=ASSUMED
    )
    restore_time_s: Time = Field(
        default=1800.0, ge=1.0, description="time constant with which it is brought back", json_schema_extra=ASSUMED
    )
    restore_most: Share = Field(
        default=0.05, description="most power that brings it back, of its rating; 0: none", json_schema_extra=ASSUMED
    )


class Droop(AbsorberSection):
    """Power against the deviation of the measured frequency, by the device's own rating."""

    kind: Literal["droop"] = "droop"
    droop: Number = Field(
        default=0.05,
        ge=1e-6,
        le=1,
        description="deviation of the frequency beyond the dead band, of nominal, that asks for the whole rating",
        json_schema_extra=_IEEE_1547,
    )
    deadband_hz: Frequency = Field(
        default=0.036, ge=0, description="deviation of the frequency that asks for nothing", json_schema_extra=_IEEE_1547
    )

    @model_validator(mode="after")
    def _unshared(self) -> Self:
        if self.share is not None:
            raise Refused("each device answers the frequency by its own rating; there is nothing to share", "share")
        for key in ("filter", "delay"):
            if getattr(self, f"{key}_s") != type(self).model_fields[f"{key}_s"].default:
                raise Refused("it answers the frequency, which is measured as [measurement] says, not the load", key)
        return self


class OwnLaw(AbsorberSection):
    """A law of one's own (docs/laws.md)."""

    kind: Literal["law"] = "law"
    law: NamedObject = Field(description="file beside the scenario and a name in it, or a module and a name in it")
    parameters: Parameters = Field(
        default_factory=dict, description="its parameters by field, with or without the field's unit"
    )


Absorber = Annotated[NoAbsorber | RampLimit | HighPass | Droop | OwnLaw, Field(discriminator="kind")]
