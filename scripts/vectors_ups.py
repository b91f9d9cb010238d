"""Reference vectors of limits on UPSs: a kind as a file has it, on the signals of a device."""

from __future__ import annotations

import math

from vectors_relays import OURS, Vector
from vectors_storage import DT, Steps, around, made, scaled

HEADER = """
Limits on UPSs, from the keys of a file to what they count, likewise (storage.toml). Times of steps are exceeded where the time beyond, a
sample counting as a tick, is longer. Overload classes: Huawei's data sheet. Six transfers in 82 s: the dips of counters.toml.
"""
SHEET = {"standard": "Data sheets of UPSs", "edition": "as read 2026", "evidence": "C"}
NERC = {"standard": "NERC incident review, 10 July 2024", "edition": "2025", "evidence": "C"}
WATTS = 4096.0


def files() -> dict[str, tuple[str, list[Vector]]]:
    """Header and vectors of each file."""
    return {"ups": (HEADER, [*overloads(), *outputs(), *links(), *times(), *transfers(), *returns()])}


HUAWEI = [["1.1 pu", "60 s"], ["1.3 pu", "3 s"], ["1.5 pu", "500 ms"]]


def overloads() -> list[Vector]:
    found: list[Vector] = []
    load = "ups.a.output_w"
    limit = {"kind": "overload", "node": "ups.a", "max": 1.25, "delay": "300 ms"}
    for one in around(OURS, limit, load, 1.25, math.inf, 0.3, 0.8):
        one["input"]["signals"] = {load: scaled(one["input"]["signals"][load], WATTS)}
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
            signals = {load: scaled([[0.8, 0.1], [value, round(so_long, 9)], [0.8, 0.1]], WATTS)}
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
            {load: scaled([*parts, [0.8, 0.1]], WATTS)},
        )
    )
    more = [*parts, [1.4, 0.01], [0.8, 0.1]]
    found.append(
        made(SHEET, "Huawei UPS2000-G, overload", "times add up: a tick more", steps, {load: scaled(more, WATTS)}, after=13.0)
    )
    pause = [[1.4, 2.0], [1.1, 0.01], [1.4, 2.0], [0.8, 0.1]]
    found.append(
        made(
            SHEET,
            "Huawei UPS2000-G, overload",
            "back at the lowest level all is forgotten",
            steps,
            {load: scaled(pause, WATTS)},
        )
    )
    window = steps | {"window": "10 s"}
    found.append(
        made(
            SHEET,
            "Huawei UPS2000-G, overload",
            "in a rolling window it is not",
            window,
            {load: scaled(pause, WATTS)},
            after=3.01,
        )
    )
    # The window holds 1000 samples: at sample 999 the first is in it still, at sample 1000 one more leaves it than comes.
    limit = {"kind": "overload", "node": "ups.a", "steps": [["1.3 pu", "2 s"]], "window": "10 s"}
    for words, gap_s, after in (("all of it is in the window", 7.99, 9.99), ("a tick later it is not", 8.0, None)):
        spread = scaled([[1.4, 2.0], [0.8, gap_s], [1.4, 1.0]], WATTS)
        found.append(made(OURS, "overload, rolling window", words, limit, {load: spread}, after=after))
    never = {"kind": "overload", "node": "ups.a", "steps": [["1.5 pu", "0 s"]]}
    for words, value, after in (("at it", 1.5, None), ("one step above", math.nextafter(1.5, 9.0), 0.1)):
        signals = {load: scaled([[0.8, 0.1], [value, 0.01], [0.8, 0.1]], WATTS)}
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
