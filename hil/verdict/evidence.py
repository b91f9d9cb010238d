"""What the result of a limit rests on, and what of that was lacking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hil.kernel.layout import CODES
from hil.limits.kinds.power import SETTLED_WINDOWS
from hil.scenario.grid import Measurement
from hil.scenario.limit import Damping, Limit, RampRate
from hil.scenario.limit_rules import MOST_HZ

_LEAST_SAMPLES = 2.0
_FLICKER_HZ = 25.0  # above it the eye's weighting filter passes a quarter of what it does at its peak, and less


@dataclass(frozen=True)
class Evidence:
    """What results rest on. ticks: that were judged. late_s: ticks of the wall clock later than that are no evidence.

    relays: the states that the kernel left, by the channels that limits look at.
    offset_s: what is added to the end of a tick to give its time; of a recording, whose samples have times of their own.
    sampled_s: time between two samples of a recorded load.
    """

    tick_s: float
    ticks: int
    measurement: Measurement
    late_s: float = 0.0
    relays: Mapping[str, Any] = field(default_factory=dict)
    offset_s: float = 0.0
    sampled_s: float | None = None

    def time_s(self, tick: int) -> float:
        """When a tick was."""
        return (tick + 1) * self.tick_s + self.offset_s


def lacking(evidence: Evidence, limit: Limit, state: Any) -> list[str]:
    """Why a limit that was held may not have been seen to be: it looks back too far, goes on, or ticks came too late."""
    return [
        *longer_than_run(evidence.tick_s, limit, evidence.ticks),
        *load_too_slow(limit, evidence.sampled_s),
        *_unfinished(limit, state),
        *_suspect(evidence, state),
    ]


def load_too_slow(limit: Limit, sampled_s: float | None) -> list[str]:
    """What the samples of a recorded load, so far apart, leave open of a limit, as reasons. None: it was not recorded."""
    if sampled_s is None:
        return []
    found = []
    most_hz = MOST_HZ / sampled_s
    band = getattr(limit, "band_hz", None)
    if band is not None and band[1] > most_hz * (1.0 + 1e-9):
        what = f"its band reaches to {band[1]:g} Hz"
        found.append(f"{what}, and the load's {1.0 / sampled_s:.3g} samples a second show {most_hz:.3g} Hz at most")
    window_s = float(getattr(limit, "window_s", 0.0))
    if limit.kind in ("ramp", "peak_to_peak") and 0.0 < window_s < _LEAST_SAMPLES * sampled_s * (1.0 - 1e-9):
        found.append(f"its window, {window_s:g} s, is shorter than two samples of the load, {2.0 * sampled_s:.3g} s")
    if limit.kind == "flicker" and most_hz < _FLICKER_HZ:
        what = f"flicker weighs up to {_FLICKER_HZ:g} Hz"
        found.append(f"{what}, and the load's {1.0 / sampled_s:.3g} samples a second show {most_hz:.3g} Hz at most")
    return found


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
