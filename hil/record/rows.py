"""What a record is made of: rows of some channels at some ticks, and who takes and gives them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

Ticks = np.ndarray[Any, np.dtype[np.int64]]
Rows = np.ndarray[Any, np.dtype[np.float32]]
Times = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]


class Record(Protocol):
    """Recorded rows, by channel."""

    def column(self, channel: str) -> tuple[Times, Floats]:
        """Time, ns, and values of a channel, shape (n,) each. Raises KeyError; OSError for a file that cannot be read."""


class RowSink(Record, Protocol):
    """Where recorded rows go, and come from again once it is closed."""

    def rows(self, ticks: Ticks, values: Rows) -> None:
        """Take rows: ticks, shape (n,), values, shape (n, channels)."""

    def close(self) -> None:
        """No more rows will come."""
