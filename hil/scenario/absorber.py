"""Sections `[absorber.NAME]`: which fast law acts for a device, where it acts, and how it measures the load."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from hil.scenario.base import Section, Share
from hil.scenario.paths import NamedObject
from hil.scenario.quantity import Ramp, Time


def _parameter(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("must be a number, or a quantity such as '18 MW/min'")  # noqa: TRY004  # as pydantic wants it
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


Parameters = dict[str, Annotated[Any, BeforeValidator(_parameter)]]


class AbsorberSection(Section):
    """Keys of every absorber."""

    device: str
    placement: Literal["device", "wire"] = "device"
    share: Share | None = Field(None, description="of the answer that this device gives; default: its share of all ratings")
    filter_s: Time = Field(0.001, alias="filter", gt=0, description="averaging window of its load measurement")
    delay_s: Time = Field(0.0, alias="delay", ge=0, description="of that measurement, on top of one tick")
    update_s: Time = Field(0.001, alias="update", gt=0, description="period at which the law runs")
    stale_after_s: Time = Field(1.0, alias="stale_after", gt=0, description="wire: longest time without an accepted answer")

    @property
    def led(self) -> list[str]:
        """The devices that it commands."""
        return [self.device]


class NoAbsorber(AbsorberSection):
    """No fast law: the inverter follows its set-point alone. Keys of other kinds may stand, so that one can be turned off."""

    kind: Literal["none"] = "none"
    ramp_w_per_s: Ramp | None = Field(None, alias="ramp", gt=0)
    ramp_down_w_per_s: Ramp | None = Field(None, alias="ramp_down", gt=0)
    law: NamedObject | None = None
    parameters: Parameters = Field(default_factory=dict)


class RampLimit(AbsorberSection):
    """The grid follows the load at a bounded rate; storage gives the rest."""

    kind: Literal["ramp_limit"] = "ramp_limit"
    ramp_w_per_s: Ramp = Field(alias="ramp", gt=0)
    ramp_down_w_per_s: Ramp | None = Field(None, alias="ramp_down", gt=0, description="default: as `ramp`")


class OwnLaw(AbsorberSection):
    """A law of one's own (docs/laws.md)."""

    kind: Literal["law"] = "law"
    law: NamedObject
    parameters: Parameters = Field(default_factory=dict, description="by field, with or without its unit")


Absorber = Annotated[NoAbsorber | RampLimit | OwnLaw, Field(discriminator="kind")]
