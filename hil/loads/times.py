"""Times of rows: dates with a time, exact to 100 ns, and numbers in the unit that the column's name ends in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

TIMES = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
POWERS = {"W": 1.0, "mW": 1e-3, "kW": 1e3, "MW": 1e6}
_ZONE = re.compile(r"(?<=:\d\d)(?:Z|[+-]\d\d:?\d\d)$|(?<=\d)(?:Z|[+-]\d\d:\d\d)$")
_IN_BRACKETS = re.compile(r"[\[(]\s*([A-Za-zµ]+)\s*[\])]\s*$")


def unit_of(name: str, units: dict[str, float]) -> float:
    """What the unit in brackets at the end of a column's name is worth; 1 where there is none that is known."""
    match = _IN_BRACKETS.search(name)
    return units.get(match[1].replace("µ", "u"), 1.0) if match else 1.0


def stamp(text: str) -> int:
    """A date with a time, such as 2023-11-16 18:17:03.97 or 2018/10/10 13:06:03.419, in units of 100 ns. Raises ValueError."""
    whole, zone = text.strip().replace("/", "-"), ""
    if match := _ZONE.search(whole):
        whole, zone = whole[: match.start()], match[0]
    whole, _, fraction = whole.partition(".")
    return moment(datetime.fromisoformat(whole + zone)) + int((fraction + "0000000")[:7])


def moment(at: datetime) -> int:
    """A date with a time in units of 100 ns, from 1970; without a zone it is taken as it stands."""
    since = at - datetime(1970, 1, 1, tzinfo=None if at.tzinfo is None else UTC)
    return (since.days * 86_400 + since.seconds) * 10_000_000 + since.microseconds * 10


def seconds(cell: Any) -> tuple[float, bool]:
    """A cell as a number and whether that is of seconds from 1970, else of the column's unit. Raises ValueError."""
    if isinstance(cell, datetime):
        return moment(cell) * 1e-7, True
    try:
        return float(cell), False
    except (TypeError, ValueError):
        return stamp(str(cell)) * 1e-7, True
