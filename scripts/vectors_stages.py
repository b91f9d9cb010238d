"""Reference vectors of stages: default trips of IEEE 1547, overload classes of UPSs, cells of a battery."""

from __future__ import annotations

import math

from vectors_relays import Vector, vector

HEADER = """
Stages of relays with definite time. A stage operates `delay` after the first sample beyond its level, if it is beyond there
still; times are exact to the tick. IEEE 1547: strictly beyond the level, as EPRI's OpenDER 2.2.0 compares (trip_crit.py). Of the
overload classes and of the cells no source says what holds exactly at a level, so nothing stands there.
"""
_1547 = {"standard": "IEEE 1547", "edition": "2018, as in OpenDER 2.2.0", "evidence": "V"}
_SHEET = {"standard": "Data sheets of UPSs", "edition": "as read 2026", "evidence": "V"}
_CELL = {"standard": "MG Energy Systems manual", "edition": "page 42", "evidence": "V"}
# profile: of, clause, nominal, stages (name, level, under, delay in s), whether it is known what holds at a level
TRIPS = {
    "ieee_1547.trip_cat_i": ("category I", 1.0, (("OV2", 1.20, 0, 0.16), ("OV1", 1.10, 0, 2.0), ("UV1", 0.70, 1, 2.0), ("UV2", 0.45, 1, 0.16))),
    "ieee_1547.trip_cat_ii": ("category II", 1.0, (("OV2", 1.20, 0, 0.16), ("OV1", 1.10, 0, 2.0), ("UV1", 0.70, 1, 10.0), ("UV2", 0.45, 1, 0.16))),
    "ieee_1547.trip_cat_iii": ("category III", 1.0, (("OV2", 1.20, 0, 0.16), ("OV1", 1.10, 0, 13.0), ("UV1", 0.88, 1, 21.0), ("UV2", 0.50, 1, 2.0))),
    "ieee_1547.trip_frequency": ("frequency", 60.0, (("OF2", 62.0, 0, 0.16), ("OF1", 61.2, 0, 300.0), ("UF1", 58.5, 1, 300.0), ("UF2", 56.5, 1, 0.16))),
}  # fmt: skip
OVERLOADS = {
    "overload.staco": ("Staco", (("to_110", 1.00, 120.0), ("to_125", 1.10, 30.0), ("beyond", 1.25, 0.0))),
    "overload.huawei_ups2000_g": ("Huawei UPS2000-G", (("to_130", 1.10, 60.0), ("to_150", 1.30, 3.0), ("beyond", 1.50, 0.5))),
    "overload.riello": ("Riello", (("to_109", 1.02, 1800.0), ("to_130", 1.09, 30.0), ("to_150", 1.30, 10.0), ("beyond", 1.50, 0.0))),
    "overload.static_switch": ("static switch", (("to_125", 1.00, 600.0), ("to_150", 1.25, 60.0), ("to_1000", 1.50, 1 / 60), ("beyond", 10.0, 0.0))),
}  # fmt: skip
CELL = (
    ("almost charged", 3.440, 0, 10.0), ("charged", 3.520, 0, 10.0), ("overvoltage warning", 3.600, 0, 20.0),
    ("overvoltage critical", 3.650, 0, 5.0), ("almost discharged", 3.075, 1, 10.0), ("discharged", 2.800, 1, 10.0),
    ("undervoltage warning", 2.600, 1, 20.0), ("undervoltage critical", 2.400, 1, 5.0),
)  # fmt: skip
CLEARS = {"almost charged": 3.390, "charged": 3.440, "overvoltage warning": 3.520}


def tick_s(delay_s: float) -> float:
    """A tick of which the delay is a whole number."""
    return 1 / 960 if delay_s == 1 / 60 else 0.001 if delay_s < 30.0 else 0.01 if delay_s < 600.0 else 0.1


def files() -> dict[str, tuple[str, list[Vector]]]:
    """Header and vectors of each file."""
    return {"stages": (HEADER, [*trips(), *overloads(), *cells()])}


def trips() -> list[Vector]:
    found = []
    for profile, (clause, rest, stages) in TRIPS.items():
        for name, level, under, delay_s in stages:
            steps = steps_at(level, under, delay_s, rest)
            for words, value, ticks, operates in (*steps, ("at the level", level, 1, False)):
                dt_s = tick_s(delay_s)
                given = {
                    "profile": profile,
                    "stage": name,
                    "steps": [[value, round(ticks * dt_s, 6)], [rest, 5 * dt_s]],
                    "dt_s": dt_s,
                }
                if value == level:
                    given["steps"] = [[value, round(delay_s + 10 * dt_s, 6)]]
                expect = {"operates": True, "stage": name, "time_s": delay_s} if operates else {"operates": False}
                found.append(vector(_1547, f"default trips, {clause}", f"{name}: {words}", given, expect, function="stages"))
    # All stages together: the first one to operate.
    for profile, value, stage, delay_s in (
        ("ieee_1547.trip_cat_i", 1.21, "OV2", 0.16), ("ieee_1547.trip_cat_i", 1.15, "OV1", 2.0),
        ("ieee_1547.trip_cat_ii", 0.60, "UV1", 10.0), ("ieee_1547.trip_cat_ii", 0.30, "UV2", 0.16),
        ("ieee_1547.trip_cat_iii", 0.85, "UV1", 21.0), ("ieee_1547.trip_cat_iii", 0.49, "UV2", 2.0),
        ("ieee_1547.trip_frequency", 62.5, "OF2", 0.16), ("ieee_1547.trip_frequency", 58.0, "UF1", 300.0),
    ):  # fmt: skip
        dt_s = tick_s(delay_s)
        given = {"profile": profile, "steps": [[value, round(delay_s + 10 * dt_s, 3)]], "dt_s": dt_s}
        expect = {"operates": True, "stage": stage, "time_s": delay_s}
        words = f"all stages of {profile.split('.')[1]} at {value:g}"
        found.append(vector(_1547, f"default trips, {TRIPS[profile][0]}", words, given, expect, function="stages"))
    return found


def steps_at(level: float, under: int, delay_s: float, rest: float) -> list[tuple[str, float, int, bool]]:
    """What, value, for how many ticks, whether it operates: one step to either side of the level, and of the delay."""
    way = -math.inf if under else math.inf
    delay = round(delay_s / tick_s(delay_s))
    far = math.nextafter(level, way)
    well = level + (level - rest) * 0.01 if level != rest else level + math.copysign(0.01, way)
    return [
        ("one step beyond the level", far, delay + 1, True),
        ("one step inside the level", math.nextafter(level, -way), delay + 1, False),
        *((f"beyond for {delay + more} ticks", well, delay + more, more > 0) for more in (-1, 0, 1) if delay + more > 0),
    ]


def overloads() -> list[Vector]:
    found = []
    for profile, (clause, stages) in OVERLOADS.items():
        for i, (name, level, delay_s) in enumerate(stages):
            dt_s = tick_s(delay_s)
            for words, value, ticks, operates in steps_at(level, 0, delay_s, 0.5):
                if value == math.nextafter(level, -math.inf) and i == 0:
                    words = "one step inside the first level"  # noqa: PLW2901
                given = {"profile": profile, "steps": [[value, ticks * dt_s], [0.5, 5 * dt_s]], "dt_s": dt_s}
                expect = {"operates": True, "stage": name, "time_s": delay_s} if operates else {"operates": False}
                tolerance = {"relative": 1e-12} if delay_s == 1 / 60 else None
                found.append(
                    vector(_SHEET, f"{clause}, overload", f"{name}: {words}", given, expect, tolerance, function="stages")
                )
    of = _SHEET | {"evidence": "C"}
    burst = [[0.9, 0.1], [1.27, 0.25], [0.9, 0.1]]
    for profile in ("overload.huawei_ups2000_g", "overload.riello", "overload.staco"):
        expect: Vector = {"operates": False}
        if profile == "overload.staco":
            expect = {"operates": True, "stage": "beyond", "time_s": 0.1}  # its sheet stops at 125 %
        given = {"profile": profile, "steps": burst, "dt_s": 0.001}
        found.append(
            vector(
                of, f"{OVERLOADS[profile][0]}, burst", "an aggregate of 1.27 pu for 250 ms", given, expect, function="stages"
            )
        )
    given = {"profile": "overload.huawei_ups2000_g", "steps": [[0.9, 0.1], [1.55, 0.6]], "dt_s": 0.001}
    expect = {"operates": True, "stage": "beyond", "time_s": 0.6}
    found.append(vector(of, "Huawei UPS2000-G, burst", "1.55 pu for 0.6 s", given, expect, function="stages"))
    return found


def cells() -> list[Vector]:
    found = []
    for name, level, under, delay_s in CELL:
        dt_s = 0.01
        delay = round(delay_s / dt_s)
        for words, value, ticks, operates in steps_at(level, under, delay_s, 3.3):
            if words.startswith("beyond"):
                ticks = delay + round(ticks - delay_s / tick_s(delay_s))  # noqa: PLW2901
                words = f"beyond for {ticks} ticks"  # noqa: PLW2901
            else:
                ticks = delay + 1  # noqa: PLW2901
            given = {
                "profile": "lfp_cell",
                "stage": name,
                "steps": [[value, round(ticks * dt_s, 2)], [3.3, 0.05]],
                "dt_s": dt_s,
            }
            expect = {"operates": True, "stage": name, "time_s": delay_s} if operates else {"operates": False}
            found.append(vector(_CELL, name, words, given, expect, function="stages"))
        if name in CLEARS:
            clears = CLEARS[name]
            for words, value, time_s in (
                ("between clearing and level its delay runs on", math.nextafter(clears, math.inf), delay_s),
                ("where it clears its delay begins anew", clears, delay_s + 2.0),
            ):
                given = {
                    "profile": "lfp_cell",
                    "stage": name,
                    "steps": [[level + 0.01, 1.0], [value, 1.0], [level + 0.01, delay_s + 1]],
                }
                expect = {"operates": True, "stage": name, "time_s": time_s}
                found.append(vector(_CELL, name, words, given | {"dt_s": dt_s}, expect, function="stages"))
    return found
