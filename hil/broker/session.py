"""A client's session (MQTT 3.1.1, section 4.1): what it subscribed to, and what it is still owed.

Messages of quality of service 1 go out in order, a window of them at a time, and are kept until they are acknowledged; those
beyond the window wait in a queue that is bounded. Quality of service 0 is not kept: who is away or slow does not get it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from hil.broker.packets import Message

_MOST_PACKET_ID = 0xFFFF


@dataclass(frozen=True)
class Limits:
    """Bounds of a broker.

    most_in_flight: messages that one client may have unacknowledged. most_queued: messages that wait beyond those; the newest
    is dropped where it would be one more. most_unsent_bytes: above it (and until a quarter of it) a client that does not read
    counts as slow. most_packet_bytes: what a client may send in one packet. connect_within_s: loop time until CONNECT.
    """

    most_in_flight: int = 64
    most_queued: int = 10_000
    most_unsent_bytes: int = 1 << 20
    most_packet_bytes: int = 1 << 20
    connect_within_s: float = 10.0


@dataclass
class Counts:
    """Application messages so far: from clients (wills included), to clients, and dropped because a client is slow."""

    messages_in: int = 0
    messages_out: int = 0
    messages_dropped: int = 0


class Link(Protocol):
    """What a session needs of a connection."""

    slow: bool

    def send(self, packet: bytes) -> None:
        """Send with what else is said at this moment."""


class Session:
    """What is known of one client. `clean` ends it with its connection."""

    __slots__ = ("_counts", "_in_flight", "_last_id", "_limits", "_waiting", "clean", "client_id", "filters", "link")

    def __init__(self, client_id: str, limits: Limits, counts: Counts, *, clean: bool) -> None:
        self.client_id = client_id
        self.clean = clean
        self.filters: dict[str, None] = {}
        self.link: Link | None = None
        self._limits = limits
        self._counts = counts
        self._in_flight: dict[int, Message] = {}  # by packet identifier, the longest unacknowledged first
        self._waiting: deque[Message] = deque()
        self._last_id = 0

    def deliver(self, message: Message, granted: int) -> None:
        """Send a message, keep it for later, or drop it."""
        link = self.link
        if message.qos == 0 or granted == 0:
            if link is None:
                return
            if link.slow or len(self._waiting) >= self._limits.most_queued:
                self._counts.messages_dropped += 1
                return
            self._counts.messages_out += 1
            link.send(message.at_qos_0())
        elif self._open_to_more():
            self._send(message)
        elif len(self._waiting) < self._limits.most_queued:
            self._waiting.append(message)
        else:
            self._counts.messages_dropped += 1

    def acknowledge(self, packet_id: int) -> None:
        """The client has a message; one with an unknown identifier is none of ours."""
        if self._in_flight.pop(packet_id, None) is not None and self._waiting:
            self.proceed()

    def proceed(self) -> None:
        """Send what waits, as far as the window goes."""
        while self._waiting and self._open_to_more():
            self._send(self._waiting.popleft())

    def resume(self, link: Link) -> None:
        """The client is back: send again what it has not acknowledged, then what waits."""
        self.link = link
        for packet_id, message in self._in_flight.items():
            self._counts.messages_out += 1
            link.send(message.at_qos_1(packet_id, again=True))
        self.proceed()

    def _open_to_more(self) -> bool:
        return self.link is not None and not self.link.slow and len(self._in_flight) < self._limits.most_in_flight

    def _send(self, message: Message) -> None:
        packet_id = self._last_id
        while True:
            packet_id = packet_id % _MOST_PACKET_ID + 1
            if packet_id not in self._in_flight:
                break
        self._last_id = packet_id
        self._in_flight[packet_id] = message
        self._counts.messages_out += 1
        assert self.link is not None
        self.link.send(message.at_qos_1(packet_id))
