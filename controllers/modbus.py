"""The one module that knows pymodbus: a Modbus TCP client connection with this project's errors."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException, ModbusIOException
from pymodbus.pdu import ModbusPDU

from hil.coroutines import cancels, honour
from hil.errors import DeviceLost, DeviceRefused, DeviceTimeout

# pymodbus logs every failed call with its last 20 frames; ours are errors with a name.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

_RECONNECT_S = 0.1
_RECONNECT_MOST_S = 1.0


class ModbusConnection:
    """A connection to one unit. Calls are never repeated; a lost connection is re-established in the background."""

    def __init__(self, device: str, host: str, port: int, *, unit_id: int, timeout_s: float) -> None:
        self.device = device
        self._unit_id = unit_id
        self._client = AsyncModbusTcpClient(
            host,
            port=port,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=_RECONNECT_S,
            reconnect_delay_max=_RECONNECT_MOST_S,
        )

    async def connect(self) -> None:
        """Connect. Raises DeviceLost."""
        if not await self._client.connect():
            params = self._client.comm_params
            raise DeviceLost(self.device, f"no connection to {params.host}:{params.port}")

    def close(self) -> None:
        """Close and stop reconnecting."""
        self._client.close()

    async def read(self, address: int, count: int) -> list[int]:
        """Holding registers. Raises DeviceTimeout, DeviceLost, DeviceRefused."""
        what = f"read of {count} registers at {address}"
        reply = await self._call(partial(self._client.read_holding_registers, address, count=count), what)
        if len(reply.registers) != count:
            raise DeviceRefused(self.device, f"{what}: {len(reply.registers)} came")
        return list(reply.registers)

    async def write(self, address: int, values: Sequence[int]) -> None:
        """Write holding registers. Raises DeviceTimeout, DeviceLost, DeviceRefused."""
        what = f"write of {list(values)} at {address}"
        await self._call(partial(self._client.write_registers, address, list(values)), what)

    async def _call(self, request: Callable[..., Awaitable[ModbusPDU]], what: str) -> ModbusPDU:
        before = cancels()
        try:
            reply = await request(device_id=self._unit_id)
        except ModbusException as error:
            honour(before)
            raise self._failure(error, what) from None
        honour(before)
        if reply.isError():
            raise DeviceRefused(self.device, f"{what}: exception {reply.exception_code}")
        return reply

    def _failure(self, error: ModbusException, what: str) -> DeviceTimeout | DeviceLost:
        if isinstance(error, ConnectionException) or not self._client.connected:
            return DeviceLost(self.device, f"{what}: not connected")
        if isinstance(error, ModbusIOException):
            return DeviceTimeout(self.device, f"{what}: no answer")
        return DeviceLost(self.device, f"{what}: {error}")
