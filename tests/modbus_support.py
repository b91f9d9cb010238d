"""A device for tests of the Modbus servers, its frames byte by byte, and conversations of a client with a server."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from inspect import Signature, signature
from unittest.mock import Mock

from hypothesis import strategies as st

from firmware_sim.modbus.bank import ExceptionCode, ModbusFault, Table
from firmware_sim.modbus.tcp import ModbusTcpServer
from hil.clock.lockstep import LockstepLoop


class Bank:
    """A thousand registers that hold their address, input registers 1 more; 3000 bits, each third set.

    Register 500 refuses 7 as a value, 600 fails, 700 fails as no bank should.
    """

    functions = frozenset((1, 2, 3, 4, 5, 6, 15, 16, 22, 23, 43))

    def __init__(self, identity: dict[int, bytes] | None = None) -> None:
        self.identity = {0: b"Ridethrough", 1: b"Bank", 2: b"1.0"} if identity is None else identity
        self.values = list(range(1000))
        self.bits = [int(bit % 3 == 0) for bit in range(3000)]

    def read(self, table: Table, address: int, count: int) -> bytes:
        assert address + count <= 0x10000  # is for the server to see
        if table in (Table.COILS, Table.DISCRETE_INPUTS):
            self.need(address + count <= 3000)
            bits = self.bits if table == Table.COILS else [1 - bit for bit in self.bits]
            return packed(bits[address : address + count])
        self.need(address + count <= 1000)
        more = int(table == Table.INPUT)
        return struct.pack(f">{count}H", *(value + more for value in self.values[address : address + count]))

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        if table == Table.COILS:
            self.need(address + len(values) <= 3000)
            assert set(values) <= {0, 1}
            self.bits[address : address + len(values)] = values
            return
        assert table == Table.HOLDING
        self.read(table, address, len(values))
        for offset, value in enumerate(values):
            if (address + offset, value) == (500, 7):
                raise ModbusFault(ExceptionCode.ILLEGAL_VALUE, "seven")
            if address + offset == 600:
                raise ModbusFault(ExceptionCode.DEVICE_FAILURE, "broken")
            if address + offset == 700:
                raise ZeroDivisionError("a mistake")
        self.values[address : address + len(values)] = values

    @staticmethod
    def need(there: bool) -> None:
        if not there:
            raise ModbusFault(ExceptionCode.ILLEGAL_ADDRESS, "beyond the bank")


def packed(bits: Sequence[int]) -> bytes:
    return sum(bit << index for index, bit in enumerate(bits)).to_bytes((len(bits) + 7) // 8, "little")


def frame(tid: int, pdu: bytes, unit: int = 1, protocol: int = 0, length: int | None = None) -> bytes:
    return struct.pack(">HHHB", tid, protocol, len(pdu) + 1 if length is None else length, unit) + pdu


def read(address: int, count: int, function: int = 3) -> bytes:
    return struct.pack(">BHH", function, address, count)


def write_one(address: int, value: int) -> bytes:
    return struct.pack(">BHH", 6, address, value)


def write(address: int, values: Sequence[int], size: int | None = None) -> bytes:
    head = struct.pack(">BHHB", 16, address, len(values), 2 * len(values) if size is None else size)
    return head + struct.pack(f">{len(values)}H", *values)


def read_write(read_at: int, read_count: int, write_at: int, values: Sequence[int], size: int | None = None) -> bytes:
    head = struct.pack(">BHHHHB", 23, read_at, read_count, write_at, len(values), 2 * len(values) if size is None else size)
    return head + struct.pack(f">{len(values)}H", *values)


def write_coil(address: int, value: int) -> bytes:
    return struct.pack(">BHH", 5, address, value)


def write_coils(address: int, bits: Sequence[int], size: int | None = None) -> bytes:
    content = packed(bits)
    return struct.pack(">BHHB", 15, address, len(bits), len(content) if size is None else size) + content


def mask(address: int, keep: int, put: int) -> bytes:
    return struct.pack(">BHHH", 22, address, keep, put)


def rtu(unit: int, pdu: bytes) -> bytes:
    """A frame, its CRC from the definition and not from a table."""
    value = 0xFFFF
    for byte in bytes((unit,)) + pdu:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return bytes((unit,)) + pdu + value.to_bytes(2, "little")


class Client:
    """One connection to a server."""

    def __init__(self, server: ModbusTcpServer, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        self.server, (self.reader, self.writer), self.others = server, streams, []

    async def another(self) -> Client:
        """A further connection to the same server."""
        address = self.server._server.sockets[0].getsockname()
        self.others.append(Client(self.server, await asyncio.open_connection(*address)))
        return self.others[-1]

    def send(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))

    async def reply(self) -> tuple[int, int, bytes]:
        """Transaction, unit and PDU of the next reply."""
        tid, protocol, length, unit = struct.unpack(">HHHB", await self.reader.readexactly(7))
        assert protocol == 0
        return tid, unit, await self.reader.readexactly(length - 1)

    async def tids(self, count: int) -> list[int]:
        return [(await self.reply())[0] for _ in range(count)]


def conversation(*, virtual_time: bool = False, **options: object) -> Callable[..., Callable[..., None]]:
    """Makes a test of what one client and a server say to each other; in virtual time where it is about time."""
    still = Mock(tick=0, period_ns=1_000_000)  # all of a plant that a clock wants

    def decorate(talk: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        async def served(arguments: dict[str, object]) -> None:
            server = ModbusTcpServer(options.get("bank", Bank)(), **{k: v for k, v in options.items() if k != "bank"})
            client = Client(server, await asyncio.open_connection(*await server.start("127.0.0.1", 0)))
            try:
                await asyncio.wait_for(talk(client, **arguments), 60)
            finally:
                for one in (client, *client.others):
                    one.writer.close()
                await server.stop()
                await asyncio.sleep(0)

        @wraps(talk)
        def test(**arguments: object) -> None:
            with asyncio.Runner(loop_factory=(lambda: LockstepLoop(still)) if virtual_time else None) as runner:
                runner.run(served(arguments))

        test.__signature__ = Signature([p.replace(kind=p.KEYWORD_ONLY) for p in list(signature(talk).parameters.values())[1:]])
        return test

    return decorate


WORD = st.integers(0, 0xFFFF)
PLACE = st.integers(0, 1100) | WORD
PDUS = st.one_of(
    st.binary(min_size=1, max_size=253),
    st.builds(read, PLACE, st.integers(0, 130) | st.integers(1990, 2010), st.sampled_from((1, 2, 3, 4))),
    st.builds(write_coil, PLACE, WORD | st.just(0xFF00)),
    st.builds(write_coils, PLACE, st.lists(st.integers(0, 1), max_size=1980)),
    st.builds(mask, PLACE, WORD, WORD),
    st.binary(max_size=4).map(lambda rest: b"\x2b\x0e" + rest),
    st.builds(write_one, PLACE, WORD),
    st.builds(write, PLACE, st.lists(WORD, max_size=124)),
    st.builds(read_write, PLACE, st.integers(0, 130), PLACE, st.lists(WORD, max_size=120)),
)
