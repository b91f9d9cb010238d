"""The record of a run: rows from the engine's ring to an Arrow IPC stream, events to JSON lines.

An Arrow stream stays readable to its last whole batch however the process ends.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from hil.kernel.engine import Engine

_BATCH_ROWS = 4096
PACED_BATCH_ROWS = 512  # on the wall clock: a batch takes 2 ms then, in which nothing else happens

Ticks = np.ndarray[Any, np.dtype[np.int64]]
Rows = np.ndarray[Any, np.dtype[np.float32]]
Times = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]


class RowSink(Protocol):
    """Where recorded rows go, and come from again."""

    def rows(self, ticks: Ticks, values: Rows) -> None:
        """Take rows: ticks, shape (n,), values, shape (n, channels)."""

    def close(self) -> None:
        """No more rows will come."""

    def column(self, channel: str) -> tuple[Times, Floats]:
        """Time, ns, and values of a channel, shape (n,) each; once closed. Raises KeyError."""


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


class ArrowSink:
    """Writes `record.arrow`: column `time_ns` (int64) and one float32 column a channel, zstd, in batches."""

    def __init__(self, path: Path, channels: list[str], period_ns: int, metadata: dict[str, str]) -> None:
        import pyarrow as pa  # 170 MB: only where a record is written

        self._pa = pa
        self._path = path
        self._period_ns = period_ns
        fields = [pa.field("time_ns", pa.int64()), *(pa.field(name, pa.float32()) for name in channels)]
        self._schema = pa.schema(fields, metadata=metadata)
        self._file = path.open("wb")
        self._writer = pa.ipc.new_stream(self._file, self._schema, options=pa.ipc.IpcWriteOptions(compression="zstd"))

        self._batch(np.empty(0, np.int64), np.empty((0, len(channels)), np.float32))  # imports what it needs, before time runs

    def rows(self, ticks: Ticks, values: Rows) -> None:
        """Write one batch."""
        self._writer.write_batch(self._batch(ticks, values))
        self._file.flush()

    def _batch(self, ticks: Ticks, values: Rows) -> Any:
        columns = [ticks * self._period_ns, *np.ascontiguousarray(values.T)]
        return self._pa.record_batch([self._pa.array(column) for column in columns], schema=self._schema)

    def close(self) -> None:
        """End the stream."""
        self._writer.close()
        self._file.close()

    def column(self, channel: str) -> tuple[Times, Floats]:
        """A channel, read from the file batch by batch: a long record never is in memory as a whole."""
        if channel not in self._schema.names:
            raise KeyError(channel)
        times, values = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
        options = self._pa.ipc.IpcReadOptions(included_fields=[0, self._schema.get_field_index(channel)])
        with self._pa.memory_map(str(self._path)) as file, self._pa.ipc.open_stream(file, options=options) as reader:
            for batch in reader:
                times.append(batch.column(0).to_numpy())
                values.append(batch.column(1).to_numpy())
        return np.concatenate(times), np.concatenate(values)


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
