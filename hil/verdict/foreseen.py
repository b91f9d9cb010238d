"""What of a verdict is known before a run: what keeps it from PASS whatever the run shows."""

from __future__ import annotations

from collections.abc import Iterator

from hil.scenario.model import Scenario
from hil.scenario.supervisor import SocWindow, UpsGroup
from hil.verdict.evidence import load_too_slow, longer_than_run

NO_LIMIT = "the scenario requires no limit"


def foreseen(scenario: Scenario, sampled_s: float | None = None) -> Iterator[str]:
    """One line a problem, in the words of the verdict: limits first, then supervisors.

    sampled_s: time between two samples of a recorded load.
    """
    for limit in scenario.limits:
        reasons = [*longer_than_run(scenario.tick_s, limit, scenario.ticks), *load_too_slow(limit, sampled_s)]
        for reason in reasons:
            yield f"{limit.name}: {reason}: it cannot PASS"
    if not scenario.expect and not any(limit.required for limit in scenario.limits):
        yield f"{NO_LIMIT}: it cannot PASS"
    for name, supervisor in scenario.supervisor.items():
        if supervisor.required and isinstance(supervisor, (SocWindow, UpsGroup)):
            period_s, allowed_s = 1.0 / float(supervisor.rate_hz), float(supervisor.stale_after_s)
            if min(period_s, scenario.duration_s) > allowed_s:  # may be: a driver goes on with a target for a while
                slow = f"its period, {period_s:g} s, is longer than its stale_after, {allowed_s:g} s"
                yield f"supervisor.{name}: {slow}: it may be silent for too long, which blocks PASS"
