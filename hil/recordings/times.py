"""Times of rows: from numbers or timestamps to seconds from the first row, and which rows come in order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np

UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
"""Units of a time, and what they are in seconds."""

_ENDING = re.compile(r"(?:^|[ _\[(])(ns|us|µs|ms|s)[\])]?$")
_ZONE = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Times:
    """When rows were sampled.

    time_s: seconds from the first row, float64 of shape (n,). start: of the first row, if it is known. ordered: which rows
    come later than all those before; the first does. first_s: what the file's own time says at the first row.
    """

    time_s: Floats
    start: datetime | None
    ordered: np.ndarray[Any, np.dtype[np.bool_]]
    first_s: float = 0.0


def from_numbers(numbers: Floats | Integers, unit_s: float, *, start: datetime | None = None, unix: bool = False) -> Times:
    """Times of finite numbers in a unit. unix: they count from 1970; the start is the first one's, to the microsecond."""
    with np.errstate(all="ignore"):
        time_s = (numbers - numbers[0]) * unit_s if numbers.size else numbers.astype(np.float64)
    if unix and numbers.size:
        start = _unix(numbers[0].item(), unit_s)
    return in_order(time_s.astype(np.float64), start, numbers[0].item() * unit_s if numbers.size else 0.0)


def in_order(time_s: Floats, start: datetime | None, first_s: float = 0.0) -> Times:
    """Times from seconds that begin with 0."""
    ordered = np.ones(time_s.size, np.bool_)
    if time_s.size > 1:
        ordered[1:] = time_s[1:] > np.maximum.accumulate(time_s)[:-1]
    return Times(time_s, start, ordered, first_s)


def unit_of(name: str) -> str | None:
    """The unit in which the name of a column ends: `time_ms` is in ms, `t [s]` in s; None where it has none."""
    match = _ENDING.search(name.strip())
    return None if match is None else match[1].replace("µ", "u")


def zone_of(text: str) -> timezone:
    """A fixed difference from UTC: `Z`, `UTC`, `+02:00`. Raises ValueError."""
    if text in ("Z", "UTC"):
        return UTC
    match = _ZONE.fullmatch(text)
    if match is None or int(match[2]) > 23 or int(match[3]) > 59:
        raise ValueError(f"zone {text!r}: must be Z, or a difference from UTC such as +02:00")
    minutes = 60 * int(match[2]) + int(match[3])
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))


def _unix(number: float, unit_s: float) -> datetime | None:
    """A moment to the microsecond below; None where no calendar has it."""
    per_second = round(1 / unit_s)
    try:
        if isinstance(number, int):
            return _EPOCH + timedelta(microseconds=number * 1_000_000 // per_second)
        return _EPOCH + timedelta(seconds=number * unit_s)
    except OverflowError:
        return None
