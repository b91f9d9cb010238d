"""SunSpec over Modbus as a client: finds the models of a device and reads and writes points by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from hil.errors import DeviceRefused
from hil.standards.sunspec import BASE_ADDRESSES, END_MODEL, MARKER, Model, Point, model

_MOST_REGISTERS = 125


_Plan = list[tuple[int, int, list[tuple[Point, int, int, int]]]]


class Connection(Protocol):
    """What it needs of a connection."""

    device: str

    async def read(self, address: int, count: int) -> list[int]:
        """Holding registers."""

    async def write(self, address: int, values: list[int]) -> None:
        """Write holding registers."""


class SunSpecClient:
    """A device's models. Call `scan` first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._found: dict[int, tuple[int, Model]] = {}  # number: address of its ID register, layout
        self._scales: dict[tuple[int, str], int] = {}
        self._plans: dict[tuple[int, tuple[str, ...]], _Plan] = {}

    async def scan(self, needed: Mapping[int, str]) -> None:
        """Find the map and the needed models, and read their scale factors.

        needed: model numbers with what each is for. Raises DeviceRefused where there is no map or one of them is missing.
        """
        address = await self._find_base()
        found: dict[int, tuple[int, Model]] = {}
        while len(found) < len(needed):
            number, length = await self._connection.read(address, 2)
            if number == END_MODEL:
                break
            if number in needed:
                found[number] = (address, model(number))
            address += 2 + length
        for number, purpose in needed.items():
            if number not in found:
                raise DeviceRefused(self._connection.device, f"has no SunSpec model {number} ({purpose})")
        self._found = found
        for number, (_, layout) in found.items():
            factors = [point for point in layout.points.values() if point.type == "sunssf"]
            values = await self._read_plan(self._plan(number, factors))
            self._scales |= {(number, name): int(value) for name, value in values.items() if isinstance(value, (int, float))}

    async def read(self, number: int, *names: str) -> dict[str, float | str | None]:
        """Points of one model, in as few requests as their span allows; None where not implemented."""
        plan = self._plans.get((number, names))
        if plan is None:
            points = self._found[number][1].points
            plan = self._plans[number, names] = self._plan(number, [points[name] for name in names])
        return await self._read_plan(plan)

    async def write(self, number: int, values: Mapping[str, float]) -> None:
        """Write points that stand next to each other in one request, in their order. Raises OverflowError, DeviceRefused."""
        start, layout = self._found[number]
        points = [layout.points[name] for name in values]
        registers: list[int] = []
        for point, value in zip(points, values.values(), strict=True):
            if point.offset != points[0].offset + len(registers):
                raise ValueError(f"{point.name} does not follow the point before it")
            registers += point.encode(value, self._scale(point))
        await self._connection.write(start + points[0].offset, registers)

    def _scale(self, point: Point) -> int:
        return self._scales.get((point.model, point.scale), 0) if point.scale else 0

    def _plan(self, number: int, points: list[Point]) -> _Plan:
        """Requests for a set of points: address, count, and where each point stands in the reply."""
        start = self._found[number][0]
        plan: _Plan = []
        todo = sorted(points, key=lambda point: point.offset)
        while todo:
            first = todo[0].offset
            batch = [point for point in todo if point.offset + point.size - first <= _MOST_REGISTERS]
            todo = todo[len(batch) :]
            places = [(point, point.offset - first, point.offset - first + point.size, self._scale(point)) for point in batch]
            plan.append((start + first, places[-1][2], places))
        return plan

    async def _read_plan(self, plan: _Plan) -> dict[str, float | str | None]:
        values: dict[str, float | str | None] = {}
        for address, count, places in plan:
            registers = await self._connection.read(address, count)
            for point, begin, end, scale in places:
                values[point.name] = point.decode(registers[begin:end], scale)
        return values

    async def _find_base(self) -> int:
        for base in BASE_ADDRESSES:
            try:
                if tuple(await self._connection.read(base, 2)) == MARKER:
                    return base + 2
            except DeviceRefused:
                continue
        raise DeviceRefused(self._connection.device, f"no SunSpec map at {', '.join(map(str, BASE_ADDRESSES))}")
