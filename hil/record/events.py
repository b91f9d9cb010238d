"""The log of what happened in a run."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hil.record.appending import AppendedFile

_KEPT = 10_000
"""Events from the start, and as many of the newest, that stay in memory; a file has them all."""
_WAITING = 100_000
"""Lines that may wait for a disk."""


class EventLog:
    """What happened, in order; also as JSON lines where a path is given, which `drain` writes.

    heard: is told each event. `add` never waits for a disk; `drain` may be called by another thread, by one at a time.
    """

    def __init__(self, path: Path | None = None, heard: Callable[[dict[str, Any]], None] | None = None) -> None:
        self._heard = heard or (lambda _event: None)
        self._first: list[dict[str, Any]] = []
        self._last: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._later = 0
        self._lines: deque[str] = deque()
        self._unwritten = 0
        self._file = AppendedFile(path) if path is not None else None
        self._abandoned = False

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events; of very many the first and the newest, and between them how many are left out."""
        left_out = self._later - len(self._last)
        if left_out == 0:
            return [*self._first, *self._last]
        told = {"time_s": self._first[-1]["time_s"], "event": "events_left_out", "count": left_out}
        return [*self._first, told, *self._last]

    def add(self, time_s: float, name: str, details: dict[str, object]) -> None:
        """Add an event at a scenario time."""
        event = {"time_s": round(time_s, 9), "event": name, **details}
        self._heard(event)
        if len(self._first) < _KEPT:
            self._first.append(event)
        else:
            self._last.append(event)
            self._later += 1
        if self._file is None:
            return
        if len(self._lines) < _WAITING:
            self._lines.append(json.dumps(event) + "\n")
        else:
            self._unwritten += 1

    def drain(self) -> None:
        """Write the lines that wait."""
        if self._file is None or not self._lines:
            return
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        self._file.append("".join(lines).encode(), len(lines))

    def abandon(self) -> None:
        """Leave the lines that wait: who writes them hangs on the disk."""
        self._abandoned = True

    def close(self) -> None:
        """No more events will come."""
        if self._file is not None and not self._abandoned:
            self.drain()
            self._file.close()

    def reasons(self) -> list[str]:
        """What is missing of the file, and why."""
        if self._file is None:
            return []
        lost = self._file.lost + self._unwritten + len(self._lines)
        why = self._file.problem or "the disk was too slow"
        return [f"events.jsonl: {lost:,} lines lost ({why})"] if lost else []
