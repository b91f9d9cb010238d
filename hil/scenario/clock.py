"""Section `[clock]`."""

from __future__ import annotations

from pydantic import Field

from hil.scenario.base import Section, Share, source


class Clock(Section):
    """What a run on the wall clock may miss before PASS is blocked (docs/wall_clock.md); lock-step misses nothing."""

    overruns: Share = Field(
        default=0.02,
        description="share of the judged ticks that may be late by a tick or more; beyond it PASS is blocked",
        json_schema_extra=source("measured on a shared virtual machine with two cores; docs/wall_clock.md"),
    )
