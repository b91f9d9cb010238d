"""The limits of a scenario as the kernel has them: an entry for each way in which one is judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hil.limits.facts import Facts, facts_of
from hil.limits.judged import Judged
from hil.limits.kinds import HOW
from hil.scenario.limit import Limit

if TYPE_CHECKING:
    from hil.scenario.model import Scenario

_OWN_TIMES = ("ramp", "damping")
"""Kinds whose times are not those of their keys, way by way."""


def judged(limit: Limit, facts: Facts) -> list[Judged]:
    """How a limit is judged; by several variants where its source leaves one thing open and they must agree."""
    found = HOW[limit.kind](limit, facts)
    if limit.kind in _OWN_TIMES:
        return found
    window_s, mean_s, delay_s = (float(getattr(limit, f"{key}_s", 0.0)) for key in ("window", "mean", "delay"))
    timer_s = max(delay_s, float(getattr(limit, "timer_window_s", 0.0)))
    found = [replace(how, window_s=window_s, mean_s=mean_s) for how in found]
    found = [replace(how, timer_s=timer_s) if _by_relay(how) else replace(how, delay_s=delay_s) for how in found]
    return [_in_service(how) for how in found] if getattr(limit, "action", "log") == "trip" else found


def _by_relay(how: Judged) -> bool:
    """Whether the delay is that of a relay behind which the limit looks."""
    return any(function.family == "relays" for function in how.functions)


def _in_service(how: Judged) -> Judged:
    """A relay that trips is told of no scripted stimulus."""

    def unblanked(settings: Any) -> Any:
        return replace(settings, blank="blank.never") if hasattr(settings, "blank") else settings

    functions = tuple(replace(function, settings=unblanked(function.settings)) for function in how.functions)
    return replace(how, blanked_by="blank.never", functions=functions)


def entries(scenario: Scenario) -> list[tuple[Limit, Judged]]:
    """Each limit of a scenario with each way in which it is judged, in the order in which the kernel has them."""
    facts = facts_of(scenario)
    return [(limit, how) for limit in scenario.limits for how in judged(limit, facts)]


def entry_details(scenario: Scenario) -> list[dict[str, object]]:
    """How the event log names the entries."""
    found: list[dict[str, object]] = []
    for limit, how in entries(scenario):
        found.append({"limit": limit.name, "variant": how.variant} if how.variant else {"limit": limit.name})
    return found
