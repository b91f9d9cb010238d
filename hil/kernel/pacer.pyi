"""Interface of the compiled pacer."""

from typing import Any

import numpy as np

from hil.kernel.engine import Engine

class Pacer:
    """Runs an engine's ticks in a thread, each at its deadline on CLOCK_MONOTONIC; from here on only it runs them.

    Tick k, counted from the first of the run, is due at start + (k + 1)*period/speed, when its end is reached; it never runs
    earlier, and a late thread catches up tick by tick. Faster than real time, ticks shorter than 0.1 ms share a wake-up, due
    with the last of them. What the engine shows (`seen`, `value`, `tick` …) is, until `release`, the picture of the last
    `look`: all of one tick.

    speed: scenario time over wall-clock time. fd: an eventfd, written when the tick that was asked for has run. timing: an
    array of one (`hil.kernel.layout.timing_dtype`), of judged ticks.

    Raises ValueError for a speed that is not positive and finite.
    """

    speed: float
    ticks_together: int
    timing: np.ndarray[Any, np.dtype[Any]]

    def __init__(self, engine: Engine, *, speed: float, fd: int) -> None: ...
    def run(self, start_ns: int, until_tick: int = ...) -> None:
        """Run until `stop`, or up to a tick. For a thread of its own: the GIL is released all the time.

        Raises ValueError for arrays that a tick could not run on.
        """

    def stop(self) -> None:
        """End `run` within 20 ms, from any thread."""

    def release(self) -> None:
        """Once `run` has ended: the engine shows its states again, and may be advanced."""

    def wake_at(self, tick: int) -> None:
        """Have the eventfd written once, when this tick has run; replaces what was asked before."""

    def look(self) -> int:
        """Take the newest picture, and return its tick; the last one again until every command is applied."""
