"""What of limits that were violated only the record can tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hil.limits.facts import facts_of
from hil.report.result import Result
from hil.verdict.missing import Shown, voided, with_missing


def with_what_was_missing(result: Result) -> Result:
    """The result with the energy, or the seconds, that were missing to hold each limit that was violated, where known."""

    def signal(channel: str) -> Any:
        return result.signal(channel) if channel in result.channels else None

    scenario = result.scenario
    shown = Shown(facts_of(scenario), signal, voided(scenario), float(scenario.warm_up_s))
    limits = {limit.name: with_missing(limit, result.limits[limit.name], shown) for limit in scenario.limits}
    return replace(result, limits=limits)
