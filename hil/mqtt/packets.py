"""What both ends of an MQTT connection need of its packets (OASIS MQTT Version 3.1.1, sections 2 and 3)."""

from __future__ import annotations

import struct
from functools import lru_cache

from hil.errors import HilError

_BIG_ENDIAN_16 = struct.Struct(">H")


class MalformedPacket(HilError, ValueError):
    """The connection has to be closed."""


def next_packet(data: bytes | bytearray, start: int, most_bytes: int) -> tuple[int, int, int] | None:
    """First byte, start and end of the body of the packet that begins at `start`; None where it is not complete."""
    there = len(data)
    if there - start < 2:
        return None
    length = data[start + 1]
    body = start + 2
    if length > 0x7F:
        length &= 0x7F
        for shift in (7, 14, 21):
            if body >= there:
                return None
            byte = data[body]
            body += 1
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        else:
            raise MalformedPacket("remaining length of more than four bytes")
    end = body + length
    if end - start > most_bytes:
        raise MalformedPacket(f"packet of {end - start} bytes, allowed are {most_bytes}")
    return (data[start], body, end) if end <= there else None


def remaining_length(length: int) -> bytes:
    """Section 2.2.3."""
    if length < 0x80:
        return bytes((length,))
    encoded = bytearray()
    while length > 0x7F:
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    encoded.append(length)
    return bytes(encoded)


def publish_at_qos_0(topic: bytes, payload: bytes, *, retain: bool) -> bytes:
    """A PUBLISH packet without an identifier (section 3.3)."""
    length = remaining_length(2 + len(topic) + len(payload))
    return b"".join((b"\x31" if retain else b"\x30", length, _BIG_ENDIAN_16.pack(len(topic)), topic, payload))


def published_at_qos_0(body: bytes) -> tuple[str, bytes]:
    """Topic and payload of such a packet's body. Raises MalformedPacket."""
    if len(body) < 2:
        raise MalformedPacket("packet too short")
    end = 2 + (body[0] << 8 | body[1])
    if end > len(body):
        raise MalformedPacket("packet too short")
    return _text(body[2:end]), body[end:]


@lru_cache(maxsize=1024)
def _text(encoded: bytes) -> str:
    """A device publishes to the same few topics for ever."""
    try:
        return encoded.decode()
    except UnicodeDecodeError:
        raise MalformedPacket("text that is not UTF-8") from None
