"""The result of one limit, from its parameters and the state that the tick left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hil.limits.judged import BELOW_ONE, Judged
from hil.limits.uncertainty import too_close, too_near
from hil.scenario.limit import Limit
from hil.verdict.evidence import Evidence, lacking, steps_longer_than_run
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult
from hil.verdict.silence import NOTHING, never_picked_up, pick_up, silent


def limit_result(evidence: Evidence, limit: Limit, judged: Sequence[tuple[Judged, Any]]) -> LimitResult:
    """Result of a limit. judged: each way in which it was judged, with the state that the kernel left."""
    results = [_one(evidence, limit, how, state) for how, state in judged]
    return results[0] if len(results) == 1 else _together(results, [how for how, _ in judged])


def _together(results: Sequence[LimitResult], ways: Sequence[Judged]) -> LimitResult:
    """The result with the least margin of those that were judged; where variants must agree and do not it is not known."""
    met = [one for one in results if one.outcome is not Outcome.NOT_EXERCISED] or list(results)
    worst = min(met, key=lambda one: (one.outcome is not Outcome.FAIL, math.inf if one.margin is None else one.margin))
    failed = [how.variant for one, how in zip(results, ways, strict=True) if one.outcome is Outcome.FAIL]
    if not failed or len(failed) == len(results) or not ways[0].agree:
        return worst
    held = [how.variant for how in ways if how.variant not in failed]
    reason = f"held with {', '.join(held)}, violated with {', '.join(failed)}: its source does not say which"
    return replace(worst, outcome=Outcome.INCONCLUSIVE, reasons=[*worst.reasons, reason])


def _one(evidence: Evidence, limit: Limit, how: Judged, state: Any) -> LimitResult:
    period_s = evidence.tick_s
    low, high = how.low, how.high
    outcome = Outcome.PASS
    reasons = lacking(evidence, limit, state)
    relay = evidence.relays.get(how.channel)
    unseen = relay is not None and relay["seen_ticks"] == 0 and state["valid_ticks"] > 0
    if unseen:
        reasons.append(NOTHING)
    worst = margin = at_s = None
    bound = high if math.isfinite(high) else low
    sides = []
    if math.isfinite(high) and math.isfinite(state["highest"]) and not unseen:
        sides.append((float(state["highest"]), high, int(state["highest_tick"])))
    if math.isfinite(low) and math.isfinite(state["lowest"]):
        sides.append((float(state["lowest"]), low, int(state["lowest_tick"])))
    if not reasons and state["valid_ticks"] > 0 and never_picked_up(limit, relay):
        outcome = Outcome.NOT_EXERCISED
        reasons = [pick_up(limit)]
    elif sides:
        reasons += steps_longer_than_run(evidence, limit, state)
        margin, worst, bound, tick = min(((b - v) / (b - how.reference), v, b, t) for v, b, t in sides)
        at_s = evidence.time_s(tick)
        worst *= how.scale
        close = too_close(evidence.measurement, how, worst, bound * how.scale)
        reasons += [close] if close else []
        if how.nearer and evidence.relays[how.nearer]["operated_ticks"] > 0:
            reasons.append(too_near(evidence.measurement, how.bound))
    elif state["valid_ticks"] == 0 and state["blank_ticks"] > 0:
        outcome = Outcome.NOT_EXERCISED
        reasons = ["a scripted stimulus acted all the time"]
    elif not reasons:
        outcome, why = silent(limit, how, state)
        reasons = [why]
    if reasons and outcome is Outcome.PASS:
        outcome = Outcome.INCONCLUSIVE
    if state["beyond_ticks"] > 0:
        outcome = Outcome.FAIL
    first = int(state["first_tick"])
    return LimitResult.of(
        limit,
        outcome,
        unit=how.unit,
        limit=1.0 if bound == BELOW_ONE else bound * how.scale,
        worst=worst,
        margin=margin,
        at_s=at_s,
        first_violation_s=evidence.time_s(first) if first >= 0 else None,
        time_beyond_s=int(state["beyond_ticks"]) * period_s,
        excursions=int(state["excursions"]),
        blanked_s=int(state["blank_ticks"]) * period_s,
        suspect_s=int(state["suspect_ticks"]) * period_s,
        reasons=reasons,
    )
