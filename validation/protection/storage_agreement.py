"""Random cases of every kind of limit on batteries and UPSs through both implementations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from protection import replays
from protection.agreement import Tally
from protection.storage import Device, violated
from protection.waveforms import gaps, samples_of, ticks, waveform

DT = 0.01
DEVICE = Device(rating=4096.0, capacity=128.0, cells=256.0)  # whose scales are exact
Limit = dict[str, Any]


def _compared(limit: Limit, columns: dict[str, np.ndarray]) -> Tally:
    ours = violated(limit, DEVICE, columns, DT)
    theirs = replays.kind(limit, DEVICE, {f"{limit['node']}.{name}": column for name, column in columns.items()}, DT)
    return Tally(ours.size, int(np.sum(ours != theirs)), int(ours.sum()))


def _delay(rng: np.random.Generator, samples: int) -> Limit:
    return {"delay_s": round(ticks(rng, samples) * DT, 9)}


def _two(rng: np.random.Generator, low: Limit, high: Limit) -> Limit:
    """One bound, the other, or both."""
    return (low, high, low | high)[rng.integers(3)]


def _signal(rng: np.random.Generator, samples: int, bounds: Sequence[float]) -> np.ndarray:
    return gaps(rng, waveform(rng, samples, list(bounds)))


def _node(rng: np.random.Generator, *kinds: str) -> str:
    return f"{rng.choice(kinds)}.a"


def charge_case(rng: np.random.Generator) -> Tally:
    """State of charge; full is how a UPS stands by."""
    samples, window = samples_of(rng), (0.2, float(rng.choice([0.8, 1.0])))
    limit = {"kind": "soc_window", "node": _node(rng, "bess", "ups"), "window": window, **_delay(rng, samples)}
    return _compared(limit, {"soc": _signal(rng, samples, window)})


def voltage_case(rng: np.random.Generator) -> Tally:
    """Cells and terminals, with a release or without."""
    samples, kind = samples_of(rng), str(rng.choice(["cell_voltage", "dc_voltage"]))
    node, scale = _node(rng, "bess", "ups"), DEVICE.cells if kind == "cell_voltage" else 1.0
    low, high = (2.4, 3.65) if kind == "cell_voltage" else (640.0, 940.0)
    limit: Limit = {"kind": kind, "node": node, **_two(rng, {"min_v": low}, {"max_v": high}), **_delay(rng, samples)}
    bounds = [low, high]
    if len(limit.keys() & {"min_v", "max_v"}) == 1 and rng.random() < 0.6:
        limit["release_v"] = low * 1.05 if "min_v" in limit else high * 0.95
        bounds = [low if "min_v" in limit else high, limit["release_v"]]
    value = _signal(rng, samples, bounds) * scale
    return _compared(limit, {"battery_voltage_v" if node == "ups.a" else "dc_voltage_v": value})


def rate_case(rng: np.random.Generator) -> Tally:
    """Charging and discharging."""
    samples, node = samples_of(rng), _node(rng, "bess", "ups")
    keys = {"max": 1.0} if rng.random() < 0.3 else _two(rng, {"charge": 0.5}, {"discharge": 2.0})
    limit = {"kind": "c_rate", "node": node, **keys, **_delay(rng, samples)}
    value = _signal(rng, samples, [-1.0, -0.5, 1.0, 2.0]) * DEVICE.capacity
    return _compared(limit, {"battery_current_a" if node == "ups.a" else "dc_current_a": value})


def temperature_case(rng: np.random.Generator) -> Tally:
    """Always, or while a current flows one way."""
    samples, node = samples_of(rng), _node(rng, "bess", "ups")
    during = str(rng.choice(["always", "charging", "discharging"]))
    limit: Limit = {"kind": "battery_temperature", "node": node, "during": during, **_delay(rng, samples)}
    limit |= _two(rng, {"min_degc": 0.0}, {"max_degc": 45.0})
    columns = {"temperature_degc": _signal(rng, samples, [0.0, 45.0])}
    if during != "always":
        if rng.random() < 0.5:
            limit["least"] = 0.25
        current = _signal(rng, samples, [-0.25, 0.25]) * DEVICE.capacity
        current[rng.random(samples) < 0.2] = 0.0
        columns["battery_current_a" if node == "ups.a" else "dc_current_a"] = current
    return _compared(limit, columns)


def _steps(rng: np.random.Generator, levels: Sequence[float], samples: int) -> list[tuple[float, float]]:
    return [(level, round(ticks(rng, samples // 2) * DT, 9)) for level in levels[: rng.integers(1, len(levels) + 1)]]


def _window(rng: np.random.Generator, samples: int) -> Limit:
    return {"window_s": round(ticks(rng, samples) * DT, 9)} if rng.random() < 0.4 else {}


def overload_case(rng: np.random.Generator) -> Tally:
    """A level with a delay, or steps."""
    samples, levels = samples_of(rng), [1.1, 1.25, 1.5]
    limit: Limit = {"kind": "overload", "node": "ups.a"}
    if rng.random() < 0.3:
        limit |= {"max": 1.25, **_delay(rng, samples)}
    else:
        limit |= {"steps": _steps(rng, levels, samples), **_window(rng, samples)}
    return _compared(limit, {"output_w": _signal(rng, samples, levels) * DEVICE.rating})


def output_case(rng: np.random.Generator) -> Tally:
    """Steps below, above, or both."""
    samples = samples_of(rng)
    sides = {"below": _steps(rng, [0.9, 0.8, 0.5], samples)}, {"above": _steps(rng, [1.1, 1.2], samples)}
    limit = {
        "kind": "output_voltage",
        "node": "ups.a",
        "at_level": bool(rng.random() < 0.5),
        **_two(rng, *sides),
        **_window(rng, samples),
    }
    value = _signal(rng, samples, [0.8, 0.9, 1.1, 1.2])
    value[rng.random(samples) < rng.choice([0.0, 0.3])] = 1.0
    return _compared(limit, {"output_voltage_pu": value})


def link_case(rng: np.random.Generator) -> Tally:
    """Of the DC link."""
    samples = samples_of(rng)
    limit = {"kind": "dc_link", "node": "ups.a", **_two(rng, {"min": 0.8}, {"max": 1.2}), **_delay(rng, samples)}
    return _compared(limit, {"dc_link_pu": _signal(rng, samples, [0.8, 1.2])})


def battery_case(rng: np.random.Generator) -> Tally:
    """Time on battery, and transfers."""
    samples = samples_of(rng)
    on = (waveform(rng, samples, [1.0]) > 1.0).astype(float)
    limit: Limit = {"kind": "on_battery", "node": "ups.a", "max_s": (1 + ticks(rng, samples // 4)) * DT}
    limit["counts"] = str(rng.choice(["longest", "total"]))
    if rng.random() < 0.5:
        window_s = (1 + ticks(rng, samples)) * DT
        limit = {"kind": "transfers", "node": "ups.a", "max": int(rng.integers(0, 4)), "window_s": window_s}
    return _compared(limit, {"on_battery": on})


CASES: dict[str, Callable[[np.random.Generator], Tally]] = {
    "state of charge": charge_case,
    "voltage of cells and strings": voltage_case,
    "C-rate": rate_case,
    "temperature of a battery": temperature_case,
    "overload": overload_case,
    "output voltage": output_case,
    "DC link": link_case,
    "on battery, transfers": battery_case,
}
