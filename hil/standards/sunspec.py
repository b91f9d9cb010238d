"""SunSpec information models: layout and register codec, from the JSON model files that pysunspec2 ships (Apache-2.0).

Source: SunSpec Device Information Model Specification; model files of github.com/sunspec/models.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

MARKER = (0x5375, 0x6E53)  # "SunS"
END_MODEL = 0xFFFF
BASE_ADDRESSES = (40000, 0, 50000)

# By point type: registers, signed, the value that means "not implemented".
_INTEGERS = {
    "int16": (1, True, -0x8000),
    "sunssf": (1, True, -0x8000),
    "uint16": (1, False, 0xFFFF),
    "enum16": (1, False, 0xFFFF),
    "bitfield16": (1, False, 0xFFFF),
    "pad": (1, False, 0x8000),
    "int32": (2, True, -0x8000_0000),
    "uint32": (2, False, 0xFFFF_FFFF),
    "bitfield32": (2, False, 0xFFFF_FFFF),
    "acc32": (2, False, 0),
    "uint64": (4, False, 0xFFFF_FFFF_FFFF_FFFF),
    "acc64": (4, False, 0),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a model. offset: registers from the model's ID register."""

    model: int
    name: str
    offset: int
    size: int
    type: str
    scale: str | None
    writable: bool
    symbols: frozenset[int]

    def encode(self, value: float | str | None, scale: int = 0) -> list[int]:
        """Registers of a value in the point's unit; None is "not implemented".

        scale: the exponent of ten in the model's scale-factor point. Raises OverflowError where the value does not fit.
        """
        if self.type == "string":
            text = ("" if value is None else str(value)).encode()[: 2 * self.size]
            return list(struct.unpack(f">{self.size}H", text.ljust(2 * self.size, b"\0")))
        size, signed, missing = _INTEGERS[self.type]
        raw = missing if value is None else round(float(value) / 10.0**scale) if scale else round(float(value))
        half = 1 << (16 * size - 1)
        if not (-half <= raw < half if signed else 0 <= raw < 2 * half):
            raise OverflowError(f"{self.name} = {value} does not fit {self.type} with scale factor {scale}")
        if size == 1:
            return [raw & 0xFFFF]
        return [raw >> shift & 0xFFFF for shift in range(16 * (size - 1), -1, -16)]

    def encoder(self, scale: int = 0) -> Callable[[float | str | None], bytes]:
        """`encode` for one scale factor, to bytes, made quick; what does not fit, or is no number, reads as None does."""
        pack = struct.Struct(f">{self.size}H").pack
        if self.type == "string":
            return lambda value: pack(*self.encode(value))
        absent = pack(*self.encode(None))
        size, signed, _ = _INTEGERS[self.type]
        low, high = (-(1 << 16 * size - 1), (1 << 16 * size - 1) - 1) if signed else (0, (1 << 16 * size) - 1)
        divisor, width = 10.0**scale, 2 * size

        def encode(value: float | str | None) -> bytes:
            if value is None:
                return absent
            try:
                raw = round(value / divisor)  # type: ignore[operator]  # a number, as the type says
            except (OverflowError, ValueError):  # infinity, not a number
                return absent
            return raw.to_bytes(width, "big", signed=signed) if low <= raw <= high else absent

        return encode

    def shown(self, scale: int = 0) -> Callable[[float | None], float | None]:
        """What a client reads of a number: `decode` of what `encoder` gives, made quick. Raises ValueError for a string."""
        if self.type == "string":
            raise ValueError(f"{self.name} is a string")
        size, signed, missing = _INTEGERS[self.type]
        low, high = (-(1 << 16 * size - 1), (1 << 16 * size - 1) - 1) if signed else (0, (1 << 16 * size) - 1)
        absent = 0.0 if self.type.startswith("acc") else None
        divisor, factor, fraction = 10.0**scale, 10 ** max(scale, 0), 10 ** max(-scale, 0)

        def show(value: float | None) -> float | None:
            if value is None:
                return absent
            try:
                raw = round(value / divisor)
            except (OverflowError, ValueError):  # infinity, not a number
                return absent
            if raw == missing or not low <= raw <= high:
                return absent
            return float(raw * factor) if scale >= 0 else raw / fraction

        return show

    def decode(self, registers: Sequence[int], scale: int = 0) -> float | str | None:
        """Value of registers, shape (size,), in the point's unit; None where it is not implemented."""
        if self.type == "string":
            return struct.pack(f">{self.size}H", *registers).rstrip(b"\0").decode(errors="replace")
        size, signed, missing = _INTEGERS[self.type]
        raw = 0
        for register in registers:
            raw = raw << 16 | register
        if signed and raw >> (16 * size - 1):
            raw -= 1 << (16 * size)
        if raw == missing and not self.type.startswith("acc"):
            return None
        return raw * 10**scale if scale > 0 else raw / 10**-scale if scale < 0 else raw


@dataclass(frozen=True, slots=True)
class Model:
    """One information model without repeating groups. length: registers after ID and L."""

    id: int
    name: str
    length: int
    points: dict[str, Point]


@cache
def model(number: int) -> Model:
    """A model by its number. Raises KeyError where there is none, ValueError where it repeats groups."""
    path = files("sunspec2") / "models" / "json" / f"model_{number}.json"
    if not path.is_file():
        raise KeyError(f"no SunSpec model {number}")
    group = json.loads(path.read_text(encoding="utf-8"))["group"]
    points: dict[str, Point] = {}
    offset = 0

    def place(prefix: str, entries: list[dict[str, object]]) -> None:
        nonlocal offset
        for entry in entries:
            kind, size = str(entry["type"]), int(str(entry["size"]))
            symbols = entry.get("symbols", [])
            assert isinstance(symbols, list)
            values = frozenset(int(s["value"]) for s in symbols) if kind == "enum16" else frozenset()
            scale = entry.get("sf")
            name = f"{prefix}{entry['name']}"
            writable = entry.get("access") == "RW"
            points[name] = Point(number, name, offset, size, kind, None if scale is None else str(scale), writable, values)
            offset += size

    place("", group["points"])
    for inner in group.get("groups", []):
        if inner.get("count", 1) != 1:
            raise ValueError(f"SunSpec model {number} repeats its group {inner['name']}")
        place(f"{inner['name']}.", inner["points"])
    return Model(number, str(group["name"]), offset - 2, points)


def scale_for(largest: float, limit: int = 32_767) -> int:
    """Smallest exponent of ten with which `largest` fits a register of `limit`; never below 0."""
    exponent = 0
    while largest / 10**exponent > limit:
        exponent += 1
    return exponent
