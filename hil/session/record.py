"""The record of a run: rows from the engine's ring to a sink, events to JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from hil.kernel.engine import Engine
from hil.report.record import Floats, Record, Rows, Ticks, Times

_BATCH_ROWS = 4096
PACED_BATCH_ROWS = 512  # on the wall clock: a batch takes 2 ms then, in which nothing else happens


class RowSink(Record, Protocol):
    """Where recorded rows go, and come from again once it is closed."""

    def rows(self, ticks: Ticks, values: Rows) -> None:
        """Take rows: ticks, shape (n,), values, shape (n, channels)."""

    def close(self) -> None:
        """No more rows will come."""


class MemorySink:
    """Keeps the rows in memory."""

    def __init__(self, channels: list[str], period_ns: int) -> None:
        self._channels = channels
        self._period_ns = period_ns
        self._ticks: list[Ticks] = [np.empty(0, np.int64)]
        self._values: list[Rows] = [np.empty((0, len(channels)), np.float32)]

    def rows(self, ticks: Ticks, values: Rows) -> None:
        """Keep rows."""
        self._ticks.append(ticks)
        self._values.append(values)

    def close(self) -> None:
        """Make one array of them."""
        self._ticks = [np.concatenate(self._ticks)]
        self._values = [np.concatenate(self._values)]

    def column(self, channel: str) -> tuple[Times, Floats]:
        """A channel."""
        if channel not in self._channels:
            raise KeyError(channel)
        return self._ticks[0] * self._period_ns, self._values[0][:, self._channels.index(channel)]


class Recorder:
    """Drains an engine's ring into a sink, a batch at a time."""

    def __init__(self, engine: Engine, sink: RowSink, batch_rows: int = _BATCH_ROWS) -> None:
        self._engine = engine
        self._batch_rows = batch_rows
        self._sink = sink
        self._capacity = engine.record_room

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.drain(all_rows=True)
        finally:
            self._sink.close()

    def drain(self, *, all_rows: bool = False) -> None:
        """Write what has gathered, if it is a batch or `all_rows`."""
        gathered = self._capacity - self._engine.record_room
        if not all_rows and gathered < self._batch_rows:
            return
        while gathered > 0:  # and not until there are none: on the wall clock more come meanwhile
            ticks, values = self._engine.take_rows()
            self._sink.rows(ticks, values)
            gathered -= ticks.size


class EventLog:
    """What happened, in order; also as JSON lines where a path is given, flushed line by line."""

    def __init__(self, path: Path | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self._file = path.open("w", encoding="utf-8") if path is not None else None

    def add(self, time_s: float, name: str, details: dict[str, object]) -> None:
        """Add an event at a scenario time."""
        event = {"time_s": round(time_s, 9), "event": name, **details}
        self.events.append(event)
        if self._file is not None:
            self._file.write(json.dumps(event) + "\n")
            self._file.flush()

    def close(self) -> None:
        """No more events will come."""
        if self._file is not None:
            self._file.close()
