"""Reference vectors of limits on a signal: ramps, swings with and without a band-pass, rates of change, levels, recoveries."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy import ndimage, signal
from vectors_relays import OURS, Vector, vector

HEADER = """
Limits on a signal. A ramp is the difference over the window divided by it; a swing the largest less the smallest in a rolling
window, both ends in it, at the limit inside. Behind a band-pass (Butterworth, of the order given: no proposal publishes one, so it
is chosen here) a sine of amplitude A swings by 2A |H|, |H| = 1/sqrt(1 + W^2n), W = (w^2 - w1 w2)/(w (w2 - w1)),
w = tan(pi f dt), times sin(pi f T) where the window T is shorter than half a period; a step's answer is worked out by scipy.signal
and by looking at every window.
Proposals of operators, all from secondary sources.
"""
DT = 0.001
MIN = 60.0


def of(standard: str, edition: str = "2026", evidence: str = "C") -> dict[str, str]:
    return {"standard": standard, "edition": edition, "evidence": evidence}


ERCOT = of("ERCOT proposal on power variation", "2026-06-19")
NPRR = of("ERCOT NPRR1191", "withdrawn")
IESO = of("IESO proposal", "3.0")
LIPA = of("LIPA proposal")
EIRGRID = of("EirGrid MPID345", "as read 2026")


def files() -> dict[str, tuple[str, list[Vector]]]:
    """Header and vectors of each file."""
    return {"signals": (HEADER, [*ramps(), *swings(), *variations(), *rates(), *levels(), *recoveries(), *counts()])}


def ramps() -> list[Vector]:
    """Straight lines one part in a hundred to either side of the limit."""
    rules = (
        (NPRR, "down, 300 MW: 5 %", 15e6 / MIN, "down", 60.0),
        (NPRR, "down, 1000 MW: 20 MW", 20e6 / MIN, "down", 60.0),
        (NPRR, "up, 300 MW: 2 %", 6e6 / MIN, "up", 60.0),
        (NPRR, "up, 1000 MW: 8 MW", 8e6 / MIN, "up", 60.0),
        (of("CAISO straw proposal"), "20 MW/min over 10 min", 20e6 / MIN, "both", 600.0),
        (IESO, "20 MW/min", 20e6 / MIN, "both", 60.0),
        (of("Southern Company proposal"), "20 MW/min", 20e6 / MIN, "both", 60.0),
        (of("ATC and SPP proposal"), "0.5 MW/s", 0.5e6, "both", 1.0),
        (of("AESO proposal"), "10 MW/min", 10e6 / MIN, "both", 60.0),
    )
    found = []
    for source, words, limit, direction, window_s in rules:
        dt_s = 0.01
        for way in (1.0, -1.0):
            if direction == ("down" if way > 0.0 else "up"):
                continue
            for share in (0.99, 1.01):
                rate = way * share * limit
                seconds = 1.5 * window_s
                bounds = {"high": limit} if direction == "up" else {"low": -limit} if direction == "down" else {}
                if direction == "both":
                    bounds = {"high": limit} if way > 0 else {"low": -limit}
                given = {**bounds, "window_s": window_s, "steps": [[500e6, 500e6 + rate * seconds, seconds]], "dt_s": dt_s}
                expect = {"violated": share > 1.0, "worst": rate}
                name = f"{words}, a line of {rate / 1e6 * MIN:.4g} MW/min"
                found.append(vector(source, "ramp", name, given, expect, {"relative": 1e-6}, function="ramp"))
    # The collapse of a training job: 450 to 40 MW in 36 s; and a 50 MW block that rises by 1.9 pu/s for 250 ms.
    llt = of("NERC white paper on large loads", "July 2025")
    for words, line, window_s, limit, rate in (
        ("450 to 40 MW in 36 s against 20 MW/min", [450e6, 40e6, 36.0], 1.0, 20e6 / MIN, -410e6 / 36.0),
        ("1.9 pu/s of 50 MW for 250 ms against 0.5 MW/s", [20e6, 43.75e6, 0.25], 0.1, 0.5e6, 95e6),
    ):
        given = {"low" if rate < 0 else "high": math.copysign(limit, rate), "window_s": window_s, "steps": [line], "dt_s": DT}
        expect = {"violated": True, "worst": rate}
        found.append(vector(llt, "ramp", words, given, expect, {"relative": 1e-6}, function="ramp"))
    given = {"high": 1e6, "window_s": 10.0, "mean_s": 2.0, "steps": [[0.0, 5.0], [5e6, 20.0]], "dt_s": DT}
    expect = {"violated": False, "worst": 0.5e6}
    found.append(
        vector(
            OURS,
            "Limits, ramp of a mean",
            "a step of 5 MW in a window of 10 s",
            given,
            expect,
            {"relative": 1e-9},
            function="ramp",
        )
    )
    return found


def swings() -> list[Vector]:
    found = []
    for source, words, limit, window_s in (
        (IESO, "5 MW in any 15 s", 5e6, 15.0),
        (of("Southern Company proposal"), "less than 10 MW in 6 s", 10e6, 6.0),
        (of("ATC and SPP proposal"), "less than 25 MW in 5 s", 25e6, 5.0),
    ):
        base = {"high": limit, "window_s": window_s, "dt_s": 0.01}
        for name, step in (
            ("at the limit", limit),
            ("one step beyond it", math.nextafter(limit, math.inf)),
            ("one step inside", math.nextafter(limit, 0.0)),
        ):
            if words.startswith("less") and step == limit:
                continue
            given = base | {"steps": [[0.0, 1.0], [step, 1.0]]}
            expect: Vector = {"violated": step > limit, "worst": step} | ({"time_s": 1.0} if step > limit else {})
            found.append(vector(source, "power variation", f"{words}: a step {name}", given, expect, function="peak_to_peak"))
        for more in (-1, 0, 1):
            # A tick up, and as long a window later a tick down: seen together where both lie in one closed window.
            rest = round(window_s / 0.01) + more - 1
            given = base | {"steps": [[0.0, 1.0], [limit * 0.6, 0.01], [0.0, rest * 0.01], [-limit * 0.6, 0.01], [0.0, 1.0]]}
            expect = {"violated": more <= 0, "worst": limit * (1.2 if more <= 0 else 0.6)}
            name = f"{words}: peaks {'a window' if not more else f'a window and {more:+d} tick'} apart"
            found.append(vector(source, "power variation", name, given, expect, {"relative": 1e-12}, function="peak_to_peak"))
    return found


def gain(band: tuple[float, float], order: int, frequency: float) -> float:
    """The closed form."""
    low, high = (math.tan(math.pi * edge * DT) for edge in band)
    w = math.tan(math.pi * frequency * DT)
    return 1.0 / math.sqrt(1.0 + ((w * w - low * high) / (w * (high - low))) ** (2 * order))


@cache
def answer(band: tuple[float, float], order: int, shape: tuple[tuple[float, ...], ...], window_s: float) -> float:
    """Largest swing of a filtered shape in any closed window: scipy's filter, started on its first value, and every window."""
    parts = []
    for *values, seconds in shape:
        n = round(seconds / DT)
        parts.append(values[0] + (values[-1] - values[0]) * np.arange(n) / n)
    samples = np.concatenate(parts)
    sections = signal.butter(order, band, "bandpass", output="sos", fs=1.0 / DT)
    filtered = signal.sosfilt(sections, samples - samples[0])
    span = round(window_s / DT) + 1
    return float((ndimage.maximum_filter1d(filtered, span) - ndimage.minimum_filter1d(filtered, span)).max())


def variations() -> list[Vector]:
    band, order = (0.1, 55.0), 2
    base = {"high": 10e6, "band_hz": list(band), "order": order, "window_s": 5.0, "dt_s": DT}
    found = []
    for frequency, amplitude in (
        (1.0, 4.9e6), (1.0, 5.1e6), (0.1, 6e6), (0.1, 8e6), (0.02, 50e6), (5.0, 4.9e6), (5.0, 5.1e6), (23.0, 4.9e6), (23.0, 5.2e6),
        (55.0, 6.9e6), (55.0, 7.3e6), (197.0, 20e6),
    ):  # fmt: skip
        swing = 2.0 * amplitude * gain(band, order, frequency) * math.sin(math.pi * min(frequency * 5.0, 0.5))
        fade_s = 60.0 if frequency > 0.05 else 400.0
        sine = {"mean": 100e6, "amplitude": amplitude, "frequency_hz": frequency, "fade_s": fade_s, "seconds": 2.0 * fade_s}
        expect = {"violated": swing > 10e6, "worst": float(f"{swing:.9g}")}
        tolerance = {"relative": 2e-4 if frequency > 0.05 else 5e-3}
        words = f"a sine of {amplitude / 1e6:g} MW at {frequency:g} Hz"
        found.append(
            vector(ERCOT, "10 MW in 5 s, 0.1 to 55 Hz", words, base | {"sine": sine}, expect, tolerance, function="variation")
        )
    for words, shape in (
        ("a step of 12 MW", ((0.0, 10.0), (12e6, 20.0))),
        ("a step of 8 MW", ((0.0, 10.0), (8e6, 20.0))),
        ("12 MW over 600 s", ((0.0, 10.0), (0.0, 12e6, 600.0), (12e6, 10.0))),
        (
            "a job of 100 MW with a swing of 70 %",
            ((100e6, 10.0), (30e6, 2.0), (100e6, 2.0), (30e6, 2.0), (100e6, 2.0), (30e6, 10.0)),
        ),
    ):
        swing = answer(band, order, shape, 5.0)
        given = base | {"steps": [list(step) for step in shape]}
        expect = {"violated": swing > 10e6, "worst": float(f"{swing:.9g}")}
        found.append(
            vector(ERCOT, "10 MW in 5 s, 0.1 to 55 Hz", words, given, expect, {"relative": 1e-6}, function="variation")
        )
    for edges, limit in (((0.1, 5.0), 10e6), ((5.0, 55.0), 3.5e6)):
        for frequency in (1.0, 15.0):
            for amplitude in (4.9e6, 5.2e6) if (frequency < 5.0) == (edges[0] < 1.0) else (1.7e6, 6e6):
                swing = 2.0 * amplitude * gain(edges, order, frequency)
                sine = {"mean": 50e6, "amplitude": amplitude, "frequency_hz": frequency, "fade_s": 60.0, "seconds": 120.0}
                given = {"high": limit, "band_hz": list(edges), "order": order, "window_s": 5.0, "dt_s": DT, "sine": sine}
                expect = {"violated": swing > limit, "worst": float(f"{swing:.9g}")}
                words = f"{amplitude / 1e6:g} MW at {frequency:g} Hz in {edges[0]:g} to {edges[1]:g} Hz"
                clause = "10 MW in 0.1 to 5 Hz, 3.5 MW in 5 to 55 Hz"
                found.append(vector(LIPA, clause, words, given, expect, {"relative": 5e-4}, function="variation"))
    return found


def rates() -> list[Vector]:
    found = []
    for source, limit, window_s in ((EIRGRID, 1.0, 0.5), (IESO, 5.0, 0.5)):
        for share in (0.99, 1.01):
            for way in (1.0, -1.0):
                rate = way * share * limit
                given = {
                    "high" if way > 0 else "low": way * limit,
                    "window_s": window_s,
                    "steps": [[60.0, 60.0 + rate * 2.0, 2.0]],
                    "dt_s": DT,
                }
                expect = {"violated": share > 1.0, "worst": rate}
                words = f"{rate:+g} Hz/s over {window_s:g} s"
                found.append(vector(source, "RoCoF", words, given, expect, {"relative": 1e-9}, function="rocof"))
    given = {"high": 1.0, "window_s": 0.5, "steps": [[60.0, 1.0], [60.0, 60.6, 0.3], [60.6, 1.0]], "dt_s": DT}
    expect = {"violated": True, "worst": 1.2}
    words = "2 Hz/s for 0.3 s: 1.2 over the window"
    found.append(vector(EIRGRID, "RoCoF", words, given, expect, {"relative": 1e-9}, function="rocof"))
    given = {"high": 1.0, "window_s": 0.5, "steps": [[60.0, 1.0], [60.0, 60.4, 0.2], [60.4, 1.0]], "dt_s": DT}
    expect = {"violated": False, "worst": 0.8}
    found.append(
        vector(EIRGRID, "RoCoF", "2 Hz/s for 0.2 s: 0.8 over the window", given, expect, {"relative": 1e-9}, function="rocof")
    )
    return found


def levels() -> list[Vector]:
    found = []
    for words, bound, way in (("27, below 0.9", {"low": 0.9}, -math.inf), ("59, above 1.1", {"high": 1.1}, math.inf)):
        level = next(iter(bound.values()))
        for name, value in (
            ("at", level),
            ("one step beyond", math.nextafter(level, way)),
            ("one step inside", math.nextafter(level, -way)),
        ):
            beyond = name == "one step beyond"
            given = {**bound, "delay_s": 0.02, "steps": [[1.0, 0.05], [value, 0.03], [1.0, 0.05]], "dt_s": DT}
            expect: Vector = {"violated": beyond} | ({"time_s": 0.07, "worst": value} if beyond else {})
            found.append(vector(OURS, "Limits, level", f"{words}: {name}", given, expect, function="level"))
        for ticks in (20, 21):
            given = {
                **bound,
                "delay_s": 0.02,
                "steps": [[level + math.copysign(0.05, way), ticks / 1000], [1.0, 0.05]],
                "dt_s": DT,
            }
            expect = {"violated": ticks > 20} | ({"time_s": 0.02} if ticks > 20 else {})
            name = f"{words}: from the first sample on, {ticks} ticks"
            found.append(vector(OURS, "Limits, consecutive timer", name, given, expect, function="level"))
        far = level + math.copysign(0.05, way)
        for more in (-1, 0, 1):
            ticks = 20 + more
            given = {**bound, "delay_s": 0.02, "steps": [[1.0, 0.05], [far, ticks / 1000], [1.0, 0.05]], "dt_s": DT}
            expect = {"violated": more > 0} | ({"time_s": 0.07, "worst": far} if more > 0 else {})
            found.append(vector(OURS, "Limits, consecutive timer", f"{words}: {ticks} ticks", given, expect, function="level"))
        given = {
            **bound,
            "delay_s": 0.02,
            "steps": [[1.0, 0.05], [far, 0.02], [1.0, 0.001], [far, 0.02], [1.0, 0.05]],
            "dt_s": DT,
        }
        found.append(
            vector(
                OURS,
                "Limits, consecutive timer",
                f"{words}: reset by one sample",
                given,
                {"violated": False},
                function="level",
            )
        )
    return found


def recoveries() -> list[Vector]:
    found = []
    for source, words, limit in (
        (EIRGRID, "90 % within 500 ms", 0.5),
        (of("CAISO straw proposal"), "90 % within 3 s", 3.0),
        (of("ERCOT NOGRR282", "draft 2025"), "90 % within 1 s", 1.0),
    ):
        for more in (-1, 0, 1):
            away = round(limit / DT) + more
            given = {
                "high": limit, "below": 0.9, "share": 0.9, "mean_s": 0.1, "voltage": [[1.0, 0.3], [0.5, 0.25], [1.0, limit + 0.5]],
                "steps": [[100e6, 0.3], [20e6, round(0.25 + away * DT, 3)], [90e6, round(limit + 0.5 - away * DT, 3)]], "dt_s": DT,
            }  # fmt: skip
            expect: Vector = {"violated": more > 0, "worst": round(away * DT, 3)}
            if more > 0:
                expect["time_s"] = round(0.55 + limit, 3)
            name = f"{words}: after a dip to 0.5 pu of 250 ms, {away} ms"
            found.append(
                vector(
                    source,
                    "active power recovery",
                    name,
                    given,
                    expect,
                    {"ticks": 1} if more > 0 else None,
                    function="recovery",
                )
            )
    return found


def counts() -> list[Vector]:
    """Beyond twice, the second time less far; stretches are of 64 ticks and multiples, as what is judged at once may be."""
    found = []
    for words, bound, far, near, at, inside in (
        ("59, above 1.1", {"high": 1.1}, 1.2, 1.15, 1.1, 1.05),
        ("27, below 0.9", {"low": 0.9}, 0.7, 0.85, 0.9, 0.95),
    ):
        steps = [[1.0, 0.064], [far, 0.128], [1.0, 0.128], [near, 0.04], [1.0, 0.02], [at, 0.01], [inside, 0.03]]
        for delay in (0, 20):
            given = bound | ({"delay_s": delay / 1000} if delay else {}) | {"steps": steps, "dt_s": DT}
            expect: Vector = {"violated": True, "time_s": 0.064 + delay / 1000, "worst": far}
            expect |= {"samples": 420, "beyond": 168 - 2 * delay, "excursions": 2}
            name = f"{words}{f' for {delay} ms' if delay else ''}: twice, the second less far"
            found.append(vector(OURS, "Limits, counts", name, given, expect, function="level"))
    return found
