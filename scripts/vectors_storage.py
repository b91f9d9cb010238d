"""Reference vectors of limits on batteries and UPSs: a kind as a file has it, on the signals of a device."""

from __future__ import annotations

import math
from collections.abc import Iterable

from vectors_relays import OURS, Vector, vector

HEADER = """
Limits on batteries and UPSs, from the keys of a file to what they count: at each bound, one step of the floating point to either side of
it, and one tick to either side of each time. A device has 256 cells (lithium iron phosphate, 3.2 V), 128 A h and 4096 W, so
that scales are exact. At a bound is inside; a delay is a closed window; times of steps are exceeded where the time beyond, a sample
counting as a tick, is longer. No source says what holds exactly at a level: there docs/protection.md does. Stages of cells: MG Energy
Systems' manual, page 42. Overload classes: Huawei's data sheet.
"""
DT = 0.01
DEVICE = {"rating": 4096.0, "capacity_ah": 128.0, "ambient_degc": 25.0, "nominal_v": 819.2, "cell_v": 3.2}
CELLS, AMPERE_HOURS, WATTS = 256.0, 128.0, 4096.0
MG = {"standard": "MG Energy Systems manual", "edition": "page 42", "evidence": "C"}
SHEET = {"standard": "Data sheets of UPSs", "edition": "as read 2026", "evidence": "C"}
NERC = {"standard": "NERC incident review, 10 July 2024", "edition": "2025", "evidence": "C"}
Steps = list[list[float]]


def files() -> dict[str, tuple[str, list[Vector]]]:
    """Header and vectors of each file."""
    batteries = [*cells(), *strings(), *charge(), *rates(), *temperatures()]
    return {"storage": (HEADER, [*batteries, *overloads(), *outputs(), *links(), *times(), *transfers(), *returns()])}


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
                one["input"]["signals"] = {channel: _times(one["input"]["signals"][channel], CELLS)}
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
            made(MG, "cell_voltage, release", words, limit, {"bess.a.dc_voltage_v": _times(steps, CELLS)}, after=after)
        )
    for words, between, beyond_s in (
        ("a violation stays between bound and release", math.nextafter(3.52, math.inf), 2.0 + 3.0),
        ("a violation ends at the release", 3.52, 2.0),
    ):
        steps = [[beyond, 22.0], [between, 3.0], [3.3, 1.0]]
        made_of = {"expect": {"beyond_s": round(beyond_s, 9)}}
        found.append(
            made(
                MG, "cell_voltage, release", words, limit, {"bess.a.dc_voltage_v": _times(steps, CELLS)}, after=20.0, **made_of
            )
        )
    below = {"kind": "cell_voltage", "node": "bess.a", "min": "2.6 V", "delay": "1 s", "release": "2.8 V"}
    steps = [[2.5, 0.5], [math.nextafter(2.8, 0.0), 0.3], [2.5, 0.5], [2.8, 0.1], [2.5, 1.0], [3.3, 0.1]]
    found.append(made(OURS, "cell_voltage, release", "below", below, {"bess.a.dc_voltage_v": _times(steps, CELLS)}, after=1.0))
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


def _times(steps: Steps, factor: float) -> Steps:
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
                one["input"]["signals"] = {channel: _times(one["input"]["signals"][channel], AMPERE_HOURS)}
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


HUAWEI = [["1.1 pu", "60 s"], ["1.3 pu", "3 s"], ["1.5 pu", "500 ms"]]


def overloads() -> list[Vector]:
    found: list[Vector] = []
    load = "ups.a.output_w"
    limit = {"kind": "overload", "node": "ups.a", "max": 1.25, "delay": "300 ms"}
    for one in around(OURS, limit, load, 1.25, math.inf, 0.3, 0.8):
        one["input"]["signals"] = {load: _times(one["input"]["signals"][load], WATTS)}
        found.append(one)
    steps = {"kind": "overload", "node": "ups.a", "steps": HUAWEI}
    for level, allowed_s in ((1.1, 60.0), (1.3, 3.0), (1.5, 0.5)):
        for words, value, more, violated in (
            ("at the level", level, 10, False),
            ("one step above the level, for its time", math.nextafter(level, 9.0), 0, False),
            ("one step above the level, a tick longer", math.nextafter(level, 9.0), 1, True),
        ):
            so_long = allowed_s + more * DT
            if value == level and level > 1.1:  # the time of the level below is longer
                so_long = allowed_s + 10 * DT
            signals = {load: _times([[0.8, 0.1], [value, round(so_long, 9)], [0.8, 0.1]], WATTS)}
            words = f"{level:g} pu: {words}"  # noqa: PLW2901
            found.append(
                made(
                    OURS if value == level else SHEET,
                    "Huawei UPS2000-G, overload",
                    words,
                    steps,
                    signals,
                    after=0.1 + allowed_s if violated else None,
                )
            )
    # 2 s at 1.4, 10 s at 1.2, 1 s at 1.4 are 3 s above 1.3 and 13 s above 1.1; a pause below 1.1 forgets them, but not in a window.
    parts = [[1.4, 2.0], [1.2, 10.0], [1.4, 1.0]]
    found.append(
        made(
            SHEET,
            "Huawei UPS2000-G, overload",
            "times add up: at the time",
            steps,
            {load: _times([*parts, [0.8, 0.1]], WATTS)},
        )
    )
    more = [*parts, [1.4, 0.01], [0.8, 0.1]]
    found.append(
        made(SHEET, "Huawei UPS2000-G, overload", "times add up: a tick more", steps, {load: _times(more, WATTS)}, after=13.0)
    )
    pause = [[1.4, 2.0], [1.1, 0.01], [1.4, 2.0], [0.8, 0.1]]
    found.append(
        made(
            SHEET,
            "Huawei UPS2000-G, overload",
            "back at the lowest level all is forgotten",
            steps,
            {load: _times(pause, WATTS)},
        )
    )
    window = steps | {"window": "10 s"}
    found.append(
        made(
            SHEET,
            "Huawei UPS2000-G, overload",
            "in a rolling window it is not",
            window,
            {load: _times(pause, WATTS)},
            after=3.01,
        )
    )
    # The window holds 1000 samples: at sample 999 the first is in it still, at sample 1000 one more leaves it than comes.
    limit = {"kind": "overload", "node": "ups.a", "steps": [["1.3 pu", "2 s"]], "window": "10 s"}
    for words, gap_s, after in (("all of it is in the window", 7.99, 9.99), ("a tick later it is not", 8.0, None)):
        spread = _times([[1.4, 2.0], [0.8, gap_s], [1.4, 1.0]], WATTS)
        found.append(made(OURS, "overload, rolling window", words, limit, {load: spread}, after=after))
    never = {"kind": "overload", "node": "ups.a", "steps": [["1.5 pu", "0 s"]]}
    for words, value, after in (("at it", 1.5, None), ("one step above", math.nextafter(1.5, 9.0), 0.1)):
        signals = {load: _times([[0.8, 0.1], [value, 0.01], [0.8, 0.1]], WATTS)}
        found.append(made(OURS, "overload, no time at all", words, never, signals, after=after))
    return found


def outputs() -> list[Vector]:
    found: list[Vector] = []
    channel = "ups.a.output_voltage_pu"
    envelope = {"below": [["0.9 pu", "1 s"], ["0.8 pu", "100 ms"]], "above": [["1.1 pu", "500 ms"]]}
    for at_level in (False, True):
        limit = {"kind": "output_voltage", "node": "ups.a", **envelope, **({"at_level": True} if at_level else {})}
        for level, way, allowed_s in ((0.9, -1.0, 1.0), (0.8, -1.0, 0.1), (1.1, 1.0, 0.5)):
            beyond = math.nextafter(level, 9.0 * way)
            inside = math.nextafter(level, -9.0 * way) if at_level else level
            outer = level if at_level else beyond
            side = f"{'below' if way < 0.0 else 'above'} {level:g} pu{', inclusive' if at_level else ''}"
            for words, value, more, violated in (
                ("last value inside", inside, 3, level == 0.8 and False),
                ("first value beyond, for its time", outer, 0, False),
                ("first value beyond, a tick longer", outer, 1, True),
            ):
                steps = [[1.0, 0.1], [value, round(allowed_s + more * DT, 9)], [1.0, 0.1]]
                at = 0.1 + allowed_s if violated else None
                found.append(made(OURS, "output_voltage", f"{side}: {words}", limit, {channel: steps}, after=at))
    limit = {"kind": "output_voltage", "node": "ups.a", **envelope}
    apart = [[0.85, 0.6], [0.9, 0.01], [0.85, 0.6], [1.0, 0.1]]
    found.append(made(OURS, "output_voltage", "a return ends the disturbance", limit, {channel: apart}))
    found.append(made(OURS, "output_voltage", "but not the window", limit | {"window": "5 s"}, {channel: apart}, after=1.01))
    found.append(
        made(
            OURS,
            "output_voltage",
            "below and above have times of their own",
            limit,
            {channel: [[0.85, 0.9], [1.15, 0.4], [0.85, 0.1], [1.0, 0.1]]},
        )
    )
    found.append(
        made(
            OURS,
            "output_voltage",
            "one that stays out adds up",
            limit,
            {channel: [[0.85, 0.9], [1.15, 0.4], [0.85, 0.11], [1.0, 0.1]]},
            after=1.4,
        )
    )
    return found


def links() -> list[Vector]:
    found: list[Vector] = []
    for keys, bound, way in (
        ({"min": 0.8}, 0.8, -math.inf),
        ({"max": 1.2}, 1.2, math.inf),
        ({"min": 0.8, "max": 1.2}, 1.2, math.inf),
    ):
        limit = {"kind": "dc_link", "node": "ups.a", **keys, "delay": "50 ms"}
        found += around(OURS, limit, "ups.a.dc_link_pu", bound, way, 0.05, 1.0)
    return found


def times() -> list[Vector]:
    """On battery: its time is that of its samples, a tick each."""
    found: list[Vector] = []
    channel = "ups.a.on_battery"
    for counts, parts, total_s in (
        ("longest", [[1.0, 1.5], [0.0, 0.5], [1.0, 1.0]], 1.5),
        ("total", [[1.0, 1.0], [0.0, 0.5], [1.0, 0.5]], 1.5),
    ):
        limit = {"kind": "on_battery", "node": "ups.a", "max": "1.5 s", "counts": counts}
        for words, more_s in (("at its time", 0.0), ("a tick longer", DT)):
            steps = [[0.0, 0.1], *parts[:-1], [1.0, round(parts[-1][1] + more_s, 9)], [0.0, 0.1]]
            if counts == "longest":
                steps = [[0.0, 0.1], [1.0, round(1.5 + more_s, 9)], *parts[1:], [0.0, 0.1]]
            at = None
            if more_s:
                at = 0.1 + 1.5 if counts == "longest" else 0.1 + 2.0
            expect = {"expect": {"worst": round(total_s + more_s, 9)}}
            found.append(made(OURS, "on_battery", f"{counts}: {words}", limit, {channel: steps}, after=at, **expect))
    return found


def transfers() -> list[Vector]:
    """The dips of 10 July 2024, each a transfer; and both ends of a window."""
    found: list[Vector] = []
    begins = [round(16.4 * i, 9) for i in range(6)]
    steps: Steps = []
    now = 0.0
    for begin in begins:
        if begin > now:
            steps.append([0.0, round(begin - now, 9)])
        steps.append([1.0, 2.0])
        now = begin + 2.0
    for most, window_s, after in ((2, 30.0, None), (2, 60.0, 32.8), (3, 60.0, 49.2), (4, 60.0, None), (5, 90.0, 82.0)):
        limit = {"kind": "transfers", "node": "ups.a", "max": most, "window": f"{window_s:g} s"}
        words = f"six dips in 82 s, at most {most} in {window_s:g} s"
        found.append(made(NERC, "transfers", words, limit, {"ups.a.on_battery": steps}, after=after))
    limit = {"kind": "transfers", "node": "ups.a", "max": 1, "window": "1 s"}
    for words, gap_s, after in (("at its end", 1.0, 1.1), ("a tick less", 0.99, 1.09), ("a tick more", 1.01, None)):
        pair = [[0.0, 0.1], [1.0, 0.2], [0.0, round(gap_s - 0.2, 9)], [1.0, 0.2], [0.0, 0.1]]
        found.append(made(OURS, "transfers, window", words, limit, {"ups.a.on_battery": pair}, after=after))
    return found


def returns() -> list[Vector]:
    """Recovery of a UPS's input to 90 % of what it was: a dip at the bus from 2 s to 2.1 s, and 0.5 s allowed after it."""
    found: list[Vector] = []
    voltage: Steps = [[1.0, 2.0], [0.5, 0.1], [1.0, 1.6]]
    limit = {
        "kind": "recovery",
        "node": "ups.a",
        "max": "500 ms",
        "share": 0.9,
        "below": 0.9,
        "mean": "1.28 s",
        "hold": "100 ms",
    }
    back = 0.9 * 1024.0
    late = 2.1 + 0.5
    for words, power, after in (
        ("at 90 % just in time", [[0.0, 0.6], [back, 1.1]], None),
        ("at 90 % a tick later", [[0.0, 0.61], [back, 1.09]], late),
        ("one step less than 90 %", [[0.0, 0.4], [math.nextafter(back, 0.0), 1.3]], late),
        ("back for a moment, less than hold", [[0.0, 0.3], [back, 0.05], [0.0, 0.3], [1024.0, 1.05]], late),
        ("back for hold and a tick", [[0.0, 0.3], [back, 0.11], [0.0, 0.3], [1024.0, 0.99]], None),
    ):
        signals = {"ups.a.input_w": [[1024.0, 2.0], *power], "bus.voltage_lowest_measured_pu": voltage}
        found.append(made(OURS, "recovery of a UPS", words, limit, signals, after=after))
    for words, depth, after in (
        ("a voltage at its level is no dip", 0.9, None),
        ("one step below is", math.nextafter(0.9, 0.0), late),
    ):
        signals = {
            "ups.a.input_w": [[1024.0, 2.0], [0.0, 1.7]],
            "bus.voltage_lowest_measured_pu": [[1.0, 2.0], [depth, 0.1], [1.0, 1.6]],
        }
        found.append(made(OURS, "recovery of a UPS", words, limit, signals, after=after))
    return found
