"""The servers that the cases of conformance are played to: ours, pymodbus's and libmodbus's, each with the same device."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from modbus_device import (
    BROKEN,
    COILS,
    DISCRETE,
    HOLDING,
    IDENTITY,
    IDLE_S,
    INPUT,
    MOST_CONNECTIONS,
    PARTIAL_S,
    REFUSES_7,
    SLOW,
    UNIT,
    packed,
    words,
)

from firmware_sim.modbus.bank import ExceptionCode, ModbusFault, Table
from firmware_sim.modbus.tcp import ModbusTcpServer

SLOW_S = 0.05
sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))  # for the server on libmodbus


class Bank:
    """The device, as `firmware_sim.modbus.bank.Bank` has it."""

    functions = frozenset((1, 2, 3, 4, 5, 6, 15, 16, 22, 23, 43))
    identity = IDENTITY

    def __init__(self) -> None:
        self.tables: dict[int, list[int]] = {
            Table.COILS: [*map(int, COILS)],
            Table.DISCRETE_INPUTS: [*map(int, DISCRETE)],
            Table.HOLDING: list(HOLDING),
            Table.INPUT: list(INPUT),
        }

    def read(self, table: Table, address: int, count: int) -> bytes:
        """As many as there are."""
        values = self.tables[table]
        if address + count > len(values):
            raise ModbusFault(ExceptionCode.ILLEGAL_ADDRESS, "beyond the table")
        wanted = values[address : address + count]
        return words(wanted) if table in (Table.HOLDING, Table.INPUT) else packed(map(bool, wanted))

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """All of them or none."""
        self.read(table, address, len(values))
        there = dict(enumerate(values, address)) if table == Table.HOLDING else {}
        if there.get(REFUSES_7) == 7:
            raise ModbusFault(ExceptionCode.ILLEGAL_VALUE, "seven")
        if BROKEN in there:
            raise ModbusFault(ExceptionCode.DEVICE_FAILURE, "broken")
        self.tables[table][address : address + len(values)] = values


@asynccontextmanager
async def ours() -> AsyncIterator[tuple[str, int]]:
    """Our server."""
    server = ModbusTcpServer(
        Bank(), unit_id=UNIT, most_connections=MOST_CONNECTIONS, partial_timeout_s=PARTIAL_S, idle_timeout_s=IDLE_S
    )
    try:
        yield await server.start("127.0.0.1", 0)
    finally:
        await server.stop()


@asynccontextmanager
async def pymodbus() -> AsyncIterator[tuple[str, int]]:
    """The server of pymodbus, with what it offers for a device: four blocks, an identity, and a coroutine at each access."""
    from pymodbus.constants import ExcCodes
    from pymodbus.pdu.device import ModbusDeviceIdentification
    from pymodbus.server import ModbusTcpServer as Server
    from pymodbus.simulator import DataType, SimData, SimDevice

    async def action(
        function: int, _start: int, address: int, count: int, _registers: list[int], values: list[int] | None
    ) -> ExcCodes | None:
        if function == 3 and address <= SLOW < address + count:
            await asyncio.sleep(SLOW_S)
        there = {} if values is None or function in (5, 15) else dict(enumerate(values, address))
        if there.get(REFUSES_7) == 7:
            return ExcCodes.ILLEGAL_VALUE
        return ExcCodes.DEVICE_FAILURE if BROKEN in there else None

    logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)
    blocks = ((COILS, DataType.BITS), (DISCRETE, DataType.BITS), (HOLDING, DataType.REGISTERS), (INPUT, DataType.REGISTERS))
    tables = tuple([SimData(0, values=values, datatype=datatype)] for values, datatype in blocks)
    identity = ModbusDeviceIdentification(info={number: text.decode() for number, text in IDENTITY.items()})
    device = SimDevice(UNIT, simdata=tables, action=action)  # type: ignore[arg-type]  # its own `identity` is not served
    server = Server(device, address=("127.0.0.1", 0), identity=identity)
    await server.serve_forever(background=True)
    try:
        assert server.transport is not None
        yield server.transport.sockets[0].getsockname()[:2]  # type: ignore[attr-defined]
    finally:
        await server.shutdown()


def build_libmodbus(folder: Path) -> Path:
    """Build the server that stands on libmodbus. Raises RuntimeError without a compiler or the library."""
    from modbus_compiled import compiled

    return compiled("libmodbus_server", folder, "modbus")


@asynccontextmanager
async def libmodbus(program: Path) -> AsyncIterator[tuple[str, int]]:
    """A server on libmodbus, in a process of its own."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        program, "fixed", stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        yield "127.0.0.1", int(await process.stdout.readline())
    finally:
        if process.returncode is None:  # it has not crashed
            process.kill()
        await process.wait()
