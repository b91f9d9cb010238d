"""What was missing to hold a limit that was violated: energy, or seconds; how each is reckoned is in docs/verdict.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hil.kernel.layout import CODES
from hil.limits.blanking import blanked
from hil.limits.channels import POWER, TRUE_POWER
from hil.limits.entries import judged
from hil.limits.facts import Facts
from hil.limits.replaying import replayed
from hil.scenario.limit import Limit
from hil.scenario.model import Scenario
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult
from hil.verdict.shortfall import (
    Floats,
    beyond_j,
    ramp_shortfall_j,
    range_shortfall_j,
    sine_j,
    swing_j,
)

Span = tuple[float, float]

_CLIPPED = (1.0, 0.9, 0.8, 0.6, 0.4)
"""Shares of a variation's bound to which the power behind its filter is clipped, one after the other."""
_CLIPPINGS = 6
_MOST_ROWS = 2_000_000
_FLOAT32 = 1e-6
_NEAR = 0.05
"""Share by which what rows show may be off what every tick has shown."""


@dataclass(frozen=True)
class Shown:
    """What there is to be seen of a run or a recording.

    signal: times and values of a channel, shape (n,) each; None where it is not there. voided: spans in which a scripted dip
    voids limits on voltage and power, (from, to] in s. begin_s: before it nothing is judged.
    """

    facts: Facts
    signal: Callable[[str], tuple[Floats, Floats] | None]
    voided: Sequence[Span] = ()
    begin_s: float = 0.0


def with_missing(limit: Limit, found: LimitResult, shown: Shown) -> LimitResult:
    """The result, with what was missing where the limit was violated and that is known."""
    if found.outcome is not Outcome.FAIL or found.worst is None:
        return found
    if limit.kind in ("on_battery", "recovery"):
        return replace(found, missing_s=found.worst - found.limit)
    if limit.kind == "soc_window":
        device = shown.facts.devices.get(limit.node)
        if device is None or device.energy_j is None:
            return found
        return replace(found, missing_j=abs(found.worst - found.limit) * device.energy_j)
    reckon = _ENERGY.get(limit.kind)
    return found if reckon is None else replace(found, missing_j=reckon(limit, found, shown))


def voided(scenario: Scenario) -> list[Span]:
    """When a scenario's dips void limits on voltage and power, in order; those that overlap as one."""
    tick_s, of_dips = float(scenario.tick_s), CODES["blank.voltage"]
    spans = [(start * tick_s, until * tick_s) for code, start, until in blanked(scenario) if code == of_dips]
    joined: list[Span] = []
    for begin_s, end_s in sorted(spans):
        if joined and begin_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end_s, joined[-1][1]))
        else:
            joined.append((begin_s, end_s))
    return joined


def _rows(channel: str, found: LimitResult, shown: Shown, *, hold: bool) -> tuple[Floats, float] | None:
    """The rows of a channel from where it is judged on, and their distance; None where they do not tell what was judged.

    hold: what is voided is the last row before it, as in a window; else it is not a number.
    """
    there = shown.signal(channel)
    if there is None or found.suspect_s > 0.0:
        return None
    time_s, values = there
    chosen = time_s > shown.begin_s
    time_s, values = time_s[chosen], values[chosen].copy()
    if not 2 <= time_s.size <= _MOST_ROWS or not np.isfinite(values).all():
        return None
    step_s = float(time_s[1] - time_s[0])
    if np.ptp(np.diff(time_s)) > 1e-3 * step_s:
        return None  # rows were lost
    void, voided_s = np.zeros(time_s.size, bool), 0.0
    for begin_s, end_s in shown.voided:
        void |= (time_s > begin_s + 1e-9) & (time_s <= end_s + 1e-9)
        voided_s += max(0.0, min(end_s, float(time_s[-1])) - begin_s)
    if found.blanked_s > 0.0:
        if abs(found.blanked_s - voided_s) > 1.5 * max(step_s, shown.facts.tick_s):
            return None  # of some stimulus nothing is known but that it voided something
        if hold:
            last = np.maximum.accumulate(np.where(void, 0, np.arange(time_s.size)))
            values = values[last]
        else:
            values[void] = np.nan
    return values, step_s


def _near(seen: float, judged_as: float) -> bool:
    """Whether rows show what the limit saw in every tick."""
    return abs(seen - judged_as) <= _NEAR * abs(judged_as)


def _worst_shows(limit: Limit, found: LimitResult, shown: Shown, power_w: Floats, step_s: float) -> bool:
    """Whether the limit, judged by the rows alone, has the worst value that it had."""
    facts = replace(shown.facts, period_ns=round(1e9 * step_s))
    ways = judged(limit, facts)
    states, _, _ = replayed([(limit, how) for how in ways], {POWER: power_w}, facts)
    seen = [how.scale * state[side] for how, state in zip(ways, states, strict=True) for side in ("highest", "lowest")]
    return any(_near(float(value), found.worst or 0.0) for value in seen)


def _ramp(limit: Any, found: LimitResult, shown: Shown) -> float | None:
    rows = _rows(POWER, found, shown, hold=True)
    if rows is None:
        return None
    power_w, step_s = rows
    if not _worst_shows(limit, found, shown, power_w, step_s):
        return None
    return (
        ramp_shortfall_j(
            step_s * np.arange(power_w.size, dtype=np.float64), power_w, float(limit.max_w_per_s), limit.direction
        )
        or None
    )


def _range(limit: Any, found: LimitResult, shown: Shown) -> float | None:
    rows = _rows(POWER, found, shown, hold=True)
    if rows is None or not _worst_shows(limit, found, shown, *rows):
        return None
    most_w = float(limit.max_w) if limit.kind == "peak_to_peak" else float(limit.max * limit.of_w)
    return range_shortfall_j(*rows, most_w, float(limit.window_s)) or None


def _variation(limit: Any, found: LimitResult, shown: Shown) -> float | None:
    """Of a storage that clips what a band-pass of first order lets through, so far that the limit, judged anew, holds.

    What it gives is filtered too, so it clips again what is left, and closer to zero, until each way of the limit holds.
    """
    rows = _rows(TRUE_POWER, found, shown, hold=True)
    if rows is None or abs(rows[1] - shown.facts.tick_s) > 1e-9:
        return None
    power_w, step_s = rows
    ways = [(limit, how) for how in judged(limit, shown.facts)]
    (first,) = judged(limit.model_copy(update={"order": 1}), shown.facts)
    given_w = np.zeros_like(power_w)
    for share in _CLIPPED:
        for _ in range(_CLIPPINGS):
            _, _, channels = replayed([(limit, first)], {TRUE_POWER: power_w - given_w}, shown.facts)
            filtered_w, most_w = channels[first.channel], 0.5 * share * float(limit.max_w)
            given_w += filtered_w - np.clip(filtered_w, -most_w, most_w)
            states, _, _ = replayed(ways, {TRUE_POWER: power_w - given_w}, shown.facts)
            if all(state["beyond_ticks"] == 0 for state in states):
                return swing_j(given_w, step_s)
    return None


def _oscillation(limit: Any, found: LimitResult, shown: Shown) -> float | None:
    outputs = judged(limit, shown.facts)[0].functions[0].outputs
    amplitude, frequency = shown.signal(outputs[0]), shown.signal(outputs[1])
    if amplitude is None or frequency is None or found.at_s is None or found.worst is None:
        return None
    row = int(np.searchsorted(amplitude[0], found.at_s - 0.5 * shown.facts.tick_s))
    if row == amplitude[0].size or abs(amplitude[1][row] - found.worst) > _FLOAT32 * found.worst:
        return None  # the rows are too far apart to show it
    frequency_hz = float(frequency[1][row])
    return sine_j(found.worst, found.limit, frequency_hz) if frequency_hz > 0.0 else None


def _beyond(limit: Any, found: LimitResult, shown: Shown) -> float | None:
    channel, bound_w, under = POWER, 0.0, True
    if limit.kind == "overload":
        if limit.max is None:  # of steps, whose times are missing, and no level of which alone was too much
            return None
        channel, under = f"{limit.node}.output_w", False
        bound_w = float(limit.max) * shown.facts.devices[limit.node].rating
    else:
        bound_w = float(limit.min_w) if limit.kind == "underpower" else -float(limit.max_w)
    rows = _rows(channel, found, shown, hold=False)
    if rows is None:
        return None
    delay_s = float(limit.delay_s)
    energy_j, beyond_s, count = beyond_j(*rows, bound_w, under=under, delay_s=delay_s)
    return energy_j if count == found.excursions and _near(beyond_s - count * delay_s, found.time_beyond_s) else None


_ENERGY: dict[str, Callable[[Any, LimitResult, Shown], float | None]] = {
    "ramp": _ramp,
    "peak_to_peak": _range,
    "dynamic_range": _range,
    "variation": _variation,
    "oscillation": _oscillation,
    "reverse_power": _beyond,
    "underpower": _beyond,
    "overload": _beyond,
}
