"""An MQTT 3.1.1 client of the tests' own, on the level of bytes, so that a broker is judged by what is on the wire.

It knows nothing of the broker's encoder and decoder. It answers a message of quality of service 1 unless told not to.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from typing import NamedTuple

WAIT_S = 30.0  # no answer within that is a failure; of the wall clock on mosquitto, of scenario time in lock-step


def text(value: str | bytes) -> bytes:
    encoded = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(encoded)) + encoded


def packet(first: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    length, rest = bytearray(), len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes([first]) + length + body


def connect(
    client_id: str = "",
    *,
    clean: bool = True,
    keep_alive: int = 0,
    will: tuple[str, bytes, int, bool] | None = None,
    login: tuple[str, bytes] | None = None,
    protocol: str = "MQTT",
    level: int = 4,
) -> bytes:
    flags = 2 if clean else 0
    payload = text(client_id)
    if will is not None:
        topic, message, qos, retain = will
        flags |= 4 | qos << 3 | retain << 5
        payload += text(topic) + text(message)
    if login is not None:
        flags |= 0xC0
        payload += text(login[0]) + text(login[1])
    return packet(0x10, text(protocol), bytes([level, flags]), struct.pack(">H", keep_alive), payload)


def publish(
    topic: str | bytes, payload: bytes, *, qos: int = 0, packet_id: int = 0, retain: bool = False, dup: bool = False
) -> bytes:
    number = struct.pack(">H", packet_id) if qos else b""
    return packet(0x30 | dup << 3 | qos << 1 | retain, text(topic), number, payload)


def puback(packet_id: int) -> bytes:
    return packet(0x40, struct.pack(">H", packet_id))


def subscribe(packet_id: int, *wanted: tuple[str | bytes, int]) -> bytes:
    return packet(0x82, struct.pack(">H", packet_id), *(text(topic) + bytes([qos]) for topic, qos in wanted))


def unsubscribe(packet_id: int, *filters: str | bytes) -> bytes:
    return packet(0xA2, struct.pack(">H", packet_id), *map(text, filters))


PINGREQ = packet(0xC0)
DISCONNECT = packet(0xE0)


class Packet(NamedTuple):
    first: int
    body: bytes


class Message(NamedTuple):
    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False


class Closed(Exception):
    """The broker has closed the connection."""


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.messages: deque[Message] = deque()  # came while something else was waited for
        self.packet_ids: list[int] = []  # of the messages that came
        self.acknowledges = True
        self._last_id = 0

    @classmethod
    async def open(cls, address: tuple[str, int], *packets: bytes) -> Client:
        client = cls(*await asyncio.open_connection(*address))
        client.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.send(*packets)
        return client

    def send(self, *packets: bytes) -> None:
        self.writer.write(b"".join(packets))

    async def packet(self) -> Packet:
        """The next one, whatever it is. Raises Closed."""
        try:
            async with asyncio.timeout(WAIT_S):
                first, length, shift, digit = (await self.reader.readexactly(1))[0], 0, 0, 0x80
                while digit & 0x80:
                    digit = (await self.reader.readexactly(1))[0]
                    length |= (digit & 0x7F) << shift
                    shift += 7
                return Packet(first, await self.reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Closed from error

    async def answer(self, kind: int) -> bytes:
        """The body of the next packet that is no message; it must be of a kind."""
        while True:
            first, body = await self.packet()
            if first >> 4 == 3:
                self._take(first, body)
            else:
                assert first == kind, f"{first:#04x} came, not {kind:#04x}"
                return body

    def _take(self, first: int, body: bytes) -> None:
        qos = first >> 1 & 3
        at = 2 + struct.unpack_from(">H", body)[0]
        topic = body[2:at].decode()
        if qos:
            self.packet_ids.append(struct.unpack_from(">H", body, at)[0])
            at += 2
            if self.acknowledges and not self.writer.is_closing():
                self.send(puback(self.packet_ids[-1]))
        self.messages.append(Message(topic, body[at:], qos, bool(first & 1), bool(first & 8)))

    async def connected(self, client_id: str = "", **options: object) -> bool:
        """Connect and be accepted; whether there was a session."""
        self.send(connect(client_id, **options))
        body = await self.answer(0x20)
        assert body[0] in (0, 1)
        assert body[1] == 0
        return body[0] == 1

    async def subscribed(self, *wanted: tuple[str, int]) -> list[int]:
        """Subscribe; what was granted."""
        packet_id = self._next_id()
        self.send(subscribe(packet_id, *wanted))
        body = await self.answer(0x90)
        assert body[:2] == struct.pack(">H", packet_id)
        return list(body[2:])

    async def unsubscribed(self, *filters: str) -> None:
        packet_id = self._next_id()
        self.send(unsubscribe(packet_id, *filters))
        assert await self.answer(0xB0) == struct.pack(">H", packet_id)

    async def published(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish, and wait until the broker has dealt with it."""
        packet_id = self._next_id()
        self.send(publish(topic, payload, qos=qos, packet_id=packet_id, retain=retain))
        if qos:
            assert await self.answer(0x40) == struct.pack(">H", packet_id)
        else:
            await self.pinged()

    async def pinged(self) -> None:
        self.send(PINGREQ)
        assert await self.answer(0xD0) == b""

    async def got(self) -> list[Message]:
        """What has come: all that the broker had sent before it answers a ping."""
        await self.pinged()
        got = list(self.messages)
        self.messages.clear()
        return got

    async def got_all(self) -> list[Message]:
        """What comes as long as it is acknowledged."""
        everything: list[Message] = []
        while got := await self.got():
            everything += got
        return everything

    async def message(self) -> Message:
        """The next one, which must come before anything else."""
        while not self.messages:
            first, body = await self.packet()
            assert first >> 4 == 3, f"{first:#04x} came, not a message"
            self._take(first, body)
        return self.messages.popleft()

    async def ended(self) -> None:
        """The broker closes; messages that come before are kept, other packets are skipped."""
        try:
            while True:
                first, body = await self.packet()
                if first >> 4 == 3:
                    self._take(first, body)
        except Closed:
            self.writer.close()

    async def close(self) -> None:
        """Close the socket without DISCONNECT."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id
