"""Reference vectors of relays: curves, manuals' tables, resets, pulses, pick-up and delay to the step."""

from __future__ import annotations

import math
from typing import Any

Vector = dict[str, Any]

HEADER = """
Relays. Operate time t = TMS k / (M^alpha - 1) (IEC 60255-151), t = TD (A / (M^p - 1) + B) (IEEE C37.112); a disc turns back in
TMS tr / (1 - M^2). Evidence: constants in ABB's 670 series and REX610 manuals and DEIF's PPM 300 handbook, those of the disc in the
former; GE's in the M60 manual, whose printed tables stand here as they are printed.
A relay operates at the first tick that is not before its time, so an exact time may be missed by less than one tick.
"""
# name, standard, edition, clause; k or A, alpha or p, B
CURVES = {
    "iec_si": ("IEC standard inverse", "IEC 60255-151", "2009", "Table 1, curve A", 0.14, 0.02, 0.0),
    "iec_vi": ("IEC very inverse", "IEC 60255-151", "2009", "Table 1, curve B", 13.5, 1.0, 0.0),
    "iec_ei": ("IEC extremely inverse", "IEC 60255-151", "2009", "Table 1, curve C", 80.0, 2.0, 0.0),
    "iec_lti": ("IEC long-time inverse", "BS 142", "as in ABB REX610", "long-time inverse", 120.0, 1.0, 0.0),
    "ieee_mi": ("IEEE moderately inverse", "IEEE C37.112", "2018", "moderately inverse", 0.0515, 0.02, 0.114),
    "ieee_vi": ("IEEE very inverse", "IEEE C37.112", "2018", "very inverse", 19.61, 2.0, 0.491),
    "ieee_ei": ("IEEE extremely inverse", "IEEE C37.112", "2018", "extremely inverse", 28.2, 2.0, 0.1217),
}
# Published to three decimals; the closed form must agree with it.
MULTIPLES = (1.1, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
PRINTED = {
    "iec_si": (73.374, 17.194, 10.029, 6.302, 4.280, 2.971, 2.267),
    "iec_vi": (135.000, 27.000, 13.500, 6.750, 3.375, 1.500, 0.711),
    "iec_ei": (380.952, 64.000, 26.667, 10.000, 3.333, 0.808, 0.201),
    "iec_lti": (1200.000, 240.000, 120.000, 60.000, 30.000, 13.333, 6.316),
    "ieee_mi": (27.105, 6.439, 3.803, 2.432, 1.688, 1.207, 0.948),
    "ieee_vi": (93.872, 16.179, 7.028, 2.942, 1.308, 0.689, 0.540),
    "ieee_ei": (134.407, 22.682, 9.522, 3.647, 1.297, 0.407, 0.192),
}
GE_MULTIPLES = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0)
GE = {
    ("ieee_vi", 0.5): (8.090, 3.514, 1.471, 0.899, 0.654, 0.526, 0.450, 0.401, 0.368, 0.345),
    ("ieee_vi", 1.0): (16.179, 7.028, 2.942, 1.798, 1.308, 1.051, 0.900, 0.802, 0.736, 0.689),
    ("ieee_vi", 2.0): (32.358, 14.055, 5.885, 3.597, 2.616, 2.103, 1.799, 1.605, 1.472, 1.378),
    ("ieee_mi", 0.5): (3.220, 1.902, 1.216, 0.973, 0.844, 0.763, 0.706, 0.663, 0.630, 0.603),
    ("ieee_mi", 1.0): (6.439, 3.803, 2.432, 1.946, 1.688, 1.526, 1.412, 1.327, 1.260, 1.207),
    ("ieee_mi", 2.0): (12.878, 7.606, 4.864, 3.892, 3.377, 3.051, 2.823, 2.653, 2.521, 2.414),
    ("ieee_ei", 4.0): (90.727, 38.087, 14.587, 8.007, 5.187, 3.710, 2.837, 2.277, 1.897, 1.626),
}
RESETS = {
    "ge_iec_a": (9.7, "iec_si", "GE M60 instruction manual", "V"),
    "ge_iec_b": (43.2, "iec_vi", "GE M60 instruction manual", "V"),
    "ge_iec_c": (58.2, "iec_ei", "GE M60 instruction manual", "V"),
    "ieee_mi": (4.85, "ieee_mi", "IEEE C37.112", "S"),
    "ieee_vi": (21.6, "ieee_vi", "IEEE C37.112", "S"),
    "ieee_ei": (29.1, "ieee_ei", "IEEE C37.112", "S"),
}
OURS = {"standard": "docs/protection.md", "edition": "this version", "evidence": "C"}
DT = 0.001


def operate_s(curve: str, multiple: float, dial: float = 1.0) -> float:
    """The closed form."""
    *_, a, p, b = CURVES[curve]
    return dial * (a / (multiple**p - 1.0) + b)


def vector(
    of: dict[str, str],
    clause: str,
    name: str,
    given: Vector,
    expect: Vector,
    tolerance: Vector | None = None,
    *,
    function: str = "relay",
) -> Vector:
    """One vector, its keys in the order of all of them."""
    return {
        "function": function,
        "standard": of["standard"],
        "edition": of["edition"],
        "clause": clause,
        "evidence": of["evidence"],
        "name": name,
        "input": given,
        "expect": expect,
        "tolerance": tolerance or {"ticks": 0},
    }


def files() -> dict[str, tuple[str, list[Vector]]]:
    """Header and vectors of each file."""
    return {
        "relays": (HEADER, [*curves(), *manuals(), *resets(), *varying(), *options()]),
        "pickup": (PICKUP, pickup()),
        "timers": (TIMERS, [*contacts(), *cumulative(), *rolling(), *rates()]),
    }


def curves() -> list[Vector]:
    found = []
    for key, (words, standard, edition, clause, *_) in CURVES.items():
        of = {"standard": standard, "edition": edition, "evidence": "C"}
        for multiple, printed in zip(MULTIPLES, PRINTED[key], strict=True):
            time_s = operate_s(key, multiple)
            assert abs(time_s - printed) <= 0.0005 + 1e-9, (key, multiple, time_s, printed)
            given = {"curve": key, "steps": [[multiple, round(time_s + 0.01, 3)]], "dt_s": DT}
            expect = {"operates": True, "time_s": round(time_s, 9)}
            found.append(vector(of, clause, f"{words}, M = {multiple:g}", given, expect, {"ticks": 1}))
        given = {"curve": key, "steps": [[1.0, 20.0]], "dt_s": DT}
        found.append(vector(of, clause, f"{words}, at pick-up", given, {"operates": False, "share": 0.0}))
    return found


def manuals() -> list[Vector]:
    """Two ticks of a millisecond: the tick, and half of the last printed digit."""
    of = {"standard": "GE M60 instruction manual", "edition": "as read 2026", "evidence": "V"}
    found = []
    for (key, dial), times in GE.items():
        for multiple, printed in zip(GE_MULTIPLES, times, strict=True):
            given = {"curve": key, "dial": dial, "steps": [[multiple, round(printed + 0.01, 3)]], "dt_s": DT}
            words = f"{CURVES[key][0]}, TDM {dial:g}, M = {multiple:g}"
            expect = {"operates": True, "time_s": printed}
            found.append(vector(of, "IEEE inverse time curves, table", words, given, expect, {"ticks": 2}))
    return found


def resets() -> list[Vector]:
    """The disc turns back from where it was at the first tick inside: its contact."""
    found = []
    for key, (tr, operates_as, standard, evidence) in RESETS.items():
        of = {
            "standard": standard,
            "edition": "as read 2026" if evidence == "V" else "2018, as in ABB 670",
            "evidence": evidence,
        }
        for inside, dial in ((0.0, 1.0), (0.5, 1.0), (0.9, 1.0), (0.5, 0.5)):
            ticks = math.ceil(operate_s(operates_as, 5.0, dial) / DT - 1e-9)
            back_s = dial * tr / (1.0 - inside**2)
            given = {
                "curve": key, "dial": dial, "reset": "disc", "steps": [[5.0, round(ticks * DT, 3)], [inside, round(back_s + 0.1, 3)]],
                "turns_back_after": round(ticks * DT, 3), "dt_s": DT,
            }  # fmt: skip
            words = f"{key.replace('_', ' ')}, dial {dial:g}, disc back at M = {inside:g}"
            expect = {"operates": True, "reset_s": round(back_s, 9)}
            found.append(vector(of, "reset time", words, given, expect, {"ticks": 1}))
    return found


def varying() -> list[Vector]:
    """The sum of dt / t(M) is 1 at the operation."""
    found = []
    for key in CURVES:
        first_s = round(0.4 * operate_s(key, 2.0), 3)
        time_s = first_s + (1.0 - first_s / operate_s(key, 2.0)) * operate_s(key, 5.0)
        given = {"curve": key, "steps": [[2.0, first_s], [5.0, round(time_s - first_s + 0.01, 3)]], "dt_s": DT}
        expect = {"operates": True, "time_s": round(time_s, 9)}
        words = f"{CURVES[key][0]}, M = 2 and then 5"
        found.append(vector(OURS, "Relays, inverse time", words, given, expect, {"ticks": 1}))
    # A pulsing load: half a second at 1.5, half a second at 0.
    pulses = {"curve": "iec_si", "steps": [[1.5, 0.5], [0.0, 0.5]], "dt_s": DT}
    whole = math.floor(operate_s("iec_si", 1.5) / 0.5)
    time_s = whole + operate_s("iec_si", 1.5) - 0.5 * whole
    of = {"standard": "IEC 60255-151", "edition": "2009", "evidence": "C"}
    clause = "Table 1, curve A, and a stated reset"
    found += [
        vector(of, clause, "pulses of 1.5 and 0, kept between them", pulses | {"reset": "never", "repeat": 40},
               {"operates": True, "time_s": round(time_s, 9)}, {"ticks": 1}),
        vector(of, clause, "pulses of 1.5 and 0, instantaneous reset", pulses | {"repeat": 300}, {"operates": False, "share": 0.0}),
        vector(of, clause, "pulses of 1.5 and 0, a disc with tr = 13.5 s", pulses | {"reset": "disc", "tr_s": 13.5, "repeat": 300},
               {"operates": False, "share": 0.0}),
        vector(of, clause, "pulses of 1.5 and 0, kept for 0.5 s", pulses | {"reset": "definite", "reset_s": 0.5, "repeat": 40},
               {"operates": True, "time_s": round(time_s, 9)}, {"ticks": 1}),
        vector(of, clause, "pulses of 1.5 and 0, kept for 0.499 s", pulses | {"reset": "definite", "reset_s": 0.499, "repeat": 300},
               {"operates": False, "share": 0.0}),
    ]  # fmt: skip
    return found


def options() -> list[Vector]:
    found = []
    for key in ("ieee_mi", "ieee_vi", "ieee_ei"):
        time_s = operate_s(key, 2.0)
        given = {"curve": key, "dial": 7.0, "dial_divisor": 7.0, "steps": [[2.0, round(time_s + 0.01, 3)]], "dt_s": DT}
        of = {"standard": "IEEE C37.112", "edition": "2018", "evidence": "C"}
        expect = {"operates": True, "time_s": round(time_s, 9)}
        found.append(
            vector(
                of, "a vendor's dial, divided by 7", f"{CURVES[key][0]}, dial 7 of such a vendor", given, expect, {"ticks": 1}
            )
        )
    flat_s, fast_s = operate_s("iec_ei", 20.0), operate_s("iec_ei", 40.0)
    cases = (
        ("flat above 20, M = 20", 20.0, {"most": 20.0}, flat_s),
        ("flat above 20, M = 40", 40.0, {"most": 20.0}, flat_s),
        ("not flat, M = 40", 40.0, {}, fast_s),
        ("least time 0.5 s, M = 20", 20.0, {"delay_s": 0.5}, 0.5),
        ("least time 0.5 s, M = 5", 5.0, {"delay_s": 0.5}, operate_s("iec_ei", 5.0)),
        ("TMS 0.05, M = 3", 3.0, {"dial": 0.05}, operate_s("iec_ei", 3.0, 0.05)),
    )
    for words, multiple, more, time_s in cases:
        given = {"curve": "iec_ei", **more, "steps": [[multiple, round(time_s + 0.01, 3)]], "dt_s": DT}
        of = {"standard": "IEC 60255-151", "edition": "2009", "evidence": "C"}
        expect = {"operates": True, "time_s": round(time_s, 9)}
        found.append(vector(of, "Table 1, curve C", f"IEC extremely inverse, {words}", given, expect, {"ticks": 1}))
    return found


PICKUP = """
Pick-up, delay, drop-out and reset of a relay with definite time, to the step: docs/protection.md, "Relays". What stands at the
pick-up counts where the relay is inclusive; it operates `delay` after the first sample beyond, if it is beyond there still.
Ticks are exact.
"""


def pickup() -> list[Vector]:
    found = []
    for under in (False, True):
        beyond = math.nextafter(0.95, -math.inf if under else math.inf)
        inside = math.nextafter(0.95, math.inf if under else -math.inf)
        for inclusive in (False, True):
            for words, value, operates in (
                ("at", 0.95, inclusive),
                ("one step beyond", beyond, True),
                ("one step inside", inside, False),
            ):
                given = {
                    "pickup": 0.95,
                    "under": under,
                    "inclusive": inclusive,
                    "delay_s": 0.05,
                    "steps": [[value, 0.06]],
                    "dt_s": DT,
                }
                side = f"{'below' if under else 'above'} 0.95{', inclusive' if inclusive else ''}"
                expect = {"operates": operates} | ({"time_s": 0.05} if operates else {"share": 0.0})
                found.append(vector(OURS, "Relays, pick-up", f"{side}: {words}", given, expect))
                expect = {"operates": operates} | ({"time_s": 0.0} if operates else {"share": 0.0})
                given = given | {"delay_s": 0.0}
                found.append(vector(OURS, "Relays, pick-up", f"{side}, no delay: {words}", given, expect))
    for delay_s in (0.001, 0.02, 0.16, 2.0):
        for more in (-1, 0, 1):
            ticks = round(delay_s / DT) + more
            given = {"delay_s": delay_s, "steps": [[2.0, round(ticks * DT, 3)], [0.0, 0.01]], "dt_s": DT}
            expect = {"operates": more > 0} | ({"time_s": delay_s} if more > 0 else {})
            found.append(
                vector(OURS, "Relays, definite time", f"delay {delay_s:g} s, beyond for {ticks} ticks", given, expect)
            )
    hold = {"pickup": 1.0, "dropout": 0.9, "delay_s": 0.1, "dt_s": DT}
    above_dropout = math.nextafter(0.9, 1.0)
    found += [
        vector(OURS, "Relays, drop-out", "one step short of drop-out it stays picked up",
               hold | {"steps": [[1.1, 0.05], [above_dropout, 0.06]]}, {"operates": True, "time_s": 0.1}),
        vector(OURS, "Relays, drop-out", "at drop-out it is back",
               hold | {"steps": [[1.1, 0.05], [0.9, 0.001], [1.1, 0.1]]}, {"operates": False, "share": 0.99}, {"relative": 1e-12}),
        vector(OURS, "Relays, drop-out", "between the two it does not pick up",
               hold | {"steps": [[0.95, 0.2]]}, {"operates": False, "share": 0.0}),
    ]  # fmt: skip
    gap = {"pickup": 1.0, "delay_s": 0.1, "dt_s": DT}
    for reset, reset_s, inside_ticks, kept in (
        ("instantaneous", 0.0, 1, False),
        ("definite", 0.02, 19, True),
        ("definite", 0.02, 20, True),
        ("definite", 0.02, 21, False),
        ("never", 0.0, 5000, True),
    ):
        given = gap | {
            "reset": reset,
            "reset_s": reset_s,
            "steps": [[2.0, 0.06], [0.0, round(inside_ticks * DT, 3)], [2.0, 0.06]],
        }
        time_s = round(0.06 + inside_ticks * DT + 0.04, 3)
        expect = {"operates": True, "time_s": time_s} if kept else {"operates": False, "share": 0.59}
        words = f"reset {reset}{f' {reset_s:g} s' if reset_s else ''}, {inside_ticks} ticks inside"
        found.append(vector(OURS, "Relays, reset", words, given, expect, {"ticks": 0} if kept else {"relative": 1e-12}))
    return found


TIMERS = """
Timers that go on after drop-out, and the relay of a rate of change: docs/protection.md, "Relays" and "Rates of change". A
cumulative time operates at the sample beyond pick-up before which as many as its delay were beyond; ticks are exact.
"""


def contacts() -> list[Vector]:
    """A definite reset keeps a time, and no contact: one that has operated begins anew."""
    keeps = {"pickup": 1.0, "delay_s": 0.1, "reset": "definite", "reset_s": 0.5, "dt_s": DT}
    found = []
    for words, first_s, inside_s, share in (
        ("operated, a tick inside", 0.101, 0.001, 0.49),
        ("its time over at drop-out, a tick inside", 0.1, 0.001, 1.49),
        ("its time over at drop-out, two ticks inside", 0.1, 0.002, 0.49),
        ("a tick short of its time, a tick inside", 0.099, 0.001, 1.48),
    ):
        given = keeps | {"steps": [[2.0, first_s], [0.0, inside_s], [2.0, 0.05]]}
        time_s = 0.1 if first_s >= 0.1 else round(first_s + inside_s + 0.001, 3)
        expect = {"operates": True, "time_s": time_s, "share": share}
        found.append(vector(OURS, "Relays, definite reset", words, given, expect, {"relative": 1e-12}))
    for sign, magnitude in ((1.0, True), (-1.0, True), (-1.0, False)):
        given = {"pickup": 1.0, "magnitude": magnitude, "delay_s": 0.05, "steps": [[1.1 * sign, 0.06]], "dt_s": DT}
        expect = {"operates": True, "time_s": 0.05} if magnitude or sign > 0.0 else {"operates": False, "share": 0.0}
        words = f"{1.1 * sign:g} above 1{', without its sign' if magnitude else ''}"
        found.append(vector(OURS, "Relays, pick-up", words, given, expect))
    return found


def cumulative() -> list[Vector]:
    """Within a disturbance, for which drop-out at 0.9 (below: 1.1 for a pick-up of 1) stands."""
    found = []
    for under in (False, True):
        way = -1.0 if under else 1.0
        out, between, dropout = 1.0 + 0.2 * way, 1.0 - 0.05 * way, round(1.0 - 0.1 * way, 9)
        short = math.nextafter(dropout, 1.0)
        timer = {"pickup": 1.0, "under": under, "dropout": dropout, "delay_s": 0.1, "cumulative": True, "dt_s": DT}
        side = "below" if under else "above"
        beyond = math.nextafter(1.0, out)
        for words, steps, time_s, share in (
            ("in one stretch, a tick short", [[out, 0.1], [between, 0.01]], None, 0.99),
            ("in one stretch", [[out, 0.101], [between, 0.01]], 0.1, 1.0),
            ("one step beyond", [[beyond, 0.101]], 0.1, 1.0),
            ("at pick-up nothing counts", [[1.0, 0.2]], None, 0.0),
            ("in two stretches, a tick short", [[out, 0.06], [between, 0.5], [out, 0.04], [between, 0.01]], None, 0.99),
            ("in two stretches", [[out, 0.06], [between, 0.5], [out, 0.041], [between, 0.01]], 0.6, 1.0),
            ("one step short of drop-out in between", [[out, 0.06], [short, 0.02], [out, 0.041]], 0.12, 1.0),
            ("at drop-out in between for a tick", [[out, 0.06], [dropout, 0.001], [out, 0.1]], None, 0.99),
            ("in a hundred and one stretches of a tick", [[out, 0.001], [between, 0.001]] * 101, 0.2, 1.0),
        ):
            expect = {"operates": time_s is not None} | ({} if time_s is None else {"time_s": time_s}) | {"share": share}
            name = f"{side}, {words}"
            found.append(vector(OURS, "Relays, cumulative time", name, timer | {"steps": steps}, expect, {"relative": 1e-12}))
    given = {"pickup": 1.0, "inclusive": True, "delay_s": 0.1, "cumulative": True, "steps": [[1.0, 0.101]], "dt_s": DT}
    expect = {"operates": True, "time_s": 0.1, "share": 1.0}
    found.append(vector(OURS, "Relays, cumulative time", "inclusive, at pick-up", given, expect, {"relative": 1e-12}))
    return found


def rolling() -> list[Vector]:
    """Two stretches of 60 ticks in a window of 200: their 101st tick is 40 ticks into the second."""
    timer = {"pickup": 0.9, "under": True, "delay_s": 0.1, "cumulative": True, "window_s": 0.2, "dt_s": DT}
    found = []
    for gap, operates in ((1, True), (98, True), (99, True), (100, False), (101, False)):
        given = timer | {"steps": [[0.5, 0.06], [1.0, round(gap * DT, 3)], [0.5, 0.06], [1.0, 0.3]]}
        expect = {"operates": operates} | ({"time_s": round(0.1 + gap * DT, 3)} if operates else {}) | {"share": 0.0}
        words = f"in a window of 0.2 s, {gap} ticks between"
        found.append(vector(OURS, "Relays, cumulative time", words, given, expect, {"relative": 1e-12}))
    for inside, share in ((139, 0.59), (140, 0.59), (141, 0.58), (198, 0.01), (199, 0.0), (200, 0.0)):
        given = timer | {"steps": [[0.5, 0.06], [1.0, round(inside * DT, 3)]]}
        words = f"in a window of 0.2 s, {inside} ticks after 60"
        expect = {"operates": False, "share": share}
        found.append(vector(OURS, "Relays, cumulative time", words, given, expect, {"relative": 1e-12}))
    return found


def rates() -> list[Vector]:
    """A line of 2 Hz/s for a second: 1.004 Hz/s over half a second with 251 ms of it in the window, 1 Hz/s with 250 ms."""
    found = []
    for way in (1.0, -1.0):
        line = [[60.0, 1.0], [60.0, 60.0 + 2.0 * way, 1.0], [60.0 + 2.0 * way, 1.0]]
        given = {"pickup": 1.0001, "window_s": 0.5, "steps": line, "dt_s": DT}
        of = "Rates of change"
        for delay_s, dropout, time_s in (
            (0.0, 1.0001, 1.251),
            (0.998, 1.0001, 2.249),
            (0.999, 1.0001, None),
            (0.999, 0.998, 2.25),
            (1.0, 0.998, None),
        ):
            expect: Vector = {"operates": time_s is not None} | ({} if time_s is None else {"time_s": time_s}) | {"rate": 0.0}
            name = f"{2.0 * way:+g} Hz/s, delay {delay_s:g} s, drop-out at {dropout:g}"
            more = {"dropout": dropout, "delay_s": delay_s}
            found.append(vector(OURS, of, name, given | more, expect, {"absolute": 1e-9}, function="rate"))
        steep = given | {"steps": line[:2]}
        expect = {"operates": True, "rate": 2.0 * way}
        found.append(vector(OURS, of, f"{2.0 * way:+g} Hz/s", steep, expect, {"relative": 1e-9}, function="rate"))
    for blanked_s, known_s in ((0.0, 0.0), (0.3, 0.8)):
        given = {"pickup": 1.0, "window_s": 0.5, "blanked_s": blanked_s, "steps": [[60.0, 1.0]], "dt_s": DT}
        expect = {"operates": False, "known_s": known_s}
        words = f"a stimulus of {blanked_s:g} s: until its window lies behind it"
        found.append(vector(OURS, "Rates of change", words, given, expect, function="rate"))
    return found
