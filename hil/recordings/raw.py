"""What a reader hands over: the columns as they stand in the file, before they become signals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hil.recordings.times import Integers, Times, from_numbers

Floats = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Channel:
    """A column: values, float64 of shape (n,), NaN where they are missing.

    unit: in which they are, empty where the file does not say. step: of the converter that made them. skew_s: how much later
    than the row's time they were sampled. digital: 0 or 1.
    """

    values: Floats
    unit: str = ""
    step: float | None = None
    skew_s: float = 0.0
    digital: bool = False


@dataclass(frozen=True)
class Raw:
    """Columns by their names in the file, and the times of their rows. form: of the file. notes: what must be told."""

    form: str
    times: Times
    channels: dict[str, Channel]
    notes: list[str] = field(default_factory=list)


def dated(
    form: str, numbers: Floats | Integers, there: Mask, unit_s: float, channels: dict[str, Channel], *, unix: bool
) -> Raw:
    """Columns whose rows have times: numbers in a unit, and where there is one.

    Rows without are left out, and told if there is a value in them.
    """
    notes = []
    if not there.all():
        valued = np.zeros(there.size, np.bool_)
        for channel in channels.values():
            valued |= np.isfinite(channel.values)
        if lost := int(np.count_nonzero(valued & ~there)):
            notes.append(f"{lost} of {there.size} rows have no time and are left out")
        numbers = numbers[there]
        channels = {name: replace(channel, values=channel.values[there]) for name, channel in channels.items()}
    return Raw(form, from_numbers(numbers, unit_s, unix=unix), channels, notes)
