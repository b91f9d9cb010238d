"""Modbus requests and replies without a transport (MODBUS Application Protocol Specification V1.1b3).

Function codes 03, 04, 06, 16 and 23. Checks go in the specification's order: function (01), quantity (03), address (02),
value (03), device (04).
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from firmware_sim.modbus.bank import Bank, ExceptionCode, ModbusFault, Table

_MOST_READ = 125
_MOST_WRITTEN = 123
_MOST_WRITTEN_23 = 121


def answer(bank: Bank, request: bytes, refused: Callable[[bytes, ModbusFault], None] | None = None) -> bytes:
    """Reply PDU to a request PDU, exception replies included; `refused` hears of those."""
    function = request[0]
    try:
        handler = _HANDLERS.get(function)
        if handler is None:
            raise ModbusFault(ExceptionCode.ILLEGAL_FUNCTION, f"function {function}")
        return handler(bank, request)
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


def _read(bank: Bank, request: bytes) -> bytes:
    _need(len(request) == 5, "length of the request")
    address, count = struct.unpack_from(">HH", request, 1)
    _need(1 <= count <= _MOST_READ, f"quantity {count}")
    _in_range(address, count)
    table = Table.HOLDING if request[0] == 3 else Table.INPUT
    return bytes((request[0], 2 * count)) + bank.read(table, address, count)


def _write_single(bank: Bank, request: bytes) -> bytes:
    _need(len(request) == 5, "length of the request")
    address, value = struct.unpack_from(">HH", request, 1)
    bank.write(Table.HOLDING, address, (value,))
    return request


def _write_multiple(bank: Bank, request: bytes) -> bytes:
    _need(len(request) >= 6, "length of the request")
    address, count, size = struct.unpack_from(">HHB", request, 1)
    _need(1 <= count <= _MOST_WRITTEN and size == 2 * count and len(request) == 6 + size, f"quantity {count}, {size} bytes")
    _in_range(address, count)
    bank.write(Table.HOLDING, address, struct.unpack_from(f">{count}H", request, 6))
    return request[:5]


def _read_write(bank: Bank, request: bytes) -> bytes:
    _need(len(request) >= 10, "length of the request")
    read_at, read_count, write_at, write_count, size = struct.unpack_from(">HHHHB", request, 1)
    _need(1 <= read_count <= _MOST_READ and 1 <= write_count <= _MOST_WRITTEN_23, f"quantities {read_count}, {write_count}")
    _need(size == 2 * write_count and len(request) == 10 + size, f"{size} bytes for {write_count} registers")
    _in_range(read_at, read_count)
    _in_range(write_at, write_count)
    bank.read(Table.HOLDING, read_at, read_count)  # refused here, it has not written yet
    bank.write(Table.HOLDING, write_at, struct.unpack_from(f">{write_count}H", request, 10))
    return bytes((request[0], 2 * read_count)) + bank.read(Table.HOLDING, read_at, read_count)


_HANDLERS: dict[int, Callable[[Bank, bytes], bytes]] = {
    0x03: _read,
    0x04: _read,
    0x06: _write_single,
    0x10: _write_multiple,
    0x17: _read_write,
}
