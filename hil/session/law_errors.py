"""What laws of one's own raise in a tick: compiled code can only report it to Python's hook for such errors."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self


class LawErrors:
    """While it is entered, counts what numba reports from a law and keeps the first; all else goes to the hook as before."""

    def __init__(self) -> None:
        self.count = 0
        self.first: str | None = None

    def __enter__(self) -> Self:
        self._before = sys.unraisablehook
        sys.unraisablehook = self._heard
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        sys.unraisablehook = self._before

    def _heard(self, report: Any) -> None:
        if "numba" not in str(report.object):
            self._before(report)
            return
        self.count += 1
        if self.first is None:
            self.first = " ".join(f"{report.exc_type.__name__}: {report.exc_value}".split())

    def reasons(self) -> list[str]:
        """Why a verdict cannot be PASS; empty where no law raised anything."""
        return [] if self.first is None else [f"absorber: a law of one's own raised {self.count} errors, first {self.first}"]
