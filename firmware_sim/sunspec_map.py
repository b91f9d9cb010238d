"""A SunSpec register map: models back to back, constants, live points, validated writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from firmware_sim.modbus.pdu import ExceptionCode, ModbusFault
from hil.standards.sunspec import END_MODEL, MARKER, Point, model

Value = float | str | None
Live = Callable[[], Value]


@dataclass(frozen=True, slots=True)
class Setting:
    """A writable point: how it reads, what it takes, what a write does."""

    read: Live
    allowed: Callable[[float], bool]
    write: Callable[[float], None]


_Encoder = Callable[[Value], list[int]]
_Plan = tuple[list[int], list[tuple[int, int, _Encoder, Live]]]
_MOST_PLANS = 1024  # kept reads; clients repeat a few
Declaration = Value | Live | Setting
Declared = Mapping[str, Declaration]


class SunSpecMap:
    """Registers of a device made of SunSpec models.

    models: for each model number, in the order of the map, its points: a constant (scale factors are constants), a function
    for a live value, or a `Setting`. A point that is not declared reads "not implemented" and cannot be written.
    """

    def __init__(self, models: Mapping[int, Declared], base: int = 40000) -> None:
        self._base = base
        self._registers = list(MARKER)
        self._live: list[tuple[int, int, _Encoder, Live]] = []  # address, registers, encoder, value
        self._settings: dict[int, tuple[Point, int, Setting]] = {}
        self._declared: dict[tuple[int, str], tuple[Point, int, Declaration]] = {}
        self.addresses: dict[tuple[int, str], int] = {}
        for number, declared in models.items():
            self._place(number, declared)
        self._registers += [END_MODEL, 0]
        self._plans: dict[tuple[int, int], _Plan] = {}

    def _place(self, number: int, declared: Declared) -> None:
        layout = model(number)
        unknown = set(declared) - set(layout.points)
        if unknown:
            raise ValueError(f"SunSpec model {number} has no point {', '.join(sorted(unknown))}")
        start = self._base + len(self._registers)
        for name, point in layout.points.items():
            address = start + point.offset
            self.addresses[number, name] = address
            value = {"ID": number, "L": layout.length}.get(name, declared.get(name))
            factor = declared.get(point.scale) if point.scale else 0
            scale = int(factor) if isinstance(factor, (int, float)) else 0
            self._declared[number, name] = (point, scale, value)
            if isinstance(value, Setting):
                if not point.writable:
                    raise ValueError(f"SunSpec point {number}.{name} is read-only")
                self._settings[address] = (point, scale, value)
                value = value.read
            if callable(value):
                self._live.append((address, point.size, point.encoder(scale), value))
                value = None
            self._registers += point.encode(value, scale)

    def read(self, address: int, count: int) -> Sequence[int]:
        """Registers from the map; a read may start inside a model and span models, not leave the map."""
        plan = self._plans.get((address, count))
        if plan is None:
            plan = self._plan(address, count)
        fixed, live = plan
        registers = fixed.copy()
        for first, last, encode, value in live:
            encoded = encode(value())
            if first >= 0 and last <= count:
                registers[first:last] = encoded
                continue
            for where, register in enumerate(encoded, first):  # the read cuts through this point
                if 0 <= where < count:
                    registers[where] = register
        return registers

    def _plan(self, address: int, count: int) -> _Plan:
        """What a read of a range takes: the registers that never change, and the live points with their places."""
        start = address - self._base
        if start < 0 or start + count > len(self._registers):
            raise ModbusFault(ExceptionCode.ILLEGAL_ADDRESS, f"registers {address} to {address + count - 1}")
        live = [
            (at - address, at - address + size, encode, value)
            for at, size, encode, value in self._live
            if at < address + count and at + size > address
        ]
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        plan = self._plans[address, count] = (self._registers[start : start + count], live)
        return plan

    def write(self, address: int, values: Sequence[int]) -> None:
        """Write whole points; all are checked, addresses first, before the first takes effect."""
        if address < self._base or address + len(values) > self._base + len(self._registers):
            raise ModbusFault(ExceptionCode.ILLEGAL_ADDRESS, f"registers {address} to {address + len(values) - 1}")
        found_at: list[tuple[int, tuple[Point, int, Setting]]] = []
        at = 0
        while at < len(values):
            found = self._settings.get(address + at)
            if found is None or at + found[0].size > len(values):
                raise ModbusFault(ExceptionCode.ILLEGAL_ADDRESS, f"register {address + at} cannot be written by itself")
            found_at.append((at, found))
            at += found[0].size
        writes: list[tuple[Setting, float]] = []
        for at, (point, scale, setting) in found_at:
            value = point.decode(values[at : at + point.size], scale)
            if not isinstance(value, (int, float)) or not setting.allowed(value):
                raise ModbusFault(ExceptionCode.ILLEGAL_VALUE, f"{point.model}.{point.name} = {value}")
            writes.append((setting, value))
        for setting, value in writes:
            setting.write(value)

    # The same device without a wire: what a client would read and write, point by point.

    def reader(self, number: int, name: str) -> Callable[[], float | None]:
        """Reads a number as a client does, in the resolution of its registers. Raises KeyError; ValueError for a string."""
        point, scale, declared = self._declared[number, name]
        show = point.shown(scale)
        value: Any = declared.read if isinstance(declared, Setting) else declared
        if callable(value):
            return lambda: show(value())
        fixed = show(value)
        return lambda: fixed

    def writer(self, number: int, name: str) -> Callable[[float], None]:
        """Writes a setting as a client does. It raises ModbusFault, and OverflowError for what the registers cannot hold.

        Raises KeyError where the device has no such setting.
        """
        point, scale, setting = self._declared[number, name]
        if not isinstance(setting, Setting):
            raise KeyError((number, name))
        show = point.shown(scale)

        def write(value: float) -> None:
            taken = show(value)
            if taken is None or not setting.allowed(taken):
                sent = point.decode(point.encode(value, scale), scale)
                raise ModbusFault(ExceptionCode.ILLEGAL_VALUE, f"{number}.{name} = {sent}")
            setting.write(taken)

        return write
