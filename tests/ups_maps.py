"""A UPS of the kernel behind one of its register maps, read by pymodbus, on a lock-step loop; or stepped by hand."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU
from ups_bench import UpsBench

from firmware_sim.modbus.bank import Table
from firmware_sim.modbus.tcp import ModbusTcpServer
from firmware_sim.ups.modbus import ModbusUps
from hil.fleet.images import EngineUpsImage

OUTAGE = {"kind": "grid_dip", "at": "1 s", "duration": "3000 s", "residual": 0.0}


class MapBench(UpsBench):
    """One UPS `ups.a` on Modbus; its grid fails at 1 s unless told otherwise."""

    def __init__(self, name: str, ups: Mapping[str, Any] | None = None, **sections: Any) -> None:
        super().__init__(ups, **{"events": [OUTAGE]} | sections)
        self.image = EngineUpsImage(self.engine, self.scenario, "a")
        self.modbus = ModbusUps(self.image, name, serial="a-0001")
        self.server = ModbusTcpServer(self.modbus.registers)

    def channel(self, name: str) -> float:
        """Latest value of a channel: of the UPS, or of the site where the name has a dot."""
        return self.engine.value(self.engine.channels.index(name if "." in name else f"ups.a.{name}"))

    def until(self, met: Callable[[], bool], most_s: float = 600.0) -> None:
        """Step the plant by hand, 10 ms at a time, until something holds."""
        for _ in range(round(100 * most_s)):
            if met():
                return
            self.plant.advance(self.engine.tick + 10)
        raise AssertionError("never")

    def moves(self) -> bool:
        """Step it 10 ms: for a condition on a plant that others command when it pleases them."""
        self.plant.advance(self.engine.tick + 10)
        return True

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """pymodbus, connected."""
        host, port = await self.server.start("127.0.0.1", 0)
        plain = AsyncModbusTcpClient(host, port=port, timeout=3.0, retries=0)
        assert await plain.connect()
        try:
            yield Client(plain)
        finally:
            plain.close()
            self.modbus.forget()
            await self.server.stop()

    def talk(self, main: Callable[[Client], Awaitable[None]]) -> None:
        """Serve it in lock-step."""

        async def served(_: UpsBench) -> None:
            async with self.client() as client:
                await main(client)

        self.serve(served)


class Client:
    """pymodbus with raw values: bytes of registers, lists of bits; an exception reply is its code, as a ValueError."""

    def __init__(self, plain: AsyncModbusTcpClient) -> None:
        self._plain = plain

    async def read(self, table: Table, address: int, count: int) -> bytes | list[bool]:
        call = {
            Table.COILS: self._plain.read_coils,
            Table.DISCRETE_INPUTS: self._plain.read_discrete_inputs,
            Table.HOLDING: self._plain.read_holding_registers,
            Table.INPUT: self._plain.read_input_registers,
        }[table]
        reply = self._sound(await call(address, count=count))
        return reply.bits[:count] if table < Table.HOLDING else struct.pack(f">{count}H", *reply.registers)

    async def number(self, address: int, code: str = "H", scale: float = 1.0) -> float:
        """A number in holding registers, by its `struct` code."""
        held = await self.read(Table.HOLDING, address, struct.calcsize(code) // 2)
        assert isinstance(held, bytes)
        return struct.unpack(f">{code}", held)[0] * scale

    async def write(self, address: int, value: int, code: str = "H") -> None:
        """A number into holding registers, by function 16; a tick later it shows."""
        packed = struct.pack(f">{code}", value)
        words = list(struct.unpack(f">{len(packed) // 2}H", packed))
        self._sound(await self._plain.write_registers(address, words))
        await asyncio.sleep(0.002)

    async def set_coil(self, address: int, *, on: bool) -> None:
        self._sound(await self._plain.write_coil(address, on))
        await asyncio.sleep(0.002)

    @property
    def plain(self) -> AsyncModbusTcpClient:
        return self._plain

    @staticmethod
    def _sound(reply: ModbusPDU) -> ModbusPDU:
        if reply.isError():
            raise ValueError(reply.exception_code)
        return reply
