"""The wall clock: the same loop, paced by a plant that runs in a thread of its own.

The loop never decides when time passes: it looks at the plant at every poll and sees a tick. When nothing is ready it says at
which tick it wants to be woken, and waits for sockets and for the bell that the plant's thread then rings; the system's
timers have no part in it. Timers that are due are released one at a time, in the order of lock-step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from selectors import EVENT_READ
from typing import Any, Protocol

from hil.clock.scenario_loop import ScenarioLoop, ScenarioSelector, in_our_order

_MOST_PASSED = 16  # polls with callbacks ready before a due timer is released among them: no callback may keep time away
_NEVER = 2**62


class Bell(Protocol):
    """What wakes who waits for file descriptors."""

    def fileno(self) -> int:
        """Readable once it was rung."""

    def silence(self) -> None:
        """Make it unreadable again."""


class Paced(Protocol):
    """What paces the clock: a plant that moves by itself once started."""

    pump_ticks: int

    @property
    def bell(self) -> Bell:
        """Rung when a tick that was waited for has run."""

    @property
    def tick(self) -> int:
        """Ticks run so far, as last looked at."""

    @property
    def period_ns(self) -> int:
        """Length of a tick."""

    @property
    def started(self) -> bool:
        """Whether its time passes."""

    def start(self) -> None:
        """Let time pass from now on."""

    def look(self) -> int:
        """Take the newest picture; returns its tick. Raises what ended the plant's thread, once."""

    def wake_at(self, tick: int) -> None:
        """Have the bell rung when this tick has run."""

    def pump(self) -> None:
        """Look for what has happened in it; wanted every `pump_ticks`."""


class WallLoop(ScenarioLoop):
    """The loop. Until the plant is started scenario time stands still, for at most `patience_s` of wall-clock time."""

    def __init__(self, plant: Paced, *, patience_s: float = 5.0) -> None:
        self._plant = plant
        self._pump_at = plant.tick + plant.pump_ticks
        self._start_by_s = time.monotonic() + patience_s
        super().__init__(_WallSelector(self, plant.bell), plant.tick, plant.period_ns)

    @contextmanager
    def hold(self, reason: str) -> Iterator[None]:  # noqa: ARG002  # as the other clock's
        """Does nothing: the wall clock waits for nobody."""
        yield

    def see(self) -> None:
        """Look at the plant, and do what it needs."""
        tick = self._plant.look()
        if tick > self._tick:
            self._moved_to(tick)
        if tick >= self._pump_at:
            self._pump_at = _NEVER  # where it fails it fails once, so that devices can still be made safe
            self._plant.pump()
            self._pump_at = tick + self._plant.pump_ticks

    def release_due(self) -> bool:
        """Release the next timer if it is due."""
        tick = self._next_timer()
        if tick is None or tick > self._tick:
            return False
        self._release()
        return True

    def idle(self, wait: Callable[[float | None], list[Any]]) -> list[Any]:
        """Nothing is ready: wait until a timer is due, or a socket is."""
        while not self.release_due():
            timer = self._next_timer()
            self._plant.wake_at(self._pump_at if timer is None else min(timer, self._pump_at))
            self.see()  # it may have run that tick before it was asked
            if self.release_due():
                break
            events = wait(self._until_start())
            self.see()
            if events or self._ready:  # type: ignore[attr-defined]
                return events
        return []

    def _until_start(self) -> float | None:
        """How long to wait, s; None where the plant wakes us."""
        if self._plant.started:
            return None
        left_s = self._start_by_s - time.monotonic()
        if left_s > 0.0:
            return left_s
        self._plant.start()
        return None


class _WallSelector(ScenarioSelector):
    """The platform's selector, and a bell in it that asyncio does not see."""

    def __init__(self, loop: WallLoop, bell: Bell) -> None:
        super().__init__()
        self._loop = loop
        self._bell = bell
        self._passed = 0
        self._real.register(bell.fileno(), EVENT_READ)

    def select(self, timeout: float | None = None) -> Any:
        events = self._wait(0)
        self._loop.see()
        if timeout is None and not events:
            events = self._loop.idle(self._wait)
        self._passed = 0 if timeout is None else self._passed + 1
        if self._passed >= _MOST_PASSED:
            self._passed = 0
            self._loop.release_due()
        return in_our_order(events)

    def _wait(self, timeout: float | None) -> list[Any]:
        events = self._real.select(timeout)
        for index, (key, _) in enumerate(events):
            if key.fd == self._bell.fileno():
                self._bell.silence()
                del events[index]
                break
        return events
