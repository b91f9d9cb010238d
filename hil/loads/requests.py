"""Inference requests from a CSV file in the Azure LLM inference trace format."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hil.errors import ScenarioError

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

    def problem(line: int, what: str) -> ScenarioError:
        return ScenarioError(source, "load.trace", f" = {str(path)!r}: line {line}: {what}")

    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if not set(COLUMNS) <= set(reader.fieldnames or []):
            raise problem(1, f"the header must name {', '.join(COLUMNS)}")
        first = last = None
        for row in reader:
            try:
                at = _seconds(row["TIMESTAMP"])
                context, generated = int(row["ContextTokens"]), int(row["GeneratedTokens"])
            except (TypeError, ValueError):
                raise problem(reader.line_num, "must be a time such as 2023-11-16 18:17:03.97 and two whole numbers") from None
            if context < 0 or generated < 0:
                raise problem(reader.line_num, "tokens must not be negative")
            if last is not None and at < last:
                raise problem(reader.line_num, "arrives before the request above it; rows must be in order of time")
            first = at if first is None else first
            last = at
            yield Request((at - first) * 1e-7, context, generated)
    if last is None:
        raise problem(1, "no requests")


def _seconds(text: str) -> int:
    """A time stamp in units of 100 ns, exact for seven decimals."""
    whole, _, fraction = text.strip().partition(".")
    moment = datetime.fromisoformat(whole)
    since = moment - datetime(1970, 1, 1, tzinfo=moment.tzinfo)
    return (since.days * 86_400 + since.seconds) * 10_000_000 + int((fraction + "0000000")[:7])
