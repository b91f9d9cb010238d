"""MQTT control packets without a transport (OASIS MQTT Version 3.1.1, sections 2 and 3).

What a client may send is parsed, what a server sends is built. What cannot be, and what needs quality of service 2, raises
MalformedPacket; its message is the reason that the event log shows.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from hil.broker.topics import is_filter, is_name
from hil.mqtt.packets import MalformedPacket, publish_at_qos_0, remaining_length


class Packet(IntEnum):
    """Control packet types, section 2.2.1."""

    CONNECT = 1
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    UNSUBSCRIBE = 10
    PINGREQ = 12
    DISCONNECT = 14


class ConnectCode(IntEnum):
    """Return codes of CONNACK, section 3.2.2.3; 3 to 5 are about a server that is full or asks who one is."""

    ACCEPTED = 0
    UNACCEPTABLE_VERSION = 1
    IDENTIFIER_REJECTED = 2


PINGRESP = b"\xd0\x00"
_LEVEL = 4
_BIG_ENDIAN_16 = struct.Struct(">H")


class Message:
    """An application message as it is delivered. It is encoded once, however many receive it.

    qos: that of its publisher, 0 or 1. retain: True where it is a retained message sent to a new subscription.
    """

    __slots__ = ("_at_qos_0", "_parts", "payload", "qos", "retain", "topic")

    def __init__(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self._at_qos_0: bytes | None = None
        self._parts: tuple[bytes, bytes] | None = None

    def at_qos_0(self) -> bytes:
        """The PUBLISH packet."""
        if self._at_qos_0 is None:
            self._at_qos_0 = publish_at_qos_0(self.topic.encode(), self.payload, retain=self.retain)
        return self._at_qos_0

    def at_qos_1(self, packet_id: int, *, again: bool = False) -> bytes:
        """The PUBLISH packet; `again` sets its DUP flag."""
        if self._parts is None:
            topic = self.topic.encode()
            length = 4 + len(topic) + len(self.payload)
            first = b"\x33" if self.retain else b"\x32"
            self._parts = (first, b"".join((remaining_length(length), _BIG_ENDIAN_16.pack(len(topic)), topic)))
        first, head = self._parts
        if again:
            first = bytes((first[0] | 0x08,))
        return b"".join((first, head, _BIG_ENDIAN_16.pack(packet_id), self.payload))


@dataclass(frozen=True)
class Will:
    """What is published for a client that ends without DISCONNECT."""

    message: Message
    retain: bool


@dataclass(frozen=True)
class Connect:
    """A CONNECT that may be accepted. keep_alive_s: 0 turns it off. client_id: empty where the client leaves it to us."""

    client_id: str
    clean: bool
    keep_alive_s: int
    will: Will | None


class Refused(MalformedPacket):
    """A CONNECT that is answered with a return code before the connection is closed."""

    def __init__(self, code: ConnectCode, reason: str) -> None:
        self.code = code
        super().__init__(reason)


def parse_connect(flags: int, body: bytes) -> Connect:
    """Section 3.1. Raises Refused where an answer is due, else MalformedPacket."""
    _expect_flags(flags, 0)
    protocol, at = _text(body, 0)
    if protocol not in ("MQTT", "MQIsdp"):
        raise MalformedPacket("another protocol")
    level, at = _byte(body, at)
    if protocol != "MQTT" or level != _LEVEL:
        raise Refused(ConnectCode.UNACCEPTABLE_VERSION, f"{protocol} level {level}, MQTT 3.1.1 is level {_LEVEL}")
    connect_flags, at = _byte(body, at)
    has_user, has_password, will_retain = connect_flags & 0x80, connect_flags & 0x40, bool(connect_flags & 0x20)
    will_qos, has_will, clean = connect_flags >> 3 & 3, connect_flags & 0x04, bool(connect_flags & 0x02)
    if connect_flags & 1 or will_qos == 3 or (not has_will and (will_qos or will_retain)) or (has_password and not has_user):
        raise MalformedPacket(f"connect flags {connect_flags:#04x}")
    keep_alive_s, at = _word(body, at)
    client_id, at = _text(body, at)
    will = None
    if has_will:
        topic, at = _text(body, at)
        if not is_name(topic):
            raise MalformedPacket("topic name of the will")
        payload, at = _bytes(body, at)
        will = Will(Message(topic, payload, qos=min(will_qos, 1)), will_retain)  # no subscription is granted more
    if has_user:
        _, at = _text(body, at)
    if has_password:
        _, at = _bytes(body, at)
    _expect_end(body, at)
    if client_id == "" and not clean:
        raise Refused(ConnectCode.IDENTIFIER_REJECTED, "no client identifier for a session that is to last")
    return Connect(client_id, clean, keep_alive_s, will)


def parse_publish(flags: int, body: bytes) -> tuple[Message, int]:
    """The message, and its packet identifier: 0 where none is due (section 3.3). The retain flag is the lowest of `flags`."""
    qos = flags >> 1 & 3
    if qos > 1:
        raise MalformedPacket("quality of service 2 is not supported" if qos == 2 else "quality of service 3")
    if len(body) < 2:
        raise MalformedPacket("packet too short")
    at = 2 + (body[0] << 8 | body[1])
    if at > len(body):
        raise MalformedPacket("packet too short")
    topic = _topic_name(body[2:at])
    if qos == 0:
        if flags & 0x08:
            raise MalformedPacket("DUP without quality of service")
        return Message(topic, body[at:], qos=0), 0
    packet_id, at = _packet_id(body, at)
    return Message(topic, body[at:], qos=1), packet_id


def parse_puback(flags: int, body: bytes) -> int:
    """The packet identifier (section 3.4)."""
    _expect_flags(flags, 0)
    packet_id, at = _packet_id(body, 0)
    _expect_end(body, at)
    return packet_id


def parse_subscribe(flags: int, body: bytes) -> tuple[int, list[tuple[str, int]]]:
    """The packet identifier; filters with the quality of service that is granted: 0 or 1 (section 3.8)."""
    _expect_flags(flags, 2)
    packet_id, at = _packet_id(body, 0)
    wanted: list[tuple[str, int]] = []
    while at < len(body) or not wanted:
        topic_filter, at = _topic_filter(body, at)
        qos, at = _byte(body, at)
        if qos > 2:
            raise MalformedPacket(f"requested quality of service {qos:#04x}")
        wanted.append((topic_filter, min(qos, 1)))
    return packet_id, wanted


def parse_unsubscribe(flags: int, body: bytes) -> tuple[int, list[str]]:
    """The packet identifier, and filters (section 3.10)."""
    _expect_flags(flags, 2)
    packet_id, at = _packet_id(body, 0)
    filters: list[str] = []
    while at < len(body) or not filters:
        topic_filter, at = _topic_filter(body, at)
        filters.append(topic_filter)
    return packet_id, filters


def parse_bare(flags: int, body: bytes) -> None:
    """PINGREQ and DISCONNECT (sections 3.12, 3.14)."""
    _expect_flags(flags, 0)
    _expect_end(body, 0)


def connack(code: ConnectCode, *, session_present: bool = False) -> bytes:
    """Section 3.2."""
    return bytes((0x20, 2, session_present, code))


def puback(packet_id: int) -> bytes:
    """Section 3.4."""
    return b"\x40\x02" + _BIG_ENDIAN_16.pack(packet_id)


def suback(packet_id: int, granted: list[int]) -> bytes:
    """Section 3.9."""
    return b"".join((b"\x90", remaining_length(2 + len(granted)), _BIG_ENDIAN_16.pack(packet_id), bytes(granted)))


def unsuback(packet_id: int) -> bytes:
    """Section 3.11."""
    return b"\xb0\x02" + _BIG_ENDIAN_16.pack(packet_id)


def _expect_flags(flags: int, expected: int) -> None:
    if flags != expected:
        raise MalformedPacket(f"flags {flags:#x} of the fixed header")


def _expect_end(body: bytes, at: int) -> None:
    if at != len(body):
        raise MalformedPacket("packet too long")


def _byte(body: bytes, at: int) -> tuple[int, int]:
    if at >= len(body):
        raise MalformedPacket("packet too short")
    return body[at], at + 1


def _word(body: bytes, at: int) -> tuple[int, int]:
    if at + 2 > len(body):
        raise MalformedPacket("packet too short")
    return body[at] << 8 | body[at + 1], at + 2


def _packet_id(body: bytes, at: int) -> tuple[int, int]:
    packet_id, at = _word(body, at)
    if packet_id == 0:
        raise MalformedPacket("packet identifier 0")
    return packet_id, at


def _bytes(body: bytes, at: int) -> tuple[bytes, int]:
    length, at = _word(body, at)
    if at + length > len(body):
        raise MalformedPacket("packet too short")
    return body[at : at + length], at + length


def _text(body: bytes, at: int) -> tuple[str, int]:
    encoded, at = _bytes(body, at)
    return _decoded(encoded), at


def _decoded(encoded: bytes) -> str:
    """Section 1.5.3: UTF-8 without surrogates and without U+0000."""
    try:
        text = encoded.decode()
    except UnicodeDecodeError:
        raise MalformedPacket("text that is not UTF-8") from None
    if "\0" in text:
        raise MalformedPacket("text with U+0000")
    return text


def _topic_filter(body: bytes, at: int) -> tuple[str, int]:
    topic_filter, at = _text(body, at)
    if not is_filter(topic_filter):
        raise MalformedPacket("topic filter")
    return topic_filter, at


@lru_cache(maxsize=1024)
def _topic_name(encoded: bytes) -> str:
    """A device publishes to the same few topics for ever."""
    topic = _decoded(encoded)
    if not is_name(topic):
        raise MalformedPacket("topic name")
    return topic
