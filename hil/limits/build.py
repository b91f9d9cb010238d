"""Arrays of the kernel for limits and the functions behind them, of a site or of a recording."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hil.kernel.arena import Arena, Arrays
from hil.kernel.layout import CODES, FUNCTIONS, state_dtypes
from hil.limits.counters import Counter
from hil.limits.envelopes import Envelope
from hil.limits.facts import Facts
from hil.limits.filters import butterworth, fill_filter
from hil.limits.flicker import fill_flicker
from hil.limits.judged import Function, Judged
from hil.limits.oscillation import detector
from hil.limits.rates import Rate
from hil.limits.ratios import Ratio
from hil.limits.relays import Relay
from hil.limits.settings import BandPass, Flickermeter, OscillationBand
from hil.limits.thermals import Thermal
from hil.limits.trends import Blocks, Slope
from hil.scenario.limit import Limit, OnBattery, Recovery


@dataclass(frozen=True)
class Ground:
    """What limits stand on. columns: of the channels in a row. initial: of channels before the first tick, as if for ever."""

    facts: Facts
    columns: Mapping[str, int]
    initial: dict[str, float]


def functions_of(found: Sequence[tuple[Limit, Judged]]) -> list[Function]:
    """The functions of all limits, each once, in the order in which they run."""
    wanted = dict.fromkeys(function for _, how in found for function in how.functions)
    return sorted(wanted, key=lambda function: FUNCTIONS.index(function.family))


def fill_functions(parts: Arrays, functions: Sequence[Function], ground: Ground) -> None:
    """Make the arrays of all families; of those that nobody wants empty ones. Raises ValueError for what cannot be."""
    for family in FUNCTIONS:
        mine = [function for function in functions if function.family == family]
        if family in state_dtypes():
            params, states = parts.make(family, len(mine))
        else:
            params, states = parts.make_parameters(family, len(mine)), [None] * len(mine)
        for function, param, state in zip(mine, params, states, strict=True):
            _fill(function, param, state, parts.arena, ground)


def _fill(function: Function, param: Any, state: Any, arena: Arena, ground: Ground) -> None:
    settings, dt_s = function.settings, ground.facts.tick_s
    columns = tuple(ground.columns[name] for name in function.inputs)
    at: dict[str, Any] = {"channel": columns[0], "output": ground.columns[function.outputs[0]]}
    before = [ground.initial.get(name, 0.0) for name in function.inputs]
    if isinstance(settings, Ratio):
        settings.fill(param, channels=columns, output=at["output"])
        ground.initial[function.outputs[0]] = settings.value(*before)
    elif isinstance(settings, BandPass):
        design = butterworth("band_pass", settings.order, (settings.low_hz, settings.high_hz), 1.0 / dt_s)
        fill_filter(param, state, arena, design, initial=before[0], blank=CODES[settings.blank], **at)
    elif isinstance(settings, Thermal):
        replace(settings, before=before[0]).fill(param, state, dt_s=dt_s, **at)
    elif isinstance(settings, Relay):
        settings.fill(param, arena, dt_s=dt_s, judged_from_tick=ground.facts.warm_up_ticks, **at)
    elif isinstance(settings, Rate):
        settings.fill(param, state, arena, dt_s=dt_s, before=before[0], **at)
    elif isinstance(settings, Counter):
        settings.fill(param, arena, dt_s=dt_s, **at)
    elif isinstance(settings, Envelope):
        subject = columns[1] if len(columns) > 1 else None
        settings.fill(param, state, arena, dt_s=dt_s, subject=subject, before=before[-1], **at)
        if len(columns) > 2:
            param["has_breaker"], param["breaker"] = 1, columns[2]
    elif isinstance(settings, OscillationBand):
        edges = {"low_hz": settings.low_hz, "high_hz": settings.high_hz}
        found = detector(**edges, window_s=settings.window_s, tick_s=dt_s, least=settings.least)
        found.fill(param, offset=arena.put(found.memory()), blank=CODES[settings.blank], **at)
        state["held"] = before[0]
    elif isinstance(settings, Slope):
        settings.fill(param, state, arena, dt_s=dt_s, blank=CODES[settings.blank], before=before[0], **at)
    elif isinstance(settings, Blocks):
        settings.fill(param, state, dt_s=dt_s, blank=CODES[settings.blank], before=before[0], **at)
    elif isinstance(settings, Flickermeter):
        fill_flicker(
            param,
            state,
            arena,
            blank=CODES["blank.voltage"],
            tick_s=dt_s,
            lamp=settings.lamp,
            frequency_hz=settings.frequency_hz,
            **at,
        )
        state["held"] = before[0]


def relays_of(functions: Sequence[Function], states: Mapping[str, Any]) -> dict[str, Any]:
    """The states of relays, by the channels that they make."""
    relays = [function.outputs[0] for function in functions if function.family == "relays"]
    return dict(zip(relays, states["relays"], strict=True))


def fill_limits(parts: Arrays, found: Sequence[tuple[Limit, Judged]], ground: Ground) -> Any:
    """Make the arrays of limits, one entry for each way in which one is judged; returns the states."""
    params, states = parts.make("limits", len(found))
    for (limit, how), param, state in zip(found, params, states, strict=True):
        _limit(parts.arena, limit, how, param, state, ground)
    return states


def on_columns(
    found: Sequence[tuple[Limit, Judged]], columns: Mapping[str, Any], facts: Facts, before: Mapping[str, float] | None = None
) -> tuple[Arrays, np.ndarray[Any, np.dtype[np.float64]]]:
    """Arrays, and rows for a `Replay` of them, of channels that are there as columns of one length, shape (n,).

    before: values of channels before the first row; without it the first number that each has. Raises ValueError for a
    function that cannot be at this rate.
    """
    functions = functions_of(found)
    names = [*columns, *(name for function in functions for name in function.outputs)]
    if before is None:
        before = {name: float(values[np.isfinite(values)][0]) for name, values in columns.items() if np.isfinite(values).any()}
    parts = Arrays()
    ground = Ground(facts, {name: column for column, name in enumerate(names)}, dict(before))
    fill_functions(parts, functions, ground)
    fill_limits(parts, found, ground)
    rows = np.zeros((next(iter(columns.values())).size, len(names)))
    for column, values in enumerate(columns.values()):
        rows[:, column] = values
    return parts, rows


def _limit(arena: Arena, limit: Limit, how: Judged, params: Any, state: Any, ground: Ground) -> None:
    ticks_of, before = ground.facts.ticks_of, ground.initial.get(how.channel, 0.0)
    params["kind"], params["blank"] = CODES[how.value], CODES[how.blanked_by]
    params["channel"] = ground.columns[how.channel]
    params["low"], params["high"] = how.low, how.high
    params["has_low"], params["has_high"] = math.isfinite(how.low), math.isfinite(how.high)
    state["highest"], state["lowest"] = -math.inf, math.inf
    state["first_tick"] = state["highest_tick"] = state["lowest_tick"] = -1
    state["last"] = before
    window, mean = max(1, ticks_of(how.window_s)), max(1, ticks_of(how.mean_s))
    if how.value == "limit.ramp":
        params["per_second"] = 1.0 / (window * ground.facts.tick_s)
        arena.mean(state["mean"], mean, before)
        arena.delay(state["past"], window, before)
    elif how.value == "limit.range":
        for name in ("top", "bottom"):
            arena.extremum(state[name], ticks_of(how.window_s) + 1)
    elif how.value == "limit.rate":
        params["per_second"] = 1.0 / (window * ground.facts.tick_s)
        arena.delay(state["past"], window, before)
    elif isinstance(limit, OnBattery):
        params["ticks_per_second"] = ticks_of(1.0)
        params["counted"], params["total"] = 1.0, limit.counts == "total"
    elif isinstance(limit, Recovery):
        _recovery(arena, limit, params, state, ground, before)
    delay = ticks_of(how.delay_s)
    params["delay_ticks"] = delay
    params["look_back_ticks"] = sum(map(ticks_of, (how.window_s, how.mean_s, how.delay_s, how.timer_s)))
    if delay > 0:
        for name, used in (("held_high", math.isfinite(how.high)), ("held_low", math.isfinite(how.low))):
            if used:
                arena.extremum(state[name], delay + 1)


def _recovery(arena: Arena, limit: Recovery, params: Any, state: Any, ground: Ground, before_w: float) -> None:
    """What a recovery needs: where a dip shows, and the power before it."""
    facts = ground.facts
    at_ups = limit.node.startswith("ups.")
    params["voltage"] = ground.columns[f"{'bus' if at_ups else 'pcc'}.voltage_lowest_measured_pu"]
    params["ticks_per_second"] = facts.ticks_of(1.0)
    params["hold_ticks"] = facts.ticks_of(limit.hold_s)
    params["below"], params["share"] = limit.below, limit.share
    params["slack"] = facts.slack_w
    late = max(1, facts.ticks_of(facts.measuring_s))  # of the voltage, behind the power
    if at_ups:
        params["lag_ticks"] = facts.ticks_of(facts.delay_s)
        late += facts.ticks_of(facts.delay_s)
    state["before"] = before_w
    arena.mean(state["mean"], max(1, facts.ticks_of(limit.mean_s)), before_w)
    arena.delay(state["past"], late, before_w)
