"""A SunSpec register map: models back to back, constants, live points, validated writes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from firmware_sim.modbus.bank import ExceptionCode, ModbusFault
from firmware_sim.registers.codec import Codec, Value, number
from firmware_sim.registers.point import ANY, Live, Point
from firmware_sim.registers.register_map import RegisterMap
from hil.standards import sunspec

FUNCTIONS = frozenset((3, 4, 6, 16, 22, 23, 43))


@dataclass(frozen=True, slots=True)
class Setting:
    """A writable point: how it reads, what a write does, what it takes. commands: most that a write gives to the firmware."""

    read: Live
    write: Callable[[float], None]
    allowed: Container[object] = ANY
    commands: int = 1


Declaration = Value | Live | Setting
Declared = Mapping[str, Declaration]


class SunSpecMap(RegisterMap):
    """Registers of a device made of SunSpec models.

    models: for each model number, in the order of the map, its points: a constant (scale factors are constants), a function
    for a live value, or a `Setting`. A point that is not declared reads "not implemented" and cannot be written.
    identity: text of the objects of function 43/14, from number 0. layouts: of models that are not in the standard's files, or
    that this device lays out otherwise.
    """

    def __init__(
        self,
        models: Mapping[int, Declared],
        *,
        generation: Callable[[], int],
        room: Callable[[], int],
        identity: tuple[str, ...] = (),
        base: int = 40000,
        layouts: Mapping[int, sunspec.Model] | None = None,
    ) -> None:
        self._layouts = layouts or {}
        self._declared: dict[tuple[int, str], tuple[sunspec.Point, int, Declaration]] = {}
        self.addresses: dict[tuple[int, str], int] = {}
        marker = struct.unpack(">I", struct.pack(">2H", *sunspec.MARKER))[0]
        points = [Point("SunS", base, number("u32"), marker)]
        at = base + len(sunspec.MARKER)
        for number_of, declared in models.items():
            points += self._place(number_of, declared, at)
            at += 2 + self._layout(number_of).length
        points.append(Point("end", at, number("u32"), sunspec.END_MODEL << 16))
        objects = {index: text.encode("ascii") for index, text in enumerate(identity)}
        super().__init__(points, generation=generation, room=room, functions=FUNCTIONS, identity=objects or None, alias=True)

    def _layout(self, number_of: int) -> sunspec.Model:
        return self._layouts.get(number_of) or sunspec.model(number_of)

    def _place(self, number_of: int, declared: Declared, start: int) -> list[Point]:
        layout = self._layout(number_of)
        unknown = set(declared) - set(layout.points)
        if unknown:
            raise ValueError(f"SunSpec model {number_of} has no point {', '.join(sorted(unknown))}")
        points = []
        for name, point in layout.points.items():
            address = start + point.offset
            self.addresses[number_of, name] = address
            value = {"ID": number_of, "L": layout.length}.get(name, declared.get(name))
            factor = declared.get(point.scale) if point.scale else 0
            scale = int(factor) if isinstance(factor, (int, float)) else 0
            self._declared[number_of, name] = (point, scale, value)
            codec = _codec(point, scale)
            full = f"{number_of}.{name}"
            if isinstance(value, Setting):
                if not point.writable:
                    raise ValueError(f"SunSpec point {full} is read-only")
                points.append(Point(full, address, codec, value.read, value.write, value.allowed, commands=value.commands))
                continue
            if not callable(value):
                point.encode(value, scale)  # raises for a constant that does not fit
            points.append(Point(full, address, codec, value))
        return points

    # The same device without a wire: what a client would read and write, point by point.

    def reader(self, number_of: int, name: str) -> Callable[[], float | None]:
        """Reads a number as a client does, in the resolution of its registers. Raises KeyError; ValueError for a string."""
        point, scale, declared = self._declared[number_of, name]
        show = point.shown(scale)
        value: Any = declared.read if isinstance(declared, Setting) else declared
        if callable(value):
            return lambda: show(value())
        fixed = show(value)
        return lambda: fixed

    def writer(self, number_of: int, name: str) -> Callable[[float], None]:
        """Writes a setting as a client does. It raises ModbusFault, and OverflowError for what the registers cannot hold.

        Raises KeyError where the device has no such setting.
        """
        point, scale, setting = self._declared[number_of, name]
        if not isinstance(setting, Setting):
            raise KeyError((number_of, name))
        show = point.shown(scale)

        def write(value: float) -> None:
            taken = show(value)
            if taken is None or taken not in setting.allowed:
                sent = point.decode(point.encode(value, scale), scale)
                reason = f"{number_of}.{name} = {sent}: must be {setting.allowed}"
                raise ModbusFault(ExceptionCode.ILLEGAL_VALUE, reason)
            setting.write(taken)

        return write


def _codec(point: sunspec.Point, scale: int) -> Codec:
    layout = struct.Struct(f">{point.size}H")
    return Codec(point.size, point.encoder(scale), lambda registers: point.decode(layout.unpack(registers), scale))
