"""Limits on the frequency: 81."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hil.scenario.base import source
from hil.scenario.limit.base import AtPcc, Delay, LimitSection
from hil.scenario.quantity import Frequency, FrequencyRate, PerUnit, Time


class FrequencySection(LimitSection):
    """What looks at the frequency."""

    block_below: PerUnit | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="not judged while the lowest phase voltage is below it, as relays are blocked; without it never blocked",
    )


class Underfrequency(FrequencySection):
    """81U: measured frequency below `min` for `delay`. Scripted frequency events are stimulus and do not count."""

    kind: Literal["underfrequency"] = "underfrequency"
    node: AtPcc = "pcc"
    min_hz: Frequency = Field(gt=0, description="lowest frequency that is inside the limit")
    delay_s: Delay = 0.0


class Overfrequency(FrequencySection):
    """81O: measured frequency above `max` for `delay`."""

    kind: Literal["overfrequency"] = "overfrequency"
    node: AtPcc = "pcc"
    max_hz: Frequency = Field(gt=0, description="highest frequency that is inside the limit")
    delay_s: Delay = 0.0


class RateOfChange(FrequencySection):
    """81R: rate of change of the measured frequency over `window`, either way, above `max` for `delay`."""

    kind: Literal["rocof"] = "rocof"
    node: AtPcc = "pcc"
    max_hz_per_s: FrequencyRate = Field(gt=0, description="fastest rise or fall of the frequency that is inside the limit")
    window_s: Time = Field(
        default=0.5,
        gt=0,
        description="time over which the frequency's change is taken, and by which it is divided",
        json_schema_extra=source("EirGrid's 1 Hz/s is over 500 ms; docs/model.md"),
    )
    delay_s: Delay = 0.0
