"""The log of what happened in a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


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
