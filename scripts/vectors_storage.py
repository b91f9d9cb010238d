"""Reference vectors of limits on batteries: a kind as a file has it, on the signals of a device."""

from __future__ import annotations

import math
from collections.abc import Iterable

from vectors_relays import OURS, Vector, vector

HEADER = """
Limits on batteries, from the keys of a file to what they count: at each bound, one step of the floating point to either side of it,
and one tick to either side of each time. A device has 256 cells (lithium iron phosphate, 3.2 V), 128 A h and 4096 W, so that scales
are exact. At a bound is inside; a delay is a closed window. No source says what holds exactly at a level: there docs/protection.md
does. Stages of cells: MG Energy Systems' manual, page 42.
"""
DT = 0.01
DEVICE = {"rating": 4096.0, "capacity_ah": 128.0, "ambient_degc": 25.0, "nominal_v": 819.2, "cell_v": 3.2}
CELLS, AMPERE_HOURS = 256.0, 128.0
MG = {"standard": "MG Energy Systems manual", "edition": "page 42", "evidence": "C"}
Steps = list[list[float]]


def files() -> dict[str, tuple[str, list[Vector]]]:
    """Header and vectors of each file."""
    return {"storage": (HEADER, [*cells(), *strings(), *charge(), *rates(), *temperatures()])}


def made(
    of: dict[str, str],
    clause: str,
    words: str,
    limit: Vector,
    signals: dict[str, Steps],
    *,
    after: float | None = None,
    **more: Vector,
) -> Vector:
    """A vector that expects a violation `after` so many seconds, or none."""
    given = {"limit": limit, **({} if more.get("unknown") else {"device": DEVICE}), "signals": signals, "dt_s": DT}
    expect: Vector = {"violated": after is not None}
    if after is not None:
        expect["time_s"] = round(after, 9)
    return vector(of, clause, words, given, expect | more.get("expect", {}), function="kind")


def around(
    of: dict[str, str],
    limit: Vector,
    channel: str,
    bound: float,
    way: float,
    delay_s: float,
    rest: float,
    beside: dict[str, Steps] | None = None,
) -> Iterable[Vector]:
    """One step to either side of a bound, at it, and one tick to either side of a delay. way: out of the bound, ±infinite."""
    clause = f"{limit['kind']}, {'below' if way < 0.0 else 'above'}"
    far, ticks = bound + math.copysign(0.25 * abs(bound) + 0.25, way), round(delay_s / DT)
    for words, value, so_long, after in (
        ("at the bound", bound, ticks + 2, None),
        ("one step inside", math.nextafter(bound, -way), ticks + 2, None),
        ("one step beyond", math.nextafter(bound, way), ticks + 2, delay_s),
        ("beyond for its delay, less a tick", far, ticks, None) if ticks else ("", 0.0, 0, None),
        ("beyond for its delay", far, ticks + 1, delay_s),
    ):
        if not words:
            continue
        steps = [[rest, 0.1], [value, round(so_long * DT, 9)], [rest, 0.1]]
        seconds = sum(step[-1] for step in steps)
        others = {name: [[*values, seconds]] for name, values in (beside or {}).items()}
        at = None if after is None else 0.1 + after
        yield made(
            OURS if value == bound else of, clause, f"{_name(limit)}: {words}", limit, {channel: steps, **others}, after=at
        )


def _name(limit: Vector) -> str:
    return ", ".join(f"{key} {value}" for key, value in limit.items() if key not in ("kind", "node"))


def cells() -> list[Vector]:
    found: list[Vector] = []
    for node, channel in (("bess.a", "bess.a.dc_voltage_v"), ("ups.a", "ups.a.battery_voltage_v")):
        for key, volts, way in (("min", 2.4, -math.inf), ("max", 3.65, math.inf)):
            limit = {"kind": "cell_voltage", "node": node, key: f"{volts} V", "delay": "5 s"}
            for one in around(MG, limit, channel, volts, way, 5.0, 3.3):
                one["input"]["signals"] = {channel: scaled(one["input"]["signals"][channel], CELLS)}
                found.append(one)
    # A drop-out of its own: the overvoltage warning.
    limit = {"kind": "cell_voltage", "node": "bess.a", "max": "3.6 V", "delay": "20 s", "release": "3.52 V"}
    beyond = 3.7
    for words, between, after in (
        ("between release and bound its delay runs on", math.nextafter(3.52, math.inf), 20.0),
        ("at its release it begins anew", 3.52, 12.0 + 20.0),
    ):
        steps = [[beyond, 10.0], [between, 2.0], [beyond, 25.0]]
        found.append(
            made(MG, "cell_voltage, release", words, limit, {"bess.a.dc_voltage_v": scaled(steps, CELLS)}, after=after)
        )
    for words, between, beyond_s in (
        ("a violation stays between bound and release", math.nextafter(3.52, math.inf), 2.0 + 3.0),
        ("a violation ends at the release", 3.52, 2.0),
    ):
        steps = [[beyond, 22.0], [between, 3.0], [3.3, 1.0]]
        made_of = {"expect": {"beyond_s": round(beyond_s, 9)}}
        found.append(
            made(
                MG, "cell_voltage, release", words, limit, {"bess.a.dc_voltage_v": scaled(steps, CELLS)}, after=20.0, **made_of
            )
        )
    below = {"kind": "cell_voltage", "node": "bess.a", "min": "2.6 V", "delay": "1 s", "release": "2.8 V"}
    steps = [[2.5, 0.5], [math.nextafter(2.8, 0.0), 0.3], [2.5, 0.5], [2.8, 0.1], [2.5, 1.0], [3.3, 0.1]]
    found.append(made(OURS, "cell_voltage, release", "below", below, {"bess.a.dc_voltage_v": scaled(steps, CELLS)}, after=1.0))
    # Both bounds of one stage; a recording has lowest and highest cell.
    both = {"kind": "cell_voltage", "node": "bess.a", "min": "2.4 V", "max": "3.65 V"}
    for words, lowest, highest, after in (
        ("neither cell beyond", 2.4, 3.65, None),
        ("lowest cell beyond", math.nextafter(2.4, 0.0), 3.65, 0.5),
        ("highest cell beyond", 2.4, math.nextafter(3.65, 9.0), 0.5),
        ("the lowest is high: nobody's bound", 3.7, 3.6, None),
    ):
        signals = {
            f"bess.a.cell_voltage_{which}_v": [[3.3, 0.5], [value, 0.1]]
            for which, value in (("lowest", lowest), ("highest", highest))
        }
        found.append(made(OURS, "cell_voltage, as recorded", words, both, signals, after=after, unknown=True))
    return found


def scaled(steps: Steps, factor: float) -> Steps:
    return [[value * factor, seconds] for value, seconds in steps]


def strings() -> list[Vector]:
    found: list[Vector] = []
    for node, channel in (("bess.a", "bess.a.dc_voltage_v"), ("ups.a", "ups.a.battery_voltage_v")):
        for key, volts, way in (("min", 640.0, -math.inf), ("max", 940.0, math.inf)):
            limit = {"kind": "dc_voltage", "node": node, key: f"{volts} V", "delay": "200 ms"}
            found += around(OURS, limit, channel, volts, way, 0.2, 800.0)
    limit = {"kind": "dc_voltage", "node": "bess.a", "min": "640 V", "delay": "200 ms", "release": "660 V"}
    for words, between, after in (("between", math.nextafter(660.0, 0.0), 0.2), ("at its release", 660.0, 0.35)):
        steps = [[630.0, 0.1], [between, 0.05], [630.0, 0.3]]
        found.append(made(OURS, "dc_voltage, release", words, limit, {"bess.a.dc_voltage_v": steps}, after=after))
    return found


def charge() -> list[Vector]:
    found: list[Vector] = []
    for node in ("bess.a", "ups.a"):
        limit = {"kind": "soc_window", "node": node, "window": [0.2, 0.8], "delay": "100 ms"}
        found += around(OURS, limit, f"{node}.soc", 0.2, -math.inf, 0.1, 0.5)
        found += around(OURS, limit, f"{node}.soc", 0.8, math.inf, 0.1, 0.5)
    full = {"kind": "soc_window", "node": "ups.a", "window": [0.2, 1.0]}
    found.append(
        made(OURS, "soc_window, above", "a UPS that is full, and by rounding more", full, {"ups.a.soc": [[1.0 + 1e-9, 0.1]]})
    )
    return found


def rates() -> list[Vector]:
    found: list[Vector] = []
    for node, channel in (("bess.a", "bess.a.dc_current_a"), ("ups.a", "ups.a.battery_current_a")):
        for keys, bound, way in (
            ({"charge": 0.5}, -0.5, -math.inf),
            ({"discharge": 2.0}, 2.0, math.inf),
            ({"max": 1.0}, 1.0, math.inf),
            ({"max": 1.0}, -1.0, -math.inf),
            ({"charge": 0.5, "discharge": 2.0}, -0.5, -math.inf),
            ({"charge": 0.5, "discharge": 2.0}, 2.0, math.inf),
        ):
            limit = {"kind": "c_rate", "node": node, **keys, "delay": "100 ms"}
            for one in around(OURS, limit, channel, bound, way, 0.1, 0.0):
                one["input"]["signals"] = {channel: scaled(one["input"]["signals"][channel], AMPERE_HOURS)}
                found.append(one)
    for keys, rate in (({"charge": 0.5}, 9.0), ({"discharge": 0.5}, -9.0)):
        limit = {"kind": "c_rate", "node": "bess.a", **keys}
        words = f"{_name(limit)}: the other way is free"
        found.append(made(OURS, "c_rate", words, limit, {"bess.a.dc_current_a": [[rate * AMPERE_HOURS, 0.1]]}))
    return found


def temperatures() -> list[Vector]:
    found: list[Vector] = []
    for key, degc, way in (("min", -20.0, -math.inf), ("max", 45.0, math.inf)):
        limit = {"kind": "battery_temperature", "node": "bess.a", key: f"{degc} degC", "delay": "200 ms"}
        found += around(OURS, limit, "bess.a.temperature_degc", degc, way, 0.2, 25.0)
    frost = {"kind": "battery_temperature", "node": "bess.a", "min": "0 degC", "during": "charging", "delay": "200 ms"}
    found += around(OURS, frost, "bess.a.temperature_degc", 0.0, -math.inf, 0.2, 10.0, {"bess.a.dc_current_a": [-1.0]})
    heat = {"kind": "battery_temperature", "node": "ups.a", "max": "45 degC", "during": "discharging"}
    found += around(OURS, heat, "ups.a.temperature_degc", 45.0, math.inf, 0.0, 25.0, {"ups.a.battery_current_a": [1.0]})
    for limit, channel, way in ((frost, "bess.a.dc_current_a", -1.0), (heat, "ups.a.battery_current_a", 1.0)):
        node, degc, delay_s = limit["node"], -9.0 if limit is frost else 60.0, 0.2 if limit is frost else 0.0
        quarter = limit | {"least": 0.25}
        for words, asked, ampere, after in (
            ("no current", limit, 0.0, None),
            ("a current the other way", limit, -way, None),
            ("at the least current", quarter, way * 0.25 * AMPERE_HOURS, delay_s),
            ("one step less than that", quarter, way * math.nextafter(0.25, 0.0) * AMPERE_HOURS, None),
            ("a thousandth of the capacity per hour, less a hundredth of it", limit, way * 0.00099 * AMPERE_HOURS, None),
            ("and more by a hundredth", limit, way * 0.00101 * AMPERE_HOURS, delay_s),
        ):
            signals = {f"{node}.temperature_degc": [[degc, 0.5]], channel: [[ampere, 0.5]]}
            found.append(made(OURS, f"battery_temperature, {limit['during']}", words, asked, signals, after=after))
    signals = {"bess.a.temperature_degc": [[-9.0, 0.6]], "bess.a.dc_current_a": [[-1.0, 0.15], [0.0, 0.01], [-1.0, 0.44]]}
    words = "its delay begins anew where the current stops"
    found.append(made(OURS, "battery_temperature, charging", words, frost, signals, after=0.16 + 0.2))
    return found
