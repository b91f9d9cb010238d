"""The record that a run left in a file, or is still writing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from hil.record.arrays import to_numpy
from hil.record.framing import END_MARK, Frame, frames
from hil.record.rows import Floats, Times

Batch = tuple[Times, dict[str, Floats]]
"""Rows of some channels: time, ns, and by channel the values, shape (n,) each."""

TIME = "time_ns"
CHUNK_BYTES = 1 << 24
_BATCH_BYTES = 1 << 21  # of which those who look at it make several copies


class ArrowRecord:
    """Reads a `record.arrow` to its last whole batch, by ordinary reads, so that its writer may do what it likes meanwhile.

    whole: a stream that has no end is damaged. Otherwise it may stop anywhere, as one that is being written does, or was when
    its run was killed; it has no channels then if it stops within its first message. Raises OSError saying what is wrong.
    """

    def __init__(self, path: Path, *, whole: bool = True) -> None:
        self._path = path
        self._whole = whole
        with self._file() as file:
            size = os.fstat(file.fileno()).st_size
            first = next(frames(file, size), None)
            self._schema_bytes = b"" if first is None else _bytes(file, first)
            file.seek(max(0, size - len(END_MARK)))
            self.ended = file.read() == END_MARK
            """Whether its end mark is there."""
            if first is None and (whole or not _may_begin(file)):
                raise OSError("not an Arrow stream, or damaged (it has no schema)")
        self._names: list[str] = [] if first is None else list(self.schema.names)
        if first is not None and self._names[:1] != [TIME]:
            raise OSError(f"no record of a run: its first column is not {TIME}")
        if whole and not self.ended:
            raise OSError("cut short: its end is missing")

    @property
    def channels(self) -> list[str]:
        """Names of the channels."""
        return self._names[1:]

    @property
    def schema(self) -> Any:
        """Columns and metadata, a `pyarrow.Schema`."""
        import pyarrow as pa

        try:
            return pa.ipc.open_stream(pa.py_buffer(self._schema_bytes)).schema
        except pa.ArrowException as error:
            raise _damaged(error) from None

    def last_ns(self) -> int | None:
        """Time of its last row; None where it has none."""
        with self._file() as file:
            last = None
            for frame in frames(file, os.fstat(file.fileno()).st_size):
                last = frame if frame.rows else last
            if last is None:
                return None
            return int(self._decoded(_bytes(file, last), [0]).column(0)[-1].as_py())

    def column(self, channel: str) -> tuple[Times, Floats]:
        """A channel, read from the file batch by batch: a long record never is in memory as a whole."""
        if channel not in self.channels:
            raise KeyError(channel)
        times, values = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
        for time_ns, columns in self.batches([channel]):
            times.append(time_ns)
            values.append(columns[channel])
        return np.concatenate(times), np.concatenate(values)

    def batches(self, channels: Sequence[str], until_ns: int | None = None) -> Iterator[Batch]:
        """Rows of those of the channels that it has, a few MB at a time; none where it has no such channel.

        until_ns: no batch follows one that goes beyond.
        """
        names = [name for name in self.channels if name in channels]
        if not names:
            return
        for chunk in self.chunks(names, until_ns, _BATCH_BYTES):
            yield to_numpy(chunk.column(0)), {name: to_numpy(chunk.column(name)) for name in names}

    def chunks(self, channels: Sequence[str], until_ns: int | None = None, size: int = CHUNK_BYTES) -> Iterator[Any]:
        """Time and the named channels, in the record's order, as `pyarrow.RecordBatch`es of so many bytes or a batch more."""
        import pyarrow as pa

        if not self._schema_bytes:
            return
        fields = [0, *(place for place, name in enumerate(self._names) if place and name in channels)]
        most_rows = size // (4 + 4 * len(fields))
        gathered: list[Any] = []
        rows = 0
        for batch in self._batches(fields):
            gathered.append(batch)
            rows += batch.num_rows
            beyond = until_ns is not None and batch.num_rows and batch.column(0)[-1].as_py() > until_ns
            if rows >= most_rows or beyond:
                yield pa.concat_batches(gathered)
                gathered, rows = [], 0
            if beyond:
                return
        if rows:
            yield pa.concat_batches(gathered)

    def decoded(self, file: BinaryIO, frame: Frame) -> Any:
        """All columns of a message of the file, a `pyarrow.RecordBatch`."""
        return self._decoded(_bytes(file, frame), list(range(len(self._names))))

    def _batches(self, fields: list[int]) -> Iterator[Any]:
        with self._file() as file:
            end = size = os.fstat(file.fileno()).st_size
            for frame in frames(file, size):
                end = frame.end
                if frame.rows == 0:
                    continue
                data = _bytes(file, frame)
                if len(data) < frame.end - frame.start:  # its writer cut it back just now
                    return
                yield self._decoded(data, fields)
            if self._whole and end != size - len(END_MARK):
                raise OSError(f"not an Arrow stream, or damaged (what follows byte {end} is no message)")

    def _decoded(self, message: bytes, fields: list[int]) -> Any:
        import pyarrow as pa

        options = pa.ipc.IpcReadOptions(included_fields=fields)
        try:
            return pa.ipc.open_stream(pa.py_buffer(self._schema_bytes + message), options=options).read_next_batch()
        except (pa.ArrowException, OSError, StopIteration) as error:
            raise _damaged(error) from None

    def _file(self) -> BinaryIO:
        return self._path.open("rb", buffering=0)


def _bytes(file: BinaryIO, frame: Frame) -> bytes:
    file.seek(frame.start)
    return file.read(frame.end - frame.start)


def _may_begin(file: BinaryIO) -> bool:
    """Whether what is there may be the first bytes of a stream, of which no message is whole."""
    file.seek(0)
    there = file.read(4)
    return END_MARK.startswith(there)


def _damaged(error: Exception) -> OSError:
    return OSError(f"not an Arrow stream, or damaged ({(str(error) or 'it has no batch').splitlines()[0]})")
