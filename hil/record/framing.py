"""Where the messages of an Arrow IPC stream lie in a file, be it whole, still growing, or cut at any byte.

Only ordinary reads: a mapping of a file that its writer cuts back would kill the process that looks at it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

END_MARK = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""A message without a length (Arrow columnar format, "IPC Streaming Format")."""
_HEAD = struct.Struct("<Ii")
_CONTINUATION = 0xFFFFFFFF
_HEADER, _BODY_LENGTH = 2, 3  # fields of the table Message (Arrow, format/Message.fbs)
_LENGTH = 0  # of the table RecordBatch
_MOST_METADATA = 1 << 26


class Frame(NamedTuple):
    """A message of a stream: its first byte, the byte after its last, and how many rows it has (0 for the schema)."""

    start: int
    end: int
    rows: int


def frame_at(file: BinaryIO, start: int, size: int) -> Frame | None:
    """The whole message that begins at a byte of a file so long; None at the end mark, and where there is no whole one."""
    file.seek(start)
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    marker, length = _HEAD.unpack(head)
    if marker != _CONTINUATION or not 0 < length <= _MOST_METADATA:
        return None
    metadata = file.read(length)
    try:
        body, rows = _described(metadata)
    except struct.error:
        return None
    end = start + _HEAD.size + length + body
    return Frame(start, end, rows) if len(metadata) == length and body >= 0 and end <= size else None


def frames(file: BinaryIO, size: int, start: int = 0) -> Iterator[Frame]:
    """The whole messages of a file so long, one after the other, from a byte at which one begins."""
    while (frame := frame_at(file, start, size)) is not None:
        yield frame
        start = frame.end


def _described(metadata: bytes) -> tuple[int, int]:
    """Bytes of the body and rows, from the FlatBuffer that describes a message. Raises struct.error where it is none."""
    message = _number("<I", metadata, 0)
    body_at, header_at = _field(metadata, message, _BODY_LENGTH), _field(metadata, message, _HEADER)
    body = 0 if body_at is None else _number("<q", metadata, body_at)
    if body == 0 or header_at is None:
        return body, 0
    rows_at = _field(metadata, header_at + _number("<I", metadata, header_at), _LENGTH)
    return body, 0 if rows_at is None else _number("<q", metadata, rows_at)


def _field(buffer: bytes, table: int, index: int) -> int | None:
    """Where a field of a FlatBuffers table lies; None where it has its default."""
    fields = table - _number("<i", buffer, table)
    place = 4 + 2 * index
    if place >= _number("<H", buffer, fields):
        return None
    offset = _number("<H", buffer, fields + place)
    return table + offset if offset else None


def _number(form: str, buffer: bytes, at: int) -> int:
    if at < 0:
        raise struct.error
    return int(struct.unpack_from(form, buffer, at)[0])
