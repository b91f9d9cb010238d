"""The Modbus TCP server against what the guide asks of it and bad clients do to it, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from itertools import pairwise
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modbus_support import PDUS, WORD, Bank, Client, conversation, frame, read, write, write_one

from firmware_sim.modbus.connection import Connection
from firmware_sim.modbus.engine import answer
from firmware_sim.modbus.tcp import ModbusTcpServer

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


@conversation(virtual_time=True, partial_timeout_s=0.5)
async def test_a_frame_that_drips_has_no_more_time(client):
    """Nor does the next one count against it."""
    whole = frame(1, read(10, 1))
    client.send(whole[:6])
    await asyncio.sleep(0.4)
    client.send(whole[6:] + whole[:3])
    assert await client.tids(1) == [1]
    for byte in whole[3:5]:
        await asyncio.sleep(0.2)
        client.send(bytes((byte,)))
    assert await client.reader.read() == b""
    assert asyncio.get_running_loop().time() == pytest.approx(0.9)


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


@conversation(bank=lambda: {1: Bank(), 7: Bank()})
async def test_a_gateway_knows_its_units_alone(client):
    client.send(*(frame(unit, write_one(5, unit), unit=unit) for unit in (7, 0, 255)), frame(1, read(5, 1), unit=1))
    assert [(await client.reply())[2] for _ in range(4)] == [write_one(5, 7), b"\x86\x0b", b"\x86\x0b", b"\x03\x02\x00\x05"]


@conversation(silent=True)
async def test_units_that_are_not_there_may_be_met_with_silence(client):
    client.send(frame(1, read(5, 1), unit=9), frame(2, read(5, 1)))
    assert await client.reply() == (2, 1, b"\x03\x02\x00\x05")


@conversation(virtual_time=True, idle_timeout_s=2.0)
async def test_an_idle_client_has_its_time_too(client):
    loop, server = asyncio.get_running_loop(), client.server
    await asyncio.sleep(1.5)
    client.send(frame(1, read(5, 1)))
    assert await client.tids(1) == [1]
    await asyncio.sleep(1.0)
    server.hang(hung=True)  # it is we who do not listen
    await asyncio.sleep(5.0)
    server.hang(hung=False)
    client.send(frame(2, read(5, 1)))
    assert await client.tids(1) == [2]
    heard_s = loop.time()
    assert await client.reader.read() == b""
    assert loop.time() - heard_s == pytest.approx(2.0)


@pytest.mark.parametrize("passes", range(6))
@pytest.mark.realtime
def test_a_server_that_stops_forgets_nobody_at_its_door(passes):
    """A client that is being accepted while the server stops is closed, whichever step of that it has come to."""

    async def main() -> None:
        server = ModbusTcpServer(Bank())
        address = await server.start("127.0.0.1", 0)
        with socket.create_connection(address) as client:
            for _ in range(passes):
                await asyncio.sleep(0)
            await server.stop()
            client.settimeout(30.0)
            with contextlib.suppress(ConnectionError):
                client.sendall(frame(1, read(5, 1)))
                assert await asyncio.to_thread(client.recv, 100) == b""
        assert not server.connections
        assert server.requests == 0

    asyncio.run(main())


@conversation()
async def test_a_server_starts_again(client):
    server = client.server
    await server.stop()
    await server.stop()
    assert await client.reader.read() == b""
    again = Client(server, await asyncio.open_connection(*await server.start("127.0.0.1", 0)))
    again.send(frame(1, read(5, 1)))
    assert await again.tids(1) == [1]
    again.writer.close()
