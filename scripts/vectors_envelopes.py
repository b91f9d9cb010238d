"""Reference vectors of ride-through: bands to the step and to the tick, sloping lines, windows, recovery, a matrix of decisions."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import NamedTuple

from vectors_relays import OURS, Vector, vector

HEADER = """
Ride-through. Each band of a standard lies between two levels and has a time; a value that stands in a band may stand there for so
long, and a device may trip one tick later. Values stand in the middle of each band, and one step of the floating point to either
side of each level (at it, where the source says to which band it belongs); times one tick to either side. Decisions are looked
up in the bands, never computed with thresholds as the testbed does.
"""
MATRIX_HEADER = """
A matrix of decisions: nine single dips against six curves, typed in as published, the outcome of each cell. Band: lower <= V < upper;
a device survives where the duration is at most the limit.
"""
OTHER_HEADER = """
Ride-through beyond single values: IEEE 1547's sloping lines (compared at the voltage of the moment, as EPRI's OpenDER 2.2.0 does), times
that add up in a disturbance or in a rolling window, and the return of power after it. What docs/protection.md says of subjects in
other courses stands at the end.
"""
Of = dict[str, str]


class Side(NamedTuple):
    """Levels from the continuous band outwards, each with the seconds allowed beyond it.

    beyond_at: whether the level itself belongs to what is beyond it; None: no source says so. end: where the last band ends, None:
    nowhere.
    """

    under: bool
    levels: tuple[tuple[float, float], ...]
    beyond_at: bool | None
    end: float | None = None


def low(*levels: tuple[float, float], at: bool | None = False, end: float | None = None) -> Side:
    """Levels below."""
    return Side(True, levels, at, end)


def high(*levels: tuple[float, float], at: bool | None = None, end: float | None = None) -> Side:
    """Levels above."""
    return Side(False, levels, at, end)


def of(standard: str, edition: str, evidence: str) -> Of:
    return {"standard": standard, "edition": edition, "evidence": evidence}


ITIC = of("ITIC curve", "as in OpenPowerQuality Mauka", "V")
F47 = of("SEMI F47", "edition not stated", "V")
NOGRR = of("ERCOT NOGRR282", "approved July 2026", "S")
CAISO = of("CAISO straw proposal", "2026", "S")
PRC_029 = of("NERC PRC-029", "1, as in public code", "S")
PRC_024 = of("NERC PRC-024", "as read 2026", "V")
IEEE_1547 = of("IEEE 1547", "2018, as in OpenDER 2.2.0", "V")
_HZ = (low((58.8, 299.0), (57.0, 0.0), at=None), high((61.2, 299.0), (61.8, 0.0)))
_SWELL = ((1.10, 1.0), (1.15, 0.5), (1.175, 0.2))

PROFILES: dict[str, tuple[Of, str, float, tuple[Side, ...]]] = {
    "itic": (ITIC, "curve points", 1.0, (
        low((0.90, 10.0), (0.80, 0.5), (0.70, 0.02)), high((1.10, 0.5), (1.20, 0.003), (1.40, 0.001), (2.00, 0.000167), end=5.0))),
    "semi_f47": (F47, "points", 1.0, (low((0.90, 10.0), (0.80, 0.5), (0.70, 0.2), end=0.5),)),
    "ercot_nogrr282.voltage": (NOGRR, "voltage", 1.0, (
        low((0.90, 2.0), (0.80, 0.5), (0.50, 0.25), (0.20, 0.15)), high((1.10, 2.0), (1.20, 0.0)))),
    "ercot_nogrr282.frequency": (NOGRR, "frequency", 60.0, _HZ),
    "caiso_straw": (CAISO, "voltage", 1.0, (low((0.90, 6.0), (0.70, 3.0), (0.50, 1.2), (0.25, 0.15)), high((1.10, 2.0)))),
    "nerc_prc_029.other": (PRC_029, "attachment 1, other inverter-based resources", 1.0, (
        low((0.90, 6.0), (0.70, 3.0), (0.50, 1.2), (0.25, 0.32)), high((1.05, 1800.0), (1.10, 1.0), (1.20, 0.0)))),
    "nerc_prc_029.wind": (PRC_029, "attachment 1, AC-connected wind", 1.0, (
        low((0.90, 3.0), (0.70, 2.5), (0.50, 1.2), (0.25, 0.16)), high((1.05, 1800.0), (1.10, 1.0), (1.20, 0.0)))),
    "nerc_prc_029.frequency": (PRC_029, "attachment 2", 60.0, _HZ),
    "nerc_prc_024.voltage": (PRC_024, "voltage", 1.0, (
        low((0.90, 3.0), (0.75, 2.0), (0.65, 0.30), (0.45, 0.15)),
        high((1.10, 1.0), (1.15, 0.50), (1.175, 0.20), (1.20, 0.0), at=True))),
    "nerc_prc_024.frequency_western": (PRC_024, "frequency, Western", 60.0, (
        low((59.4, 180.0), (58.4, 30.0), (57.8, 7.5), (57.3, 0.75), at=True), high((60.6, 180.0), (61.6, 30.0), at=True))),
    "nerc_prc_024.frequency_ercot": (PRC_024, "frequency, ERCOT", 60.0, (high((60.6, 540.0), at=True),)),
    "ieee_1547.cat_i": (IEEE_1547, "ride-through, category I", 1.0, (
        low((0.70, 0.16), (0.50, 0.0)), high(*_SWELL, (1.20, 0.0), at=False))),
    "ieee_1547.cat_ii": (IEEE_1547, "ride-through, category II", 1.0, (
        low((0.65, 0.32), (0.45, 0.16), (0.30, 0.0)), high(*_SWELL, (1.20, 0.0), at=False))),
    "ieee_1547.cat_iii": (IEEE_1547, "ride-through, category III", 1.0, (
        low((0.88, 20.0), (0.70, 10.0), (0.50, 1.0)), high((1.10, 12.0), (1.20, 0.0), at=False))),
    "ieee_1547.frequency": (IEEE_1547, "frequency ride-through", 60.0, _HZ),
}  # fmt: skip
# Inside the outermost level of these a sloping line takes over (`slopes`), with so many seconds at its foot.
_ON_A_LINE = {"ieee_1547.cat_i": 0.7, "ieee_1547.cat_ii": 3.0}
# Where one level of a side differs: what PRC-029's code compares with 1.10, and OpenDER with 0.50, where the standard has below 0.50.
_BEYOND_AT = {("nerc_prc_029.wind", 1.10): True, ("nerc_prc_029.other", 1.10): False, ("ieee_1547.cat_iii", 0.50): None}


def tick_s(seconds: float) -> float:
    """A tick of which the time is a whole number."""
    return 1e-6 if 0.0 < seconds < 0.001 else 0.001 if seconds < 50.0 else 0.01 if seconds < 1000.0 else 0.1


def files() -> dict[str, tuple[str, list[Vector]]]:
    """Header and vectors of each file."""
    found = {}
    for profile, (source, clause, rest, sides) in PROFILES.items():
        name = f"envelopes_{profile.split('.')[0]}"
        found.setdefault(name, (HEADER, []))[1].extend(
            one for side in sides for one in bands(profile, source, clause, rest, side)
        )
    found["envelopes_matrix"] = (MATRIX_HEADER, matrix())
    found["envelopes_course"] = (OTHER_HEADER, [*slopes(), *adding_up(), *recoveries(), *once_more(), *running()])
    return found


def bands(profile: str, source: Of, clause: str, rest: float, side: Side) -> list[Vector]:
    """Each band to the tick, and each level to the step."""
    found = []
    unit = "Hz" if rest == 60.0 else "pu"
    outward = -math.inf if side.under else math.inf
    for i, (level, seconds) in enumerate(side.levels):
        dt_s = tick_s(seconds)
        ticks = round(seconds / dt_s)
        last = level - (0.6 if rest == 60.0 else level) if side.under else level + (0.5 if rest == 60.0 else 0.3)
        to = side.levels[i + 1][0] if i + 1 < len(side.levels) else side.end if side.end is not None else last
        middle = round((level + to) / 2, 6)

        def one(words: str, value: float, n: int, trips: bool) -> None:
            given = {"profile": profile, "steps": [[value, round(n * dt_s, 9)], [rest, 5 * dt_s]], "dt_s": dt_s}  # noqa: B023
            expect: Vector = {"may_trip": trips} | ({"time_s": seconds} if trips else {})  # noqa: B023
            found.append(vector(source, clause, words, given, expect, function="envelope"))

        for n in (ticks - 1, ticks, ticks + 1):
            if n > 0:
                one(f"{middle:g} {unit} for {n * dt_s:g} s", middle, n, n > ticks)
        one(f"one step beyond {level:g} {unit}", math.nextafter(level, outward), ticks + 1, True)
        outside_s = side.levels[i - 1][1] if i else math.inf
        if i or profile not in _ON_A_LINE or not side.under or ticks + 1 <= round(_ON_A_LINE[profile] / dt_s):
            assert ticks + 1 <= outside_s / dt_s
            one(f"one step inside {level:g} {unit}", math.nextafter(level, -outward), ticks + 1, False)
            beyond_at = _BEYOND_AT.get((profile, level), side.beyond_at)
            if beyond_at is not None:
                one(f"at {level:g} {unit}", level, ticks + 1, beyond_at)
    return found


CURVES = ("itic", "semi_f47", "ercot_nogrr282.voltage", "caiso_straw", "nerc_prc_029.other", "nerc_prc_024.voltage")
# residual voltage, duration, one letter a curve: R survives, T may trip, - not stated
MATRIX = (
    (0.00, 0.016, "R-RRRR"),
    (0.25, 0.042, "T-RRRR"),
    (0.40, 0.066, "T-RRRR"),
    (0.55, 0.150, "TRRRRR"),
    (0.55, 0.600, "TTTRRT"),
    (0.70, 0.450, "RRRRRR"),
    (0.82, 1.9, "RRRRRR"),
    (0.88, 9.0, "RRTTTT"),
    (0.92, 3600.0, "RRRRRR"),
)


def matrix() -> list[Vector]:
    found = []
    for value, seconds, row in MATRIX:
        for profile, letter in zip(CURVES, row, strict=True):
            if letter == "-":
                continue
            dt_s = 0.1 if seconds > 1000.0 else 0.001
            given = {"profile": profile, "steps": [[value, seconds], [1.0, 5 * dt_s]], "dt_s": dt_s}
            source = PROFILES[profile][0] | {"evidence": "C"}
            words = f"{value:g} pu for {seconds:g} s"
            found.append(vector(source, "matrix of decisions", words, given, {"may_trip": letter == "T"}, function="envelope"))
    return found


def slopes() -> list[Vector]:
    """The line of each category: seconds at its foot, seconds a unit, foot."""
    found = []
    for profile, (base, slope, foot) in {
        "ieee_1547.cat_i": ("0.7", "4", "0.70"),
        "ieee_1547.cat_ii": ("3", "8.7", "0.65"),
    }.items():
        clause = f"{PROFILES[profile][1]}, sloping line"
        for voltage in (foot, "0.72", "0.75", "0.80", "0.85", "0.87"):
            seconds = Decimal(base) + Decimal(slope) * (Decimal(voltage) - Decimal(foot))
            ticks = round(seconds * 1000)
            for more in (-1, 0, 1):
                n = ticks + more
                given = {"profile": profile, "steps": [[float(voltage), n / 1000], [1.0, 0.005]], "dt_s": 0.001}
                expect: Vector = {"may_trip": more > 0} | ({"time_s": ticks / 1000} if more > 0 else {})
                found.append(vector(IEEE_1547, clause, f"{voltage} pu for {n / 1000:g} s", given, expect, function="envelope"))
        top = round((Decimal(base) + Decimal(slope) * (Decimal("0.88") - Decimal(foot))) * 1000) / 1000
        for words, value, seconds, trips in (
            ("at 0.88 pu", 0.88, 20.0, False),
            ("one step below 0.88 pu", math.nextafter(0.88, 0.0), round(top + 0.001, 3), True),
            ("one step below 0.88 pu, no longer than it may", math.nextafter(0.88, 0.0), top, False),
        ):
            given = {"profile": profile, "steps": [[value, seconds], [1.0, 0.005]], "dt_s": 0.001}
            expect = {"may_trip": trips} | ({"time_s": top} if trips else {})
            found.append(vector(IEEE_1547, clause, words, given, expect, function="envelope"))
        at_72 = float(Decimal(base) + Decimal(slope) * (Decimal("0.72") - Decimal(foot)))
        for words, first_s, second_s, trips in (
            ("0.85 pu, then 0.72: at once, its time is over", round(at_72 + 0.1, 3), 0.01, round(at_72 + 0.1, 3)),
            ("0.85 pu, then 0.72: once its time is over", 0.3, 5.0, at_72),
        ):
            given = {"profile": profile, "steps": [[0.85, first_s], [0.72, second_s], [1.0, 0.005]], "dt_s": 0.001}
            expect = {"may_trip": True, "time_s": round(trips, 3)}
            found.append(vector(IEEE_1547, clause, words, given, expect, function="envelope"))
    return found


def adding_up() -> list[Vector]:
    """steps, and when a device may trip, if ever."""
    cases: tuple[tuple[Of, str, str, str, float, list[list[float]], float | None], ...] = (
        (PRC_024, "timers, reset by the return", "nerc_prc_024.voltage", "0.40 pu twice 0.1 s, 0.80 pu between them", 0.001,
         [[0.40, 0.1], [0.80, 0.5], [0.40, 0.1], [1.0, 0.01]], 0.65),
        (PRC_024, "timers, reset by the return", "nerc_prc_024.voltage", "0.40 pu twice 0.1 s, one tick of 1.0 pu between them", 0.001,
         [[0.40, 0.1], [1.0, 0.001], [0.40, 0.1], [1.0, 0.01]], None),
        (PRC_024, "timers, reset by the return", "nerc_prc_024.voltage", "0.40 pu twice 0.1 s, 0.90 pu between them: back", 0.001,
         [[0.40, 0.1], [0.90, 0.01], [0.40, 0.1], [1.0, 0.01]], None),
        (PRC_024, "timers, reset by the return", "nerc_prc_024.voltage", "1.16 pu 0.4 s, 1.10 pu 0.1 s, 1.16 pu 0.11 s", 0.001,
         [[1.16, 0.4], [1.10, 0.1], [1.16, 0.11], [1.0, 0.01]], 0.6),
        (PRC_029, "cumulative in 10 s", "nerc_prc_029.other", "0.80 pu 4 s and 2 s, 1.0 pu between them: 6 s", 0.001,
         [[0.80, 4.0], [1.0, 1.0], [0.80, 2.0], [1.0, 0.01]], None),
        (PRC_029, "cumulative in 10 s", "nerc_prc_029.other", "0.80 pu 4 s and 2.001 s, 1.0 pu between them", 0.001,
         [[0.80, 4.0], [1.0, 1.0], [0.80, 2.001], [1.0, 0.01]], 7.0),
        (PRC_029, "cumulative in 10 s", "nerc_prc_029.other", "0.80 pu 4 s, and 4 s after the window has passed", 0.001,
         [[0.80, 4.0], [1.0, 6.0], [0.80, 4.0], [1.0, 0.01]], None),
        (PRC_029, "cumulative in 10 s", "nerc_prc_029.other", "0.80 pu 6 s every 10 s", 0.001,
         [[0.80, 6.0], [1.0, 4.0], [0.80, 6.0], [1.0, 4.0]], None),
        (PRC_029, "cumulative in 10 s", "nerc_prc_029.other", "0.80 pu 6 s every 9.999 s", 0.001,
         [[0.80, 6.0], [1.0, 3.999], [0.80, 6.0], [1.0, 4.0]], 9.999),
        (PRC_029, "cumulative in 10 s", "nerc_prc_029.wind", "0.05 pu twice 0.08 s: 0.16 s", 0.001,
         [[0.05, 0.08], [1.0, 1.0], [0.05, 0.08], [1.0, 0.01]], None),
        (PRC_029, "cumulative in 10 s", "nerc_prc_029.wind", "0.05 pu 0.08 s and 0.081 s", 0.001,
         [[0.05, 0.08], [1.0, 1.0], [0.05, 0.081], [1.0, 0.01]], 1.16),
        (PRC_029, "attachment 2, cumulative in 600 s", "nerc_prc_029.frequency", "58 Hz 200 s and 99 s, 60 Hz between them", 0.01,
         [[58.0, 200.0], [60.0, 100.0], [58.0, 99.0], [60.0, 0.1]], None),
        (PRC_029, "attachment 2, cumulative in 600 s", "nerc_prc_029.frequency", "58 Hz 200 s and 99.01 s, 60 Hz between them", 0.01,
         [[58.0, 200.0], [60.0, 100.0], [58.0, 99.01], [60.0, 0.1]], 399.0),
        (PRC_029, "attachment 2, cumulative in 600 s", "nerc_prc_029.frequency", "58 Hz 200 s, and 200 s after the window has passed", 0.01,
         [[58.0, 200.0], [60.0, 500.0], [58.0, 200.0], [60.0, 0.1]], None),
    )  # fmt: skip
    found = []
    for source, clause, profile, words, dt_s, steps, time_s in cases:
        expect: Vector = {"may_trip": time_s is not None} | ({} if time_s is None else {"time_s": time_s})
        given = {"profile": profile, "steps": steps, "dt_s": dt_s}
        found.append(vector(source, clause, words, given, expect, function="envelope"))
    return found


def recoveries() -> list[Vector]:
    """Nine tenths of the power before the dip, so long after the voltage is back; 100 MW before."""
    found = []
    for source, profile, recovery_s in ((NOGRR, "ercot_nogrr282.voltage", 2.0), (CAISO, "caiso_straw", 3.0)):
        for more in (-1, 0, 1):
            away_s = round(recovery_s + more * 0.001, 3)
            given = {
                "profile": profile, "before": 100.0, "steps": [[1.0, 0.1], [0.6, 0.4], [1.0, round(recovery_s + 1.0, 3)]],
                "subject": [[100.0, 0.1], [0.0, round(0.4 + away_s, 3)], [90.0, round(1.0 - more * 0.001, 3)]], "dt_s": 0.001,
            }  # fmt: skip
            expect: Vector = {"may_trip": False, "failed": more > 0} | (
                {"failed_s": round(0.5 + recovery_s, 3)} if more > 0 else {}
            )
            words = f"nine tenths of the power back {away_s:g} s after the voltage"
            found.append(vector(source, "return of power", words, given, expect, function="envelope"))
        given = given | {"subject": [[100.0, 0.1], [0.0, 0.4], [math.nextafter(90.0, 0.0), round(recovery_s + 1.0, 3)]]}
        expect = {"may_trip": False, "failed": True, "failed_s": round(0.5 + recovery_s, 3)}
        found.append(vector(source, "return of power", "one step short of nine tenths", given, expect, function="envelope"))
        long = {"profile": profile, "before": 100.0, "steps": [[1.0, 0.1], [0.1, 0.3], [1.0, 5.0]], "dt_s": 0.001}
        given = long | {"subject": [[100.0, 0.1], [0.0, 5.3]]}
        expect = {"may_trip": True, "time_s": 0.25, "failed": False}
        words = "a dip that it need not ride through: it stays away"
        found.append(vector(source, "return of power", words, given, expect, function="envelope"))
    return found


def once_more() -> list[Vector]:
    """Courses that no source speaks of, with NOGRR282's numbers: dips of 0.6 pu, 0.5 s of which are allowed, from 0.1 s on."""
    dip: list[list[float]] = [[1.0, 0.1], [0.6, 0.4]]
    away: list[list[float]] = [[100.0, 0.1], [0.0, 0.4]]
    # words, steps of voltage and of power, the power before, when a device may trip, when the power fails, and until when it shows
    cases: tuple[tuple[str, list[list[float]], list[list[float]], float, float | None, float | None, float | None], ...] = (
        ("back in time, and away again 2 s after the voltage", [*dip, [1.0, 3.0]], [*away, [90.0, 2.0], [0.0, 1.0]], 100.0,
         None, 2.5, None),
        ("back in time, and away again a tick after the 2 s", [*dip, [1.0, 3.0]], [*away, [90.0, 2.001], [0.0, 0.999]], 100.0,
         None, None, None),
        ("back 0.2 s too late", [*dip, [1.0, 3.0]], [*away, [0.0, 2.2], [90.0, 0.8]], 100.0, None, 2.5, 2.7),
        ("too late, and a dip that it rides through: until 2 s after that", [*dip, [1.0, 2.1], [0.6, 0.4], [1.0, 3.0]],
         [*away, [0.0, 2.6], [90.0, 2.9]], 100.0, None, 2.5, 5.0),
        ("too late, and then a dip in which it may trip: 2 s after that still", [*dip, [1.0, 2.1], [0.6, 0.6], [1.0, 3.0]],
         [*away, [0.0, 2.6], [90.0, 3.1]], 100.0, 3.1, 2.5, 5.2),
        ("a dip in the recovery after another has its own 0.5 s", [*dip, [1.0, 0.5], [0.6, 0.6], [1.0, 3.0]], [[100.0, 4.6]], 100.0,
         1.5, None, None),
        ("a site that feeds in: nothing fed in", [*dip, [1.0, 3.0]], [[-100.0, 0.1], [0.0, 3.4]], -100.0, None, 2.5, 3.499),
        ("a site that feeds in: nine tenths in time", [*dip, [1.0, 3.0]], [[-100.0, 0.1], [0.0, 0.4], [-90.0, 3.0]], -100.0,
         None, None, None),
    )  # fmt: skip
    found = []
    for words, steps, subject, before, trip_s, failed_s, until_s in cases:
        given = {"profile": "ercot_nogrr282.voltage", "before": before, "steps": steps, "subject": subject, "dt_s": 0.001}
        expect: Vector = {"may_trip": trip_s is not None} | ({} if trip_s is None else {"time_s": trip_s})
        expect |= {"failed": failed_s is not None} | ({} if failed_s is None else {"failed_s": failed_s})
        expect |= {} if until_s is None else {"failed_until_s": until_s}
        found.append(vector(OURS, "Envelopes", words, given, expect, function="envelope"))
    return found


def running() -> list[Vector]:
    """What is no power but runs, 1, or does not, 0, has to run through all of a dip of 0.75 pu, 0.5 s of which are allowed."""
    found = []
    for words, seconds, off_s, failed in (
        ("equipment stops in a dip that it must ride through", 0.4, 0.2, True),
        ("equipment runs through the dip", 0.4, 2.0, False),
        ("equipment stops once it may", 0.7, 0.65, False),
    ):
        given = {
            "profile": "semi_f47", "stays": 1.0, "steps": [[1.0, 0.1], [0.75, seconds], [1.0, 0.5]],
            "subject": [[1.0, off_s], [0.0, round(0.6 + seconds - off_s, 3)]] if off_s < 1.0 else [[1.0, round(0.6 + seconds, 3)]],
            "dt_s": 0.001,
        }  # fmt: skip
        expect: Vector = {"may_trip": seconds > 0.5} | ({"time_s": 0.6} if seconds > 0.5 else {})
        expect |= {"failed": failed} | ({"failed_s": off_s} if failed else {})
        found.append(vector(OURS, "Envelopes", words, given, expect, function="envelope"))
    return found
