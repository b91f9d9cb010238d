"""Printing that nobody waits for: a pipe that is not read, or a stopped terminal, must not stop what is being told of."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from io import FileIO, TextIOWrapper
from types import TracebackType
from typing import Self

_MOST_WAITING = 256
_PATIENCE_S = 1.0


class Beside:
    """Does in a thread of its own, one after the other, what prints; a context manager.

    What comes while `_MOST_WAITING` others wait is left out. Once standard output is closed nothing is printed any more.
    """

    def __init__(self) -> None:
        # A file of its own: one that is stuck in a write holds a lock, without which the interpreter cannot end.
        raw = FileIO(sys.stdout.fileno(), "w", closefd=False)
        self.stdout = TextIOWrapper(raw, sys.stdout.encoding, "replace", write_through=True)
        self._waiting: queue.Queue[Callable[[], None] | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="printing", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Wait a moment for what is still to be printed."""
        try:
            self._waiting.put(None, timeout=_PATIENCE_S)
        except queue.Full:
            return
        self._thread.join(_PATIENCE_S)

    def do(self, printing: Callable[[], None]) -> None:
        """Have something printed."""
        try:
            self._waiting.put_nowait(printing)
        except queue.Full:
            return

    def line(self, text: str) -> None:
        """Have a line printed on standard output."""
        self.do(lambda: print(text, file=self.stdout))

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are the main thread's
        closed = False
        while (printing := self._waiting.get()) is not None:
            if closed:
                continue
            try:
                printing()
            except OSError:
                closed = True
                self._print_nowhere()

    def _print_nowhere(self) -> None:
        """Or the interpreter would complain at its end of what it could not write."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stdout.fileno())
        os.close(nowhere)
