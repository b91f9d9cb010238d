"""Mistakes in how a kind of limit on batteries and UPSs is judged: in what it is made of, and in what is made of its keys."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from protection_mutations import flip, plus, put, step, times

KIND = ("kind",)

PARAMETERS: tuple[tuple[str, tuple[str, ...], Callable[[Any, Any], None]], ...] = (
    ("kind: one cell more", KIND, times("ratios", "scale", 256.0 / 257.0)),
    ("kind: scale one step up", KIND, step("ratios", "scale", math.inf)),
    ("kind: a current must be of 2 C", KIND, put("ratios", "least", 2.0)),
    ("kind: least current one step up", KIND, step("ratios", "least", math.inf)),
    ("kind: least current one step down", KIND, step("ratios", "least", -math.inf)),
    ("kind: high one step up", KIND, step("limits", "high", math.inf)),
    ("kind: high one step down", KIND, step("limits", "high", -math.inf)),
    ("kind: low one step up", KIND, step("limits", "low", math.inf)),
    ("kind: low one step down", KIND, step("limits", "low", -math.inf)),
    ("kind: delay + 1 tick", KIND, plus("limits", "delay_ticks", 1)),
    ("kind: delay - 1 tick", KIND, plus("limits", "delay_ticks", -1)),
    ("kind: longest for total", KIND, flip("limits", "total")),
    ("kind: bypass counted as battery", KIND, put("limits", "counted", 0.0)),
    ("kind: release one step up", KIND, step("relays", "dropout", math.inf)),
    ("kind: release one step down", KIND, step("relays", "dropout", -math.inf)),
    ("kind: relay's delay + 1 tick", KIND, plus("relays", "delay_ticks", 1)),
    ("kind: relay's delay - 1 tick", KIND, plus("relays", "delay_ticks", -1)),
    ("kind: level one step up", KIND, step("envelopes", "level", math.inf)),
    ("kind: level one step down", KIND, step("envelopes", "level", -math.inf)),
    ("kind: a step's time + 1 tick", KIND, plus("envelopes", "allowed_ticks", 1)),
    ("kind: a step's time - 1 tick", KIND, plus("envelopes", "allowed_ticks", -1)),
    ("kind: at for beyond a level", KIND, flip("envelopes", "inclusive")),
    ("kind: window of steps + 1 tick", KIND, plus("envelopes", "window_ticks", 1)),
    ("kind: share of what was before one step up", KIND, step("limits", "share", math.inf)),
    ("kind: share of what was before one step down", KIND, step("limits", "share", -math.inf)),
    ("kind: back for a tick is back", KIND, put("limits", "hold_ticks", 0)),
    ("kind: dip one step deeper", KIND, step("limits", "below", -math.inf)),
    ("kind: window of transfers + 1 tick", KIND, plus("counters", "window_ticks", 1)),
    ("kind: window of transfers - 1 tick", KIND, plus("counters", "window_ticks", -1)),
)


def ways(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Change each way in which a kind is judged."""
    return lambda how: lambda limit, facts: [change(way) for way in how(limit, facts)]


def asked(**changed: Any) -> Callable[[Any], Any]:
    """Judge as if the file had said something else."""
    return lambda how: lambda limit, facts: how(limit.model_copy(update=changed), facts)


def other_way(how: Any) -> Any:
    """Judge a temperature while the current flows the other way."""
    other = {"charging": "discharging", "discharging": "charging", "always": "always"}
    return lambda limit, facts: how(limit.model_copy(update={"during": other[limit.during]}), facts)


def first_setting(**changed: Any) -> Callable[[Any], Any]:
    """Change the settings of the first function."""

    def change(way: Any) -> Any:
        if not way.functions:
            return way
        first, *others = way.functions
        return replace(way, functions=(replace(first, settings=replace(first.settings, **changed)), *others))

    return ways(change)


def other_cell(way: Any) -> Any:
    """Look at the other of the lowest and the highest cell."""
    name = way.channel.replace("lowest", "LOWEST").replace("highest", "lowest").replace("LOWEST", "highest")
    if way.channel == name:
        return way
    functions = tuple(replace(function, outputs=(name,)) for function in way.functions)
    return replace(way, channel=name, functions=functions)


CONSTANTS: tuple[tuple[str, tuple[str, ...], tuple[str, str], Callable[[Any], Any]], ...] = (
    ("c_rate: charge for discharge", KIND, ("kind", "c_rate"), ways(lambda way: replace(way, low=-way.high, high=-way.low))),
    ("c_rate: without its sign", KIND, ("kind", "c_rate"), first_setting(kind="magnitude")),
    (
        "c_rate: one way alone",
        KIND,
        ("kind", "c_rate"),
        ways(lambda way: replace(way, low=-math.inf) if math.isfinite(way.high) else way),
    ),
    ("cell_voltage: the other cell", KIND, ("kind", "cell_voltage"), ways(other_cell)),
    ("cell_voltage: no release", KIND, ("kind", "cell_voltage"), asked(release_v=None)),
    ("dc_voltage: no release", KIND, ("kind", "dc_voltage"), asked(release_v=None)),
    ("battery_temperature: always", KIND, ("kind", "battery_temperature"), asked(during="always")),
    ("battery_temperature: the other way", KIND, ("kind", "battery_temperature"), other_way),
    ("soc_window: without its upper bound", KIND, ("kind", "soc_window"), ways(lambda way: replace(way, high=math.inf))),
    (
        "soc_window: a full UPS is judged",
        KIND,
        ("kind", "soc_window"),
        ways(lambda way: replace(way, high=min(way.high, 1.0))),
    ),
    ("overload: no window", KIND, ("kind", "overload"), asked(window_s=0.0)),
    (
        "overload: at the time is beyond it",
        KIND,
        ("kind", "overload"),
        ways(lambda way: replace(way, high=math.nextafter(way.high, 0.0))),
    ),
    ("output_voltage: no window", KIND, ("kind", "output_voltage"), asked(window_s=0.0)),
    ("output_voltage: nothing above", KIND, ("kind", "output_voltage"), asked(above=[])),
    ("dc_link: no upper bound", KIND, ("kind", "dc_link"), asked(max=None)),
    ("transfers: one more", KIND, ("kind", "transfers"), ways(lambda way: replace(way, high=way.high + 1.0))),
    ("on_battery: as a level", KIND, ("kind", "on_battery"), ways(lambda way: replace(way, value="limit.level"))),
)
