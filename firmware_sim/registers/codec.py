"""How a value stands in registers: numbers with a scale, strings; 32 bits and more in either order of the words."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Value = float | str | None


@dataclass(frozen=True, slots=True)
class Codec:
    """size: registers. encode: a value, None where there is none, to 2·size bytes; it does not raise. decode: the reverse.

    form: how it stands there, in words for a table.
    """

    size: int
    encode: Callable[[Value], bytes]
    decode: Callable[[bytes], Value]
    form: str = ""


Kind = Literal["u16", "i16", "u32", "i32", "u64", "i64", "f32"]


def number(kind: Kind, scale: float = 1.0, *, missing: int | None = None, little_words: bool = False) -> Codec:
    """A number; value = count · scale.

    missing: the count that stands for "no value"; without one it reads 0, and what does not fit saturates.
    little_words: the low word first. Each register is high byte first (specification, section 4.2).
    """
    code = {"u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "i64": "q", "f32": "f"}[kind]
    layout = struct.Struct(f">{code}")
    size = layout.size // 2
    least, most = (-math.inf, math.inf) if kind == "f32" else _limits(kind)

    def swapped(registers: bytes) -> bytes:
        return b"".join(registers[at : at + 2] for at in range(layout.size - 2, -1, -2))

    absent = layout.pack(math.nan) if kind == "f32" else layout.pack(0 if missing is None else missing)

    def encode(value: Value) -> bytes:
        if value is None or isinstance(value, str) or math.isnan(value):
            return absent
        count = value if scale == 1.0 else value / scale  # whole numbers of 64 bits stay whole
        if kind == "f32":
            try:
                return layout.pack(count)
            except OverflowError:
                return absent
        if not least <= count <= most:
            return absent if missing is not None else layout.pack(least if count < least else most)
        return layout.pack(round(count))

    def decode(registers: bytes) -> Value:
        if missing is not None and registers == absent:
            return None
        count: float = layout.unpack(registers)[0]
        return count if scale == 1.0 else count * scale

    form = kind if scale == 1.0 else f"{kind} × {scale:g}"
    if not little_words or size == 1:
        return Codec(size, encode, decode, form)
    form += ", low word first"
    return Codec(size, lambda value: swapped(encode(value)), lambda registers: decode(swapped(registers)), form)


def _limits(kind: str) -> tuple[int, int]:
    bits = int(kind[1:])
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if kind[0] == "i" else (0, (1 << bits) - 1)


def string(size: int) -> Codec:
    """ASCII, two characters a register, filled with zeros."""

    def encode(value: Value) -> bytes:
        return ("" if value is None else str(value)).encode("ascii", "replace")[: 2 * size].ljust(2 * size, b"\0")

    return Codec(size, encode, lambda registers: registers.rstrip(b"\0").decode("ascii", "replace"), "string")


BIT = Codec(1, lambda value: b"\1" if value else b"\0", lambda bits: float(bits != b"\0"), "bit")
"""One coil or discrete input."""
