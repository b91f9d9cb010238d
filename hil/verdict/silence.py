"""What it means that a limit has shown nothing: not asked anything, or not seen."""

from __future__ import annotations

from typing import Any

from hil.limits.judged import Judged
from hil.limits.units import written
from hil.scenario.limit import Limit
from hil.verdict.outcome import Outcome

NOTHING = "no sample was judged"
_NEVER = {
    "flicker": "the flickermeter had not observed for long enough",
    "oscillation": "the detector's window was never full",
    "band_share": "the detector's window was never full",
}


def silent(limit: Limit, how: Judged, state: Any) -> tuple[Outcome, str]:
    """How a limit ends that has no worst value although no evidence was lacking, and why."""
    asked_nothing = _not_asked(limit, how)
    if asked_nothing and not (limit.kind == "battery_temperature" and state["valid_ticks"]):
        return Outcome.NOT_EXERCISED, asked_nothing
    if how.delay_s:
        return Outcome.INCONCLUSIVE, f"never judged for its delay, {how.delay_s:g} s, without a break"
    return Outcome.INCONCLUSIVE, _NEVER.get(limit.kind, NOTHING)


def _not_asked(limit: Limit, how: Judged) -> str:
    """What never happened of which a limit would have said something; empty where it always says something."""
    if limit.kind == "recovery":
        return f"the measured voltage never fell below {limit.below:g} pu"
    if limit.kind == "ride_through":
        return f"no {limit.signal} left the continuous band for a time after which the power had to come back"
    if limit.kind == "battery_temperature" and limit.during != "always":
        return f"the battery was never {limit.during}"
    if limit.kind == "damping":
        above = written(float(limit.above_w), "W")
        return f"no oscillation stayed above {above} for as long as it takes to tell its damping, {how.delay_s:g} s"
    return ""


def never_picked_up(limit: Limit, relay: Any) -> bool:
    """Whether what acts as a relay, and not as a limit, has never been asked anything."""
    return relay is not None and relay["picked_ticks"] == 0 and getattr(limit, "acts_as", "limit") == "relay"


def pick_up(limit: Any) -> str:
    """What a relay waited for in vain."""
    of = limit.picks_up
    pickup = float(getattr(limit, of.pickup))
    return f"never picked up: {of.subject} never {'fell below' if of.under else 'exceeded'} {pickup:g} {of.unit}"
