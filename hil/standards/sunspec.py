"""SunSpec information models: layout and register codec, from the JSON model files that pysunspec2 ships (Apache-2.0).

Source: SunSpec Device Information Model Specification; model files of github.com/sunspec/models.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

MARKER = (0x5375, 0x6E53)  # "SunS"
END_MODEL = 0xFFFF
BASE_ADDRESSES = (40000, 0, 50000)

_INTEGERS = {  # type: (struct format, registers, value of "not implemented")
    "int16": (">h", 1, -0x8000),
    "sunssf": (">h", 1, -0x8000),
    "uint16": (">H", 1, 0xFFFF),
    "enum16": (">H", 1, 0xFFFF),
    "bitfield16": (">H", 1, 0xFFFF),
    "pad": (">H", 1, 0x8000),
    "int32": (">i", 2, -0x8000_0000),
    "uint32": (">I", 2, 0xFFFF_FFFF),
    "bitfield32": (">I", 2, 0xFFFF_FFFF),
    "acc32": (">I", 2, 0),
    "uint64": (">Q", 4, 0xFFFF_FFFF_FFFF_FFFF),
    "acc64": (">Q", 4, 0),
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
            return _registers(text.ljust(2 * self.size, b"\0"))
        code, _, missing = _INTEGERS[self.type]
        raw = missing if value is None else round(float(value) / 10.0**scale)
        try:
            return _registers(struct.pack(code, raw))
        except struct.error:
            raise OverflowError(f"{self.name} = {value} does not fit {self.type} with scale factor {scale}") from None

    def decode(self, registers: Sequence[int], scale: int = 0) -> float | str | None:
        """Value of registers, shape (size,), in the point's unit; None where it is not implemented."""
        data = struct.pack(f">{self.size}H", *registers)
        if self.type == "string":
            return data.rstrip(b"\0").decode(errors="replace")
        code, _, missing = _INTEGERS[self.type]
        raw: int = struct.unpack(code, data)[0]
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


def _registers(data: bytes) -> list[int]:
    return list(struct.unpack(f">{len(data) // 2}H", data))
