"""How limits of batteries are judged, in a storage device or a UPS."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from hil.limits.facts import DeviceFacts, Facts
from hil.limits.judged import BELOW_ONE, Function, Judged, at_ups, between
from hil.limits.ratios import Ratio
from hil.limits.relays import Relay
from hil.scenario.limit_rules import limit_slug


def _soc_window(limit: Any, _: Facts) -> list[Judged]:
    low, high = (float(bound) for bound in limit.window)
    if high == 1.0 and at_ups(limit):  # full is how a UPS stands by
        return [Judged(f"{limit.node}.soc", low=low, reference=1.0)]
    return [Judged(f"{limit.node}.soc", low=low, high=high, reference=0.5 * (low + high))]


def _bounds(low: float | None, high: float | None) -> tuple[float, float]:
    return -math.inf if low is None else float(low), math.inf if high is None else float(high)


def _stage(limit: Any, channel: str, normal: float, bounds: tuple[float, float], made: tuple[Function, ...] = ()) -> Judged:
    """A voltage between bounds; with a drop-out of its own a relay has them."""
    low, high = bounds
    if limit.release_v is None:
        return Judged(channel, low=low, high=high, unit="V", reference=between(low, high, normal), functions=made)
    under = math.isfinite(low)
    relay = Relay(low if under else high, under=under, dropout=float(limit.release_v), delay_s=float(limit.delay_s))
    share = f"limits.{limit_slug(limit.name)}.operating_share"
    return Judged(share, high=BELOW_ONE, functions=(*made, Function("relays", (channel,), (share,), relay)))


def _terminals(limit: Any) -> str:
    return f"{limit.node}.{'battery' if at_ups(limit) else 'dc'}_voltage_v"


def _dc_voltage(limit: Any, facts: Facts) -> list[Judged]:
    device = facts.devices.get(limit.node)
    bounds = _bounds(limit.min_v, limit.max_v)
    return [_stage(limit, _terminals(limit), 0.0 if device is None else device.nominal_v, bounds)]


def _cell_voltage(limit: Any, facts: Facts) -> list[Judged]:
    """Of the lowest cell below, of the highest above: the string's over its cells, or what a recording has of them."""
    device = facts.devices.get(limit.node)
    low, high = _bounds(limit.min_v, limit.max_v)
    found = {}
    for which, bounds in (("lowest", (low, math.inf)), ("highest", (-math.inf, high))):
        if any(map(math.isfinite, bounds)):
            channel = f"{limit.node}.cell_voltage_{which}_v"
            made = () if device is None else (_per_cell(limit, channel, device),)
            found[which] = _stage(limit, channel, 0.0 if device is None else device.cell_v, bounds, made)
    if len(found) == 1:
        return list(found.values())
    return [replace(how, variant=f"{which} cell", agree=False) for which, how in found.items()]


def _per_cell(limit: Any, channel: str, device: DeviceFacts) -> Function:
    return Function("ratios", (_terminals(limit),), (channel,), Ratio("scaled", 1.0 / device.cells))


def _battery_temperature(limit: Any, facts: Facts) -> list[Judged]:
    low, high = _bounds(limit.min_degc, limit.max_degc)
    functions: tuple[Function, ...] = ()
    channel = f"{limit.node}.temperature_degc"
    device = facts.devices[limit.node]
    if limit.during != "always":
        channel, functions = _while_it_flows(limit, channel, device)
    reference = between(low, high, device.ambient_degc)
    return [Judged(channel, low=low, high=high, unit="degC", reference=reference, functions=functions)]


def _while_it_flows(limit: Any, temperature: str, device: DeviceFacts) -> tuple[str, tuple[Function, ...]]:
    """The channel of a temperature that is a number only while a current flows one way, and what makes it."""
    rate = _rate(limit, device)
    if limit.during == "charging":
        rate = replace(rate, outputs=(f"{limit.node}.charge_rate_per_h",), settings=Ratio("scaled", -1.0 / device.capacity_ah))
    channel = f"{limit.node}.temperature_{limit.during}_from_{limit.least:g}_per_h_degc"
    gate = Function("ratios", (temperature, rate.outputs[0]), (channel,), Ratio("gate", least=float(limit.least)))
    return channel, (rate, gate)


def _rate(limit: Any, device: DeviceFacts) -> Function:
    """Current over rated capacity; above 0 it discharges."""
    current = f"{limit.node}.{'battery' if at_ups(limit) else 'dc'}_current_a"
    return Function("ratios", (current,), (f"{limit.node}.c_rate_per_h",), Ratio("scaled", 1.0 / device.capacity_ah))


def _c_rate(limit: Any, facts: Facts) -> list[Judged]:
    rate = _rate(limit, facts.devices[limit.node])
    charge, discharge = (limit.charge, limit.discharge) if limit.max is None else (limit.max, limit.max)
    low, high = -math.inf if charge is None else -charge, math.inf if discharge is None else discharge
    return [Judged(rate.outputs[0], low=low, high=high, unit="1/h", functions=(rate,))]


HOW = {
    "soc_window": _soc_window,
    "battery_temperature": _battery_temperature,
    "c_rate": _c_rate,
    "cell_voltage": _cell_voltage,
    "dc_voltage": _dc_voltage,
}
