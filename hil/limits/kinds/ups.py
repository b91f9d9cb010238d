"""How limits of UPSs are judged."""

from __future__ import annotations

import math
from typing import Any

from hil.limits.counters import Counter
from hil.limits.envelopes import Envelope, Threshold
from hil.limits.facts import Facts
from hil.limits.judged import Function, Judged, at_ups
from hil.limits.ratios import Ratio
from hil.scenario.limit_rules import limit_slug

_MOST_COUNTED = 1001


def _on_battery(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(f"{limit.node}.on_battery", high=limit.max_s, unit="s", value="limit.time")]


def _times_beyond(limit: Any, channel: str, below: Any, above: Any, *, at_level: bool = False) -> Function:
    """How much of its time the channel has been beyond a step, of the steps the largest share."""
    thresholds = tuple(
        Threshold(level, float(time_s), under=under, inclusive=at_level)
        for under, steps in ((True, below), (False, above))
        for level, time_s in steps
    )
    at_limit = f"limits.{limit_slug(limit.name)}"
    outputs = (f"{at_limit}.time_share", f"{at_limit}.let_go")  # the latter of nobody
    return Function("envelopes", (channel,), outputs, Envelope(thresholds, window_s=float(limit.window_s)))


def _overload(limit: Any, facts: Facts) -> list[Judged]:
    channel = f"{limit.node}.load_pu"
    ratio = Function(
        "ratios", (f"{limit.node}.output_w",), (channel,), Ratio("magnitude", 1.0 / facts.devices[limit.node].rating)
    )
    if not limit.steps:
        return [Judged(channel, high=limit.max, unit="pu", functions=(ratio,))]
    times = _times_beyond(limit, channel, (), limit.steps)
    return [Judged(times.outputs[0], high=1.0, functions=(ratio, times))]


def _transfers(limit: Any, _: Facts) -> list[Judged]:
    channel = f"{limit.node}.transfers_{limit.window_s:g}_s"
    counted = Counter(0.5, limit.window_s, under=False, most=_MOST_COUNTED)
    counter = Function("counters", (f"{limit.node}.on_battery",), (channel,), counted)
    return [Judged(channel, high=float(limit.max), reference=-1.0, functions=(counter,))]


def _disturbance_counter(limit: Any, facts: Facts) -> list[Judged]:
    """What is counted while a counter is on; that one is on at all no channel tells (`hil.verdict.counters`)."""
    counters = [limit.node] if at_ups(limit) else [name for name in facts.devices if name.startswith("ups.")]
    return [Judged(f"{name}.disturbances", high=0.0, reference=-1.0, variant=name, agree=False) for name in counters]


def _dc_link(limit: Any, _: Facts) -> list[Judged]:
    low = -math.inf if limit.min is None else limit.min
    high = math.inf if limit.max is None else limit.max
    return [Judged(f"{limit.node}.dc_link_pu", low=low, high=high, unit="pu", reference=1.0)]


def _output_voltage(limit: Any, facts: Facts) -> list[Judged]:
    channel = f"{limit.node}.output_voltage_pu"
    if limit.above and facts.devices[limit.node].units > 1:
        channel = f"{limit.node}.output_voltage_highest_pu"
    times = _times_beyond(limit, channel, limit.below, limit.above, at_level=limit.at_level)
    return [Judged(times.outputs[0], high=1.0, functions=(times,))]


HOW = {
    "on_battery": _on_battery,
    "overload": _overload,
    "transfers": _transfers,
    "disturbance_counter": _disturbance_counter,
    "dc_link": _dc_link,
    "output_voltage": _output_voltage,
}
