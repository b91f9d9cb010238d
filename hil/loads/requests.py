"""Inference requests from a CSV file in the Azure LLM inference trace format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hil.loads.rows import problem, rows

_MOST_TOKENS = 100_000_000
COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")


@dataclass(frozen=True, slots=True)
class Request:
    """One request: arrival from the first one of the file, prompt and answer length."""

    arrival_s: float
    context_tokens: int
    generated_tokens: int


def read_requests(path: Path, source: str = "scenario") -> Iterator[Request]:
    """Requests of a file in the order of their arrival, read as they are needed.

    Raises ScenarioError naming file, line and what is wrong.
    """
    first = last = None
    for line, (stamp, *tokens) in rows(path, COLUMNS, source):
        try:
            at = _seconds(stamp)
            context, generated = map(int, tokens)
        except ValueError:
            what = "must be a time such as 2023-11-16 18:17:03.97 and two whole numbers"
            raise problem(source, path, what, line) from None
        if not 0 <= context <= _MOST_TOKENS or not 0 <= generated <= _MOST_TOKENS:
            raise problem(source, path, f"tokens must be between 0 and {_MOST_TOKENS}", line)
        if last is not None and at < last:
            raise problem(source, path, "arrives before the request above it; rows must be in order of time", line)
        first = at if first is None else first
        last = at
        yield Request((at - first) * 1e-7, context, generated)
    if last is None:
        raise problem(source, path, "no requests")


def _seconds(text: str) -> int:
    """A time stamp in units of 100 ns, exact for seven decimals."""
    whole, _, fraction = text.strip().partition(".")
    moment = datetime.fromisoformat(whole)
    since = moment - datetime(1970, 1, 1, tzinfo=moment.tzinfo)
    return (since.days * 86_400 + since.seconds) * 10_000_000 + int((fraction + "0000000")[:7])
