"""Declared points as the four tables of a Modbus device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from firmware_sim.modbus.bank import ExceptionCode, ModbusFault, Table
from firmware_sim.registers.codec import Value
from firmware_sim.registers.point import Live, Point

READ_ONLY = frozenset((1, 2, 3, 4))
EVERY_FUNCTION = frozenset((1, 2, 3, 4, 5, 6, 15, 16, 22, 23))

_LiveAt = tuple[int, int, Callable[[Value], bytes], Live, Point]  # bytes from and to, relative to what is read
_Plan = tuple[bytes, list[_LiveAt]]
_Key = tuple[int, int, int]
_MOST_PLANS = 1024  # kept reads; clients repeat a few
_BITS = (Table.COILS, Table.DISCRETE_INPUTS)


class RegisterMap:
    """Implements `firmware_sim.modbus.bank.Bank` for declared points.

    generation: changes whenever the process image does; what has been read is kept until then.
    room: commands that the firmware still takes in this tick; a write that may need more is answered "busy", whole.
    blocks: (table, first address, count) that may be read although not all of it is declared; what is not reads 0.
    alias: the input registers are the holding registers, as in devices that know one table only.
    """

    def __init__(
        self,
        points: Iterable[Point],
        *,
        generation: Callable[[], int],
        room: Callable[[], int],
        functions: frozenset[int] = EVERY_FUNCTION,
        identity: Mapping[int, bytes] | None = None,
        blocks: Sequence[tuple[Table, int, int]] = (),
        alias: bool = False,
    ) -> None:
        self.functions = functions if identity is None else functions | {43}
        self.identity: Mapping[int, bytes] = identity or {}
        self.points = tuple(points)
        self._absent = False
        self._held: dict[Point, Value] | None = None
        self._generation = generation
        self._room = room
        self._alias = alias
        self._blocks = tuple(blocks)
        self._at: dict[tuple[int, int], Point] = {}  # by table and each of its addresses
        for point in self.points:
            for address in range(point.address, point.address + point.codec.size):
                other = self._at.setdefault((point.table, address), point)
                if other is not point:
                    raise ValueError(f"{point.name} and {other.name} share register {address}")
        self._plans: dict[_Key, _Plan] = {}
        self._kept: dict[_Key, bytes] = {}
        self._kept_of: int | None = None

    def read(self, table: Table, address: int, count: int) -> bytes:
        """What the tables hold; a read may start inside a point and end inside another."""
        if self._alias and table == Table.INPUT:
            table = Table.HOLDING
        generation = self._generation()
        if generation != self._kept_of or len(self._kept) >= _MOST_PLANS:
            self._kept.clear()
            self._kept_of = generation
        key = (table, address, count)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = self._bits(*key) if table in _BITS else self._registers(key)
        return kept

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Write whole points; all are checked, addresses first, before the first takes effect."""
        found: list[tuple[int, Point]] = []
        at = 0
        while at < len(values):
            point = self._at.get((table, address + at))
            if point is None or point.write is None:
                raise ModbusFault(ExceptionCode.ILLEGAL_ADDRESS, f"{_place(table, address + at)} cannot be written")
            if point.address != address + at or at + point.codec.size > len(values):
                what = f"{_place(table, address + at)} is a part of {point.name}, which can only be written whole"
                raise ModbusFault(ExceptionCode.ILLEGAL_ADDRESS, what)
            found.append((at, point))
            at += point.codec.size
        writes: list[tuple[Callable[[float], None], float]] = []
        for at, point in found:
            value = self._decoded(point, values[at : at + point.codec.size])
            if not isinstance(value, (int, float)) or value not in point.allowed:
                raise ModbusFault(ExceptionCode.ILLEGAL_VALUE, f"{point.name} = {value}: must be {point.allowed}")
            assert point.write is not None
            writes.append((point.write, value))
        if sum(point.commands for _, point in found) > self._room():
            raise ModbusFault(ExceptionCode.DEVICE_BUSY, "more commands within one tick than the firmware takes")
        for write, value in writes:
            write(value)
        self._kept.clear()

    @property
    def absent(self) -> bool:
        """A fault: nothing that changes has a value."""
        return self._absent

    @absent.setter
    def absent(self, absent: bool) -> None:
        self._absent = absent
        self._kept.clear()

    @property
    def frozen(self) -> bool:
        """A fault: everything shows what it showed when this was set."""
        return self._held is not None

    @frozen.setter
    def frozen(self, frozen: bool) -> None:
        self._held = {point: point.read() for point in self.points if callable(point.read)} if frozen else None
        self._kept.clear()

    def _value(self, point: Point) -> Value:
        """The present value of a point."""
        if not callable(point.read):
            return point.read
        if self._absent:
            return None
        return point.read() if self._held is None else self._held[point]

    @staticmethod
    def _decoded(point: Point, values: Sequence[int]) -> Value:
        if point.table in _BITS:
            return float(values[0])
        return point.codec.decode(b"".join(value.to_bytes(2, "big") for value in values))

    def _registers(self, key: _Key) -> bytes:
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            plan = self._plans[key] = self._plan(*key)
        fixed, live = plan
        registers = bytearray(fixed)
        plain = not self._absent and self._held is None
        for first, last, encode, value, point in live:
            encoded = encode(value() if plain else self._value(point))
            if first >= 0 and last <= len(registers):
                registers[first:last] = encoded
            else:  # the read cuts through this point
                start, end = max(first, 0), min(last, len(registers))
                registers[start:end] = encoded[start - first : end - first]
        return bytes(registers)

    def _plan(self, table: int, address: int, count: int) -> _Plan:
        """What a read of a range takes: the registers that never change, and the live points with their places."""
        fixed = bytearray(2 * count)
        live: list[_LiveAt] = []
        at = address
        while at < address + count:
            point = self._at.get((table, at))
            if point is None:
                self._need_block(table, at)
                at += 1
                continue
            first, last = 2 * (point.address - address), 2 * (point.address - address + point.codec.size)
            if callable(point.read):
                live.append((first, last, point.codec.encode, point.read, point))
            else:
                start, end = max(first, 0), min(last, 2 * count)
                fixed[start:end] = point.codec.encode(point.read)[start - first : end - first]
            at = point.address + point.codec.size
        return bytes(fixed), live

    def _bits(self, table: int, address: int, count: int) -> bytes:
        packed = bytearray((count + 7) // 8)
        for offset in range(count):
            point = self._at.get((table, address + offset))
            if point is None:
                self._need_block(table, address + offset)
                continue
            if self._value(point):
                packed[offset // 8] |= 1 << offset % 8
        return bytes(packed)

    def _need_block(self, table: int, address: int) -> None:
        """Raise ModbusFault for an address that is neither declared nor within a block."""
        if not any(table == of and first <= address < first + count for of, first, count in self._blocks):
            raise ModbusFault(ExceptionCode.ILLEGAL_ADDRESS, f"there is no {_place(table, address)}")


def _place(table: int, address: int) -> str:
    return f"{('coil', 'discrete input', 'register', 'input register')[table - 1]} {address}"
