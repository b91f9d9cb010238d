"""What tells the device of one vendor from that of another, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from firmware_sim.modbus.bank import ExceptionCode, Table
from firmware_sim.registers.point import Point
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.storage.device import Device

FUNCTIONS = frozenset((3, 4, 6, 16))
"""What a device answers of which no more is known."""


@dataclass(frozen=True, slots=True)
class Watchdog:
    """What ends the hold of a controller that has fallen silent.

    default_s: before anything is written; 0: it waits for ever. register: that sets the time, "" where none does.
    restarts: points whose writes restart it. fallback: what the device does then.
    """

    default_s: int
    register: str
    restarts: tuple[str, ...]
    fallback: str


@dataclass(frozen=True, slots=True)
class Personality:
    """The device of one vendor on the wire.

    device: as its makers call it. setpoint: the point that orders its power, and the sign that charges. maps: makes its
    register maps. unit_ids: theirs, in their order. port: where it listens. little_words: 32-bit values low word first.
    most_connections: clients; one more is refused where it is 1. exceptions: codes that it answers with. assumed: what its
    documents, as far as they were at hand, do not say.
    """

    name: str
    device: str
    setpoint: str
    maps: Callable[[Device], Sequence[RegisterMap]]
    watchdog: Watchdog | None
    unit_ids: tuple[int, ...] = (1,)
    port: int = 502
    functions: frozenset[int] = FUNCTIONS
    little_words: bool = False
    most_connections: int = 16
    exceptions: frozenset[int] = frozenset(ExceptionCode)
    assumed: str = ""

    def timeout_s(self, device: Device) -> int:
        """The time-out of a device on which nothing has been set."""
        if device.nameplate.watchdog_s is not None:
            return device.nameplate.watchdog_s
        return 0 if self.watchdog is None else self.watchdog.default_s


def register_map(
    device: Device,
    personality: Personality,
    *points: Point,
    blocks: Sequence[tuple[Table, int, int]] = (),
    alias: bool = False,
) -> RegisterMap:
    """The map of a device that is not SunSpec's. blocks: that can be read whole; alias: FC 4 reads what FC 3 does."""
    image = device.image
    return RegisterMap(
        points,
        generation=lambda: image.tick,
        room=lambda: image.room,
        functions=personality.functions,
        blocks=blocks,
        alias=alias,
    )
