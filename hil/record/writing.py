"""The record as a file: an Arrow IPC stream, `time_ns` (int64) and one float32 column a channel, zstd, in batches.

Such a stream stays readable to its last whole batch however the process ends.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hil.record.reading import ArrowRecord
from hil.record.rows import Floats, Rows, Ticks, Times


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
