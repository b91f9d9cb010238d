"""From an engine's ring to a sink."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from hil.kernel.engine import Engine
from hil.record.rows import RowSink

_BATCH_ROWS = 4096
PACED_BATCH_ROWS = 512  # on the wall clock: a batch takes 2 ms then, in which nothing else happens


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

    def abandon(self) -> None:
        """Leave what is there: who drained it hangs on the disk. Counted as lost."""
        self._abandoned = True

    def drain(self, *, all_rows: bool = False) -> None:
        """Write what has gathered, if it is a batch or `all_rows`."""
        gathered = self._capacity - self._engine.record_room
        if not all_rows and gathered < self._batch_rows:
            return
        while gathered > 0:  # and not until there are none: on the wall clock more come meanwhile
            ticks, values, _ = self._engine.take_rows()
            self._sink.rows(ticks, values)
            gathered -= ticks.size
