"""Values of limits as people read them, in a table and in a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hil.limits.entries import judged
from hil.limits.units import written
from hil.verdict.outcome import Outcome

if TYPE_CHECKING:
    from hil.limits.facts import Facts
    from hil.scenario.limit import Limit
    from hil.verdict.expectations import ExpectationResult
    from hil.verdict.result import LimitResult


def quantity(value: float, limit: LimitResult) -> str:
    """A value of a limit, with its unit."""
    return written(value, limit.unit)


def bounds(limit: Limit, facts: Facts) -> str:
    """The bounds of a limit, with their unit."""
    ways = judged(limit, facts)
    if not ways:
        return "no UPS"
    how = ways[0]
    low, high = (written(bound * how.scale, how.unit) if math.isfinite(bound) else None for bound in (how.low, how.high))
    inside = f"{low} to {high}"
    if low is None or high is None:
        inside = f"at least {low}" if high is None else f"at most {high}"
    return inside + (f", trips {trip(limit)}" if getattr(limit, "breaker", None) else "")


def trip(limit: Any) -> str:
    """What a limit trips, how fast, and how that breaker is closed again."""
    again = "locked out (86)" if limit.lockout else f"recloses after {limit.reclose_after_s:g} s"
    return f"the {limit.breaker} breaker in {1e3 * limit.breaker_time_s:g} ms, {again}"


def worst(limit: LimitResult) -> str:
    """The worst value of a limit, with its unit."""
    return "never judged" if limit.worst is None else quantity(limit.worst, limit)


_STORAGE = {
    "ramp": "more storage would have held it, as a slope at every instant",
    "peak_to_peak": "more storage would have held it",
    "dynamic_range": "more storage would have held it",
    "variation": "more storage would have held it",
    "oscillation": "more storage would have taken what a sine so large has beyond the limit",
    "soc_window": "more battery would have held it",
    "reverse_power": "too much was given to the grid while it was violated",
    "underpower": "too little was taken from the grid while it was violated",
    "overload": "too much was taken from the UPS while it was violated",
}


def missing(limit: LimitResult) -> str | None:
    """What was missing to hold a limit that was violated; None where it is not known, or means nothing."""
    if limit.missing_j is not None:
        return f"{energy(limit.missing_j)} {_STORAGE[limit.kind]}"
    return None if limit.missing_s is None else f"{limit.missing_s:.3f} s too long"


def energy(energy_j: float) -> str:
    """An energy in the unit in which people read it."""
    kwh = energy_j / 3.6e6
    return f"{kwh / 1e3:.3g} MWh" if kwh >= 1e3 else f"{kwh:.3g} kWh"


def held(limits: Mapping[str, LimitResult]) -> str:
    """How many of the required limits held, of those that apply."""
    required = [limit for limit in limits.values() if limit.required and limit.outcome is not Outcome.NOT_APPLICABLE]
    return f"{sum(limit.outcome is Outcome.PASS for limit in required)} of {len(required)} required limits held"


def said(limits: Mapping[str, LimitResult], expectations: Mapping[str, ExpectationResult]) -> str:
    """How many of the required limits held, and how many of the expectations were met, where there are any."""
    if not expectations:
        return held(limits)
    met = f"{sum(one.outcome is Outcome.PASS for one in expectations.values())} of {len(expectations)} expectations met"
    return f"{held(limits)}, {met}" if any(limit.required for limit in limits.values()) else met


def told(limit: LimitResult) -> str:
    """How a limit ended, in one line."""
    words = [str(limit.outcome)]
    if limit.margin is not None:
        words.append(f"margin {100 * limit.margin:.1f} %")
    if limit.worst is not None and limit.at_s is not None:
        words.append(f"worst {worst(limit).partition(' ')[0]} of {quantity(limit.limit, limit)} at {limit.at_s:.3f} s")
    if limit.first_violation_s is not None:
        words.append(f"first at {limit.first_violation_s:.3f} s, {limit.time_beyond_s:.3f} s beyond")
    if limit.missing_j is not None:
        words.append(f"{energy(limit.missing_j)} missing")
    if limit.missing_s is not None:
        words.append(f"{limit.missing_s:.3f} s too long")
    if limit.tripped_s is not None:
        words.append(f"tripped {limit.trips} at {limit.tripped_s:.3f} s")
    if limit.disconnected_s > 0.0:
        words.append(f"disconnected {limit.disconnected_s:.3f} s")
    if limit.blanked_s > 0.0:
        words.append(f"blanked {limit.blanked_s:.3f} s")
    return " · ".join(words)
