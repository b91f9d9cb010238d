"""Messages on their way in one direction of one connection: kept in order, handed over when their time has come."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from enum import Enum

from hil.links.framer import Framer
from hil.links.model import Delay

MOST_HELD = 2**20
"""Bytes that may be on their way before the sender is not read: a window, as TCP has one."""

_SAME_INSTANT_S = 1e-9  # a timer may be that early: clocks are kept in float seconds
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close sends a reset


@dataclass
class Tally:
    """What a link carried one way. largest_delay_s: from the last byte of a message read to its last byte written."""

    messages: int = 0
    retransmissions: int = 0
    largest_delay_s: float = 0.0


class End(Enum):
    """How a stream ends."""

    EOF = "eof"
    RESET = "reset"


@dataclass
class _Held:
    """A message, or the end of the stream, on its way. release_s: when it may go, once what is ahead of it has gone."""

    what: bytes | End
    arrived_s: float
    delay: Delay
    release_s: float


class Flow:
    """One direction.

    draw: delay of a message by its number. tally: where it counts. ended: called when the end of the stream has been handed
    over. Its timers run in the context in which it is made, whoever mends a cut.
    """

    def __init__(self, draw: Callable[[int], Delay], framer: Framer, tally: Tally, ended: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._draw = draw
        self._framer = framer
        self._tally = tally
        self._on_ended = ended
        self._held = False
        self._source: asyncio.Transport | None = None
        self._sink: asyncio.Transport | None = None
        self._sink_full = False
        self._queue: deque[_Held] = deque()
        self._bytes = 0
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False  # nothing will be handed over any more
        self.finished = False  # the source sends no more
        self.delivered = False  # and the sink knows

    # The two ends.

    def reads(self, source: asyncio.Transport) -> None:
        """Bytes come from here; the flow decides when it is read."""
        self._source = source
        self._regulate()

    def writes(self, sink: asyncio.Transport) -> None:
        """Bytes go there; what is due goes at once."""
        self._sink = sink
        self._hand_over(self._loop.time())

    def sink_full(self, full: bool) -> None:
        """The sink takes no more, or takes more again."""
        self._sink_full = full
        self._regulate()

    def take(self, data: bytes) -> None:
        """Bytes from the source."""
        if self.finished or self._closed:
            return
        now = self._loop.time()
        for message in self._framer.cut(data):
            self._enqueue(message, now)
        self._hand_over(now)

    def finish(self, end: End, after_s: float | None = None) -> None:
        """The source sends no more: tell the sink, behind all that is on its way; by default as late as a message."""
        self.finished = True
        if self._closed:
            return
        now = self._loop.time()
        if rest := self._framer.rest():
            self._enqueue(rest, now)
        self._enqueue(end, now, after_s)
        self._hand_over(now)

    def close(self) -> None:
        """Drop what is on its way: nobody takes it any more."""
        self._closed = True
        self._sink = None
        self._queue.clear()
        self._bytes = 0
        self._disarm()
        self._regulate()

    def source_lost(self) -> None:
        """There is nobody to be read any more."""
        self._source = None

    # Cuts.

    def hold(self) -> None:
        """Nothing passes."""
        self._held = True
        self._disarm()

    def release(self) -> None:
        """All that is held sets off now, in order."""
        self._held = False
        now = self._loop.time()
        for item in self._queue:
            item.release_s = now + item.delay.seconds
        self._hand_over(now)

    # Inside.

    def _enqueue(self, what: bytes | End, now: float, after_s: float | None = None) -> None:
        delay = self._draw(self._number) if after_s is None else Delay(after_s, 0)
        self._number += 1
        self._queue.append(_Held(what, now, delay, now + delay.seconds))
        if isinstance(what, bytes):
            self._bytes += len(what)

    def _due(self, release_s: float) -> None:
        self._timer = None
        self._hand_over(max(release_s, self._loop.time()))

    def _hand_over(self, now: float) -> None:
        """Write what is due, in one piece, and wait for what is not."""
        if self._held or self._sink is None:
            self._regulate()
            return
        due = []
        end = None
        while self._queue and self._queue[0].release_s <= now + _SAME_INSTANT_S:
            item = self._queue.popleft()
            if isinstance(item.what, End):
                end = item.what
                break
            due.append(item.what)
            self._bytes -= len(item.what)
            self._count(item)
        if due or end is not None:
            self._disarm()
        if due:
            self._sink.write(b"".join(due))
        if end is not None:
            self._end(self._sink, end)
        elif self._queue and self._timer is None:
            head_s = self._queue[0].release_s
            self._timer = self._loop.call_at(head_s, self._due, head_s, context=self._context)
        self._regulate()

    def _count(self, item: _Held) -> None:
        self._tally.messages += 1
        self._tally.retransmissions += item.delay.retransmissions
        self._tally.largest_delay_s = max(self._tally.largest_delay_s, self._loop.time() - item.arrived_s)

    def _end(self, sink: asyncio.Transport, end: End) -> None:
        self.delivered = True
        if end is End.RESET:
            reset(sink)
        elif not sink.is_closing():
            with contextlib.suppress(OSError):  # its other end may have closed it, and asyncio does not know yet
                sink.write_eof()
        self._on_ended()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _regulate(self) -> None:
        """Read the source while there is room. After its end asyncio must not be asked to read it again."""
        source = self._source
        if source is None or self.finished or source.is_closing():
            return
        reading = source.is_reading()
        full = self._sink_full or self._bytes > (MOST_HELD if reading else MOST_HELD // 2)
        if full and not self._closed:
            if reading:
                source.pause_reading()
        elif not reading:
            source.resume_reading()


def reset(transport: asyncio.Transport) -> None:
    """Close a connection so that its other end sees a reset; what is not sent yet is lost."""
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
