"""Answers that are held back: in the order of their requests, none before its time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

_MOST_WAITING = 16  # answers that a client may be owed (Implementation Guide V1.0b, section 4.2.2: 1 to 16 transactions)


class Outbox:
    """What one connection has still to say. say: sends a frame. hang_up: ends the connection. eased: there is room again."""

    def __init__(self, say: Callable[[bytes], None], hang_up: Callable[[], None], eased: Callable[[], None]) -> None:
        self._say = say
        self._hang_up = hang_up
        self._eased = eased
        self._waiting: deque[tuple[float, bytes | None]] = deque()  # not before a time of the loop; None hangs up
        self._timer: asyncio.TimerHandle | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def full(self) -> bool:
        """Whether so much waits that no more should be asked for."""
        return len(self._waiting) >= _MOST_WAITING

    def put(self, frame: bytes | None, delay_s: float = 0.0) -> None:
        """Send after what waits already, and not before a time has passed; None hangs up."""
        loop = asyncio.get_running_loop()
        due_s = loop.time() + delay_s
        if self._waiting:
            due_s = max(due_s, self._waiting[-1][0])
        elif delay_s <= 0.0:
            self._send(frame)
            return
        self._waiting.append((due_s, frame))
        if self._timer is None:
            self._timer = loop.call_at(due_s, self._due)

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        """Send the first, whose time it is by the loop's own count, and what is due with it."""
        loop = asyncio.get_running_loop()
        was_full = self.full
        self._send(self._waiting.popleft()[1])
        while self._waiting and self._waiting[0][0] <= loop.time():
            self._send(self._waiting.popleft()[1])
        self._timer = loop.call_at(self._waiting[0][0], self._due) if self._waiting else None
        if was_full and not self.full:
            self._eased()

    def _send(self, frame: bytes | None) -> None:
        if frame is None:
            self._hang_up()
        else:
            self._say(frame)
