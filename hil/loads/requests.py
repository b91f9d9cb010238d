"""Inference requests from a CSV file in the Azure LLM inference trace format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from hil.loads.rows import Rows, problem

_MOST_TOKENS = 100_000_000
COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")


@dataclass(frozen=True, slots=True)
class Request:
    """One request: arrival from the first one of its stream, prompt and answer length."""

    arrival_s: float
    context_tokens: int
    generated_tokens: int

    def __deepcopy__(self, _memo: object) -> Self:
        """It never changes, and a snapshot copies thousands."""
        return self


class RequestFile:
    """Requests of a file in the order of their arrival, read as they are needed.

    Raises ScenarioError naming file, line and what is wrong.
    """

    def __init__(self, path: Path, source: str = "scenario") -> None:
        self._path, self._source = path, source
        self._rows = Rows(path, COLUMNS, source)
        self._first: int | None = None  # times in 100 ns
        self._last: int | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Request:
        row = next(self._rows, None)
        if row is None:
            if self._last is None:
                raise problem(self._source, self._path, "no requests")
            raise StopIteration
        line, (stamp, *tokens) = row
        try:
            at = _units(stamp)
            context, generated = map(int, tokens)
        except ValueError:
            what = "must be a time such as 2023-11-16 18:17:03.97 and two whole numbers"
            raise problem(self._source, self._path, what, line) from None
        if not 0 <= context <= _MOST_TOKENS or not 0 <= generated <= _MOST_TOKENS:
            raise problem(self._source, self._path, f"tokens must be between 0 and {_MOST_TOKENS}", line)
        if self._last is not None and at < self._last:
            what = "arrives before the request above it; rows must be in order of time"
            raise problem(self._source, self._path, what, line)
        self._first = at if self._first is None else self._first
        self._last = at
        return Request((at - self._first) * 1e-7, context, generated)


def _units(text: str) -> int:
    """A time stamp in units of 100 ns, exact for seven decimals."""
    whole, _, fraction = text.strip().partition(".")
    moment = datetime.fromisoformat(whole)
    since = moment - datetime(1970, 1, 1, tzinfo=moment.tzinfo)
    return (since.days * 86_400 + since.seconds) * 10_000_000 + int((fraction + "0000000")[:7])
