"""Outcomes and exit codes."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How a limit ended; the verdict of a run is one of the first three."""

    PASS = "PASS"  # noqa: S105  # a verdict, not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_EXERCISED = "NOT EXERCISED"
    NOT_APPLICABLE = "NOT APPLICABLE"

    @property
    def exit_code(self) -> int:
        """0 PASS, 1 FAIL, 3 whatever is not known."""
        return {Outcome.PASS: 0, Outcome.FAIL: 1}.get(self, 3)
