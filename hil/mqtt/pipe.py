"""A client's socket, as paho sees it: read in large pieces and handed on packet by packet, written once a turn of the loop.

paho asks for one byte, then for another, then for the rest, sends every packet by itself, and spends more on a message than
broker and device together. So what goes at QoS 0, which is nearly everything, does not pass through it; the rest does.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any, NamedTuple

from hil.mqtt.packets import next_packet, publish_at_qos_0, published_at_qos_0

_READ_AHEAD = 65_536
_MOST_PACKET = 1 << 28  # all that the remaining length can say
_MOST_UNSENT = 1 << 20
_KIND_AND_QOS = 0xFE  # of the first byte, without RETAIN: DUP at QoS 0 is paho's to judge
_PUBLISH_AT_QOS_0 = 0x30


class Publication(NamedTuple):
    """A message that came at QoS 0."""

    topic: str
    payload: bytes
    retained: bool


class Pipe:
    """Between paho and its socket. What the two did not agree on keeps its order, in both directions."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._came = bytearray()
        self._packet = b""  # the one that paho is reading
        self._at = 0
        self._unsent = bytearray()
        self.ended = False

    # What paho calls.

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes of the packet at hand, or the end of all."""
        if self._at == len(self._packet):
            if self.ended:
                return b""
            raise BlockingIOError
        start, self._at = self._at, min(self._at + size, len(self._packet))
        return self._packet[start : self._at]

    def send(self, data: bytes) -> int:
        """Write at the next `flush`."""
        self._unsent += data
        return len(data)

    def close(self) -> None:
        """Write what can be written, and close."""
        self.flush()
        self._sock.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    # What the client calls.

    def packets(self) -> Iterator[Publication | None]:
        """What has come and is complete; None: one that paho has to read, now. Raises MalformedPacket."""
        self._fill()
        came, start = self._came, 0
        while (found := next_packet(came, start, _MOST_PACKET)) is not None:
            first, body, end = found
            if first & _KIND_AND_QOS == _PUBLISH_AT_QOS_0:
                yield Publication(*published_at_qos_0(bytes(came[body:end])), bool(first & 1))
            else:
                self._packet, self._at = bytes(came[start:end]), 0
                yield None
            start = end
        del came[:start]

    def publish(self, topic: str, payload: str, *, retain: bool) -> bool:
        """Write a message at QoS 0 with the next `flush`; False where too much waits to be written."""
        if len(self._unsent) > _MOST_UNSENT:
            return False
        self._unsent += publish_at_qos_0(topic.encode(), payload.encode(), retain=retain)
        return True

    def flush(self) -> bool:
        """Write; whether all could be. What a broken connection does not take is lost: reading will tell."""
        if self._unsent:
            try:
                del self._unsent[: self._sock.send(self._unsent)]
            except BlockingIOError:
                return False
            except OSError:
                self._unsent.clear()
        return not self._unsent

    def discard(self) -> None:
        """Drop what is not written yet."""
        self._unsent.clear()

    def _fill(self) -> None:
        try:
            piece = self._sock.recv(_READ_AHEAD)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        self.ended = not piece
        self._came += piece
