"""A declared point of a register map."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass

from firmware_sim.modbus.bank import Table
from firmware_sim.registers.codec import Codec, Value

Live = Callable[[], Value]


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from least to most. whole: only whole ones."""

    least: float
    most: float
    unit: str = ""
    whole: bool = False

    def __contains__(self, value: object) -> bool:
        return (
            isinstance(value, (int, float))
            and self.least <= value <= self.most
            and (not self.whole or float(value).is_integer())
        )

    def __str__(self) -> str:
        kind = "a whole number " if self.whole else ""
        return f"{kind}between {self.least:g} and {self.most:g} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class OneOf:
    """Some numbers only."""

    values: frozenset[float]

    def __init__(self, *values: float) -> None:
        object.__setattr__(self, "values", frozenset(values))

    def __contains__(self, value: object) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return f"one of {', '.join(f'{value:g}' for value in sorted(self.values))}"


class AnyNumber:
    """Whatever the registers hold."""

    def __contains__(self, value: object) -> bool:
        return isinstance(value, (int, float))

    def __str__(self) -> str:
        return "a number"


FLAG = OneOf(0, 1)
ANY = AnyNumber()


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """name: as the device's documents call it. address: of its first register on the wire, from 0. codec: how it stands there.

    read: a constant, or what gives the present value; None is "no value". write: what a valid write does; a point without is
    read-only. allowed: what may be written, in the point's unit. sign: what a positive value means. commands: most commands
    of the firmware that a write gives.
    """

    name: str
    address: int
    codec: Codec
    read: Value | Live = None
    write: Callable[[float], None] | None = None
    allowed: Container[object] = ANY
    table: Table = Table.HOLDING
    unit: str = ""
    sign: str = ""
    commands: int = 1
