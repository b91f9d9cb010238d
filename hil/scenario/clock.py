"""Section `[clock]`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hil.scenario.base import CHOICE, Flag, Section, Share, Whole, source
from hil.scenario.quantity import Time

_MEASURED = source("measured on a shared virtual machine with two cores; docs/wall_clock.md")


class Clock(Section):
    """How a run on the wall clock is paced, and what it may miss before PASS is blocked (docs/wall_clock.md).

    Lock-step misses nothing and has no use for it.
    """

    policy: Literal["skip", "catch_up", "abort"] = Field(
        default="skip",
        description="what a late loop does: one wake-up makes up for all that is due (skip), each tick follows with its own "
        "exchange of commands and signals, without a sleep (catch_up); the run ends where a tick is beyond the budget (abort)",
        json_schema_extra=CHOICE,
    )
    catch_up_s: Time = Field(
        default=0.1,
        ge=0,
        description="of the policy catch_up: how far behind it may be, in scenario time; what is beyond is skipped",
        json_schema_extra=CHOICE,
    )
    overruns: Share = Field(
        default=0.02,
        description="share of the judged ticks that may be late by a tick or more; beyond it PASS is blocked",
        json_schema_extra=_MEASURED,
    )
    overrun_budget_s: Time = Field(
        default=0.02,
        ge=0,
        description="a tick that is later than this, in scenario time, is no evidence: limits whose windows hold it are not "
        "judged there, and cannot PASS",
        json_schema_extra=source("assumed: a cycle of 50 Hz"),
    )
    command_validity_s: Time = Field(
        default=1.0,
        gt=0,
        description="a command that no tick has taken for so long is void",
        json_schema_extra=CHOICE,
    )
    priority: Whole = Field(
        default=80,
        ge=0,
        le=99,
        description="of the loop under SCHED_FIFO, where the system grants it; 0: the ordinary scheduler",
        json_schema_extra=source("as cyclictest is run; docs/wall_clock.md"),
    )
    cpu: Whole | None = Field(
        default=None,
        ge=0,
        description="the core that the loop stays on; left out: the last isolated one, and where there is none any",
    )
    spin_s: Time | None = Field(
        default=None,
        ge=0,
        description="how long before its deadline the loop stops sleeping, wall-clock time, half a tick at most; left out: "
        "found by rehearsal",
    )
    lock_memory: Flag = Field(
        default=True, description="keep the process in memory while the loop runs", json_schema_extra=CHOICE
    )
    warm_up_s: Time = Field(
        default=0.25,
        gt=0,
        le=60,
        description="the loop rehearses so long on a copy of the site before time begins, wall-clock time",
        json_schema_extra=CHOICE,
    )
