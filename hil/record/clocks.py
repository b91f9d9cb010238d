"""Pairs of the clocks of a paced run, by which its record can be laid beside the logs of other machines."""

from __future__ import annotations

import time
from pathlib import Path

from hil.record.appending import AppendedFile

_EVERY_NS = 1_000_000_000


class ClockPairs:
    """Writes `clocks.csv`: every second of wall-clock time the scenario's, CLOCK_MONOTONIC and CLOCK_REALTIME, of one moment.

    Nothing that the disk does is raised.
    """

    def __init__(self, path: Path) -> None:
        self._next_ns = 0
        self._file = AppendedFile(path, b"time_s,monotonic_ns,realtime_ns\n")

    @property
    def problem(self) -> str | None:
        """What the newest pair that is missing was lost to; None where none is."""
        return self._file.problem if self._file.lost else None

    def tend(self, start_ns: int, speed: float) -> None:
        """Write a pair, if it is time. start_ns: the scenario's beginning on CLOCK_MONOTONIC; speed: of its time."""
        if time.monotonic_ns() < self._next_ns:
            return
        before_ns = time.monotonic_ns()
        real_ns = time.time_ns()
        moment_ns = (before_ns + time.monotonic_ns()) // 2  # in the middle of which the other was read
        self._next_ns = moment_ns + _EVERY_NS
        self._file.append(f"{(moment_ns - start_ns) * speed / 1e9:.6f},{moment_ns},{real_ns}\n".encode(), 1)

    def close(self) -> None:
        """No more will come."""
        self._file.close()
