"""What a record is made of: rows of some channels at some ticks, and who takes and gives them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

Ticks = np.ndarray[Any, np.dtype[np.int64]]
Rows = np.ndarray[Any, np.dtype[np.float32]]
Times = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]
Marks = np.ndarray[Any, np.dtype[np.int64]]


class Record(Protocol):
    """Recorded rows, by channel."""

    @property
    def channels(self) -> list[str]:
        """Names of the channels."""

    def column(self, channel: str) -> tuple[Times, Floats]:
        """Time, ns, and values of a channel, shape (n,) each. Raises KeyError; OSError for a file that cannot be read."""


class RowSink(Record, Protocol):
    """Where the rows of a stream go, and come from again once it is closed. Nothing that a disk does is raised."""

    def rows(self, ticks: Ticks, values: Rows) -> None:
        """Take rows: ticks, shape (n,), values, shape (n, channels)."""

    def flush(self) -> None:
        """Write down what has been taken."""

    def close(self, *, clean: bool = True) -> None:
        """No more rows will come. clean: of a run that came to its end."""

    def reasons(self) -> list[str]:
        """What is missing of the record, and why; empty where nothing is."""


class Reducer(Protocol):
    """Makes the rows of a stream of those of the ring."""

    def take(self, ticks: Ticks, values: Rows, marks: Marks) -> tuple[Ticks, Rows]:
        """Rows of the stream that these rows of the ring complete: ticks, shape (n,), values, shape (n, columns)."""

    def end(self) -> tuple[Ticks, Rows]:
        """What is left once the ring is empty for good."""
