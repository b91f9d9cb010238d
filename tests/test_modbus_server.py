"""The Modbus TCP server against what the specification and bad clients ask of it, byte by byte."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.modbus.pdu import ExceptionCode, ModbusFault, answer
from firmware_sim.modbus.tcp import ModbusTcpServer


class Bank:
    """A thousand registers that hold their address; 500 refuses 7 as a value; 600 fails."""

    def __init__(self) -> None:
        self.values = list(range(1000))

    def read(self, address: int, count: int) -> Sequence[int]:
        if address + count > 1000:
            raise ModbusFault(ExceptionCode.ILLEGAL_ADDRESS, "beyond the bank")
        return self.values[address : address + count]

    def write(self, address: int, values: Sequence[int]) -> None:
        self.read(address, len(values))
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


def write(address: int, values: Sequence[int], size: int | None = None) -> bytes:
    head = struct.pack(">BHHB", 16, address, len(values), 2 * len(values) if size is None else size)
    return head + struct.pack(f">{len(values)}H", *values)


async def reply(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    """Transaction, unit and PDU of one reply."""
    tid, protocol, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
    assert protocol == 0
    return tid, unit, await reader.readexactly(length - 1)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter, ModbusTcpServer], Awaitable[None]]


def talk(conversation: Talk, **options: object) -> Bank:
    """One client's conversation with a server."""
    bank = Bank()

    async def main() -> None:
        server = ModbusTcpServer(bank, **options)
        host, port = await server.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(host, port)
        try:
            async with asyncio.timeout(20):
                await conversation(reader, writer, server)
        finally:
            writer.close()
            await server.stop()
            await asyncio.sleep(0)

    asyncio.run(main())
    return bank


# --- One request, one answer ---


@pytest.mark.parametrize(
    ("pdu", "expected"),
    [
        (read(10, 2), struct.pack(">BBHH", 3, 4, 10, 11)),
        (read(10, 2, 4), struct.pack(">BBHH", 4, 4, 10, 11)),
        (read(0, 125)[:5], bytes((3, 250)) + struct.pack(">125H", *range(125))),
        (read(10, 0), b"\x83\x03"),
        (read(10, 126), b"\x83\x03"),
        (read(10, 65_535), b"\x83\x03"),
        (read(999, 1), b"\x03\x02\x03\xe7"),
        (read(999, 2), b"\x83\x02"),
        (read(65_535, 2), b"\x83\x02"),
        (read(65_535, 126), b"\x83\x03"),  # quantity is checked before address
        (read(10, 2)[:-1], b"\x83\x03"),
        (read(10, 2) + b"\0", b"\x83\x03"),
        (b"\x06\x00\x05\x12\x34", b"\x06\x00\x05\x12\x34"),
        (b"\x06\x07\xd0\x00\x01", b"\x86\x02"),
        (b"\x06\x01\xf4\x00\x07", b"\x86\x03"),
        (b"\x06\x02\x58\x00\x01", b"\x86\x04"),
        (write(5, [1, 2, 3]), b"\x10\x00\x05\x00\x03"),
        (write(5, []), b"\x90\x03"),
        (write(0, [0] * 123), b"\x10\x00\x00\x00\x7b"),
        (write(5, [1, 2], size=2), b"\x90\x03"),
        (write(5, [1, 2], size=6), b"\x90\x03"),
        (write(5, [1, 2]) + b"\0\0", b"\x90\x03"),
        (write(65_535, [1, 2]), b"\x90\x02"),
        (struct.pack(">BHHHHBH", 23, 5, 1, 5, 1, 2, 77), b"\x17\x02\x00\x4d"),  # writes before it reads
        (struct.pack(">BHHHHBH", 23, 5, 126, 5, 1, 2, 77), b"\x97\x03"),
        (struct.pack(">BHHHHBH", 23, 5, 1, 5, 122, 2, 77), b"\x97\x03"),
        (b"\x41", b"\xc1\x01"),
        (b"\x01\x00\x00\x00\x01", b"\x81\x01"),
        (b"\x05\x00\x00\x12\x34", b"\x85\x01"),
        (b"\x83\x00", b"\x83\x01"),
        (b"\x2b\x0e\x01\x00", b"\xab\x01"),
        (b"\x00\x00", b"\x80\x01"),
    ],
)
def test_request_and_answer(pdu, expected):
    assert answer(Bank(), pdu) == expected


def test_a_refused_write_changes_nothing():
    bank = Bank()
    assert answer(bank, write(498, [1, 2, 7, 4])) == b"\x90\x03"
    assert bank.values == list(range(1000))


@given(st.binary(min_size=1, max_size=253))
@settings(max_examples=300, deadline=None)
def test_any_pdu_gets_a_well_formed_answer(pdu):
    got = answer(Bank(), pdu)
    assert 2 <= len(got) <= 253
    if got[0] & 0x80:
        assert len(got) == 2
        assert got[0] == pdu[0] | 0x80
        assert got[1] in (1, 2, 3, 4)
    else:
        assert got[0] == pdu[0]


# --- Framing ---


@pytest.mark.parametrize(("unit", "expected"), [(1, b"\x03\x02\x00\x0a"), (0, b"\x03\x02\x00\x0a"), (255, b"\x03\x02\x00\x0a"),
                                               (2, b"\x83\x0b"), (247, b"\x83\x0b")])  # fmt: skip
def test_units(unit, expected):
    async def conversation(reader, writer, _server):
        writer.write(frame(9, read(10, 1), unit=unit))
        assert await reply(reader) == (9, unit, expected)

    talk(conversation)


@pytest.mark.parametrize("count", [2, 10, 40, 500])
def test_every_request_of_a_segment_is_answered_in_order(count):
    async def conversation(reader, writer, server):
        writer.write(b"".join(frame(1000 + n, read(n, 1)) for n in range(count)))
        for n in range(count):
            assert await reply(reader) == (1000 + n, 1, struct.pack(">BBH", 3, 2, n))
        assert server.requests == count

    talk(conversation)


def test_byte_by_byte_and_frames_cut_anywhere():
    async def conversation(reader, writer, _server):
        for byte in frame(1, read(10, 1)):
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0)
        assert (await reply(reader))[0] == 1
        two = frame(2, read(10, 1)) + frame(3, write(20, [5, 6]))
        for cut in range(1, len(two)):
            writer.write(two[:cut])
            await asyncio.sleep(0)
            writer.write(two[cut:])
            assert [(await reply(reader))[0], (await reply(reader))[0]] == [2, 3]

    talk(conversation)


@pytest.mark.parametrize(
    "bad",
    [
        frame(1, read(10, 1), protocol=1),
        frame(1, b"\x03", length=0),
        frame(1, b"\x03", length=1),
        frame(1, read(10, 1), length=255),
        frame(1, read(10, 1), length=65_535),
    ],
)
def test_what_cannot_be_a_frame_closes_the_connection_after_answering_what_came_before(bad):
    async def conversation(reader, writer, _server):
        writer.write(frame(7, read(10, 1)) + bad)
        assert (await reply(reader))[0] == 7
        assert await reader.read() == b""

    talk(conversation)


def test_a_half_closed_client_is_still_answered():
    async def conversation(reader, writer, _server):
        writer.write(frame(1, read(10, 1)) + frame(2, read(11, 1)))
        writer.write_eof()
        assert [(await reply(reader))[0], (await reply(reader))[0]] == [1, 2]
        assert await reader.read() == b""

    talk(conversation)


def test_a_partial_frame_has_its_time():
    async def conversation(reader, writer, _server):
        writer.write(frame(1, read(10, 1))[:5])
        assert await reader.read() == b""  # the server closes

    talk(conversation, partial_timeout_s=0.05)


def test_a_completed_frame_stops_that_clock():
    async def conversation(reader, writer, _server):
        whole = frame(1, read(10, 1))
        writer.write(whole[:5])
        await asyncio.sleep(0)
        writer.write(whole[5:])
        await reply(reader)
        await asyncio.sleep(0.2)
        writer.write(whole)
        assert (await reply(reader))[0] == 1

    talk(conversation, partial_timeout_s=0.1)


def test_one_connection_too_many_costs_the_oldest():
    async def conversation(reader, writer, server):
        _, port = server._server.sockets[0].getsockname()
        others = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        assert await reader.read() == b""
        for n, (r, w) in enumerate(others):
            w.write(frame(n, read(10, 1)))
            assert (await reply(r))[0] == n
            w.close()

    talk(conversation, most_connections=2)


def test_connections_do_not_disturb_each_other():
    async def conversation(reader, writer, server):
        _, port = server._server.sockets[0].getsockname()
        writer.write(frame(1, read(10, 1))[:9])  # half a request pending here
        r, w = await asyncio.open_connection("127.0.0.1", port)
        w.write(frame(2, read(11, 1)))
        assert await reply(r) == (2, 1, b"\x03\x02\x00\x0b")
        w.close()
        writer.write(frame(1, read(10, 1))[9:])
        assert await reply(reader) == (1, 1, b"\x03\x02\x00\x0a")

    talk(conversation)


@given(st.lists(st.binary(max_size=300), max_size=5))
@settings(max_examples=60, deadline=None)
def test_garbage_harms_no_one_else(chunks):
    async def conversation(reader, writer, server):
        for chunk in chunks:
            if writer.is_closing():
                break
            writer.write(chunk)
            await asyncio.sleep(0)
        _, port = server._server.sockets[0].getsockname()
        r, w = await asyncio.open_connection("127.0.0.1", port)
        w.write(frame(5, read(999, 1)))
        assert (await reply(r))[0] == 5
        w.close()

    talk(conversation)


def test_refusals_are_reported():
    heard: list[tuple[int, str]] = []

    async def conversation(reader, writer, _server):
        writer.write(frame(1, read(999, 2)))
        await reply(reader)

    talk(conversation, refused=lambda request, fault: heard.append((request[0], str(fault))))
    assert heard == [(3, "beyond the bank")]
