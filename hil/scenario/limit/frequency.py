"""Limits on the frequency: 81."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from hil.scenario.base import source
from hil.scenario.limit.base import AtPcc, Delay, PickUp, RelaySection
from hil.scenario.quantity import Angle, Frequency, FrequencyRate, PerUnit, Time


class FrequencySection(RelaySection):
    """What looks at the frequency."""

    block_below: PerUnit | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="not judged while the lowest phase voltage is below it, as relays are blocked; without it never blocked",
    )
    block_jump_deg: Angle | None = Field(
        default=None,
        gt=0,
        lt=180,
        description=(
            "not judged while the frequency is measured over a jump of the voltage's phase beyond it, which only waveforms"
            " (`hil check`) show; without it never blocked"
        ),
    )


class Underfrequency(FrequencySection):
    """81U: measured frequency below `min` for `delay`. Scripted frequency events are stimulus and do not count."""

    picks_up: ClassVar = PickUp("min_hz", "dropout_hz", under=True, subject="the frequency", unit="Hz")

    kind: Literal["underfrequency"] = "underfrequency"
    node: AtPcc = "pcc"
    min_hz: Frequency = Field(gt=0, description="lowest frequency that is inside the limit")
    dropout_hz: Frequency | None = Field(
        default=None, description="frequency at which it drops out: from `min` up, below nominal; without it `min`"
    )
    delay_s: Delay = 0.0


class Overfrequency(FrequencySection):
    """81O: measured frequency above `max` for `delay`."""

    picks_up: ClassVar = PickUp("max_hz", "dropout_hz", under=False, subject="the frequency", unit="Hz")

    kind: Literal["overfrequency"] = "overfrequency"
    node: AtPcc = "pcc"
    max_hz: Frequency = Field(gt=0, description="highest frequency that is inside the limit")
    dropout_hz: Frequency | None = Field(
        default=None, description="frequency at which it drops out: from `max` down, above nominal; without it `max`"
    )
    delay_s: Delay = 0.0


class RateOfChange(FrequencySection):
    """81R: rate of change of the measured frequency over `window`, either way, above `max` for `delay`."""

    picks_up: ClassVar = PickUp(
        "max_hz_per_s", "dropout_hz_per_s", under=False, subject="the rate of change", unit="Hz/s", nominal=0.0
    )

    kind: Literal["rocof"] = "rocof"
    node: AtPcc = "pcc"
    max_hz_per_s: FrequencyRate = Field(gt=0, description="fastest rise or fall of the frequency that is inside the limit")
    dropout_hz_per_s: FrequencyRate | None = Field(
        default=None, description="rate at which it drops out: from `max` down, above 0; without it `max`"
    )
    window_s: Time = Field(
        default=0.5,
        gt=0,
        description="time over which the frequency's change is taken, and by which it is divided",
        json_schema_extra=source("EirGrid's 1 Hz/s is over 500 ms; docs/model.md"),
    )
    delay_s: Delay = 0.0
