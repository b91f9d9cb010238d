"""Modbus requests and replies without a transport (MODBUS Application Protocol Specification V1.1b3).

Function codes 03, 04, 06, 16 and 23. Checks go in the specification's order: function (01), quantity (03), address (02),
value (03), device (04).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Protocol


class ExceptionCode(IntEnum):
    """Exception codes of the specification, section 7."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    DEVICE_FAILURE = 4
    GATEWAY_TARGET_FAILED = 0x0B


class ModbusFault(Exception):  # the specification calls it an exception response; this is its cause
    """A request that is answered with an exception; `code` is what the client sees."""

    def __init__(self, code: ExceptionCode, reason: str) -> None:
        self.code = code
        super().__init__(reason)


class Registers(Protocol):
    """A device's holding registers; both raise ModbusFault, and a write that raises has changed nothing."""

    def read(self, address: int, count: int) -> Sequence[int]:
        """Values of `count` registers."""

    def write(self, address: int, values: Sequence[int]) -> None:
        """Validate and apply values to consecutive registers."""


_MOST_READ = 125
_MOST_WRITTEN = 123
_MOST_WRITTEN_23 = 121


def answer(registers: Registers, request: bytes, refused: Callable[[bytes, ModbusFault], None] | None = None) -> bytes:
    """Reply PDU to a request PDU, exception replies included; `refused` hears of those."""
    function = request[0]
    try:
        handler = _HANDLERS.get(function)
        if handler is None:
            raise ModbusFault(ExceptionCode.ILLEGAL_FUNCTION, f"function {function}")
        return handler(registers, request)
    except ModbusFault as fault:
        if refused is not None:
            refused(request, fault)
        return bytes((function | 0x80, fault.code))


def _need(condition: bool, reason: str) -> None:
    if not condition:
        raise ModbusFault(ExceptionCode.ILLEGAL_VALUE, reason)


def _in_range(address: int, count: int) -> None:
    if address + count > 0x10000:
        raise ModbusFault(ExceptionCode.ILLEGAL_ADDRESS, f"registers {address} to {address + count - 1}")


def _read(registers: Registers, request: bytes) -> bytes:
    _need(len(request) == 5, "length of the request")
    address, count = struct.unpack_from(">HH", request, 1)
    _need(1 <= count <= _MOST_READ, f"quantity {count}")
    _in_range(address, count)
    return struct.pack(f">BB{count}H", request[0], 2 * count, *registers.read(address, count))


def _write_single(registers: Registers, request: bytes) -> bytes:
    _need(len(request) == 5, "length of the request")
    address, value = struct.unpack_from(">HH", request, 1)
    registers.write(address, (value,))
    return request


def _write_multiple(registers: Registers, request: bytes) -> bytes:
    _need(len(request) >= 6, "length of the request")
    address, count, size = struct.unpack_from(">HHB", request, 1)
    _need(1 <= count <= _MOST_WRITTEN and size == 2 * count and len(request) == 6 + size, f"quantity {count}, {size} bytes")
    _in_range(address, count)
    registers.write(address, struct.unpack_from(f">{count}H", request, 6))
    return request[:5]


def _read_write(registers: Registers, request: bytes) -> bytes:
    _need(len(request) >= 10, "length of the request")
    read_at, read_count, write_at, write_count, size = struct.unpack_from(">HHHHB", request, 1)
    _need(1 <= read_count <= _MOST_READ and 1 <= write_count <= _MOST_WRITTEN_23, f"quantities {read_count}, {write_count}")
    _need(size == 2 * write_count and len(request) == 10 + size, f"{size} bytes for {write_count} registers")
    _in_range(read_at, read_count)
    _in_range(write_at, write_count)
    registers.read(read_at, read_count)  # refused here, it has not written yet
    registers.write(write_at, struct.unpack_from(f">{write_count}H", request, 10))
    return struct.pack(f">BB{read_count}H", request[0], 2 * read_count, *registers.read(read_at, read_count))


_HANDLERS: dict[int, Callable[[Registers, bytes], bytes]] = {
    0x03: _read,
    0x04: _read,
    0x06: _write_single,
    0x10: _write_multiple,
    0x17: _read_write,
}
