"""The result of one limit, from its parameters and the state that the tick left."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hil.kernel.layout import CODES
from hil.limits.judged import BELOW_ONE, Judged
from hil.limits.kinds.power import SETTLED_WINDOWS
from hil.limits.uncertainty import too_close, too_near
from hil.limits.units import written
from hil.scenario.grid import Measurement
from hil.scenario.limit import Damping, Limit, RampRate
from hil.verdict.outcome import Outcome

_NOTHING = "no sample was judged"
_NEVER = {
    "flicker": "the flickermeter had not observed for long enough",
    "oscillation": "the detector's window was never full",
    "band_share": "the detector's window was never full",
}


@dataclass(frozen=True)
class LimitResult:
    """How one limit ended.

    worst: the most extreme value sustained for the limit's delay, on the side with less margin; None where nothing was judged.
    limit: the bound on that side. margin: what was left of the span between reference and bound, negative beyond. The
    reference is nominal for voltage and frequency, the middle of the window for SoC, the ambient for a temperature, else 0.
    suspect_s: how long it was not judged because a tick of the wall clock that came too late lay within its window.
    missing_j, missing_s: of one that was violated, the energy or the time that was missing to hold it (`hil.verdict.missing`);
    None where it is not known, or means nothing. unit: of worst and limit. trips: the breaker that it trips, empty where it
    only logs; tripped_s: when it did so first. disconnected_s: how long it was not judged for a breaker that was open.
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
    missing_j: float | None = None
    missing_s: float | None = None
    basis: str = ""
    unverified: bool = False
    reasons: list[str] = field(default_factory=list)
    trips: str = ""
    tripped_s: float | None = None
    disconnected_s: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """What results rest on. ticks: that were judged. late_s: ticks of the wall clock later than that are no evidence.

    relays: the states that the kernel left, by the channels that limits look at.
    offset_s: what is added to the end of a tick to give its time; of a recording, whose samples have times of their own.
    """

    tick_s: float
    ticks: int
    measurement: Measurement
    late_s: float = 0.0
    relays: Mapping[str, Any] = field(default_factory=dict)
    offset_s: float = 0.0

    def time_s(self, tick: int) -> float:
        """When a tick was."""
        return (tick + 1) * self.tick_s + self.offset_s


def decided(limits: Mapping[str, LimitResult], missing: Sequence[str], none_required: str) -> tuple[Outcome, list[str]]:
    """What required limits say together, and what blocks PASS: `missing`, and those of them that were not decided.

    FAIL of one outranks everything. none_required: the reason where there is none.
    """
    required = [result for result in limits.values() if result.required]
    undecided_ones = [one for one in required if one.outcome not in (Outcome.PASS, Outcome.FAIL)]
    reasons = [*missing, *(f"{one.name}: {', '.join(one.reasons) or one.outcome.lower()}" for one in undecided_ones)]
    if not required:
        reasons.append(none_required)
    if any(one.outcome is Outcome.FAIL for one in required):
        return Outcome.FAIL, reasons
    return Outcome.INCONCLUSIVE if reasons else Outcome.PASS, reasons


def limit_result(evidence: Evidence, limit: Limit, judged: Sequence[tuple[Judged, Any]]) -> LimitResult:
    """Result of a limit. judged: each way in which it was judged, with the state that the kernel left."""
    results = [_one(evidence, limit, how, state) for how, state in judged]
    return results[0] if len(results) == 1 else _together(results, [how for how, _ in judged])


def undecided(limit: Limit, reasons: list[str]) -> LimitResult:
    """Result of a limit that could not be judged at all."""
    return LimitResult(
        limit.name,
        limit.kind,
        limit.node,
        required=limit.required,
        outcome=Outcome.INCONCLUSIVE,
        unit="",
        limit=math.nan,
        basis=limit.basis,
        unverified=limit.unverified,
        reasons=reasons,
    )


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
    reasons = [
        *longer_than_run(evidence.tick_s, limit, evidence.ticks),
        *_unfinished(limit, state),
        *_suspect(evidence, state),
    ]
    relay = evidence.relays.get(how.channel)
    unseen = relay is not None and relay["seen_ticks"] == 0 and state["valid_ticks"] > 0
    if unseen:
        reasons.append(_NOTHING)
    worst = margin = at_s = None
    bound = high if math.isfinite(high) else low
    sides = []
    if math.isfinite(high) and math.isfinite(state["highest"]) and not unseen:
        sides.append((float(state["highest"]), high, int(state["highest_tick"])))
    if math.isfinite(low) and math.isfinite(state["lowest"]):
        sides.append((float(state["lowest"]), low, int(state["lowest_tick"])))
    if not reasons and state["valid_ticks"] > 0 and _never_picked_up(limit, relay):
        outcome = Outcome.NOT_EXERCISED
        reasons = [_pick_up(limit)]
    elif sides:
        reasons += _steps_longer_than_run(evidence, limit, state)
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
    elif limit.kind == "recovery" and not reasons:
        outcome = Outcome.NOT_EXERCISED
        reasons = [f"the measured voltage never fell below {limit.below:g} pu"]
    elif limit.kind == "ride_through" and not reasons:
        outcome = Outcome.NOT_EXERCISED
        reasons = [f"no {limit.signal} left the continuous band for a time after which the power had to come back"]
    elif limit.kind == "battery_temperature" and limit.during != "always" and not state["valid_ticks"] and not reasons:
        outcome = Outcome.NOT_EXERCISED
        reasons = [f"the battery was never {limit.during}"]
    elif limit.kind == "damping" and not reasons:
        outcome = Outcome.NOT_EXERCISED
        above = written(float(limit.above_w), "W")
        reasons = [f"no oscillation stayed above {above} for as long as it takes to tell its damping, {how.delay_s:g} s"]
    elif limit.kind != "recovery" and not reasons:
        delay_s = how.delay_s
        reasons = [
            f"never judged for its delay, {delay_s:g} s, without a break" if delay_s else _NEVER.get(limit.kind, _NOTHING)
        ]
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
        basis=limit.basis,
        unverified=limit.unverified,
        reasons=reasons,
    )


def _never_picked_up(limit: Limit, relay: Any) -> bool:
    """Whether what acts as a relay, and not as a limit, has never been asked anything."""
    return relay is not None and relay["picked_ticks"] == 0 and getattr(limit, "acts_as", "limit") == "relay"


def _pick_up(limit: Any) -> str:
    of = limit.picks_up
    pickup = float(getattr(limit, of.pickup))
    return f"never picked up: {of.subject} never {'fell below' if of.under else 'exceeded'} {pickup:g} {of.unit}"


def _unfinished(limit: Limit, state: Any) -> list[str]:
    """What still went on at the end of the run, so that its value is not known."""
    phase = int(state["phase"])
    if limit.kind == "on_battery" and phase:
        return ["the run ended while it was on battery"]
    if limit.kind == "recovery" and phase:
        what = "during a dip" if phase == CODES["phase.in_dip"] else "before the power was back"
        return [f"the run ended {what}"]
    return []


def _steps_longer_than_run(evidence: Evidence, limit: Limit, state: Any) -> list[str]:
    """What a limit of steps could not show: a time longer than all there was, which was running when the run ended.

    It was, where the share that is used up was largest at the last sample: until a disturbance ends it grows.
    """
    if limit.kind == "overload":
        steps = limit.steps
    elif limit.kind == "output_voltage":
        steps = [*limit.below, *limit.above]
    else:
        return []
    longest_s, run_s = max((time_s for _, time_s in steps), default=0.0), evidence.ticks * evidence.tick_s
    if longest_s < run_s - 0.5 * evidence.tick_s or state["highest"] <= 0.0 or state["highest_tick"] < evidence.ticks - 1:
        return []
    return [f"the run ended while a step's time ran on, and the longest, {longest_s:g} s, is longer than the run, {run_s:g} s"]


def _suspect(evidence: Evidence, state: Any) -> list[str]:
    """What was not judged because ticks came too late."""
    if state["suspect_ticks"] == 0:
        return []
    suspect_s, beyond_s = (int(state[name]) * evidence.tick_s for name in ("suspect_ticks", "suspect_beyond_ticks"))
    also = f", {beyond_s:g} s of it beyond the limit" if beyond_s else ""
    late = f"ticks later than {1e3 * evidence.late_s:g} ms (clock.overrun_budget) within its window"
    return [f"{suspect_s:g} s not judged{also}: {late}"]


def _looks_back(limit: Limit) -> dict[str, float]:
    """How far back what a limit sees first lies, in parts that people know, s."""
    if isinstance(limit, RampRate):
        window_s = float(limit.window_s)
        means = {"unstated": max(limit.averaged_s, window_s), "mean_difference": limit.averaged_s, "block_average": window_s}
        return {"window": window_s, "mean": means.get(limit.form, 0.0), "start": float(limit.block_start_s or 0.0)}
    if isinstance(limit, Damping):
        window_s = float(limit.window_s)
        return {"two windows": 2.0 * window_s, "begin of an oscillation": SETTLED_WINDOWS * window_s}
    parts = {key: float(getattr(limit, f"{key}_s", 0.0)) for key in ("window", "mean", "delay", "timer_window")}
    if parts["timer_window"] > 0.0:  # which the delay lies in
        parts["delay"] = 0.0
    return parts


def longer_than_run(tick_s: float, limit: Limit, ticks: int) -> list[str]:
    """What a limit has not seen in a run of `ticks` ticks because it looks back farther, as a reason; none where it has."""
    if limit.kind in ("recovery", "ride_through"):  # their means look back at what was before the run, at rest
        return []
    parts = _looks_back(limit)
    needed_s, run_s = sum(parts.values()), ticks * tick_s
    if needed_s <= run_s + 0.5 * tick_s:
        return []
    some = [f"{key} {part_s:g} s" for key, part_s in parts.items() if part_s > 0.0]
    made_of = f" ({', '.join(some)})" if len(some) > 1 else ""
    return [f"its window, {needed_s:g} s{made_of}, is longer than the run, {run_s:g} s"]
