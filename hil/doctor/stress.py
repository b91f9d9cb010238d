"""Load of our own making beside a measurement: it must end on every exit path, a killed process among them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from hil.doctor import work

_PATIENCE_S = 2.0
_EACH_CORE = ("busy", "memory")
_ONCE = ("disk", "sockets")


class Stress:
    """Processes that keep every core, the memory, a disk and the loopback busy, and a busy thread in this one.

    A context manager. Each process ends when its standard input does, and that is a pipe which only this process holds open:
    however this one ends, they do. Raises OSError where one cannot be started.
    """

    def __init__(self, cores: int | None = None) -> None:
        self._kinds = [*_EACH_CORE * (_cores() if cores is None else cores), *_ONCE]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=work.busy, args=(self._stopping,), name="stress", daemon=True)
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        command = [sys.executable, "-I", str(Path(work.__file__))]
        try:
            for kind in self._kinds:
                self.processes.append(
                    subprocess.Popen(  # noqa: S603
                        [*command, kind], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                    )
                )
            self._thread.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    def _end(self) -> None:
        self._stopping.set()
        for process in self.processes:
            if process.stdin is not None:
                process.stdin.close()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_S)
            process.kill()  # nothing where it has ended
            process.wait()
        if self._thread.ident is not None:
            self._thread.join()


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
