"""What the result of a limit rests on, and what of that was lacking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hil.kernel.layout import CODES
from hil.limits.kinds.power import SETTLED_WINDOWS
from hil.scenario.grid import Measurement
from hil.scenario.limit import Damping, Limit, RampRate


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


def lacking(evidence: Evidence, limit: Limit, state: Any) -> list[str]:
    """Why a limit that was held may not have been seen to be: it looks back too far, goes on, or ticks came too late."""
    return [*longer_than_run(evidence.tick_s, limit, evidence.ticks), *_unfinished(limit, state), *_suspect(evidence, state)]


def _unfinished(limit: Limit, state: Any) -> list[str]:
    """What still went on at the end of the run, so that its value is not known."""
    phase = int(state["phase"])
    if limit.kind == "on_battery" and phase:
        return ["the run ended while it was on battery"]
    if limit.kind == "recovery" and phase:
        what = "during a dip" if phase == CODES["phase.in_dip"] else "before the power was back"
        return [f"the run ended {what}"]
    return []


def steps_longer_than_run(evidence: Evidence, limit: Limit, state: Any) -> list[str]:
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
