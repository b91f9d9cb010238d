"""What both clocks share: an asyncio loop whose `time()` is scenario time, and its timers.

Time is that of the last tick the loop has seen. Timers are kept here, by (tick, participant, creation), and released one at a
time; asyncio's own list stays empty. A clock is what happens when asyncio asks its selector to wait.
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from contextvars import Context, copy_context
from typing import Any

from hil.clock.participants import current


class ScenarioSelector(selectors.BaseSelector):
    """The platform's selector behind one that decides how to wait."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self._mapping: Mapping[Any, Any] = self._real.get_map()
        self._events: dict[int, int] = {}  # by file descriptor, without what is not asyncio's

    # As the platform's.

    def register(self, fileobj: Any, events: int, data: Any = None) -> Any:
        return self._watched(self._real.register(fileobj, events, data))

    def unregister(self, fileobj: Any) -> Any:
        key = self._real.unregister(fileobj)
        self._events.pop(key.fd, None)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> Any:
        return self._watched(self._real.modify(fileobj, events, data))

    def _watched(self, key: selectors.SelectorKey) -> selectors.SelectorKey:
        self._events[key.fd] = key.events
        return key

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, Any]:
        return self._mapping

    def reads(self, fd: int) -> bool:
        """Whether a file descriptor is watched for reading."""
        return bool(self._events.get(fd, 0) & selectors.EVENT_READ)


def in_our_order(events: list[Any]) -> list[Any]:
    """The events of one poll by file descriptor: their order is the kernel's affair otherwise."""
    if len(events) > 1:
        events.sort(key=lambda event: event[0].fd)
    return events


class ScenarioLoop(asyncio.SelectorEventLoop):
    """The loop: time and timers. tick, period_ns: where time begins, and how it is counted."""

    def __init__(self, selector: ScenarioSelector, tick: int, period_ns: int) -> None:
        self._period_ns = period_ns
        self._tick = tick
        self._now_s = tick * period_ns / 1e9
        self._timers: list[tuple[int, int, int, asyncio.TimerHandle]] = []
        self._created = 0
        super().__init__(selector)

    def time(self) -> float:
        """Scenario time, s."""
        return self._now_s

    @abstractmethod
    def hold(self, reason: str) -> AbstractContextManager[None]:
        """Scenario time stands still inside, where the clock can be held."""

    def call_at(  # type: ignore[override]  # typeshed's variadic generics say no more than Any here
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call at a scenario time, rounded up to a tick."""
        self._check_closed()  # type: ignore[attr-defined]
        if context is None:
            context = copy_context()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        tick = max(-(-round(when * 1e9) // self._period_ns), self._tick)
        self._created += 1
        participant = context.get(current)
        order = participant.order if participant is not None else 0
        heapq.heappush(self._timers, (tick, order, self._created, handle))
        return handle

    def _next_timer(self) -> int | None:
        """Tick of the next timer; None where there is none."""
        while self._timers:
            tick, _, _, handle = self._timers[0]
            if not handle.cancelled():
                return tick
            heapq.heappop(self._timers)
        return None

    def _release(self) -> None:
        """Let the next timer, and no other, be called."""
        self._ready.append(self._take())  # type: ignore[attr-defined]

    def _take(self) -> asyncio.TimerHandle:
        """The next timer, out of the list."""
        return heapq.heappop(self._timers)[3]

    def _moved_to(self, tick: int) -> None:
        self._tick = tick
        self._now_s = tick * self._period_ns / 1e9
