"""What a comparison of a test was about: the limit, or the run, that a value in it came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from hil.report.limit_table import limit_table
from hil.report.result import Result
from hil.testing.runs import Run
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult


def explain(operator: str, left: object, right: object, runs: Iterable[Run]) -> list[str] | None:
    """Lines on a comparison that does not hold: the table of what it compares; None where it is about no run of the test.

    An outcome is of the runs, or of their limits, that ended so, PASS only where nothing else is compared; a number is that of
    the limit that holds this very object.
    """
    lines: list[str] = []
    for value in [side for side in (left, right) if side is not Outcome.PASS] or [left]:
        for run in runs:
            if run.result is not None:
                lines += _about(value, run.name, run.result)
    if not lines:
        return None
    return [f"{_short(left)} {operator} {_short(right)}", *dict.fromkeys(lines)]


def _about(value: object, name: str, result: Result) -> Iterator[str]:
    if value is result or (isinstance(value, Outcome) and value is result.verdict):
        yield f"{name}: {result.verdict}"
        yield from limit_table(result.limits.values())
        yield from result.reasons
    elif isinstance(value, Outcome):
        so = [limit for limit in result.limits.values() if limit.outcome is value]
        if so:
            yield f"{name}, what ended so:"
            yield from limit_table(so)
    elif isinstance(value, (float, LimitResult)):
        of = [limit for limit in result.limits.values() if value is limit or _holds(limit, value)]
        if of:
            yield f"{name}:"
            yield from limit_table(of)


def _holds(limit: LimitResult, value: object) -> bool:
    return any(getattr(limit, field.name) is value for field in fields(limit))


def _short(value: object) -> str:
    if isinstance(value, Outcome):
        return str(value)
    if isinstance(value, Result):
        return f"the run of {value.scenario.name}"
    return f"the limit {value.name!r}" if isinstance(value, LimitResult) else repr(value)
