"""Whether a run shows what its scenario expects: how limits end, figures of signals, how often something happens."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hil.limits.units import written
from hil.scenario.expect import EventExpect, Expect, LimitExpect, SignalExpect
from hil.scenario.model import Scenario
from hil.verdict.foreseen import NO_LIMIT
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult
from hil.verdict.shortfall import Floats

_FEWEST = 8
"""Rows of which a frequency can be told."""


@dataclass(frozen=True)
class ExpectationResult:
    """How one expectation ended: PASS where the run shows it.

    expected, shown: in words. value: the figure of a signal, a count, or the energy in J that a limit was missing; None where
    there is none. low, high: what was allowed, both in the unit of value.
    """

    name: str
    kind: str
    outcome: Outcome
    expected: str
    shown: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Seen:
    """What a run has left. signal: times and values of a channel that is recorded, shape (n,) each."""

    limits: Mapping[str, LimitResult]
    signal: Callable[[str], tuple[Floats, Floats]]
    events: Sequence[Mapping[str, Any]]
    end_s: float


def expectations(scenario: Scenario, seen: Seen) -> dict[str, ExpectationResult]:
    """All of a scenario's, by name."""
    return {expect.name: _ended(expect, seen) for expect in scenario.expect}


def with_expectations(
    outcome: Outcome, reasons: list[str], results: Mapping[str, ExpectationResult]
) -> tuple[Outcome, list[str]]:
    """A verdict and what blocks its PASS, with expectations, each of which counts as a required limit does."""
    if not results:
        return outcome, reasons
    kept = [reason for reason in reasons if reason != NO_LIMIT]
    undecided = [one for one in results.values() if one.outcome is Outcome.INCONCLUSIVE]
    kept += [f"{one.name}: {', '.join(one.reasons)}" for one in undecided]
    if outcome is Outcome.FAIL or any(one.outcome is Outcome.FAIL for one in results.values()):
        return Outcome.FAIL, kept
    return Outcome.INCONCLUSIVE if kept else Outcome.PASS, kept


def _ended(expect: Expect, seen: Seen) -> ExpectationResult:
    if isinstance(expect, LimitExpect):
        return _limit(expect, seen.limits[expect.limit])
    return _signal(expect, seen) if isinstance(expect, SignalExpect) else _event(expect, seen)


def _limit(expect: LimitExpect, limit: LimitResult) -> ExpectationResult:
    met = str(limit.outcome) == expect.outcome
    expected, shown = [f"{expect.limit} {expect.outcome}"], [str(limit.outcome)]
    value = low = high = None
    if expect.first_violation_s is not None:
        first, last = expect.first_violation_s
        expected.append(f"first violated between {first:g} s and {last:g} s")
        at_s = limit.first_violation_s
        shown.append("never violated" if at_s is None else f"first violated at {at_s:.3f} s")
        met = met and at_s is not None and first <= at_s <= last
    if expect.missing_wh is not None:
        value = limit.missing_j
        low, high = (bound * 3600.0 for bound in expect.missing_wh)
        expected.append(f"{written(low / 3600, 'Wh')} to {written(high / 3600, 'Wh')} missing")
        shown.append("not known what was missing" if value is None else f"{written(value / 3600, 'Wh')} missing")
        met = met and value is not None and low <= value <= high
    return ExpectationResult(
        expect.name,
        expect.kind,
        Outcome.PASS if met else Outcome.FAIL,
        ", ".join(expected),
        ", ".join(shown),
        value,
        low,
        high,
        "" if low is None else "J",
    )


def _signal(expect: SignalExpect, seen: Seen) -> ExpectationResult:
    low, high = expect.bounds
    unit = expect.dimension.unit
    expected = f"{expect.signal}, {expect.statistic}: {written(low, unit)} to {written(high, unit)}"

    def ended(outcome: Outcome, shown: str, value: float | None, reasons: list[str]) -> ExpectationResult:
        return ExpectationResult(expect.name, expect.kind, outcome, expected, shown, value, low, high, unit, reasons)

    to_s = seen.end_s if expect.to_s is None else float(expect.to_s)
    if to_s > seen.end_s + 1e-9 or expect.from_s >= seen.end_s:
        reason = f"the run ended at {seen.end_s:g} s, before it could be seen"
        return ended(Outcome.INCONCLUSIVE, "nothing", None, [reason])
    time_s, values = seen.signal(expect.signal)
    value = figure(expect, time_s, values, to_s)
    if value is None or not math.isfinite(value):
        return ended(Outcome.INCONCLUSIVE, "nothing", None, [f"no figure can be told of {expect.signal} there"])
    return ended(Outcome.PASS if low <= value <= high else Outcome.FAIL, written(value, unit), value, [])


def _event(expect: EventExpect, seen: Seen) -> ExpectationResult:
    to_s = seen.end_s if expect.to_s is None else float(expect.to_s)
    count = sum(
        one["event"] == expect.event
        and expect.from_s <= one["time_s"] <= to_s
        and (expect.device is None or one.get("device") == expect.device)
        for one in seen.events
    )
    low, high = expect.count
    name = expect.event if expect.device is None else f"{expect.event} of {expect.device}"
    allowed = f"{low}" if low == high else f"{low} or more" if high >= 1_000_000 else f"{low} to {high}"
    outcome = Outcome.PASS if low <= count <= high else Outcome.FAIL
    reasons = []
    if outcome is Outcome.FAIL and count < low and to_s > seen.end_s + 1e-9:
        outcome, reasons = Outcome.INCONCLUSIVE, [f"the run ended at {seen.end_s:g} s, before it could be seen"]
    return ExpectationResult(
        expect.name, expect.kind, outcome, f"{name}: {allowed} times", f"{count} times", count, low, high, "", reasons
    )


def figure(expect: SignalExpect, time_s: Floats, values: Floats, to_s: float) -> float | None:
    """The figure of the rows in (from, to], SI, energies in Wh; None where it cannot be told.

    A row states the end of its time.
    """
    inside = (time_s > expect.from_s) & (time_s <= to_s + 1e-9)
    t, v = time_s[inside], values[inside]
    if not t.size:
        return None
    if expect.statistic == "frequency":
        return _strongest_hz(t, v, expect.frames_hz)
    if expect.statistic in ("energy", "energy_swing"):
        begin = np.searchsorted(time_s, t[0]) - 1
        before_s = time_s[begin] if begin >= 0 else float(expect.from_s)
        run_up = np.cumsum(v * np.diff(t, prepend=max(before_s, float(expect.from_s)))) / 3600.0
        if expect.statistic == "energy":
            return float(run_up[-1])
        return float(max(run_up.max(), 0.0) - min(run_up.min(), 0.0))
    before = np.searchsorted(time_s, expect.from_s + 1e-9, side="right") - 1
    first = float(values[max(before, 0)])
    last = float(v[-1])
    return {
        "min": lambda: float(v.min()),
        "max": lambda: float(v.max()),
        "mean": lambda: float(np.average(v, weights=np.diff(t, prepend=float(expect.from_s)))),
        "range": lambda: float(v.max() - v.min()),
        "first": lambda: first,
        "last": lambda: last,
        "change": lambda: last - first,
        "change_share": lambda: (last - first) / first if first else math.nan,
    }[expect.statistic]()


def _strongest_hz(time_s: Floats, values: Floats, frames_hz: float | None) -> float | None:
    """Frequency of the largest line of the spectrum, Hann-windowed, between bins by a parabola through the logarithms."""
    step_s = float(np.median(np.diff(time_s))) if time_s.size > 1 else 0.0
    if frames_hz is not None:
        step_s = 1.0 / float(frames_hz)
    if step_s <= 0.0:
        return None
    at_s = np.arange(math.ceil(time_s[0] / step_s - 1e-9), math.floor(time_s[-1] / step_s + 1e-9) + 1) * step_s
    if at_s.size < _FEWEST:
        return None
    x = np.interp(at_s, time_s, values)
    x = x - np.polynomial.Polynomial.fit(at_s, x, 1)(at_s)
    if not np.abs(x).max() > 1e-9 * np.abs(values).max():
        return None
    power = np.abs(np.fft.rfft(x * np.hanning(x.size + 1)[:-1])) ** 2
    if power.size < 4:
        return None
    k = int(np.argmax(power[1:])) + 1
    offset = 0.0
    if 1 < k < power.size - 1 and power[k - 1] > 0.0 and power[k + 1] > 0.0:
        a, b, c = np.log(power[k - 1 : k + 2])
        offset = 0.5 * (a - c) / (a - 2.0 * b + c)
    return float((k + offset) / (x.size * step_s))


def unknown_signals(scenario: Scenario, channels: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Expectations, by their number, of signals that a run does not record."""
    for number, expect in enumerate(scenario.expect):
        if isinstance(expect, SignalExpect) and expect.signal not in channels:
            yield number, expect.signal
