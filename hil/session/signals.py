"""SIGINT and SIGTERM on the loop of a run."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Self


class StopSignals:
    """While it is entered, the first SIGINT or SIGTERM calls `stop`; what then winds down is not disturbed by more of them.

    caught: the number of that signal. Outside the main thread signals stay with their owner.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self.caught: int | None = None
        self._stop = stop
        self._handled: list[signal.Signals] = []

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self._on, number)
            except (RuntimeError, ValueError):  # not the main thread
                continue
            self._handled.append(number)
        return self

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in self._handled:
            loop.remove_signal_handler(number)

    def _on(self, number: int) -> None:
        if self.caught is None:
            self.caught = int(number)
            self._stop()
