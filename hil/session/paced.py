"""The plant as the wall clock sees it: its ticks run in a thread; others feed it and record it; this side watches."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from hil.realtime.bell import Bell
from hil.realtime.evidence import Overrun, Timing, WorstOverruns, lateness_us
from hil.realtime.loop_thread import LoopThread
from hil.realtime.stolen import stolen_and_all, stolen_share
from hil.realtime.wanted import Wanted
from hil.record.clocks import ClockPairs
from hil.record.events import EventLog
from hil.scenario.clock import Clock
from hil.session.periodic import Periodic
from hil.session.plant import STRETCH_TICKS, SitePlant

_PUMP_NS = 50_000_000  # of scenario time, and of wall-clock time
_LEAST_PUMP_NS = 2_000_000  # of wall-clock time
_DISK_PATIENCE_S = 10.0
_MOST_TOLD = 1000
"""Overruns that stand in the log; those after them are counted."""


def wanted_of(clock: Clock) -> Wanted:
    """What a scenario asks of the machine."""
    return Wanted(
        priority=clock.priority,
        cpu=clock.cpu,
        spin_s=clock.spin_s,
        lock_memory=clock.lock_memory,
        warm_up_s=clock.warm_up_s,
        policy=clock.policy,
        budget_s=clock.overrun_budget_s,
        catch_up_s=clock.catch_up_s,
    )


class PacedPlant:
    """Implements `hil.clock.wall.Paced` around a plant; a context manager, which no thread of the kernel outlives.

    speed: scenario time over wall-clock time. on_abort: called once, on the side of asyncio, where the policy `abort` has
    ended the run.
    """

    def __init__(
        self, plant: SitePlant, wanted: Wanted, speed: float, log: EventLog, clocks: ClockPairs | None = None
    ) -> None:
        self.on_abort: Callable[[], None] = lambda: None
        self._plant = plant
        self._log = log
        self._clocks = clocks
        self._speed = speed
        wall_period_ns = plant.period_ns / speed
        often = min(_PUMP_NS / plant.period_ns, _PUMP_NS / wall_period_ns)
        self.pump_ticks = max(1, int(min(max(often, _LEAST_PUMP_NS / wall_period_ns), STRETCH_TICKS // 4)))
        self._loop = LoopThread(plant.engine, wanted, speed=speed)
        every_s = min(self.pump_ticks * wall_period_ns, _PUMP_NS) / 1e9
        self._feeder = Periodic("load", plant.feed, every_s, self.bell.ring)
        self._writer = Periodic("record", self._record, every_s, self.bell.ring)
        self._ended_at: int | None = None  # where time goes on without ticks, once a thread has failed and that is told
        self._worst = WorstOverruns()
        self._told = 0
        self._aborted = False
        self._stolen = stolen_and_all()

    def __enter__(self) -> Self:
        self._plant.feed()
        self._loop.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._feeder.stop(_DISK_PATIENCE_S)
            if not self._writer.stop(_DISK_PATIENCE_S):
                self._plant.abandon_record()
            elif self._clocks is not None:
                self._clocks.close()
                if self._clocks.problem is not None:
                    self._log.add(self._plant.time_s, "clocks_not_written", {"problem": self._clocks.problem})
        finally:
            self._loop.__exit__(kind, error, trace)
        self._tell_overruns()
        untold = max(0, self._told - _MOST_TOLD) + self._loop.pacer.overruns_lost
        if untold:
            self._log.add(self._plant.time_s, "overruns_not_listed", {"count": untold})
        failed = self._feeder.error or self._writer.error
        if kind is None and failed is not None and self._ended_at is None:  # in its last moments, when nobody looked any more
            raise failed

    @property
    def bell(self) -> Bell:
        """Rung when a tick that was waited for has run, or a thread has failed."""
        return self._loop.bell

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
        return self._loop.started

    @property
    def timing(self) -> Timing:
        """How punctual the judged ticks were. Whole once the thread has ended."""
        counts, warm_up = self._loop.pacer.timing[0], self._loop.warm_up[0]
        return Timing.of(
            counts,
            self._speed,
            self.period_ns / 1e9,
            stolen_share=stolen_share(self._stolen, stolen_and_all()),
            worst=self._worst.worst,
            obtained=self._loop.obtained.summary(),
            warm_up={"ticks": int(warm_up["ticks"]), "lateness_us": lateness_us(warm_up)},
        )

    def start(self) -> None:
        """Let time pass from now on, if it does not yet."""
        if not self.started:
            self._log.add(0.0, "loop_started", self._loop.obtained.summary())
            self._loop.start()
            self._feeder.start()
            self._writer.start()

    def look(self) -> int:
        """Take the newest picture; returns its tick. Raises what ended a thread, once: who cleans up still needs time."""
        error = self._loop.error or self._feeder.error or self._writer.error
        if error is None or (self._ended_at is not None and self._loop.error is None):
            return self._loop.pacer.look()
        if self._ended_at is None:
            self._ended_at = self._loop.pacer.look()
            raise error
        return self._ended_at

    def wake_at(self, tick: int) -> None:
        """Have the bell rung when this tick has run."""
        self._loop.pacer.wake_at(tick)
        if self._ended_at is not None and self._loop.error is not None:
            self._ended_at = tick
            self.bell.ring()

    def pump(self) -> None:
        """Look for events."""
        self._plant.watch()
        self._tell_overruns()
        if not self._aborted and self._loop.pacer.timing[0]["aborted_tick"] >= 0:
            self._aborted = True
            self.on_abort()

    def _record(self) -> None:
        self._plant.drain()
        if self._clocks is not None:
            self._clocks.tend(self._loop.start_ns, self._speed)

    def _tell_overruns(self) -> None:
        tick_s = self.period_ns / 1e9
        overruns = [Overrun(tick * tick_s, ticks, late_ns / 1e3) for tick, ticks, late_ns in self._loop.pacer.take_overruns()]
        self._worst.add(overruns)
        for overrun in overruns[: max(0, _MOST_TOLD - self._told)]:
            self._log.add(overrun.at_s, "overrun", {"ticks": overrun.ticks, "late_ms": round(overrun.late_us / 1e3, 3)})
        self._told += len(overruns)
