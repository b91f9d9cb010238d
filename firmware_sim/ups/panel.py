"""What the register maps of a UPS have in common: its readings, its settings, its switch, its tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from firmware_sim.image import UpsImage, UpsPoint
from firmware_sim.modbus.bank import Table
from firmware_sim.registers.accepted import Accepted
from firmware_sim.registers.codec import BIT, Codec, number
from firmware_sim.registers.point import FLAG, Point
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.ups.battery_test import BatteryTest
from firmware_sim.ups.readings import Readings
from firmware_sim.ups.switching import OutputSwitch

MANUFACTURER = "Ridethrough"
MODEL = "Emulated UPS"
VERSION = "0.1.0"


class Kept:
    """A setting that the device remembers and its firmware has no part in, such as a beeper's."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def read(self) -> float:
        """What was written last."""
        return self.value

    def write(self, value: float) -> None:
        """Remember."""
        self.value = value


class Panel:
    """One UPS. serial: its number, for maps that tell it."""

    def __init__(self, image: UpsImage, *, serial: str = "0001") -> None:
        self.image = image
        self.serial = serial
        self.readings = Readings(image)
        self._accepted = Accepted(image)
        self.switch = OutputSwitch(image, self._accepted)
        self.test = BatteryTest(image, self._accepted)

    def reader(self, field: str, point: UpsPoint) -> Callable[[], float]:
        """Reads a setting as it was accepted. field: where the firmware's state keeps it."""
        return self._accepted.reader(field, point)

    def writer(self, point: UpsPoint) -> Callable[[float], None]:
        """Sets one."""
        return self._accepted.writer(point)

    def setting(self, name: str, address: int, codec: Codec, field: str, point: UpsPoint, **options: Any) -> Point:
        """A point for a setting of the firmware; a flag unless `options` say what is allowed."""
        return Point(name, address, codec, self.reader(field, point), self.writer(point), **{"allowed": FLAG} | options)

    def registers(self, points: Iterable[Point], **options: Any) -> RegisterMap:
        """The map of some points. options: those of `RegisterMap`."""
        return RegisterMap(points, generation=lambda: self.image.tick, room=lambda: self.image.room, **options)


def bits(*states: Callable[[], object] | None) -> Callable[[], float]:
    """Reads states as the bits of a word, the first in the lowest; None is a bit that is never set."""
    wired = [(1 << place, state) for place, state in enumerate(states) if state is not None]
    return lambda: float(sum(bit for bit, state in wired if state()))


def inputs(
    states: Iterable[tuple[str, Callable[[], object]]], table: Table = Table.DISCRETE_INPUTS, at: int = 0
) -> list[Point]:
    """States as 0 and 1 in a table, from an address on."""
    codec = number("u16") if table in (Table.HOLDING, Table.INPUT) else BIT
    return [Point(name, at + place, codec, _number(state), table=table) for place, (name, state) in enumerate(states)]


def _number(state: Callable[[], object]) -> Callable[[], float]:
    return lambda: 1.0 if state() else 0.0
