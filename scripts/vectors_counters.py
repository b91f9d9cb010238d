"""Reference vectors of counters: six dips in 82 s, devices that count, and the ends of a window."""

from __future__ import annotations

import math

from vectors_relays import OURS, Vector, vector

HEADER = """
Counters. 10 July 2024, Eastern Interconnection (NERC, Incident Review - Considering Simultaneous Voltage-Sensitive Load Reductions,
2025, from secondary reports): six faults in 82 s, 42 to 66 ms long, 0.25 to 0.40 pu left; the spacing is assumed equal, 16.4 s.
A count of N within W is reached at dip n where t(n) - t(n - N + 1) <= W: worked out from the times, both ends of the window in it.
"""
NERC = {"standard": "NERC incident review, 10 July 2024", "edition": "2025", "evidence": "C"}
BEGINS = (0.0, 16.4, 32.8, 49.2, 65.6, 82.0)
DIPS = list(zip(BEGINS, (0.25, 0.40, 0.30, 0.35, 0.28, 0.38), (0.042, 0.066, 0.050, 0.058, 0.046, 0.062), strict=True))
DT = 0.001


def files() -> dict[str, tuple[str, list[Vector]]]:
    """Header and vectors of each file."""
    return {"counters": (HEADER, [*event(), *devices(), *ends()])}


def reached(begins: list[int], count: int, window: int) -> tuple[int | None, int]:
    """Tick at which so many lie in a window, if ever, and the largest count; all in ticks."""
    counts = [sum(begin - window <= other <= begin for other in begins) for begin in begins]
    return next((begin for begin, n in zip(begins, counts, strict=True) if n >= count), None), max(counts)


def of_times(of: dict[str, str], clause: str, name: str, given: Vector) -> Vector:
    """The expectation from the times of a vector's dips."""
    dt_s = given["dt_s"]
    at, largest = reached(
        [round(begin / dt_s) for begin, *_ in given["dips"]], given["count"], round(given["window_s"] / dt_s)
    )
    expect: Vector = {"reaches": at is not None, "largest": largest}
    if at is not None:
        expect["time_s"] = round(at * dt_s, 9)
    return vector(of, clause, name, given, expect, function="counter")


def event() -> list[Vector]:
    found = []
    printed = {(3, 30.0): None, (3, 60.0): 32.8, (3, 90.0): 32.8}
    for count in (2, 3, 4, 5, 6):
        for window_s in (30.0, 60.0, 90.0):
            given = {
                "bound": 0.9,
                "window_s": window_s,
                "count": count,
                "rest": 1.0,
                "dips": DIPS,
                "duration_s": 83.0,
                "dt_s": DT,
            }
            made = of_times(NERC, "N in W", f"{count} dips in {window_s:g} s", given)
            assert (count, window_s) not in printed or made["expect"].get("time_s") == printed[count, window_s]
            found.append(made)
    return found


def devices() -> list[Vector]:
    mitsubishi = {"standard": "Mitsubishi 9700 manual", "edition": "as read 2026", "evidence": "V"}
    staco = {"standard": "Staco data sheet", "edition": "as read 2026", "evidence": "V"}
    found = []
    for gap_s, words in (
        (15.0, "four transfers in 45 s"),
        (20.0, "four in 60 s"),
        (20.001, "four in 60.003 s"),
        (25.0, "four in 75 s"),
    ):
        dips = [(1.0 + gap_s * i, 0.5, 0.1) for i in range(4)]
        given = {"bound": 0.9, "window_s": 60.0, "count": 4, "rest": 1.0, "dips": dips, "duration_s": 80.0, "dt_s": DT}
        found.append(of_times(mitsubishi, "three retransfers a minute, the fourth inhibited", words, given))
    for gap_s, words in ((1800.0, "three overload transfers in 3600 s"), (1800.1, "three in 3600.2 s")):
        dips = [(10.0 + gap_s * i, 1.3, 5.0) for i in range(3)]
        given = {
            "bound": 1.1, "under": False, "window_s": 3600.0, "count": 3, "rest": 0.8, "dips": dips, "duration_s": 3700.0, "dt_s": 0.1,
        }  # fmt: skip
        found.append(of_times(staco, "three overload transfers in one hour", words, given))
    return found


def ends() -> list[Vector]:
    found = []
    for window_s in (0.1, 5.0, 30.0):
        for more in (-1, 0, 1):
            second_s = round(0.01 + window_s + more * DT, 3)
            given = {
                "bound": 0.9, "window_s": window_s, "count": 2, "rest": 1.0, "dips": [(0.01, 0.5, 0.02), (second_s, 0.5, 0.02)],
                "duration_s": round(second_s + 0.1, 3), "dt_s": DT,
            }  # fmt: skip
            words = f"window {window_s:g} s, {f'{more:+d} tick' if more else 'its end'}"
            found.append(of_times(OURS, "Counters, both ends", words, given))
    for under in (True, False):
        way = -math.inf if under else math.inf
        for words, value, counts in (
            ("at", 0.9, 0),
            ("one step beyond", math.nextafter(0.9, way), 1),
            ("one step inside", math.nextafter(0.9, -way), 0),
        ):
            given = {
                "bound": 0.9, "under": under, "window_s": 1.0, "count": 1, "rest": 1.0 if under else 0.8, "dips": [(0.05, value, 0.02)],
                "duration_s": 0.1, "dt_s": DT,
            }  # fmt: skip
            expect: Vector = {"reaches": bool(counts), "largest": counts} | ({"time_s": 0.05} if counts else {})
            side = "below" if under else "above"
            found.append(vector(OURS, "Counters, bound", f"{side} 0.9: {words}", given, expect, function="counter"))
    once = {"bound": 0.9, "window_s": 1.0, "rest": 1.0, "dt_s": DT}
    found += [
        vector(OURS, "Counters", "beyond at the first sample", once | {"count": 1, "dips": [(0.0, 0.5, 0.05)], "duration_s": 0.1},
               {"reaches": True, "largest": 1, "time_s": 0.0}, function="counter"),
        vector(OURS, "Counters", "one long excursion is one", once | {"count": 2, "dips": [(0.05, 0.5, 0.9)], "duration_s": 1.0},
               {"reaches": False, "largest": 1}, function="counter"),
        vector(OURS, "Counters", "ten in a row, one tick apart",
               once | {"count": 10, "dips": [(0.002 * i, 0.5, 0.001) for i in range(10)], "duration_s": 0.1},
               {"reaches": True, "largest": 10, "time_s": 0.018}, function="counter"),
    ]  # fmt: skip
    return found
