"""Reference vectors of the forms of a ramp: slopes of least squares, changes of block averages; and a dynamic range."""

from __future__ import annotations

import math

from vectors_relays import OURS, Vector, vector
from vectors_signals import MIN, of

HEADER = """
Forms of a ramp over a window of n samples (slope: both ends in it, n = window/dt + 1; blocks: n = window/dt). A line has its own
slope in each. Of a step A that k samples of the window have seen the line of least squares has the slope 6 A k (n - k) / (n (n^2 - 1) dt),
at most at k = n/2; of a tick of A, at either end, 6 A / (n (n + 1) dt). Blocks of a step that falls on the end of one change by
A/window, of one a share s of a block before an end by s A/window and then by (1 - s) A/window, to the step of the floating point.
Ramps and dynamic range of operators are quoted from secondary sources; which form they mean is not known.
"""
DT = 0.001
PAPER = of("arXiv 2508.14318", "v2", "V")


def files() -> dict[str, tuple[str, list[Vector]]]:
    """Header and vectors of each file."""
    return {"trends": (HEADER, [*lines(), *slopes(), *blocks(), *dynamic()])}


def lines() -> list[Vector]:
    """Straight lines one part in a hundred to either side of a limit."""
    found = []
    for source, limit, window_s in (
        (of("CAISO straw proposal"), 20e6 / MIN, 600.0),
        (of("IESO proposal", "3.0"), 20e6 / MIN, 60.0),
        (of("Southern Company proposal"), 20e6 / MIN, 60.0),
        (of("ATC and SPP proposal"), 0.5e6, 10.0),
        (of("AESO proposal"), 10e6 / MIN, 60.0),
    ):
        for function in ("slope", "block_average"):
            for way in (1.0, -1.0):
                for share in (0.99, 1.01):
                    rate, seconds = way * share * limit, 3.0 * window_s
                    bounds = {"high": limit} if way > 0.0 else {"low": -limit}
                    steps = [[500e6, 500e6 + rate * seconds, seconds]]
                    given = {**bounds, "window_s": window_s, "steps": steps, "dt_s": 0.01}
                    expect = {"violated": share > 1.0, "worst": rate}
                    name = f"{function.replace('_', ' ')}, a line of {rate / 1e6 * MIN:.4g} MW/min"
                    found.append(vector(source, "ramp", name, given, expect, {"relative": 1e-6}, function=function))
    return found


def slopes() -> list[Vector]:
    """Steps and single ticks, the bound a millionth to either side of what they give."""
    found = []
    for ticks in (1, 2, 99, 1000):
        n, size = ticks + 1, 8e6
        k = n // 2
        worst = 6.0 * size * k * (n - k) / (n * (n**2 - 1.0) * DT)
        tick = 6.0 * size / (n * (n + 1.0) * DT)
        for words, most, steps, at in (
            ("step", worst, [[50e6, 2.0], [50e6 + size, 3.0]], 2.0 + (k - 1) * DT),
            ("tick", tick, [[50e6, 2.0], [50e6 + size, DT], [50e6, 3.0]], 2.0),
        ):
            for share in (1.0 - 1e-6, 1.0 + 1e-6):
                given = {"high": share * most, "window_s": ticks * DT, "steps": steps, "dt_s": DT}
                expect: Vector = {"violated": share < 1.0, "worst": most}
                if share < 1.0:
                    expect["time_s"] = round(at, 3)
                side = "below" if share < 1.0 else "above"
                name = f"a {words} of 8 MW in {n} samples, the bound just {side} its slope"
                found.append(
                    vector(
                        OURS, "Slopes and blocks, slope", name, given, expect, {"relative": 1e-9, "ticks": 1}, function="slope"
                    )
                )
        given = {"low": -1e9, "window_s": ticks * DT, "steps": [[50e6, 1.0], [50e6 + size, DT], [50e6, 3.0]], "dt_s": DT}
        name = f"a tick of 8 MW leaves {n} samples"
        found.append(
            vector(
                OURS, "Slopes and blocks, slope", name, given, {"violated": tick > 1e9, "worst": -tick}, {"relative": 1e-9},
                function="slope",
            )
        )  # fmt: skip
    return found


def blocks() -> list[Vector]:
    """A step on the end of a block, one tick to either side of it, half a block before it; the bound at and beside it."""
    found = []
    size = 8e6
    for words, bound, violated in (
        ("at the change", size, False),
        ("one step below it", math.nextafter(size, 0.0), True),
        ("one step above it", math.nextafter(size, math.inf), False),
    ):
        given = {"high": bound, "window_s": 1.0, "steps": [[0.0, 2.0], [size, 3.0]], "dt_s": DT}
        expect: Vector = {"violated": violated, "worst": size} | ({"time_s": 2.999} if violated else {})
        found.append(
            vector(
                OURS,
                "Slopes and blocks, blocks",
                f"a step on a block's end, the bound {words}",
                given,
                expect,
                function="block_average",
            )
        )
    for start_s, share, at_s in (
        (0.0, 1.0, 2.999),
        (0.001, 0.001, 2.0),
        (0.999, 0.999, 2.998),
        (0.5, 0.5, 2.499),
        (7.25, 0.25, 2.249),
    ):
        worst = max(share, 1.0 - share) * size
        given = {"high": 0.9 * worst, "window_s": 1.0, "start_s": start_s, "steps": [[0.0, 2.0], [size, 3.0]], "dt_s": DT}
        first_s = at_s if share >= 0.5 else at_s + 1.0
        expect = {"violated": True, "worst": worst, "time_s": first_s}
        name = f"a step of 8 MW, a block begins at {start_s:g} s"
        found.append(
            vector(
                OURS,
                "Slopes and blocks, blocks",
                name,
                given,
                expect,
                {"relative": 1e-9, "ticks": 0},
                function="block_average",
            )
        )
    given = {"low": -1.0, "window_s": 0.5, "steps": [[3.0, 0.25], [5.0, 0.5], [3.0, 0.75]], "dt_s": DT}
    expect = {"violated": True, "worst": -2.0, "time_s": 1.499}
    found.append(
        vector(
            OURS,
            "Slopes and blocks, blocks",
            "up and down by halves",
            given,
            expect,
            {"relative": 1e-9},
            function="block_average",
        )
    )
    return found


def dynamic() -> list[Vector]:
    """10 MW for a job of 100 MW, the worked example of a dynamic range; in 5 s, which is assumed."""
    found = []
    for words, step in (
        ("at a tenth", 10e6),
        ("one step beyond", math.nextafter(10e6, math.inf)),
        ("one step inside", math.nextafter(10e6, 0.0)),
    ):
        given = {"high": 10e6, "window_s": 5.0, "steps": [[0.0, 6.0], [step, 6.0]], "dt_s": 0.01}
        expect: Vector = {"violated": step > 10e6, "worst": step} | ({"time_s": 6.0} if step > 10e6 else {})
        name = f"10 MW of a job of 100 MW: a step {words}"
        found.append(vector(PAPER, "dynamic power range, worked example", name, given, expect, function="peak_to_peak"))
    return found
