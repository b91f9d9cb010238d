"""Reference vectors of ratios."""

from __future__ import annotations

import math

from vectors_relays import OURS, Vector, vector

HEADER = """
Ratios: 24 (overexcitation) is the voltage over the frequency, both in per unit; a current is sqrt(P^2 + Q^2) / V. Worked out by hand.
"""


def files() -> dict[str, tuple[str, list[Vector]]]:
    """Header and vectors of each file."""
    cases = (
        (OURS, "quotient", [1.0, 60.0], {"scale": 60.0}, 1.0, "rated voltage and frequency"),
        (OURS, "quotient", [1.10, 60.0], {"scale": 60.0}, 1.10, "1.10 pu at 60 Hz"),
        (OURS, "quotient", [1.05, 57.0], {"scale": 60.0}, 1.05 / 0.95, "1.05 pu at 57 Hz"),
        (OURS, "quotient", [1.0, 50.0], {"scale": 50.0}, 1.0, "1 pu at 50 Hz of 50 Hz"),
        (OURS, "quotient", [1.0, 30.0], {"scale": 60.0}, 2.0, "1 pu at half the frequency"),
        (OURS, "quotient", [1.0, 0.0], {"least": 0.1}, 0.0, "nothing to divide by"),
        (OURS, "quotient", [1.0, 0.1], {"least": 0.1}, 10.0, "the least that is divided by"),
        (OURS, "quotient", [1.0, math.nextafter(0.1, 0.0)], {"least": 0.1}, 0.0, "one step less than that"),
        (OURS, "quotient", [-3.0, 2.0], {}, -1.5, "a sign stays"),
        (OURS, "current", [3.0, 4.0, 1.0], {}, 5.0, "3 MW and 4 Mvar at 1 pu"),
        (OURS, "current", [3.0, -4.0, 0.5], {}, 10.0, "at half the voltage"),
        (OURS, "current", [5e6, 0.0, 1.0], {"scale": 2e-7}, 1.0, "5 MW of 5 MVA"),
        (OURS, "current", [1.0, 1.0, 0.0], {"least": 0.05}, 0.0, "no voltage"),
        (OURS, "magnitude", [-7.5], {"scale": 2.0}, 15.0, "of a negative value"),
        (OURS, "magnitude", [7.5], {"scale": 2.0}, 15.0, "of a positive value"),
        (OURS, "scaled", [-7.5], {"scale": 2.0}, -15.0, "of a negative value"),
        (OURS, "scaled", [7.5], {"scale": 2.0}, 15.0, "of a positive value"),
        (OURS, "scaled", [7.5], {"scale": -1.0}, -7.5, "the other way round"),
    )
    vectors = [
        vector(
            of,
            f"Ratios, {kind}",
            words,
            {"kind": kind, "of": values, **more},
            {"value": value},
            {"relative": 1e-12},
            function="ratio",
        )
        for of, kind, values, more, value, words in cases
    ]
    return {"ratios": (HEADER, vectors)}
