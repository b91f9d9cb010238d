"""The result of one limit, from its parameters and the state that the tick left."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from hil.kernel.layout import CODES
from hil.scenario.limit import Limit
from hil.scenario.model import Scenario
from hil.site.limits import limit_bounds
from hil.verdict.outcome import Outcome


@dataclass(frozen=True)
class LimitResult:
    """How one limit ended.

    worst: the most extreme value sustained for the limit's delay, on the side with less margin; None where nothing was judged.
    limit: the bound on that side. margin: what was left of the span between reference and bound, negative beyond. The
    reference is nominal for voltage and frequency, the middle of the window for SoC, the ambient for a temperature, else 0.
    suspect_s: how long it was not judged because a tick of the wall clock that came too late lay within its window.
    unit: of worst and limit.
    """

    name: str
    kind: str
    node: str
    required: bool
    outcome: Outcome
    unit: str
    limit: float
    worst: float | None = None
    margin: float | None = None
    at_s: float | None = None
    first_violation_s: float | None = None
    time_beyond_s: float = 0.0
    excursions: int = 0
    blanked_s: float = 0.0
    suspect_s: float = 0.0
    reasons: list[str] = field(default_factory=list)


UNITS = {
    "undervoltage": "pu",
    "overvoltage": "pu",
    "underfrequency": "Hz",
    "overfrequency": "Hz",
    "rocof": "Hz/s",
    "ramp": "W/s",
    "peak_to_peak": "W",
    "soc_window": "",
    "converter_current": "pu",
    "on_battery": "s",
    "battery_temperature": "degC",
    "recovery": "s",
}


def limit_result(scenario: Scenario, limit: Limit, state: Any, ticks: int) -> LimitResult:
    """Result of a limit after `ticks` judged ticks."""
    period_s = scenario.tick_s
    low, high = limit_bounds(limit)
    outcome = Outcome.PASS
    reasons = [*longer_than_run(scenario, limit, ticks), *_unfinished(limit, state), *_suspect(scenario, state)]
    worst = margin = at_s = None
    bound = high if math.isfinite(high) else low
    sides = []
    if math.isfinite(high) and math.isfinite(state["highest"]):
        sides.append((float(state["highest"]), high, int(state["highest_tick"])))
    if math.isfinite(low) and math.isfinite(state["lowest"]):
        sides.append((float(state["lowest"]), low, int(state["lowest_tick"])))
    if sides:
        reference = _reference(scenario, limit)
        margin, worst, bound, tick = min(((b - v) / (b - reference), v, b, t) for v, b, t in sides)
        at_s = (tick + 1) * period_s
    elif state["valid_ticks"] == 0 and state["blank_ticks"] > 0:
        outcome = Outcome.NOT_EXERCISED
        reasons = ["a scripted stimulus acted all the time"]
    elif limit.kind == "recovery" and not reasons:
        outcome = Outcome.NOT_EXERCISED
        reasons = [f"the measured voltage never fell below {limit.below:g} pu"]
    elif limit.kind != "recovery" and not reasons:
        delay_s = getattr(limit, "delay_s", 0.0)
        reasons = [f"never judged for its delay, {delay_s:g} s, without a break" if delay_s else "no sample was judged"]
    if reasons and outcome is Outcome.PASS:
        outcome = Outcome.INCONCLUSIVE
    if state["beyond_ticks"] > 0:
        outcome = Outcome.FAIL
    first = int(state["first_tick"])
    return LimitResult(
        name=limit.name,
        kind=limit.kind,
        node=limit.node,
        required=limit.required,
        outcome=outcome,
        unit=UNITS[limit.kind],
        limit=bound,
        worst=worst,
        margin=margin,
        at_s=at_s,
        first_violation_s=(first + 1) * period_s if first >= 0 else None,
        time_beyond_s=int(state["beyond_ticks"]) * period_s,
        excursions=int(state["excursions"]),
        blanked_s=int(state["blank_ticks"]) * period_s,
        suspect_s=int(state["suspect_ticks"]) * period_s,
        reasons=reasons,
    )


def _unfinished(limit: Limit, state: Any) -> list[str]:
    """What still went on at the end of the run, so that its value is not known."""
    phase = int(state["phase"])
    if limit.kind == "on_battery" and phase:
        return ["the run ended while it was on battery"]
    if limit.kind == "recovery" and phase:
        what = "during a dip" if phase == CODES["phase.in_dip"] else "before the power was back"
        return [f"the run ended {what}"]
    return []


def _suspect(scenario: Scenario, state: Any) -> list[str]:
    """What was not judged because ticks came too late."""
    if state["suspect_ticks"] == 0:
        return []
    suspect_s, beyond_s = (int(state[name]) * scenario.tick_s for name in ("suspect_ticks", "suspect_beyond_ticks"))
    also = f", {beyond_s:g} s of it beyond the limit" if beyond_s else ""
    late = f"ticks later than {1e3 * scenario.clock.overrun_budget_s:g} ms (clock.overrun_budget) within its window"
    return [f"{suspect_s:g} s not judged{also}: {late}"]


def longer_than_run(scenario: Scenario, limit: Limit, ticks: int) -> list[str]:
    """What a limit has not seen in a run of `ticks` ticks because it looks back farther, as a reason; none where it has."""
    if limit.kind == "recovery":  # its mean looks back at what was before the run, at rest
        return []
    parts = {key: float(getattr(limit, f"{key}_s", 0.0)) for key in ("window", "mean", "delay")}
    needed_s, run_s = sum(parts.values()), ticks * scenario.tick_s
    if needed_s <= run_s + 0.5 * scenario.tick_s:
        return []
    some = [f"{key} {part_s:g} s" for key, part_s in parts.items() if part_s > 0.0]
    made_of = f" ({', '.join(some)})" if len(some) > 1 else ""
    return [f"its window, {needed_s:g} s{made_of}, is longer than the run, {run_s:g} s"]


def _reference(scenario: Scenario, limit: Limit) -> float:
    if limit.kind in ("undervoltage", "overvoltage"):
        return 1.0
    if limit.kind in ("underfrequency", "overfrequency"):
        return float(scenario.grid.frequency_hz)
    if limit.kind == "soc_window":
        full_is_rest = math.isinf(limit_bounds(limit)[1])  # a UPS stands by full
        return 1.0 if full_is_rest else 0.5 * (limit.window[0] + limit.window[1])
    if limit.kind == "battery_temperature":
        kind, _, name = limit.node.partition(".")
        return float((scenario.bess if kind == "bess" else scenario.ups)[name].ambient_degc)
    return 0.0
