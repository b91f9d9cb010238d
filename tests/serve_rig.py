"""`hil serve` in a process of its own, with its endpoints, its lines and its standard input."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from types import TracebackType
from typing import Any, Self

from command import WHOLE

HIL = [*WHOLE, "serve"]
_PATIENCE_S = 60.0


class Serving:
    """Lines of JSON from `hil serve ARGUMENTS --json`; ended, if it still runs, on leaving."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*HIL, *arguments, "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        try:
            self.devices = self.wait("serving")["devices"]
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        with self.process:
            pass

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def wait(self, event: str, **details: Any) -> dict[str, Any]:
        """The next line that tells of an event."""
        until = time.monotonic() + _PATIENCE_S
        while line := self._lines.get(timeout=max(0.0, until - time.monotonic())):
            told: dict[str, Any] = json.loads(line)
            if told["event"] == event and details.items() <= told.items():
                return told
        raise AssertionError(f"no {event}: ended with {self.process.wait()}")

    def type(self, text: str) -> None:
        """A line on its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self, number: int) -> tuple[str, int]:
        """End it by a signal; why it says it ended, and its exit code."""
        self.process.send_signal(number)
        return self.wait("stopped")["why"], self.process.wait(_PATIENCE_S)
