"""Inference requests, one by one and in batches, and from CSV files in the formats of two public traces."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from hil.loads.base import Floats
from hil.loads.rows import Rows, header_of, problem
from hil.loads.times import stamp

Wholes = np.ndarray[Any, np.dtype[np.int64]]
Batch = tuple[Floats, Wholes, Wholes]
"""Some requests in order of arrival: arrivals, s, context and generated tokens."""

_MOST_TOKENS = 100_000_000
_AT_ONCE = 256
COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
BURSTGPT_COLUMNS = ("Timestamp", "Request tokens", "Response tokens")


@dataclass(frozen=True, slots=True)
class Request:
    """One request: arrival from the first one of its stream, prompt and answer length."""

    arrival_s: float
    context_tokens: int
    generated_tokens: int

    def __deepcopy__(self, _memo: object) -> Self:
        """It never changes, and a snapshot copies thousands."""
        return self


class Batches:
    """Single requests in batches; ready-made batches pass. Copied in mid-stream, both go on alike where what it is of can."""

    def __init__(self, requests: Iterable[Request | Batch]) -> None:
        self._requests = requests if isinstance(requests, Iterator) else iter(list(requests))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        first = next(self._requests)
        if not isinstance(first, Request):
            return first
        some: list[Any] = [first, *itertools.islice(self._requests, _AT_ONCE - 1)]
        arrival_s = np.array([request.arrival_s for request in some])
        context = np.array([request.context_tokens for request in some], np.int64)
        return arrival_s, context, np.array([request.generated_tokens for request in some], np.int64)


class RequestFile:
    """Requests of a file in the order of their arrival, read as they are needed.

    The header says whether it is in the format of the Azure LLM inference trace or of BurstGPT. Of the latter, requests that
    failed, without a response, are left out. Raises ScenarioError naming file, line and what is wrong.
    """

    def __init__(self, path: Path, source: str = "scenario") -> None:
        self._path, self._source = path, source
        header = header_of(path, source)
        self._burstgpt = COLUMNS[0] not in header and BURSTGPT_COLUMNS[0] in header
        self._rows = Rows(path, BURSTGPT_COLUMNS if self._burstgpt else COLUMNS, source)
        self._first: int | None = None  # times in 100 ns
        self._last: int | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Request:
        while True:
            row = next(self._rows, None)
            if row is None:
                if self._last is None:
                    raise problem(self._source, self._path, "no requests")
                raise StopIteration
            line, (when, *tokens) = row
            try:
                at = _seconds(when) if self._burstgpt else stamp(when)
                context, generated = map(int, tokens)
            except ValueError:
                time = "a number of seconds" if self._burstgpt else "a time such as 2023-11-16 18:17:03.97"
                raise problem(self._source, self._path, f"must be {time} and two whole numbers", line) from None
            if not 0 <= context <= _MOST_TOKENS or not 0 <= generated <= _MOST_TOKENS:
                raise problem(self._source, self._path, f"tokens must be between 0 and {_MOST_TOKENS}", line)
            if self._last is not None and at < self._last:
                what = "arrives before the request above it; rows must be in order of time"
                raise problem(self._source, self._path, what, line)
            if self._burstgpt and generated == 0:
                continue
            self._first = at if self._first is None else self._first
            self._last = at
            return Request((at - self._first) * 1e-7, context, generated)


def _seconds(text: str) -> int:
    """A number of seconds in units of 100 ns."""
    seconds = float(text)
    if not 0.0 <= seconds <= 1e10:
        raise ValueError
    return round(seconds * 1e7)
