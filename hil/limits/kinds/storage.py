"""How limits of batteries are judged, in a storage device or a UPS."""

from __future__ import annotations

from typing import Any

from hil.limits.facts import Facts
from hil.limits.judged import Function, Judged, at_ups
from hil.limits.ratios import Ratio


def _soc_window(limit: Any, _: Facts) -> list[Judged]:
    low, high = (float(bound) for bound in limit.window)
    if high == 1.0 and at_ups(limit):  # full is how a UPS stands by
        return [Judged(f"{limit.node}.soc", low=low, reference=1.0)]
    return [Judged(f"{limit.node}.soc", low=low, high=high, reference=0.5 * (low + high))]


def _battery_temperature(limit: Any, facts: Facts) -> list[Judged]:
    ambient_degc = facts.devices[limit.node].ambient_degc
    return [Judged(f"{limit.node}.temperature_degc", high=limit.max_degc, unit="degC", reference=ambient_degc)]


def _c_rate(limit: Any, facts: Facts) -> list[Judged]:
    current = f"{limit.node}.{'battery' if at_ups(limit) else 'dc'}_current_a"
    channel = f"{limit.node}.c_rate_per_h"
    ratio = Function("ratios", (current,), (channel,), Ratio("magnitude", 1.0 / facts.devices[limit.node].capacity_ah))
    return [Judged(channel, high=limit.max, unit="1/h", functions=(ratio,))]


HOW = {
    "soc_window": _soc_window,
    "battery_temperature": _battery_temperature,
    "c_rate": _c_rate,
}
