"""What the folder of a run says besides its record: which rows its stimuli void, and what evidence it lacked."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hil.limits.blanking import FOR_GOOD, blanked
from hil.limits.facts import Facts, facts_of
from hil.recordings import Recording
from hil.scenario.model import Scenario
from hil.verdict.foreseen import NO_LIMIT
from hil.verdict.missing import Span, voided

_LATENESS = "loop.lateness_us"


@dataclass(frozen=True)
class RunRows:
    """How the rows of a run's record are judged.

    facts: of the site, with the period of the rows. every: ticks a row. offset_s: from the end of a row's period to its time.
    blanked: code, first row, and the row after the last. warm_up: rows that are not judged at the beginning. late: rows of
    ticks that came too late to be evidence, shape (n,). late_s: later than that. reasons: evidence that the run lacked, of
    whatever limit. voided: when its dips voided limits, s. begin_s: end of its warm-up. sampled_s: time between two samples
    of a recorded load.
    """

    facts: Facts
    every: int
    offset_s: float
    blanked: list[tuple[int, int, int]]
    warm_up: int
    late: np.ndarray[Any, np.dtype[np.int64]]
    late_s: float
    reasons: list[str]
    voided: list[Span]
    begin_s: float
    sampled_s: float | None = None


def rows_of(folder: Path, scenario: Scenario, recording: Recording) -> RunRows:
    """The rows of a run's record. A row stands for the ticks since the one before it, so it is void where one of them is."""
    tick_s = float(scenario.tick_s)
    every = max(1, round(1.0 / (recording.rate_hz * tick_s)))
    first = round(recording.first_s / tick_s) - 1  # tick of the first row

    def row_from(tick: int) -> int:
        """The first row at or after a tick."""
        return max(0, -((first - tick) // every))

    void = [
        (code, row_from(start), FOR_GOOD if until == FOR_GOOD else row_from(until + every - 1))
        for code, start, until in blanked(scenario)
    ]
    summary = _summary(folder)
    late_s = float(scenario.clock.overrun_budget_s)
    late = np.empty(0, np.int64)
    if _LATENESS in recording.signals:
        late = np.flatnonzero(recording.signals[_LATENESS] > late_s)
    return RunRows(
        facts=replace(facts_of(scenario), period_ns=every * scenario.period_ns),
        every=every,
        offset_s=(first + 1 - every) * tick_s,
        blanked=void,
        warm_up=row_from(scenario.ticks_of(scenario.warm_up_s)),
        late=late,
        late_s=late_s,
        reasons=_lacking(summary, scenario, int(late.size)),
        voided=voided(scenario),
        begin_s=float(scenario.warm_up_s),
        sampled_s=None if summary is None else (summary.get("load") or {}).get("sampled_s"),
    )


def _summary(folder: Path) -> dict[str, Any] | None:
    """`summary.json`; None where the run was not finished, or the file is damaged."""
    try:
        found = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _lacking(summary: dict[str, Any] | None, scenario: Scenario, shown: int) -> list[str]:
    """What blocked PASS whatever the limits were. shown: late ticks that the record shows."""
    if summary is None:
        return ["the run was not finished: it has no summary.json"]
    reasons = [str(reason) for reason in summary.get("reasons") or []]
    of_limits = tuple(f"{limit.name}: " for limit in scenario.limits)
    found = [reason for reason in reasons if reason != NO_LIMIT and not reason.startswith(of_limits)]
    late = (summary.get("timing") or {}).get("beyond_budget", 0)
    if late > shown:
        found.append(f"{late} ticks were later than clock.overrun_budget, of which the record shows {shown} ({_LATENESS})")
    return found
