"""Where messages end in a stream of bytes, so that what happens to one does not depend on how TCP cut the stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Protocol = Literal["modbus_tcp", "mqtt", "stream"]

MOST_BYTES = 2**20
"""Longest message that is kept together."""

_MODBUS_HEADER = 6  # of MBAP: transaction, protocol, length; the length counts what follows it
_MODBUS_LENGTHS = range(2, 255)  # unit identifier and function code at least; MODBUS on TCP/IP V1.0b, section 3.1.3


class NotAFrame(ValueError):
    """These bytes do not start a message of the protocol; goes no further than Framer."""


class Framer:
    """Cuts one direction of a connection into messages.

    What cannot be a message is carried as it comes, and so is everything after it: a link is no place to be strict.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._size = _SIZES[protocol]
        self._buffer = bytearray()

    def cut(self, data: bytes) -> list[bytes]:
        """Messages that are complete with these bytes."""
        if self._size is None:
            return [bytes(data)]
        buffer = self._buffer
        buffer += data
        messages = []
        at = 0
        try:
            while (size := self._size(buffer, at)) is not None and len(buffer) - at >= size:
                messages.append(bytes(buffer[at : at + size]))
                at += size
        except NotAFrame:
            self._size = None
            messages.append(bytes(buffer[at:]))
            at = len(buffer)
        del buffer[:at]
        return messages

    def rest(self) -> bytes:
        """What is left of an unfinished message when the stream ends."""
        left = bytes(self._buffer)
        self._buffer.clear()
        return left


def modbus_tcp(buffer: bytearray, at: int) -> int | None:
    """Bytes of the Modbus TCP frame that starts there; None: not known yet. Raises NotAFrame."""
    if len(buffer) - at < _MODBUS_HEADER:
        return None
    length = int.from_bytes(buffer[at + 4 : at + 6], "big")
    if buffer[at + 2] or buffer[at + 3] or length not in _MODBUS_LENGTHS:
        raise NotAFrame
    return _MODBUS_HEADER + length


def mqtt(buffer: bytearray, at: int) -> int | None:
    """Bytes of the MQTT packet that starts there (MQTT 3.1.1, section 2.2.3); None: not known yet. Raises NotAFrame."""
    if len(buffer) > at and buffer[at] >> 4 == 0:  # a reserved type
        raise NotAFrame
    length = 0
    for index in range(4):
        if len(buffer) <= at + 1 + index:
            return None
        byte = buffer[at + 1 + index]
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if length > MOST_BYTES:
                raise NotAFrame
            return 2 + index + length
    raise NotAFrame


_SIZES: dict[Protocol, Callable[[bytearray, int], int | None] | None] = {
    "modbus_tcp": modbus_tcp,
    "mqtt": mqtt,
    "stream": None,
}
