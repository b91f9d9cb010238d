"""The plant as the wall clock sees it: its ticks run in a thread, this side feeds it, drains it and watches."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import TracebackType
from typing import Self

from hil.kernel.pacer import Pacer
from hil.session.plant import STRETCH_TICKS, SitePlant
from hil.verdict.timing import Timing

_PUMP_NS = 50_000_000  # of scenario time, and of wall-clock time
_LEAST_PUMP_NS = 2_000_000  # of wall-clock time


class PacedPlant:
    """Implements `hil.clock.wall.Paced` around a plant; a context manager, which no thread outlives.

    speed: scenario time over wall-clock time.
    """

    def __init__(self, plant: SitePlant, speed: float) -> None:
        self._plant = plant
        wall_period_ns = plant.period_ns / speed
        often = min(_PUMP_NS / plant.period_ns, _PUMP_NS / wall_period_ns)
        self.pump_ticks = max(1, int(min(max(often, _LEAST_PUMP_NS / wall_period_ns), STRETCH_TICKS // 4)))
        self._thread = threading.Thread(target=self._run, name="kernel")
        self._error: BaseException | None = None
        self._ended_at: int | None = None  # where time goes on without ticks, once the thread has failed and that is told
        self._start_ns = 0
        self.wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        try:
            self._pacer = Pacer(plant.engine, speed=speed, fd=self.wake_fd)
        except BaseException:
            os.close(self.wake_fd)
            raise

    def __enter__(self) -> Self:
        self._plant.feed()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pacer.stop()
        try:
            if self.started:
                self._thread.join()
        finally:
            self._pacer.release()
            os.close(self.wake_fd)

    @property
    def tick(self) -> int:
        """Ticks run so far, as last looked at."""
        return self._plant.tick

    @property
    def period_ns(self) -> int:
        """Length of a tick."""
        return self._plant.period_ns

    @property
    def started(self) -> bool:
        """Whether its time passes."""
        return self._start_ns > 0

    @property
    def timing(self) -> Timing:
        """How punctual the judged ticks were."""
        return Timing.of(self._pacer.timing[0], self._pacer.speed)

    def start(self) -> None:
        """Let time pass from now on, if it does not yet."""
        if not self.started:
            self._start_ns = time.monotonic_ns()
            self._thread.start()

    def look(self) -> int:
        """Take the newest picture; returns its tick. Raises what ended the thread, once: who cleans up still needs time."""
        if self._error is None:
            return self._pacer.look()
        if self._ended_at is None:
            self._ended_at = self._pacer.look()
            raise self._error
        return self._ended_at

    def wake_at(self, tick: int) -> None:
        """Have `wake_fd` written when this tick has run."""
        self._pacer.wake_at(tick)
        if self._ended_at is not None:
            self._ended_at = tick
            os.eventfd_write(self.wake_fd, 1)

    def pump(self) -> None:
        """Feed the plant, drain it, and look for events."""
        self._plant.feed()
        self._plant.tend()

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are the other thread's
        try:
            self._pacer.run(self._start_ns)
        except BaseException as error:  # noqa: BLE001  # raised where somebody hears it
            self._error = error
            os.eventfd_write(self.wake_fd, 1)
