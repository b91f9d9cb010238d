"""Streams of any bytes to our Modbus server over real sockets, each held to the answers and writes that the oracle has."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self

from modbus_device import UNIT, frame
from modbus_oracle import Oracle
from modbus_servers import Bank

from firmware_sim.modbus.bank import Table
from firmware_sim.modbus.tcp import ModbusTcpServer

PATIENCE_S = 30.0  # after it a connection is wedged
SOUND = frame(0xEEEE, b"\2\0\1\0\1")  # discrete inputs: nothing can have written them
SOUNDS = frame(0xEEEE, b"\2\1\0")


class CountingBank(Bank):
    """The device, with every write that reached it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[tuple[int, int, tuple[int, ...]]] = []

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Keep it, unless it is refused."""
        super().write(table, address, values)
        self.writes.append((int(table), address, tuple(values)))


class Fuzz:
    """One server, and the oracle beside it; an async context manager. counts: of what was seen."""

    def __init__(self, bank: CountingBank | None = None) -> None:
        self.bank = bank or CountingBank()
        self.oracle = Oracle()
        self.counts: Counter[str] = Counter()
        self.errors: list[str] = []
        self._server = ModbusTcpServer(self.bank, unit_id=UNIT)
        self._address = ("", 0)
        self._witness: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().set_exception_handler(self._failed)
        self._address = await self._server.start("127.0.0.1", 0)
        self._witness = await asyncio.open_connection(*self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._witness is not None
        self._witness[1].close()
        await self._server.stop()

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.errors.append(f"{context['message']}: {context.get('exception')!r}")

    @property
    def answered(self) -> int:
        """Frames that were answered as they should be."""
        return self.counts["answers"] + self.counts["exceptions"]

    async def stream(self, pieces: Sequence[bytes]) -> str:
        """Send a stream on a connection of its own, a good request at its end; what is wrong with what came, or nothing."""
        data = b"".join(pieces) + SOUND
        expected, closed = self.oracle.stream(data)
        got = await self._conversation([*pieces, SOUND], closed=closed)
        problem = self._judged(got, expected) or self._state()
        if self.errors:
            problem = self.errors.pop()
        if problem:  # the next stream is judged by itself
            self.bank.tables, self.oracle = CountingBank().tables, Oracle()
        self.counts["closed" if closed else "kept"] += 1
        return problem

    async def another_is_served(self) -> bool:
        """A good request on a connection that stands since the beginning, and on a new one."""
        assert self._witness is not None
        reader, writer = self._witness
        writer.write(SOUND)
        async with asyncio.timeout(PATIENCE_S):
            old = await reader.read(2 * len(SOUNDS))
        return old == SOUNDS and await self._conversation([SOUND], closed=False) == SOUNDS

    async def _conversation(self, pieces: Sequence[bytes], *, closed: bool) -> bytes:
        loop = asyncio.get_running_loop()
        with socket.socket() as client:
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(client, self._address)
            async with asyncio.timeout(PATIENCE_S):
                with suppress(ConnectionError):  # closed while it was sent to
                    for piece in pieces:
                        await loop.sock_sendall(client, piece)
                        await asyncio.sleep(0)
                    if not closed:
                        client.shutdown(socket.SHUT_WR)
                return await _all(client)

    def _judged(self, got: bytes, expected: list[tuple[bytes, frozenset[bytes]]]) -> str:
        for head, allowed in expected:
            size = 6 + int.from_bytes(got[4:6], "big")
            answer, got = got[:size], got[size:]
            if answer[:4] + answer[6:7] != head or answer[7:] not in allowed:
                wanted = " or ".join(body.hex() for body in sorted(allowed))
                return f"answers {answer.hex() or 'nothing'}, not {wanted} to {head.hex()}"
            self.counts["exceptions" if answer[7] & 0x80 else "answers"] += 1
        return f"answers {got.hex()} unasked" if got else ""

    def _state(self) -> str:
        """Whether the device was written as it should, and only so."""
        written, self.bank.writes = self.bank.writes, []
        wanted, self.oracle.writes = self.oracle.writes, []
        self.counts["writes"] += len(written)
        if written != wanted:
            return f"writes {written}, not {wanted}"
        tables = self.bank.tables
        if tables[Table.COILS] != self.oracle.coils or tables[Table.HOLDING] != self.oracle.holding:
            return "registers changed without a write"
        return ""


async def _all(client: socket.socket) -> bytes:
    """What comes until the end; a connection that is reset gives what it had before."""
    got = b""
    with suppress(ConnectionError):
        while piece := await asyncio.get_running_loop().sock_recv(client, 1 << 16):
            got += piece
    return got
