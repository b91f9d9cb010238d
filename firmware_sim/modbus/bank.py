"""What a device is to the Modbus protocol: four tables that are read and written, and its identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Protocol


class ExceptionCode(IntEnum):
    """Exception codes (MODBUS Application Protocol Specification V1.1b3, section 7)."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    DEVICE_FAILURE = 4
    DEVICE_BUSY = 6
    GATEWAY_TARGET_FAILED = 0x0B


class ModbusFault(Exception):  # the specification calls it an exception response; this is its cause
    """A request that is answered with an exception; `code` is what the client sees."""

    def __init__(self, code: ExceptionCode, reason: str) -> None:
        self.code = code
        super().__init__(reason)


class Table(IntEnum):
    """The primary tables (specification, section 4.3)."""

    COILS = 1
    DISCRETE_INPUTS = 2
    HOLDING = 3
    INPUT = 4


class Bank(Protocol):
    """One device. `read` and `write` raise ModbusFault, and a write that raises has changed nothing.

    functions: codes that the device supports; others are answered with exception 01.
    identity: objects of function 43/14 (read device identification) by number; 0 to 2 are vendor, product and revision.
    """

    functions: frozenset[int]
    identity: Mapping[int, bytes]

    def read(self, table: Table, address: int, count: int) -> bytes:
        """Registers high byte first, 2·count bytes; or bits, the first in the lowest bit of the first byte."""

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Validate and apply values to consecutive registers, or coils (0 or 1)."""
