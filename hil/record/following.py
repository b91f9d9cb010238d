"""The newest rows of a record that is being written: each byte of it is read once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hil.record.framing import END_MARK, Frame, frame_at, frames
from hil.record.reading import ArrowRecord


class Follower:
    """Reads on where it stopped, from one file that it keeps open. Raises OSError where that is no record, or is gone.

    Its writer may cut the file back and write other rows there: what was given already is not given again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._record = ArrowRecord(path, whole=False)
        self._start = 0  # where the rows begin
        self._file = path.open("rb", buffering=0)
        self._at = 0
        self.last_ns = -1  # of the newest row given
        self._doubted: Frame | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    @property
    def channels(self) -> list[str]:
        """Names of the channels; none before the first message is whole."""
        if not self._start:
            self._record = ArrowRecord(self._path, whole=False)
            first = frame_at(self._file, 0, self._size())
            self._start = 0 if first is None else first.end
        return self._record.channels

    def newest(self, rows: int) -> Iterator[Any]:
        """The last so many rows that are there, as `pyarrow.RecordBatch`es; what comes after them `more` gives.

        Of what lies before them no more is read than how long each batch is.
        """
        if not self.channels:
            return
        kept: list[Frame] = []
        found = 0
        for frame in frames(self._file, self._size()):
            kept.append(frame)
            found += frame.rows
            while found - kept[0].rows >= rows and len(kept) > 1:
                found -= kept.pop(0).rows
            self._at = frame.end
        skip = max(0, found - rows)
        for frame in kept:
            if frame.rows:
                yield self._new(frame).slice(min(skip, frame.rows))
                skip = max(0, skip - frame.rows)

    def more(self) -> Iterator[Any]:
        """What has been written since, as `pyarrow.RecordBatch`es."""
        if not self.channels:
            return
        size, began = self._size(), self._at
        if size < self._start:
            raise OSError("cut short: its beginning is gone")
        if size < began or self._cut_back():
            self._at = 0
        while (frame := frame_at(self._file, self._at, size)) is not None:
            if frame.rows:
                try:
                    batch = self._new(frame)
                except OSError:
                    if frame == self._doubted:
                        raise
                    self._doubted = frame  # perhaps cut back while it was read: looked at again next time
                    return
                yield batch
            self._at = frame.end
        if self._cut_back():
            raise OSError(f"damaged: what follows byte {self._at} is no message")

    def _cut_back(self) -> bool:
        """Whether no message begins where the next one should, since other rows were written over what was there."""
        self._file.seek(self._at)
        return not END_MARK.startswith(self._file.read(4))

    def _new(self, frame: Frame) -> Any:
        """Rows of a message that are later than any before."""
        import pyarrow.compute as pc

        batch = self._record.decoded(self._file, frame)
        times = batch.column(0)
        if times[0].as_py() <= self.last_ns:
            batch = batch.filter(pc.greater(times, self.last_ns))
        if batch.num_rows:
            self.last_ns = batch.column(0)[-1].as_py()
        return batch

    def _size(self) -> int:
        """How long the file is. Raises OSError where it is no longer what the path names."""
        there = os.fstat(self._file.fileno())
        if not os.path.samestat(there, self._path.stat()):
            raise OSError("another file is there now")
        return there.st_size
