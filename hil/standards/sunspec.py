"""SunSpec information models: layout and register codec, from the JSON model files that pysunspec2 ships (Apache-2.0).

Source: SunSpec Device Information Model Specification; model files of github.com/sunspec/models.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
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
    "count": (1, False, 0xFFFF),
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
    """One information model. length: registers after ID and L."""

    id: int
    name: str
    length: int
    points: dict[str, Point]


@cache
def model(number: int, *, repeats: int = 0, length: int | None = None) -> Model:
    """A model by its number.

    repeats: how many of each repeating group it has; their points are `group.0.name` and on. length: less than the document's,
    where a device leaves the last registers out. Raises KeyError where there is no such model, ValueError where it repeats
    groups and no number of them is given.
    """
    path = files("sunspec2") / "models" / "json" / f"model_{number}.json"
    if not path.is_file():
        raise KeyError(f"no SunSpec model {number}")
    group = json.loads(path.read_text(encoding="utf-8"))["group"]
    laid = _Laid(number)
    laid.place("", group["points"])
    for inner in group.get("groups", []):
        if inner.get("count", 1) == 1:
            laid.place(f"{inner['name']}.", inner["points"])
        elif repeats:
            for index in range(repeats):
                laid.place(f"{inner['name']}.{index}.", inner["points"])
        else:
            raise ValueError(f"SunSpec model {number} repeats its group {inner['name']}")
    return laid.model(str(group["name"]), length)


def vendor_model(number: int, name: str, fields: Sequence[tuple[str, str, str | None, bool]]) -> Model:
    """A model that is not in the files. fields: name, type, scale-factor point, writable; ID and L come before them."""
    laid = _Laid(number)
    entries: list[dict[str, object]] = [
        {"name": "ID", "type": "uint16", "size": 1},
        {"name": "L", "type": "uint16", "size": 1},
    ]
    for field, kind, scale, writable in fields:
        access = "RW" if writable else "R"
        entries.append({"name": field, "type": kind, "size": _INTEGERS[kind][0], "sf": scale, "access": access})
    laid.place("", entries)
    return laid.model(name, None)


class _Laid:
    """Points laid one after the other."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._points: dict[str, Point] = {}
        self._offset = 0

    def place(self, prefix: str, entries: Sequence[Mapping[str, object]]) -> None:
        for entry in entries:
            kind, size = str(entry["type"]), int(str(entry["size"]))
            symbols = entry.get("symbols", [])
            assert isinstance(symbols, list)
            values = frozenset(int(s["value"]) for s in symbols) if kind == "enum16" else frozenset()
            scale, name = entry.get("sf"), f"{prefix}{entry['name']}"
            factor = None if scale is None else str(scale)
            writable = entry.get("access") == "RW"
            self._points[name] = Point(self._number, name, self._offset, size, kind, factor, writable, values)
            self._offset += size

    def model(self, name: str, length: int | None) -> Model:
        last = self._offset if length is None else 2 + length
        points = {point.name: point for point in self._points.values() if point.offset + point.size <= last}
        return Model(self._number, name, last - 2, points)


def scale_for(largest: float, limit: int = 32_767) -> int:
    """Smallest exponent of ten with which `largest` fits a register of `limit`; never below 0."""
    exponent = 0
    while largest / 10**exponent > limit:
        exponent += 1
    return exponent
