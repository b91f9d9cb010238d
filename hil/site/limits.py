"""Limits: which channel each looks at, its bounds, its windows."""

from __future__ import annotations

import math
from typing import Any

from hil.kernel.layout import CODES
from hil.scenario.limit import Limit, Recovery
from hil.site.parts import Parts, Steady

_SLACK = 1e-11
"""Share of the short-circuit power that may be missing of what must be back: means leave a rest of rounding, zero's too."""
_KINDS = {
    "ramp": CODES["limit.ramp"],
    "peak_to_peak": CODES["limit.range"],
    "rocof": CODES["limit.rate"],
    "on_battery": CODES["limit.time"],
    "recovery": CODES["limit.recovery"],
}
_BLANKED_BY = {
    "undervoltage": CODES["blank.voltage"],
    "overvoltage": CODES["blank.voltage"],
    "ramp": CODES["blank.voltage"],
    "peak_to_peak": CODES["blank.voltage"],
    "underfrequency": CODES["blank.frequency"],
    "overfrequency": CODES["blank.frequency"],
    "rocof": CODES["blank.frequency"],
}
_OF_A_DEVICE = {
    "soc_window": "soc",
    "converter_current": "current_pu",
    "on_battery": "on_battery",
    "battery_temperature": "temperature_degc",
}


def limits(parts: Parts, steady: Steady, channels: tuple[str, ...]) -> None:
    """Fill the limits."""
    params, states = parts.make("limits", len(parts.scenario.limits))
    for limit, param, state in zip(parts.scenario.limits, params, states, strict=True):
        _limit(parts, limit, param, state, steady, channels)


def _limit(parts: Parts, limit: Limit, params: Any, state: Any, steady: Steady, channels: tuple[str, ...]) -> None:
    scenario, arena = parts.scenario, parts.arena
    params["kind"] = _KINDS.get(limit.kind, CODES["limit.level"])
    at_output = limit.node.startswith("ups.")  # a dip must not come through: nothing there is blanked
    params["blank"] = CODES["blank.never"] if at_output else _BLANKED_BY.get(limit.kind, CODES["blank.never"])
    params["channel"] = channels.index(limit_channel(limit))
    low, high = limit_bounds(limit)
    params["low"], params["high"] = low, high
    params["has_low"], params["has_high"] = math.isfinite(low), math.isfinite(high)
    state["highest"], state["lowest"] = -math.inf, math.inf
    state["first_tick"] = state["highest_tick"] = state["lowest_tick"] = -1
    state["last"] = steady.grid_w
    if limit.kind == "ramp":
        mean, window = max(1, scenario.ticks_of(limit.mean_s)), max(1, scenario.ticks_of(limit.window_s))
        params["per_second"] = 1.0 / (window * scenario.tick_s)
        arena.mean(state["mean"], mean, steady.grid_w)
        arena.delay(state["past"], window, steady.grid_w)
    elif limit.kind == "peak_to_peak":
        for name in ("top", "bottom"):
            arena.extremum(state[name], scenario.ticks_of(limit.window_s) + 1)
    elif limit.kind == "rocof":
        window = max(1, scenario.ticks_of(limit.window_s))
        params["per_second"] = 1.0 / (window * scenario.tick_s)
        arena.delay(state["past"], window, scenario.grid.frequency_hz)
    elif limit.kind == "on_battery":
        params["ticks_per_second"] = scenario.ticks_of(1.0)
        params["counted"], params["total"] = 1.0, limit.counts == "total"
    elif limit.kind == "recovery":
        _recovery(parts, limit, params, state, steady, channels)
    delay = scenario.ticks_of(getattr(limit, "delay_s", 0.0))
    params["delay_ticks"] = delay
    params["look_back_ticks"] = sum(scenario.ticks_of(getattr(limit, f"{key}_s", 0.0)) for key in ("window", "mean", "delay"))
    if delay > 0:
        for name, used in (("held_high", math.isfinite(high)), ("held_low", math.isfinite(low))):
            if used:
                arena.extremum(state[name], delay + 1)


def _recovery(parts: Parts, limit: Recovery, params: Any, state: Any, steady: Steady, channels: tuple[str, ...]) -> None:
    """What a recovery needs: where a dip shows, and the power before it, as if the site had stood for ever."""
    scenario, measuring = parts.scenario, parts.scenario.measurement
    at_ups = limit.node.startswith("ups.")
    node = "bus" if at_ups else "pcc"
    params["voltage"] = channels.index(f"{node}.voltage_lowest_measured_pu")
    params["ticks_per_second"] = scenario.ticks_of(1.0)
    params["hold_ticks"] = scenario.ticks_of(limit.hold_s)
    params["below"], params["share"] = limit.below, limit.share
    params["slack"] = _SLACK * scenario.grid.short_circuit_va
    before_w = steady.grid_w
    late = max(1, scenario.ticks_of(measuring.window_s))  # of the voltage, behind the power
    if at_ups:
        before_w = float(parts.states["ups_power"][list(scenario.ups).index(limit.node.removeprefix("ups."))]["input_w"])
        params["lag_ticks"] = scenario.ticks_of(measuring.delay_s)
        late += scenario.ticks_of(measuring.delay_s)
    state["before"] = before_w
    parts.arena.mean(state["mean"], max(1, scenario.ticks_of(limit.mean_s)), before_w)
    parts.arena.delay(state["past"], late, before_w)


def limit_channel(limit: Limit) -> str:
    """The channel that a limit looks at: of phase voltages the one that is worst for it."""
    if limit.kind == "undervoltage":
        if limit.node.startswith("ups."):
            return f"{limit.node}.output_voltage_pu"
        return f"{limit.node}.voltage_lowest_measured_pu"
    if limit.kind == "overvoltage":
        return f"{limit.node}.voltage_highest_measured_pu"
    if limit.kind in ("underfrequency", "overfrequency", "rocof"):
        return "pcc.frequency_measured_hz"
    if limit.kind == "recovery" and limit.node.startswith("ups."):
        return f"{limit.node}.input_w"
    if limit.kind in ("ramp", "peak_to_peak", "recovery"):
        return "pcc.power_measured_w"
    return f"{limit.node}.{_OF_A_DEVICE[limit.kind]}"


def limit_bounds(limit: Limit) -> tuple[float, float]:
    """Lowest and highest value inside the limit; infinite where it has none."""
    if limit.kind == "undervoltage":
        return limit.min, math.inf
    if limit.kind == "underfrequency":
        return limit.min_hz, math.inf
    if limit.kind == "overfrequency":
        return -math.inf, limit.max_hz
    if limit.kind == "ramp":
        low, high = -limit.max_w_per_s, limit.max_w_per_s
        return -math.inf if limit.direction == "up" else low, math.inf if limit.direction == "down" else high
    if limit.kind == "peak_to_peak":
        return -math.inf, limit.max_w
    if limit.kind == "rocof":
        return -limit.max_hz_per_s, limit.max_hz_per_s
    if limit.kind == "on_battery" or limit.kind == "recovery":  # noqa: PLR1714  # mypy narrows by it
        return -math.inf, limit.max_s
    if limit.kind == "battery_temperature":
        return -math.inf, limit.max_degc
    if limit.kind == "soc_window":
        low, high = (float(bound) for bound in limit.window)
        return low, math.inf if high == 1.0 and limit.node.startswith("ups.") else high  # full is how a UPS stands by
    return -math.inf, limit.max
