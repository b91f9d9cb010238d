"""A stream of the record as a file: an Arrow IPC stream, `time_ns` (int64) and one float32 column a channel, in batches.

Such a stream stays readable to its last whole batch however the process ends.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hil.record.appending import AppendedFile
from hil.record.arrays import to_arrow
from hil.record.conversion import convert
from hil.record.framing import END_MARK
from hil.record.reading import ArrowRecord, Batch
from hil.record.rows import Floats, Rows, Ticks, Times
from hil.record.streams import Stream, file_name
from hil.record.units import unit

_BATCH_ROWS = 4096
_FEW_ROWS = 64  # of so few zstd saves nothing and takes 0.5 ms (docs/decisions/026-a-record-is-streams.md)


class ArrowSink:
    """Writes the file of a stream, and once it is closed a Parquet file beside it."""

    def __init__(self, folder: Path, stream: Stream, period_ns: int, metadata: dict[str, str]) -> None:
        import pyarrow as pa  # 170 MB: only where a record is written or read

        self._pa = pa
        self._stream = stream
        self._path = folder / file_name(stream.name)
        self._period_ns = period_ns
        own = {"stream": stream.name, "period_ns": str(period_ns), "decimation": stream.kept, "every": str(stream.every)}
        fields = [pa.field("time_ns", pa.int64(), metadata={"unit": "ns"})]
        fields += [pa.field(name, pa.float32(), metadata={"unit": unit(name)}) for name in stream.columns]
        self._schema = pa.schema(fields, metadata=metadata | own)
        self._bytes = io.BytesIO()
        packed = None if stream.compression == "none" else stream.compression
        self._writers = [
            pa.ipc.new_stream(self._bytes, self._schema, options=pa.ipc.IpcWriteOptions(compression=compression))
            for compression in (None, packed)
        ]
        self._waiting: list[tuple[Ticks, Rows]] = []
        self._waiting_rows = 0
        self._ended = True
        self._parquet = ""
        for rows in (1, _FEW_ROWS):  # imports and allocates what it needs, before time runs
            self._piece(np.zeros(rows, np.int64), np.zeros((rows, len(stream.columns)), np.float32))
        self._file = AppendedFile(self._path, self._schema.serialize().to_pybytes())

    @property
    def channels(self) -> list[str]:
        """Names of the columns."""
        return self._stream.columns

    def rows(self, ticks: Ticks, values: Rows) -> None:
        """Take rows, and write a batch of them once there are enough."""
        self._waiting.append((ticks, values))
        self._waiting_rows += ticks.size
        if self._waiting_rows >= _BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in batches."""
        if self._waiting_rows == 0:
            return
        ticks = np.concatenate([ticks for ticks, _ in self._waiting])
        values = np.concatenate([values for _, values in self._waiting])
        self._waiting, self._waiting_rows = [], 0
        for begin in range(0, ticks.size, _BATCH_ROWS):
            batch = slice(begin, begin + _BATCH_ROWS)
            self._file.append(self._piece(ticks[batch], values[batch]), ticks[batch].size)

    def close(self, *, clean: bool = True) -> None:
        """End the file; of a run that came to its end, write its rows as Parquet too."""
        self.flush()
        self._ended = self._file.close(END_MARK)
        if clean and self._ended:
            try:
                convert(ArrowRecord(self._path, whole=True), self._path.with_suffix(".parquet"), "parquet")
            except OSError as error:
                self._parquet = error.strerror or str(error)

    def reasons(self) -> list[str]:
        """What is missing of the file, and why."""
        where, why = self._stream.section, self._file.problem
        if self._file.lost:
            return [f"{where}: {self._file.lost:,} rows lost ({why})"]
        if not self._ended:
            return [f"{where}: its end is missing ({why})"]
        return [f"{self._path.with_suffix('.parquet').name}: {self._parquet}"] if self._parquet else []

    def column(self, channel: str) -> tuple[Times, Floats]:
        """A channel, once closed."""
        return ArrowRecord(self._path).column(channel)

    def batches(self, channels: Sequence[str], until_ns: int | None = None) -> Iterator[Batch]:
        """Rows of channels, once closed."""
        return ArrowRecord(self._path).batches(channels, until_ns)

    def _piece(self, ticks: Ticks, values: Rows) -> bytes:
        """A batch as it stands in the file."""
        columns = [ticks * self._period_ns, *np.ascontiguousarray(values.T)]
        batch = self._pa.record_batch([to_arrow(column) for column in columns], schema=self._schema)
        writer = self._writers[ticks.size >= _FEW_ROWS]
        writer.write_batch(batch)
        piece = self._bytes.getvalue()
        self._bytes.seek(0)
        self._bytes.truncate()
        return piece
