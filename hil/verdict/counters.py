"""Whether UPSs count disturbances to decide that they stay off the grid: a setting, which no sample of a run shows."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from hil.limits.facts import Facts
from hil.scenario.limit import DisturbanceCounter
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult


def without_ups(limit: DisturbanceCounter) -> LimitResult:
    """The result at a site that has no UPS: nothing counts there."""
    return LimitResult.of(
        limit,
        Outcome.PASS,
        unit="",
        limit=0.0,
        worst=0.0,
    )


def with_counters(found: LimitResult, facts: Facts, turned_on: Collection[str] = ()) -> LimitResult:
    """The result of such a limit, with what is known of the settings. turned_on: UPSs whose counter is on at the end."""
    at = [found.node] if found.node != "pcc" else [name for name in facts.devices if name.startswith("ups.")]
    known = [name for name in at if name in facts.devices]
    on = [name for name in known if facts.devices[name].counter is not None or name in turned_on]
    if on:
        reasons = [_setting(name, facts) for name in on]
        return replace(found, outcome=Outcome.FAIL, reasons=[*found.reasons, *reasons])
    if len(known) < len(at) and found.outcome is not Outcome.FAIL:
        return replace(
            found, outcome=Outcome.INCONCLUSIVE, reasons=[*found.reasons, "nothing is known of the setting of its counter"]
        )
    return found


def _setting(name: str, facts: Facts) -> str:
    count, window_s = facts.devices[name].counter or (0, math.nan)
    if not count:
        return f"{name}: its counter was turned on"
    return f"{name}: its counter is on, {count} disturbances within {window_s:g} s take it off the grid"
