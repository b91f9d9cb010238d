"""Limits on batteries and UPSs: where a recording of a device violates them (docs/protection.md, "Batteries and UPSs")."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from protection import envelopes, images, limits
from protection.relays import Relay, relay

Columns = Mapping[str, np.ndarray]
Steps = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Device:
    """rating: W. capacity: A h. cells: in series."""

    rating: float
    capacity: float
    cells: float


def violated(limit: Mapping[str, Any], device: Device, columns: Columns, dt: float) -> np.ndarray:
    """Samples at which a limit is violated. limit: its keys in SI. columns: by the end of their names (`soc`)."""
    return {
        "soc_window": _charge,
        "cell_voltage": _cells,
        "dc_voltage": _terminals,
        "c_rate": _rate,
        "battery_temperature": _temperature,
        "overload": _overload,
        "output_voltage": _output,
        "dc_link": _link,
        "on_battery": _on_battery,
        "transfers": _transfers,
    }[limit["kind"]](limit, device, columns, dt)


def _ticks(seconds: float, dt: float) -> int:
    return round(seconds / dt)


def _outside(value: np.ndarray, low: float | None, high: float | None, limit: Mapping[str, Any], dt: float) -> np.ndarray:
    """Strictly beyond for the whole of a closed delay."""
    delay = _ticks(limit.get("delay_s", 0.0), dt)
    bounds = (-math.inf if low is None else low, math.inf if high is None else high)
    return limits.level(value, *bounds, delay, np.zeros(value.size, dtype=bool)).beyond


def _charge(limit: Mapping[str, Any], _: Device, columns: Columns, dt: float) -> np.ndarray:
    low, high = limit["window"]
    full_is_rest = limit["node"].startswith("ups.") and high == 1.0
    return _outside(columns["soc"], low, None if full_is_rest else high, limit, dt)


def _stage(value: np.ndarray, low: float | None, high: float | None, limit: Mapping[str, Any], dt: float) -> np.ndarray:
    """Bounds with a delay; with a release what has gone beyond its one bound comes back there only."""
    if limit.get("release_v") is None:
        return _outside(value, low, high, limit, dt)
    bound = high if low is None else low
    delay = _ticks(limit.get("delay_s", 0.0), dt)
    return relay(value, Relay(bound, limit["release_v"], under=low is not None, delay_samples=delay)) >= 1.0


def _cells(limit: Mapping[str, Any], device: Device, columns: Columns, dt: float) -> np.ndarray:
    """All cells are alike."""
    value, out = _volts(limit, columns) / device.cells, np.zeros(_volts(limit, columns).size, dtype=bool)
    if limit.get("min_v") is not None:
        out |= _stage(value, limit["min_v"], None, limit, dt)
    if limit.get("max_v") is not None:
        out |= _stage(value, None, limit["max_v"], limit, dt)
    return out


def _terminals(limit: Mapping[str, Any], _: Device, columns: Columns, dt: float) -> np.ndarray:
    return _stage(_volts(limit, columns), limit.get("min_v"), limit.get("max_v"), limit, dt)


def _volts(limit: Mapping[str, Any], columns: Columns) -> np.ndarray:
    return columns["battery_voltage_v" if limit["node"].startswith("ups.") else "dc_voltage_v"]


def _amperes(limit: Mapping[str, Any], columns: Columns) -> np.ndarray:
    return columns["battery_current_a" if limit["node"].startswith("ups.") else "dc_current_a"]


def _rate(limit: Mapping[str, Any], device: Device, columns: Columns, dt: float) -> np.ndarray:
    """Discharging is positive."""
    both = limit.get("max")
    charge, discharge = (limit.get(way) if both is None else both for way in ("charge", "discharge"))
    value = _amperes(limit, columns) / device.capacity
    return _outside(value, None if charge is None else -charge, discharge, limit, dt)


def _temperature(limit: Mapping[str, Any], device: Device, columns: Columns, dt: float) -> np.ndarray:
    value, during = columns["temperature_degc"], limit.get("during", "always")
    if during != "always":
        rate = _amperes(limit, columns) / device.capacity * (-1.0 if during == "charging" else 1.0)
        value = np.where(rate >= limit.get("least", 0.001), value, np.nan)
    return _outside(value, limit.get("min_degc"), limit.get("max_degc"), limit, dt)


def _overload(limit: Mapping[str, Any], device: Device, columns: Columns, dt: float) -> np.ndarray:
    load = np.abs(columns["output_w"]) / device.rating
    if limit.get("steps"):
        return _times(load, (), limit["steps"], limit, dt)
    return _outside(load, None, limit["max"], limit, dt)


def _output(limit: Mapping[str, Any], _: Device, columns: Columns, dt: float) -> np.ndarray:
    return _times(columns["output_voltage_pu"], limit.get("below", ()), limit.get("above", ()), limit, dt)


def _times(value: np.ndarray, below: Steps, above: Steps, limit: Mapping[str, Any], dt: float) -> np.ndarray:
    """Longer beyond a level than its time, in what is outside all levels, or in a rolling window."""
    inclusive = bool(limit.get("at_level", False))
    thresholds = tuple(
        envelopes.Threshold(level, under, inclusive, _ticks(time_s, dt))
        for under, steps in ((True, below), (False, above))
        for level, time_s in steps
    )
    low = max((level for level, _ in below), default=-math.inf)
    high = min((level for level, _ in above), default=math.inf)
    if inclusive:
        low, high = float(np.nextafter(low, math.inf)), float(np.nextafter(high, -math.inf))
    setting = envelopes.Envelope(low, high, thresholds, stays=-math.inf, window=_ticks(limit.get("window_s", 0.0), dt))
    share, _ = envelopes.envelope(value, value, setting, 0.0)
    return share > 1.0


def _link(limit: Mapping[str, Any], _: Device, columns: Columns, dt: float) -> np.ndarray:
    return _outside(columns["dc_link_pu"], limit.get("min"), limit.get("max"), limit, dt)


def _on_battery(limit: Mapping[str, Any], _: Device, columns: Columns, dt: float) -> np.ndarray:
    return limits.spent(columns["on_battery"], 1.0, total=limit.get("counts") == "total") > _ticks(limit["max_s"], dt)


def _transfers(limit: Mapping[str, Any], _: Device, columns: Columns, dt: float) -> np.ndarray:
    return images.counter(columns["on_battery"], 0.5, _ticks(limit["window_s"], dt), under=False) > limit["max"]
