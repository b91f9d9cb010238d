"""Pairs of the clocks of a paced run, by which its record can be laid beside the logs of other machines."""

from __future__ import annotations

import time
from pathlib import Path

_EVERY_NS = 1_000_000_000


class ClockPairs:
    """Writes `clocks.csv`: every second of wall-clock time the scenario's, CLOCK_MONOTONIC and CLOCK_REALTIME, of one moment.

    problem: what kept it from writing, after which it has stopped.
    """

    def __init__(self, path: Path) -> None:
        self.problem: str | None = None
        self._next_ns = 0
        self._file = path.open("w", encoding="ascii")
        self._write("time_s,monotonic_ns,realtime_ns\n")

    def tend(self, start_ns: int, speed: float) -> None:
        """Write a pair, if it is time. start_ns: the scenario's beginning on CLOCK_MONOTONIC; speed: of its time."""
        if time.monotonic_ns() < self._next_ns or self.problem is not None:
            return
        before_ns = time.monotonic_ns()
        real_ns = time.time_ns()
        moment_ns = (before_ns + time.monotonic_ns()) // 2  # in the middle of which the other was read
        self._next_ns = moment_ns + _EVERY_NS
        self._write(f"{(moment_ns - start_ns) * speed / 1e9:.6f},{moment_ns},{real_ns}\n")

    def close(self) -> None:
        """No more will come."""
        try:
            self._file.close()
        except OSError as error:
            self.problem = error.strerror

    def _write(self, line: str) -> None:
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            self.problem = error.strerror
