"""The record as a file: an Arrow IPC stream, `time_ns` (int64) and one float32 column a channel, zstd, in batches.

Such a stream stays readable to its last whole batch however the process ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

Ticks = np.ndarray[Any, np.dtype[np.int64]]
Rows = np.ndarray[Any, np.dtype[np.float32]]
Times = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""Of an IPC stream: a message without a length (Arrow columnar format, "IPC Streaming Format")."""


class Record(Protocol):
    """Recorded rows, by channel."""

    def column(self, channel: str) -> tuple[Times, Floats]:
        """Time, ns, and values of a channel, shape (n,) each. Raises KeyError; OSError for a file that cannot be read."""


class ArrowSink:
    """Writes `record.arrow`."""

    def __init__(self, path: Path, channels: list[str], period_ns: int, metadata: dict[str, str]) -> None:
        import pyarrow as pa  # 170 MB: only where a record is written or read

        self._pa = pa
        self._path = path
        self._period_ns = period_ns
        fields = [pa.field("time_ns", pa.int64()), *(pa.field(name, pa.float32()) for name in channels)]
        self._schema = pa.schema(fields, metadata=metadata)
        self._file = path.open("wb")
        self._writer = pa.ipc.new_stream(self._file, self._schema, options=pa.ipc.IpcWriteOptions(compression="zstd"))

        self._batch(np.empty(0, np.int64), np.empty((0, len(channels)), np.float32))  # imports what it needs, before time runs

    def rows(self, ticks: Ticks, values: Rows) -> None:
        """Write one batch: ticks, shape (n,), values, shape (n, channels)."""
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
        """A channel, once closed."""
        return ArrowRecord(self._path).column(channel)


class ArrowRecord:
    """Reads a `record.arrow` that was ended. Raises OSError saying what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._opened() as reader:
            self._names = list(reader.schema.names)
        if self._names[:1] != ["time_ns"]:
            raise OSError("no record of a run: its first column is not time_ns")
        with path.open("rb") as file:
            file.seek(-len(_END), 2)
            if file.read() != _END:
                raise OSError("cut short: its end is missing")

    @property
    def channels(self) -> list[str]:
        """Names of the channels."""
        return self._names[1:]

    def column(self, channel: str) -> tuple[Times, Floats]:
        """A channel, read from the file batch by batch: a long record never is in memory as a whole."""
        if channel not in self.channels:
            raise KeyError(channel)
        times, values = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
        with self._opened([0, self._names.index(channel)]) as reader:
            for batch in reader:
                times.append(batch.column(0).to_numpy())
                values.append(batch.column(1).to_numpy())
        return np.concatenate(times), np.concatenate(values)

    @contextmanager
    def _opened(self, fields: list[int] | None = None) -> Iterator[Any]:
        import pyarrow as pa

        options = pa.ipc.IpcReadOptions(included_fields=fields or [])
        try:
            with pa.memory_map(str(self._path)) as file, pa.ipc.open_stream(file, options=options) as reader:
                yield reader
        except pa.ArrowException as error:
            raise OSError(f"not an Arrow stream, or damaged ({str(error).splitlines()[0]})") from None
