"""One server of benchmarks/modbus_server.py: pymodbus's, whose registers change every millisecond.

They do in the way that it offers, a coroutine that each access awaits, and at the least cost: it copies what was made before.
Prints its port, and serves until a signal ends it.
"""

from __future__ import annotations

import asyncio
import logging
import time

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

BASE, REGISTERS = 40_000, 300
LIVE = [[(number + step) % 0x10000 for number in range(REGISTERS)] for step in range(256)]


async def action(function: int, start: int, address: int, count: int, registers: list[int], values: object) -> None:
    """Put the values of this millisecond into what is read."""
    first = address - start
    registers[first : first + count] = LIVE[time.monotonic_ns() // 1_000_000 % len(LIVE)][first : first + count]


async def main() -> None:
    """Serve."""
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)  # it tells of every client that leaves
    device = SimDevice(1, simdata=[SimData(BASE, values=LIVE[0], datatype=DataType.REGISTERS)], action=action)
    server = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    print(server.transport.sockets[0].getsockname()[1], flush=True)  # type: ignore[union-attr]
    await server.serving


if __name__ == "__main__":
    asyncio.run(main())
