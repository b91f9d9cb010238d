"""From an engine's ring to the sinks of all streams."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

import numpy as np

from hil.kernel.engine import Engine
from hil.record.around import AroundMoments
from hil.record.composite import Streams
from hil.record.events import EventLog
from hil.record.reading import Batch
from hil.record.reduce import Buckets, Sampled
from hil.record.rows import Floats, Marks, Reducer, Rows, RowSink, Ticks, Times
from hil.record.streams import Stream

_BATCH_ROWS = 4096
_FLUSH_S = 0.15  # of wall-clock time: with 50 ms from one drain to the next, nothing is older than 0.2 s before it is written


class Recorder:
    """Takes an engine's rows and gives each stream its own; the record of them all once it is closed.

    `drain` is cheap where there is nothing to do, and may be called by another thread, by one at a time; it also has the
    events written that wait in `log`. What a disk does is never raised: `reasons` tells what is missing.
    """

    def __init__(
        self, engine: Engine, streams: Sequence[Stream], sink: Callable[[Stream], RowSink], log: EventLog | None = None
    ) -> None:
        self._engine = engine
        self._log = log or EventLog()
        self._streams = [_Fed(stream, engine.recorded, sink(stream)) for stream in streams]
        self._capacity = engine.record_room
        self._together = Streams([fed.sink for fed in self._streams])
        self._flush_at = time.monotonic() + _FLUSH_S
        self._closed = False
        self._abandoned_rows: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close(clean=error is None)

    @property
    def channels(self) -> list[str]:
        """Names of the columns of all streams."""
        return self._together.channels

    def column(self, channel: str) -> tuple[Times, Floats]:
        """A column, of the first stream that has it, once closed. Raises KeyError; OSError for a file that cannot be read."""
        return self._together.column(channel)

    def batches(self, channels: Sequence[str], until_ns: int | None = None) -> Iterator[Batch]:
        """Rows of columns in order of time, stream by stream, once closed."""
        return self._together.batches(channels, until_ns)

    def drain(self) -> None:
        """Take the rows that have gathered, if they are many, or have waited for long enough to be written."""
        now = time.monotonic()
        due = now >= self._flush_at
        if not due and self._gathered < _BATCH_ROWS:
            return
        self._take()
        if due:
            for fed in self._streams:
                fed.sink.flush()
            self._log.drain()
            self._flush_at = now + _FLUSH_S

    def abandon(self) -> None:
        """Leave what is there: who drains it hangs on the disk. The rows count as lost."""
        self._abandoned_rows = self._gathered
        self._log.abandon()

    @property
    def abandoned(self) -> bool:
        """Whether the disk does not answer, so that nobody should wait for it."""
        return self._abandoned_rows is not None

    def close(self, *, clean: bool = True) -> None:
        """Write the rest and end the files. clean: of a run that came to its end."""
        if self._closed or self.abandoned:
            return
        self._closed = True
        self._take()
        for fed in self._streams:
            fed.end()
            fed.sink.close(clean=clean)

    def reasons(self) -> list[str]:
        """What is missing of the record, and why; empty where nothing is."""
        if self._abandoned_rows is not None:
            return [f"record: {self._abandoned_rows:,} rows or more lost (the disk does not answer)"]
        return [reason for fed in self._streams for reason in fed.sink.reasons()]

    @property
    def _gathered(self) -> int:
        return self._capacity - self._engine.record_room

    def _take(self) -> None:
        gathered = self._gathered
        while gathered > 0:  # and not until there are none: on the wall clock more come meanwhile
            ticks, values, marks = self._engine.take_rows()
            for fed in self._streams:
                fed.take(ticks, values, marks)
            gathered -= ticks.size


class _Fed:
    """A stream: which columns of the ring are its own, what becomes of them, and where they go."""

    def __init__(self, stream: Stream, recorded: Sequence[str], sink: RowSink) -> None:
        self.sink = sink
        places = [recorded.index(channel) for channel in stream.channels]
        self._places = None if places == list(range(len(recorded))) else np.array(places)
        self._reducer = _reducer(stream)

    def take(self, ticks: Ticks, values: Rows, marks: Marks) -> None:
        self._put(*self._reducer.take(ticks, values if self._places is None else values[:, self._places], marks))

    def end(self) -> None:
        self._put(*self._reducer.end())

    def _put(self, ticks: Ticks, values: Rows) -> None:
        if ticks.size:
            self.sink.rows(ticks, values)


def _reducer(stream: Stream) -> Reducer:
    if stream.around is not None:
        return AroundMoments(stream.around)
    if stream.decimation == "sample":
        return Sampled(stream.every)
    return Buckets(stream.every, len(stream.channels), extremes=stream.decimation == "min_max_mean")
