"""Breakers, which limits trip them, and what of the limits an open one leaves nothing to judge of."""

from __future__ import annotations

from hil.kernel.layout import CODES
from hil.limits.build import functions_of
from hil.limits.channels import breaker_channels
from hil.limits.entries import entries
from hil.limits.judged import Judged
from hil.scenario.event import ResetLockout
from hil.scenario.limit import Limit
from hil.scenario.limit.base import TripSection
from hil.scenario.model import Scenario
from hil.site.parts import Parts

_STILL_JUDGED = ("recovery", "ride_through")
"""What sees that a site has let go, and must."""

_CURRENTS = ("converter_current", "overcurrent", "thermal_overload")


def breaker_outputs(scenario: Scenario) -> tuple[str, ...]:
    """Channels of breakers, which stand behind those of the site."""
    return tuple(channel for name in scenario.breakers for channel in breaker_channels(name))


def breakers(parts: Parts, channels: tuple[str, ...]) -> None:
    """Fill breakers, all closed, the scripted resets, and what the limits have to do with them."""
    scenario = parts.scenario
    names = scenario.breakers
    params, states = parts.make("breakers", len(names))
    for name, param, state in zip(names, params, states, strict=True):
        kind, _, device = name.partition(".")
        param["place"] = CODES[f"breaker.{kind}"]
        param["device"] = list(getattr(scenario, kind)).index(device) if device else 0
        param["output"] = channels.index(breaker_channels(name)[0])
        state["opens_at"] = state["closes_at"] = -1
    asked = [event for event in scenario.events if isinstance(event, ResetLockout)]
    for row, event in zip(parts.make_parameters("resets", len(asked)), asked, strict=True):
        row["breaker"], row["tick"] = names.index(event.breaker), scenario.ticks_of(event.at_s)
    _trips(parts)


def _trips(parts: Parts) -> None:
    scenario = parts.scenario
    names = scenario.breakers
    found = entries(scenario) if names else []
    relays = [function for function in functions_of(found) if function.family == "relays"]
    params, states = parts.make("trips", len(found))
    states["first_tick"] = states["away_from"] = -1
    params["breaker"] = params["behind"] = params["relay"] = -1
    for (limit, how), param in zip(found, params, strict=True):
        behind = _behind(limit)
        if behind in names:
            param["behind"] = names.index(behind)
            # What is dead behind an open breaker would operate them; a current that is 0 lets its relay drop out by itself.
            param["blocked"] = limit.kind == "underpower" or (limit.kind == "undervoltage" and limit.node == "bus")
            param["settle_ticks"] = _settle_ticks(scenario, how)
        mine = [function for function in how.functions if function.family == "relays"]
        param["relay"] = relays.index(mine[0]) if mine else -1
        if isinstance(limit, TripSection) and limit.breaker is not None:
            param["breaker"] = names.index(limit.breaker)
            param["breaker_ticks"] = scenario.ticks_of(limit.breaker_time_s)
            param["locks_out"] = limit.lockout
            param["reclose_ticks"] = scenario.ticks_of(limit.reclose_after_s or 0.0)


def _behind(limit: Limit) -> str | None:
    """The breaker that, while it is open, leaves nothing that a limit could judge."""
    if limit.node in ("pcc", "bus"):
        return None if limit.kind in _STILL_JUDGED else "pcc"
    return limit.node if limit.kind in _CURRENTS else None


def _settle_ticks(scenario: Scenario, how: Judged) -> int:
    """For how long a measured signal still holds samples from before the breaker closed."""
    measuring = scenario.measurement
    window_s = measuring.frequency_window_s if "frequency" in how.channel else measuring.window_s
    return scenario.ticks_of(window_s) + scenario.ticks_of(measuring.delay_s)
