"""Reference vectors of thermal images."""

from __future__ import annotations

import math

from vectors_relays import Vector, vector

HEADER = """
Thermal image, 49 (IEC 60255-149): from the level that a current Ip has left, t = tau ln((I^2 - Ip^2) / (I^2 - (k Ib)^2)).
Pulses: each half of a period moves the level by the same first order, followed here from half to half.
It operates at the first tick that is not before its time.
"""
OF = {"standard": "IEC 60255-149", "edition": "2013", "evidence": "C"}
TAU, K = 600.0, 1.05
CURRENTS = (1.1, 1.2, 1.5, 2.0, 3.0, 6.0)
# Published to one decimal: cold, after 0.9, after 1.0.
PRINTED = {
    0.0: (1452.5, 870.5, 404.0, 193.5, 78.4, 18.7),
    0.9: (788.4, 374.5, 136.2, 57.7, 21.8, 5.0),
    1.0: (401.8, 159.1, 51.3, 20.9, 7.7, 1.8),
}


def files() -> dict[str, tuple[str, list[Vector]]]:
    """Header and vectors of each file."""
    return {"thermals": (HEADER, [*table(), *others()])}


def operate_s(current: float, before: float) -> float:
    """The closed form."""
    return TAU * math.log((current**2 - before**2) / (current**2 - K**2))


def table() -> list[Vector]:
    found = []
    for before, printed_row in PRINTED.items():
        for current, printed in zip(CURRENTS, printed_row, strict=True):
            time_s = operate_s(current, before)
            assert abs(time_s - printed) <= 0.05 + 1e-9, (current, before, time_s, printed)
            dt_s = 0.01 if time_s > 100.0 else 0.001
            given = {
                "time_constant_s": TAU,
                "k": K,
                "before": before,
                "steps": [[current, round(time_s + 1.0, 2)]],
                "dt_s": dt_s,
            }
            words = f"{current:g} Ib, {f'hot from {before:g} Ib' if before else 'cold'}"
            expect = {"operates": True, "time_s": round(time_s, 9)}
            found.append(
                vector(OF, "operate time, cold and hot curve", words, given, expect, {"ticks": 1}, function="thermal")
            )
    return found


def others() -> list[Vector]:
    base = {"time_constant_s": TAU, "k": K}
    found = []
    for words, current, seconds in (("the mean of the pulses, 0.8 Ib", 0.8, 6000.0), ("at k Ib", 1.05, 6000.0)):
        level = (current / K) ** 2 * -math.expm1(-(seconds - 0.01) / TAU)
        given = base | {"steps": [[current, seconds]], "dt_s": 0.01}
        expect = {"operates": False, "level": round(level, 12)}
        found.append(
            vector(OF, "level", f"{words}: it does not operate", given, expect, {"relative": 1e-9}, function="thermal")
        )
    level, time_s, keeps = 0.0, 0.0, math.exp(-0.5 / TAU)
    high, low = (1.5 / K) ** 2, (0.1 / K) ** 2
    while high + (level - high) * keeps < 1.0:
        level = high + (level - high) * keeps
        level = low + (level - low) * keeps
        time_s += 1.0
    time_s += TAU * math.log((high - level) / (high - 1.0))
    given = base | {"steps": [[1.5, 0.5], [0.1, 0.5]], "repeat": math.ceil(time_s) + 1, "dt_s": 0.001}
    words = "pulses of 1.5 and 0.1 Ib, RMS 1.063, mean 0.8"
    expect = {"operates": True, "time_s": round(time_s, 6)}
    found.append(vector(OF, "operate time", words, given, expect, {"ticks": 1}, function="thermal"))
    for cooling_s in (600.0, 1800.0):
        level = 0.5 / K**2 * math.exp(-599.99 / cooling_s)
        given = base | {"before": math.sqrt(0.5), "cooling_s": cooling_s, "steps": [[0.0, 600.0]], "dt_s": 0.01}
        expect = {"operates": False, "level": round(level, 12)}
        words = f"standing still for 600 s, cooling with {cooling_s:g} s"
        found.append(vector(OF, "cooling", words, given, expect, {"relative": 1e-9}, function="thermal"))
    for base_a, k in ((400.0, 1.05), (400.0, 1.1), (250.0, 1.05)):
        current = 2.0 * base_a
        time_s = TAU * math.log(4.0 / (4.0 - k**2))
        given = {"time_constant_s": TAU, "k": k, "base": base_a, "steps": [[current, round(time_s + 1, 2)]], "dt_s": 0.01}
        expect = {"operates": True, "time_s": round(time_s, 9)}
        words = f"{current:g} A, Ib {base_a:g} A, k {k:g}"
        found.append(vector(OF, "operate time, cold", words, given, expect, {"ticks": 1}, function="thermal"))
    return found
