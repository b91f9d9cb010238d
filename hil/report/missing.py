"""What of a limit that was violated only the record can tell."""

from __future__ import annotations

from dataclasses import replace

from hil.report.result import Result
from hil.scenario.limit import RampRate
from hil.verdict.outcome import Outcome
from hil.verdict.shortfall import ramp_shortfall_j

_POWER = "pcc.power_measured_w"


def with_missing_energy(result: Result) -> Result:
    """The result with the energy that was missing to hold each ramp limit that was violated, where its power is recorded."""
    limits = dict(result.limits)
    for limit in result.scenario.limits:
        if isinstance(limit, RampRate) and limits[limit.name].outcome is Outcome.FAIL and _POWER in result.channels:
            energy_j = ramp_shortfall_j(*result.signal(_POWER), float(limit.max_w_per_s), limit.direction)
            limits[limit.name] = replace(limits[limit.name], missing_j=energy_j)
    return replace(result, limits=limits)
