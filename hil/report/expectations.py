"""What of a run's expectations only the record can tell."""

from __future__ import annotations

from dataclasses import replace

from hil.report.result import Result
from hil.verdict.expectations import Seen, expectations, with_expectations


def with_what_was_expected(result: Result) -> Result:
    """The result with the expectations of its scenario, and the verdict that they make with the limits."""
    scenario = result.scenario
    if not scenario.expect:
        return result
    found = expectations(scenario, Seen(result.limits, result.signal, result.events, result.duration_s))
    verdict, reasons = with_expectations(result.verdict, result.reasons, found)
    return replace(result, verdict=verdict, reasons=reasons, expectations=found)
