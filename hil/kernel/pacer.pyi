"""Interface of the compiled pacer."""

from typing import Any, Literal

import numpy as np

from hil.kernel.engine import Engine

class Pacer:
    """Runs an engine's ticks in a thread, each at its deadline on CLOCK_MONOTONIC; from here on only it runs them.

    Tick k, counted from the first of the run, is due at start + (k + 1)*period/speed, when its end is reached; it never runs
    earlier, and none is left out. Faster than real time, ticks shorter than 0.1 ms share a wake-up, due with the last of
    them. What the engine shows (`seen`, `value`, `tick` …) is, until `release`, the picture of the last `look`: all of one
    tick.

    speed: scenario time over wall-clock time. fd: written, 8 bytes, when the tick that was asked for has run. policy, of a
    wake-up that is late: "skip" runs in it, one after the other, all ticks that are due, so that plant time is wall-clock
    time again; "catch_up" runs them wake-up by wake-up, each with its exchange of commands and signals, without a sleep, as
    long as it is at most `catch_up_s` behind (what is beyond is skipped); "abort" closes the run at a tick that is later than
    `budget_s`, and goes on unjudged. budget_s: a later tick is no evidence: limits that have it within their window are not
    judged. Both in scenario time. spin_ns: so long before a deadline it stops sleeping; wall-clock time.

    timing: an array of one (`hil.kernel.layout.timing_dtype`), of judged ticks. A thread with priority that has not slept for
    0.1 s gives it back, so that it cannot take a core from everybody else, and notes the tick.

    Raises ValueError for a speed that is not positive and finite, and a policy that there is not.
    """

    speed: float
    ticks_together: int
    timing: np.ndarray[Any, np.dtype[Any]]
    spin_ns: int

    def __init__(
        self,
        engine: Engine,
        *,
        speed: float,
        fd: int,
        policy: Literal["skip", "catch_up", "abort"] = "skip",
        budget_s: float = ...,
        catch_up_s: float = 0.0,
        spin_ns: int = 0,
    ) -> None: ...
    def start(self, start_ns: int) -> None:
        """Let time begin at a moment of CLOCK_MONOTONIC; once, from any thread, before `run` or while it waits for it."""

    def run(self, until_tick: int = ..., *, prior: bool = False) -> None:
        """Wait for the start, then run until `stop`, or up to a tick. The GIL is released all the time.

        prior: the thread runs at a priority that keeps others off the core. Raises ValueError for arrays that a tick could
        not run on.
        """

    def stop(self) -> None:
        """End `run` within 20 ms, from any thread."""

    def release(self) -> None:
        """Once `run` has ended: the engine shows its states again, and may be advanced."""

    def wake_at(self, tick: int) -> None:
        """Have `fd` written once, when this tick has run; replaces what was asked before."""

    def look(self) -> int:
        """Take the newest picture, and return its tick; the last one again until every command is applied."""

    def take_overruns(self) -> list[tuple[int, int, int]]:
        """Overruns that ended since the last call: first tick, ticks in a row, the latest's lateness in ns."""

    @property
    def overruns_lost(self) -> int:
        """Overruns that nobody took in time."""
