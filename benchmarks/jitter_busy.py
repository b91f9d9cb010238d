"""The busy Python of benchmarks/jitter.py: a thread of the loop's process, or a process beside cyclictest."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable


def keep_busy(core: int, started: Callable[[], object]) -> None:
    """Never return and never sleep, at the ordinary priority, on one core."""
    os.sched_setaffinity(0, {core})
    started()
    while True:
        pass


if __name__ == "__main__":
    signal.alarm(int(sys.argv[2]))  # not left behind, whatever becomes of who started it
    keep_busy(int(sys.argv[1]), lambda: print("busy", flush=True))
