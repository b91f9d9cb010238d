"""Limits on a signal: level, ramp in its forms, range (behind a band-pass: variation), rate of change, recovery."""

from __future__ import annotations

import math
from typing import Any

from hil.kernel.layout import CODES
from hil.limits.filters import butterworth, fill_filter
from hil.limits.trends import Blocks, Slope
from hil.verify.bench import Bench, Column, signal

_KINDS = {
    "level": CODES["limit.level"],
    "ramp": CODES["limit.ramp"],
    "peak_to_peak": CODES["limit.range"],
    "variation": CODES["limit.range"],
    "rocof": CODES["limit.rate"],
    "recovery": CODES["limit.recovery"],
    "slope": CODES["limit.level"],
    "block_average": CODES["limit.level"],
}
_MADE = ("variation", "slope", "block_average")
"""Which look at what a function makes of the signal."""


def run(given: dict[str, Any]) -> dict[str, Any]:
    """input: low, high (a bound, or both), delay_s, window_s, mean_s, dt_s, and the signal.

    variation: band_hz and order of the Butterworth band-pass before it. recovery: voltage, its steps; below, share, hold_s.
    block_average: start_s, at which a block begins.
    found: violated; time_s, of the first sample at which; worst, the value closest to a bound or farthest beyond it; samples,
    those judged, beyond, those beyond, and excursions.
    """
    dt_s, function = given["dt_s"], given["function"]
    bench = Bench()
    params, states = bench.add("limits")
    limit, state = params[0], states[0]
    columns = [signal(given)]
    if function == "recovery":
        columns.append(signal(given, "voltage"))
    low, high = given.get("low", -math.inf), given.get("high", math.inf)
    limit["kind"] = _KINDS[function]
    limit["low"], limit["high"] = low, high
    limit["has_low"], limit["has_high"] = math.isfinite(low), math.isfinite(high)
    limit["delay_ticks"] = round(given.get("delay_s", 0.0) / dt_s)
    state["highest"], state["lowest"] = -math.inf, math.inf
    state["first_tick"] = state["highest_tick"] = state["lowest_tick"] = -1
    _windows(bench, given, limit, state, float(columns[0][0]))
    if function in _MADE:
        {"variation": _band_pass, "slope": _slope, "block_average": _blocks}[function](bench, given, columns[0])
        limit["channel"] = 1
    bench.run(*columns, outputs=int(function in _MADE))
    worst = float(state["highest"]) if math.isfinite(high) else float(state["lowest"])
    counts = {"samples": "valid_ticks", "beyond": "beyond_ticks", "excursions": "excursions"}
    found: dict[str, Any] = {name: int(state[field]) for name, field in counts.items()}
    found |= {"violated": found["beyond"] > 0, "worst": worst}
    if found["violated"]:
        found["time_s"] = int(state["first_tick"]) * dt_s
    return found


def _windows(bench: Bench, given: dict[str, Any], limit: Any, state: Any, begin: float) -> None:
    """Give the windows of each kind their places, filled with the signal's first value."""
    dt_s, function = given["dt_s"], given["function"]
    window = round(given.get("window_s", 0.0) / dt_s)
    if function in ("ramp", "rocof"):
        limit["per_second"] = 1.0 / (window * dt_s)
        state["past"]["offset"], state["past"]["length"] = bench.place(window, begin), window
    if function == "ramp":
        _mean(bench, state["mean"], max(1, round(given.get("mean_s", 0.0) / dt_s)), begin)
    elif function in ("peak_to_peak", "variation"):
        for name in ("top", "bottom"):
            bench.extremum(state[name], window + 1)
    elif function == "recovery":
        limit["voltage"], limit["below"], limit["share"] = 1, given["below"], given["share"]
        limit["ticks_per_second"] = round(1.0 / dt_s)
        limit["hold_ticks"] = round(given.get("hold_s", 0.0) / dt_s)
        limit["slack"] = 1e-9 * abs(begin)
        state["before"] = begin
        _mean(bench, state["mean"], max(1, round(given["mean_s"] / dt_s)), begin)
        state["past"]["offset"], state["past"]["length"] = bench.place(1, begin), 1
    if limit["delay_ticks"] > 0:
        for name, used in (("held_high", limit["has_high"]), ("held_low", limit["has_low"])):
            if used:
                bench.extremum(state[name], int(limit["delay_ticks"]) + 1)


def _mean(bench: Bench, slot: Any, length: int, fill: float) -> None:
    slot["offset"], slot["length"], slot["total"] = bench.place(length, fill), length, fill * length


def _band_pass(bench: Bench, given: dict[str, Any], column: Column) -> None:
    params, states = bench.add("filters")
    sections = butterworth("band_pass", given["order"], given["band_hz"], 1.0 / given["dt_s"])
    blank = CODES["blank.never"]
    fill_filter(params[0], states[0], bench, sections, channel=0, output=1, blank=blank, initial=float(column[0]))


def _slope(bench: Bench, given: dict[str, Any], column: Column) -> None:
    params, states = bench.add("slopes")
    at: dict[str, Any] = {"channel": 0, "output": 1, "blank": CODES["blank.never"], "before": float(column[0])}
    Slope(given["window_s"]).fill(params[0], states[0], bench, dt_s=given["dt_s"], **at)


def _blocks(bench: Bench, given: dict[str, Any], column: Column) -> None:
    params, states = bench.add("blocks")
    at: dict[str, Any] = {"channel": 0, "output": 1, "blank": CODES["blank.never"], "before": float(column[0])}
    Blocks(given["window_s"], given.get("start_s", 0.0)).fill(params[0], states[0], dt_s=given["dt_s"], **at)
