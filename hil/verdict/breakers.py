"""What breakers did to the result of a limit: the trip that it is itself, and the time in which there was nothing to judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hil.limits.entries import entries
from hil.scenario.limit import Limit
from hil.scenario.model import Scenario
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult

Entry = tuple[Any, Any]
"""Parameters and state of an entry of the limits."""


def with_breakers(scenario: Scenario, results: dict[str, LimitResult], trips: Entry) -> dict[str, LimitResult]:
    """Results of limits by their names, with what breakers did to them. trips: the kernel's arrays of that name."""
    if not scenario.breakers:
        return results
    of: dict[str, list[Entry]] = {name: [] for name in results}
    for (limit, _), param, state in zip(entries(scenario), *trips, strict=True):
        of[limit.name].append((param, state))
    return {limit.name: _with(scenario, limit, results[limit.name], of[limit.name]) for limit in scenario.limits}


def _with(scenario: Scenario, limit: Limit, result: LimitResult, found: Sequence[Entry]) -> LimitResult:
    tick_s = float(scenario.tick_s)
    breaker = getattr(limit, "breaker", None)
    first = min((int(state["first_tick"]) for _, state in found if state["first_tick"] >= 0), default=None)
    tripped_s = None if first is None else (first + 1) * tick_s
    reasons = []
    if first is not None and result.outcome is not Outcome.FAIL:  # its device acts, be the sample evidence or not
        warm = first >= scenario.ticks_of(scenario.warm_up_s)
        when = "on a sample that is no evidence" if warm else "in the warm-up"
        reasons.append(f"tripped the {breaker} breaker at {tripped_s:g} s, {when}")
    away = max((int(state["away_ticks"]) for _, state in found), default=0)
    if away:
        param, state = next((param, state) for param, state in found if state["away_ticks"] > 0)
        opened = f"{scenario.breakers[int(param['behind'])]} breaker open from {int(state['away_from']) * tick_s:g} s"
        reasons.append(f"{away * tick_s:g} s not judged: {opened}")
    outcome = Outcome.INCONCLUSIVE if reasons and result.outcome is not Outcome.FAIL else result.outcome
    return replace(
        result,
        outcome=outcome,
        reasons=[*result.reasons, *reasons],
        trips=breaker or "",
        tripped_s=tripped_s,
        disconnected_s=away * tick_s,
    )
