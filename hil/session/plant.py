"""The plant as a clock sees it: the engine, kept fed with load and drained of rows, and watched for events."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hil.kernel.engine import Engine
from hil.loads.base import Feed
from hil.record.events import EventLog
from hil.record.recorder import Recorder
from hil.session.breaker_watch import BreakerWatch
from hil.session.ups_watch import UpsWatch
from hil.site.build import LOAD_BLOCK_TICKS

STRETCH_TICKS = 16_384
# What a device falls back from without its controller: what counts it, what says when, what the event says besides.
_REVERSIONS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("reversions", "reverted_at", {}),
    ("limit_reversions", "limit_reverted_at", {"of": "limits"}),
    ("connect_reversions", "connect_reverted_at", {"of": "contactor"}),
)


def top_up(engine: Engine, feed: Feed) -> None:
    """Keep at least one stretch of load ahead of an engine, for as long as the load has any."""
    if engine.load_filled - engine.tick > STRETCH_TICKS:
        return
    while engine.load_room >= LOAD_BLOCK_TICKS and feed.tick < engine.end_tick:
        block = feed.block(min(LOAD_BLOCK_TICKS, engine.end_tick - feed.tick))
        if block.size == 0:
            return
        engine.feed(block)


class SitePlant:
    """Implements `hil.clock.lockstep.Advances`; `hil.session.paced` makes of it what the wall clock needs.

    names: of limits, as details of an event, and of BESSs. progress: called after every stretch of ticks. Violations,
    reversions, what breakers do and what UPSs log stand in the log with the tick at which they began.
    """

    def __init__(
        self,
        engine: Engine,
        feed: Feed,
        recorder: Recorder,
        log: EventLog,
        names: tuple[list[dict[str, object]], list[str]],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.engine = engine
        self._feed = feed
        self._recorder = recorder
        self._log = log
        self._limits, self._device_names = names
        self._progress = progress or (lambda _tick: None)
        self._counts: tuple[Any, ...] = ()
        self._counted: Any = None  # what they belong to
        self._ups = UpsWatch(engine, log)
        self._breakers = BreakerWatch(engine, log, self._limits)
        self._excursions = [0] * len(self._limits)
        self._reversions = [[0] * len(self._device_names) for _ in _REVERSIONS]

    @property
    def tick(self) -> int:
        """Ticks run so far."""
        return self.engine.tick

    @property
    def period_ns(self) -> int:
        """Length of a tick."""
        return self.engine.period_ns

    @property
    def time_s(self) -> float:
        """Scenario time."""
        return self.engine.tick * self.engine.period_ns / 1e9

    def advance(self, until_tick: int) -> None:
        """Run up to a tick, in stretches that the load ring and the record ring can hold."""
        while self.engine.tick < until_tick:
            self.feed()
            self.engine.advance(min(until_tick, self.engine.tick + STRETCH_TICKS))
            self.tend()

    def feed(self) -> None:
        """Keep load ahead of the engine."""
        top_up(self.engine, self._feed)

    def tend(self) -> None:
        """Take what the ticks so far have left."""
        self.drain()
        self.watch()

    def drain(self) -> None:
        """Take the rows."""
        self._recorder.drain()

    def abandon_record(self) -> None:
        """Leave the rows that are still there: who writes them does not come back."""
        self._recorder.abandon()

    def watch(self) -> None:
        """Take note of events and progress."""
        self._watch()
        self._progress(self.engine.tick)

    def _watch(self) -> None:
        seen = self.engine.seen
        if seen is not self._counted:  # taken once: asked after every stretch
            reversions = (seen["pcs"][counter] for counter, _, _ in _REVERSIONS)
            self._counted, self._counts = seen, (seen["limits"]["excursions"], *reversions)
        if self._excursions:
            self._changes(self._counts[0], self._excursions, self._violated)
        if self._device_names:
            for kind, counts in enumerate(self._counts[1:]):
                self._changes(counts, self._reversions[kind], partial(self._reverted, kind))
        self._ups.look()
        self._breakers.look()

    def _changes(self, counts: Any, seen: list[int], report: Callable[[int], None]) -> None:
        now = counts.tolist()
        if now != seen:
            for index, (count, before) in enumerate(zip(now, seen, strict=True)):
                if count > before:
                    report(index)
            seen[:] = now

    def _violated(self, index: int) -> None:
        first = int(self.engine.seen["limits"][index]["first_tick"])
        at = first + 1 if self._excursions[index] == 0 else self.engine.tick
        self._log.add(at * self.period_ns / 1e9, "limit_violated", self._limits[index])

    def _reverted(self, kind: int, index: int) -> None:
        _, when, of = _REVERSIONS[kind]
        at = int(self.engine.seen["pcs"][index][when])
        self._log.add(at * self.period_ns / 1e9, "reversion", {"device": self._device_names[index], "tick": at, **of})
