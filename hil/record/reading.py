"""The record that a run left in a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hil.record.rows import Floats, Times

_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""Of an IPC stream: a message without a length (Arrow columnar format, "IPC Streaming Format")."""


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
        with self._opened([0, self._names.index(channel)], whole=True) as reader:
            for batch in reader:
                times.append(batch.column(0).to_numpy())
                values.append(batch.column(1).to_numpy())
        return np.concatenate(times), np.concatenate(values)

    @contextmanager
    def _opened(self, fields: list[int] | None = None, *, whole: bool = False) -> Iterator[Any]:
        import pyarrow as pa

        options = pa.ipc.IpcReadOptions(included_fields=fields or [])
        try:
            with pa.memory_map(str(self._path)) as file, pa.ipc.open_stream(file, options=options) as reader:
                yield reader
                if whole and file.tell() != file.size():
                    raise OSError("damaged: its rows end before the file does")
        except pa.ArrowException as error:
            raise OSError(f"not an Arrow stream, or damaged ({str(error).splitlines()[0]})") from None
