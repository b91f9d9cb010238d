"""The Modbus TCP server against what the specification and bad clients ask of it, byte by byte."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from inspect import Signature, signature
from itertools import pairwise
from typing import ClassVar
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.modbus.bank import ExceptionCode, ModbusFault, Table
from firmware_sim.modbus.connection import Connection
from firmware_sim.modbus.engine import answer
from firmware_sim.modbus.tcp import ModbusTcpServer
from hil.clock.lockstep import LockstepLoop


class Bank:
    """A thousand registers that hold their address; 500 refuses 7 as a value; 600 fails."""

    functions = frozenset((3, 4, 6, 16, 23))
    identity: ClassVar[dict[int, bytes]] = {}

    def __init__(self) -> None:
        self.values = list(range(1000))

    def read(self, table: Table, address: int, count: int) -> bytes:
        assert table in (Table.HOLDING, Table.INPUT)
        assert address + count <= 0x10000  # is for the server to see
        if address + count > 1000:
            raise ModbusFault(ExceptionCode.ILLEGAL_ADDRESS, "beyond the bank")
        return struct.pack(f">{count}H", *self.values[address : address + count])

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        self.read(table, address, len(values))
        for offset, value in enumerate(values):
            if (address + offset, value) == (500, 7):
                raise ModbusFault(ExceptionCode.ILLEGAL_VALUE, "seven")
            if address + offset == 600:
                raise ModbusFault(ExceptionCode.DEVICE_FAILURE, "broken")
        self.values[address : address + len(values)] = values


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
            server = ModbusTcpServer(Bank(), **options)
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


# fmt: off
@pytest.mark.parametrize(("pdu", "expected"), [
    (read(10, 2), b"\x03\x04\x00\x0a\x00\x0b"),
    (read(10, 2, 4), b"\x04\x04\x00\x0a\x00\x0b"),
    (read(0, 125), bytes((3, 250)) + struct.pack(">125H", *range(125))),
    (write_one(5, 0x1234), b"\x06\x00\x05\x12\x34"),
    (write(0, range(123)), b"\x10\x00\x00\x00\x7b"),
    (read_write(5, 1, 5, [77]), b"\x17\x02\x00\x4d"),  # writes before it reads
    (read_write(0, 125, 700, [0] * 121), bytes((23, 250)) + struct.pack(">125H", *range(125))),
])
def test_request_and_answer(pdu, expected):
    assert answer(Bank(), pdu) == expected


# Exceptions: function, quantity and length, address, value, device; a row that is wrong in two ways shows which comes first.
REFUSED = {
    1: [b"\x00\x00", b"\x01\x00\x00\x00\x01", b"\x05\x00\x00\x12\x34", b"\x2b\x0e\x01\x00", b"\x41", b"\x83\x00", b"\xff"],
    2: [
        read(999, 2), read(65_535, 2), write_one(2000, 1), write(999, [7, 7]), write(65_535, [1, 2]),
        read_write(999, 2, 500, [7]), read_write(65_535, 2, 5, [1]), read_write(5, 1, 65_535, [7, 7]),
    ],
    3: [
        read(10, 0), read(10, 126), read(10, 65_535), read(10, 0, 4), read(10, 126, 4), read(65_535, 126), read(65_535, 0),
        b"\x03", read(10, 2)[:-1], read(10, 2) + b"\0", write_one(2000, 1)[:-1], write_one(500, 7), b"\x10", write(5, []),
        write(0, [0] * 124), write(65_535, [0] * 124), write(5, [1, 2], size=2), write(5, [1, 2], size=6),
        write(5, [1, 2]) + b"\0\0", write(498, [1, 2, 7, 4]), b"\x17\x00", read_write(5, 0, 5, [7]),
        read_write(5, 1, 5, []), read_write(5, 1, 5, [0] * 122), read_write(65_535, 2, 5, []), read_write(5, 1, 500, [7]),
        read_write(5, 1, 5, [77], size=4), read_write(5, 1, 5, [77]) + b"\0", read_write(65_535, 126, 5, [77]),
    ],
    4: [write_one(600, 1), write(599, [1, 2])],
}
# fmt: on


@pytest.mark.parametrize(("code", "pdu"), [(code, pdu) for code, pdus in REFUSED.items() for pdu in pdus])
def test_a_refused_request_names_the_fault_and_changes_nothing(code, pdu):
    bank = Bank()
    assert answer(bank, pdu) == bytes((pdu[0] | 0x80, code))
    assert bank.values == list(range(1000))


WORD = st.integers(0, 0xFFFF)
PLACE = st.integers(0, 1100) | WORD
PDUS = st.one_of(
    st.binary(min_size=1, max_size=253),
    st.builds(read, PLACE, st.integers(0, 130), st.sampled_from((3, 4))),
    st.builds(write_one, PLACE, WORD),
    st.builds(write, PLACE, st.lists(WORD, max_size=124)),
    st.builds(read_write, PLACE, st.integers(0, 130), PLACE, st.lists(WORD, max_size=120)),
)


@given(PDUS)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_pdu_gets_a_well_formed_answer(pdu):
    bank = Bank()
    got = answer(bank, pdu)
    if got[0] & 0x80:
        assert got in {bytes((pdu[0] | 0x80, code)) for code in (1, 2, 3, 4)}
        assert bank.values == list(range(1000))
    elif got[0] in (3, 4, 23):
        assert got[:2] == bytes((pdu[0], 2 * int.from_bytes(pdu[3:5], "big")))
        assert len(got) == 2 + got[1] <= 252
    else:
        assert got == pdu[:5]
        written = pdu[3:] if got[0] == 6 else pdu[6:]
        assert answer(bank, read(int.from_bytes(pdu[1:3], "big"), len(written) // 2))[2:] == written


UNITS = {1: "03 02 00 0a", 0: "03 02 00 0a", 255: "03 02 00 0a", 2: "83 0b", 247: "83 0b"}


@conversation()
async def test_units_and_the_shortest_and_longest_frame(client):
    """Its own address, 0 and 255; another unit is a gateway's target that does not answer."""
    client.send(*(frame(unit, read(10, 1), unit=unit) for unit in UNITS), frame(8, b"\x03"), frame(9, b"\x41" + bytes(252)))
    assert [await client.reply() for _ in UNITS] == [(unit, unit, bytes.fromhex(expected)) for unit, expected in UNITS.items()]
    assert [await client.reply() for _ in range(2)] == [(8, 1, b"\x83\x03"), (9, 1, b"\xc1\x01")]


@pytest.mark.parametrize("count", [2, 10, 40, 500])
@conversation()
async def test_every_request_of_a_segment_is_answered_in_order(client, count):
    client.send(*(frame(1000 + n, read(n, 1)) for n in range(count)))
    assert [await client.reply() for _ in range(count)] == [(1000 + n, 1, struct.pack(">BBH", 3, 2, n)) for n in range(count)]
    assert client.server.requests == count


@conversation()
async def test_byte_by_byte_and_one_and_a_half_frames(client):
    for byte in frame(1, read(10, 1)):
        client.send(bytes((byte,)))
        await asyncio.sleep(0)
    assert await client.tids(1) == [1]
    client.send(frame(2, read(10, 1)), frame(3, write(20, [5, 6]))[:6])
    assert await client.tids(1) == [2]
    client.send(frame(3, write(20, [5, 6]))[6:])
    assert await client.reply() == (3, 1, b"\x10\x00\x14\x00\x02")


@pytest.mark.parametrize(("protocol", "length"), [(1, 6), (0xFFFF, 6), (0, 0), (0, 1), (0, 255), (0, 65_535)])
@conversation(virtual_time=True)
async def test_what_cannot_be_a_frame_closes_the_connection_after_earlier_answers(client, protocol, length):
    client.send(frame(7, read(10, 1)), frame(8, read(10, 1), protocol=protocol, length=length), frame(9, read(10, 1)))
    assert await client.tids(1) == [7]
    assert (await client.reader.read(), asyncio.get_running_loop().time()) == (b"", 0.0)  # at once


def wired() -> tuple[Connection, Mock]:
    """A connection without a network."""
    connection, wire = Connection(ModbusTcpServer(Bank()), None), Mock(spec=asyncio.Transport)
    wire.get_extra_info.return_value = None
    connection.connection_made(wire)
    return connection, wire


def receive(connection: Connection, data: bytes) -> None:
    """As a transport does."""
    while data:
        space = connection.get_buffer(-1)
        count = min(len(space), len(data))
        space[:count] = data[:count]
        connection.buffer_updated(count)
        data = data[count:]


@given(st.lists(st.tuples(WORD, st.sampled_from((0, 1, 2, 255)), PDUS), max_size=8), st.lists(st.integers(0, 2100)))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_how_a_stream_is_cut_does_not_matter(requests, cuts):
    stream = b"".join(frame(tid, pdu, unit) for tid, unit, pdu in requests)
    bank = Bank()
    pdus = [bytes((pdu[0] | 0x80, 0x0B)) if unit == 2 else answer(bank, pdu) for _, unit, pdu in requests]

    async def main() -> bytes:
        connection, wire = wired()
        for begin, end in pairwise(sorted({0, *(cut for cut in cuts if cut < len(stream)), len(stream)})):
            receive(connection, stream[begin:end])
        connection.connection_lost(None)
        return b"".join(call.args[0] for call in wire.write.call_args_list)

    assert asyncio.run(main()) == b"".join(frame(tid, pdu, unit) for (tid, unit, _), pdu in zip(requests, pdus, strict=True))


@conversation()
async def test_a_half_closed_client_is_still_answered(client):
    client.send(frame(1, read(10, 1)), frame(2, read(11, 1)))
    client.writer.write_eof()
    assert await client.tids(2) == [1, 2]
    assert await client.reader.read() == b""


@pytest.mark.parametrize("begun", [frame(1, read(10, 1))[:5], frame(1, read(10, 1))[:9], frame(7, read(10, 1)) + b"\0"])
@conversation(virtual_time=True, partial_timeout_s=0.05)
async def test_a_partial_frame_has_its_time(client, begun):
    client.send(begun)
    await client.reader.read()  # the server closes
    assert asyncio.get_running_loop().time() == 0.05


@conversation(virtual_time=True, partial_timeout_s=0.1)
async def test_a_completed_frame_stops_that_clock(client):
    whole = frame(1, read(10, 1))
    client.send(whole[:5])
    await asyncio.sleep(0.09)
    client.send(whole[5:])
    assert await client.tids(1) == [1]
    await asyncio.sleep(10.0)  # idle between frames is no offence
    client.send(whole)
    assert await client.tids(1) == [1]


@conversation(most_connections=3)
async def test_one_connection_too_many_costs_the_longest_idle(client):
    """The controller connects first; a client that leaks connections must not cost it its own."""
    for n in range(6):
        await client.another()
        client.send(frame(n, read(10, 1)))
        assert await client.tids(1) == [n]
    assert [await other.reader.read() for other in client.others[:-2]] == [b""] * 4
    for other in client.others[-2:]:
        other.send(frame(7, read(10, 1)))
        assert await other.tids(1) == [7]


@conversation()
async def test_while_replies_wait_nothing_is_read_and_no_frame_is_late(client):
    connection, wire = wired()
    wire.write.side_effect = lambda _: connection.pause_writing()
    wire.pause_reading.side_effect = lambda: wire.is_reading.configure_mock(return_value=False)
    wire.resume_reading.side_effect = lambda: wire.is_reading.configure_mock(return_value=True)
    receive(connection, frame(1, read(10, 1)) + b"\0")
    assert (wire.is_reading(), connection._partial) == (False, None)
    connection.resume_writing()
    assert wire.is_reading()
    assert connection._partial is not None
    connection.connection_lost(None)


@pytest.mark.parametrize("stops", [False, True])
@conversation()
async def test_a_client_that_takes_its_replies_late_or_never(client, stops):
    server, sent = client.server, 0
    client.writer.transport.pause_reading()
    while not server.connections:
        await asyncio.sleep(0)
    (connection,) = server.connections
    while connection._transport.is_reading():
        client.send(*(frame(n, read(0, 125)) for n in range(100)))
        sent += 1
        await asyncio.sleep(0)
    if stops:
        await server.stop()  # does not wait for it
        await asyncio.sleep(0)
        assert connection._transport is None
    else:
        client.writer.transport.resume_reading()
        assert await client.tids(100 * sent) == [*range(100)] * sent


NEARLY = st.builds(frame, WORD, PDUS, st.integers(0, 255), st.sampled_from((0, 0, 0, 1)), st.none() | st.none() | WORD)


@given(chunks=st.lists(st.binary(max_size=300) | NEARLY, max_size=6))
@settings(max_examples=100, deadline=None, derandomize=True)
@conversation()
async def test_garbage_harms_no_one_else(client, chunks):
    for chunk in chunks:
        if not client.writer.is_closing():
            client.send(chunk)
            await asyncio.sleep(0)
    other = await client.another()
    other.send(frame(5, read(999, 1)))
    assert await other.reply() == (5, 1, b"\x03\x02\x03\xe7")


@conversation()
async def test_refusals_are_reported(client):
    heard: list[tuple[int, int, str]] = []
    client.server.refused = lambda request, fault: heard.append((request[0], int(fault.code), str(fault)))
    client.send(frame(1, read(999, 2)), frame(2, read(5, 1), unit=9))
    assert await client.tids(2) == [1, 2]
    assert heard == [(3, 2, "beyond the bank"), (3, 0x0B, "unit 9")]
