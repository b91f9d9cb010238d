"""Whether the ticks of a paced run were punctual enough for PASS."""

from __future__ import annotations

from hil.realtime.evidence import Timing
from hil.scenario.clock import Clock


def late_reasons(timing: Timing, allowed: Clock) -> list[str]:
    """Why the verdict cannot be PASS; empty where the ticks were punctual enough. Limits have reasons of their own."""
    reasons = []
    if timing.aborted_s is not None:
        late = f"{timing.lateness_us['max'] * timing.speed / 1e3:.3g} ms late"
        budget = f"{1e3 * allowed.overrun_budget_s:g} ms (clock.overrun_budget)"
        reasons.append(f"clock: ended at {timing.aborted_s:.3f} s, where a tick was {late}, more than {budget}: policy abort")
    if timing.overrun_share > allowed.overruns:
        share = f"{100 * timing.overrun_share:.3g} % of the ticks were late by a tick or more (overrun)"
        reasons.append(f"clock: {share}, allowed {100 * allowed.overruns:g} %")
    return reasons
