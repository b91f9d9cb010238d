"""How limits of UPSs are judged."""

from __future__ import annotations

from typing import Any

from hil.limits.counters import Counter
from hil.limits.facts import Facts
from hil.limits.judged import Function, Judged
from hil.limits.ratios import Ratio

_MOST_COUNTED = 1001


def _on_battery(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(f"{limit.node}.on_battery", high=limit.max_s, unit="s", value="limit.time")]


def _overload(limit: Any, facts: Facts) -> list[Judged]:
    channel = f"{limit.node}.load_pu"
    ratio = Function(
        "ratios", (f"{limit.node}.output_w",), (channel,), Ratio("magnitude", 1.0 / facts.devices[limit.node].rating)
    )
    return [Judged(channel, high=limit.max, unit="pu", functions=(ratio,))]


def _transfers(limit: Any, _: Facts) -> list[Judged]:
    channel = f"{limit.node}.transfers_{limit.window_s:g}_s"
    counted = Counter(0.5, limit.window_s, under=False, most=_MOST_COUNTED)
    counter = Function("counters", (f"{limit.node}.on_battery",), (channel,), counted)
    return [Judged(channel, high=float(limit.max), reference=-1.0, functions=(counter,))]


def _dc_link(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(f"{limit.node}.dc_link_pu", low=limit.min, unit="pu", reference=1.0)]


HOW = {
    "on_battery": _on_battery,
    "overload": _overload,
    "transfers": _transfers,
    "dc_link": _dc_link,
}
