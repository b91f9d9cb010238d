"""RTU frames: on a pseudo-terminal with clients of others, byte by byte on TCP, and how long a line takes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
import tty
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modbus_support import PDUS, Bank, conversation, mask, packed, read, read_write, rtu, write, write_coils, write_one
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.framer import FramerType

from firmware_sim.modbus.engine import Units, answer
from firmware_sim.modbus.framing import Rtu, crc16
from firmware_sim.modbus.line import Line
from firmware_sim.modbus.port import open_device
from firmware_sim.modbus.serial_server import ModbusSerialServer
from firmware_sim.modbus.tcp import ModbusTcpServer

HUAWEI = {0x87: bytes((0, 0, 0, 1)), 0x88: b"1=UPS2000A;2=V2R1C1SPC50;3=P1.0-D1.0;4=X;5=0;6=0"}
FAST = Line(115_200)


def test_the_crc_is_that_of_a_frame_on_record():
    """NUT's huawei-ups2000 sends `01 2B 0E 03 87 31 75`."""
    assert crc16(bytes.fromhex("012b0e0387")) == 0x7531
    assert rtu(1, bytes.fromhex("2b0e0387")) == bytes.fromhex("012b0e03873175")


def taken(stream: Rtu, data: bytes) -> bytes:
    """The replies."""
    replies = b""
    while data:
        space = stream.space()
        count = min(len(space), len(data))
        space[:count] = data[:count]
        replies += stream.answered(count)
        data = data[count:]
    return replies


LENGTHS = [
    read(5, 1, 1), read(5, 1, 2), read(5, 1), read(5, 1, 4), write_coils(0, [1] * 9), write_one(5, 6), write(5, [1, 2, 3]),
    mask(5, 1, 2), read_write(1, 2, 3, [4, 5]), b"\x2b\x0e\x01\x00",
]  # fmt: skip


@pytest.mark.parametrize("pdu", LENGTHS, ids=lambda pdu: f"function {pdu[0]}")
def test_a_frame_is_cut_where_its_function_ends(pdu):
    frame = rtu(1, pdu)
    expected = rtu(1, answer(Bank(), pdu))
    for end in range(1, len(frame)):
        stream = Rtu(Units({1: Bank()}, serial=True))
        assert taken(stream, frame[:end]) == b""
        assert stream.partial
        assert taken(stream, frame[end:] + frame) == 2 * expected
        assert not stream.partial


def test_what_follows_a_bad_frame_is_lost_until_the_line_is_silent():
    stream, sound = Rtu(Units({1: Bank()}, serial=True)), rtu(1, write_one(5, 6))
    assert taken(stream, sound + sound[:-1] + b"\0") == sound
    assert stream.broken
    assert taken(stream, sound) == b""
    assert stream.rest() is None
    assert taken(stream, sound) == sound


@given(st.lists(st.tuples(st.sampled_from((0, 1, 2)), st.sampled_from(LENGTHS) | PDUS), max_size=4), st.binary(max_size=600))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_nothing_is_carried_out_that_was_not_a_frame(requests, rest):
    """Sound frames one at a time, each in one piece, are all answered; garbage changes nothing."""
    bank, shadow = Bank(), Bank()
    stream = Rtu(Units({1: bank}, serial=True))
    for unit, pdu in requests:
        got = taken(stream, rtu(unit, pdu))
        late = stream.rest()
        if late is not None:
            got += b"" if unit != 1 else rtu(1, answer(bank, late[2]))
        expected = rtu(1, answer(shadow, pdu)) if unit == 1 else b""
        if unit == 0 and pdu[0] in (5, 6, 15, 16, 22):
            answer(shadow, pdu)
        assert got == expected
    taken(stream, b"\x01\x03" + rest)
    stream.rest()
    assert not stream.partial
    assert bank.values == shadow.values


@pytest.mark.parametrize(("line", "bits", "silence_s"), [
    (Line(9600), 10, 3.5 * 10 / 9600),
    (Line(9600, "even", 1), 11, 3.5 * 11 / 9600),
    (Line(19_200, "odd", 2), 12, 3.5 * 12 / 19_200),
    (Line(38_400, "none", 2), 11, 1.75e-3),
])  # fmt: skip
def test_what_a_character_takes(line, bits, silence_s):
    assert line.character_s == pytest.approx(bits / line.baud)
    assert line.silence_s == pytest.approx(silence_s)
    with pytest.raises(ValueError, match="baud 0"):
        Line(0)


@conversation(framing="rtu", partial_timeout_s=0.1, virtual_time=True)
async def test_rtu_over_tcp(client):
    """Its own unit, silence for others, a broadcast; a bad frame takes with it what came together with it."""
    bad = rtu(1, read(1, 1))[:-1] + b"\0"
    unknown = rtu(1, b"\x41\x01\x02")
    for said, expected in {
        rtu(1, read(10, 1)) + rtu(2, read(10, 1)) + rtu(0, write_one(7, 70)) + rtu(1, read(7, 1)): (
            rtu(1, b"\3\2\0\x0a") + rtu(1, b"\3\2\0\x46")
        ),
        bad + rtu(1, write_one(8, 80)): b"",
        rtu(1, read(8, 1)): rtu(1, b"\3\2\0\x08"),
        unknown: rtu(1, b"\xc1\x01"),
        rtu(1, read(8, 1)[:-1]): rtu(1, b"\x83\x03"),  # too short, which shows when no more comes
        rtu(1, read(8, 1) + b"\0"): rtu(1, b"\x83\x03"),
        b"\x01\x10\x00": b"",
        rtu(1, read(9, 1)): rtu(1, b"\3\2\0\x09"),
    }.items():
        client.send(said)
        await asyncio.sleep(0.2)
        got = await client.reader.readexactly(len(expected)) if expected else b""
        assert got == expected
    assert not client.reader._buffer
    assert client.server.requests == 8


@conversation(framing="rtu")
async def test_rtu_over_tcp_with_pymodbus(client):
    host, port = client.server._server.sockets[0].getsockname()
    other = AsyncModbusTcpClient(host, port=port, framer=FramerType.RTU)
    assert await other.connect()
    assert (await other.read_holding_registers(20, count=3, device_id=1)).registers == [20, 21, 22]
    assert (await other.read_coils(0, count=10, device_id=1)).bits[:10] == [bit % 3 == 0 for bit in range(10)]
    other.close()


Talk = Callable[[ModbusSerialServer, str], Awaitable[None]]


def on_a_line(tmp_path: Path, talk: Talk, server: ModbusSerialServer) -> None:
    async def main() -> None:
        link = tmp_path / "dev" / "ttyEMU0"
        link.parent.mkdir(exist_ok=True)
        assert await server.start_pty(link) == str(link)
        try:
            await asyncio.wait_for(talk(server, str(link)), 60)
        finally:
            await server.stop()
        assert not link.is_symlink()

    asyncio.run(main())


def exchange(path: str, *said: bytes, expected: int, pause_s: float = 0.05) -> tuple[bytes, float]:
    """What a master hears: so many bytes, and how long after its last frame the last of them came."""
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(fd)
        for index, frame in enumerate(said):
            if index:
                time.sleep(pause_s)
            begun = time.monotonic()
            os.write(fd, frame)
        heard = b""
        while len(heard) < expected:
            heard += os.read(fd, 256)
        return heard, time.monotonic() - begun
    finally:
        os.close(fd)


@pytest.mark.realtime
@pytest.mark.parametrize("line", [Line(9600), Line(9600, "even"), Line(9600, "odd", 2), FAST], ids=str)
def test_an_exchange_takes_at_least_the_line_s_time(tmp_path, line):
    """Request, silence and answer, character by character."""

    async def talk(server: ModbusSerialServer, path: str) -> None:
        heard, took_s = await asyncio.to_thread(exchange, path, rtu(1, read(0, 50)), expected=105)
        assert heard == rtu(1, answer(Bank(), read(0, 50)))
        assert took_s >= (8 + 105) * line.character_s + line.silence_s - 1e-3  # the loop's clock may be that much ahead

    on_a_line(tmp_path, talk, ModbusSerialServer(Bank(), line=line))


@pytest.mark.realtime
def test_silence_for_others_bad_frames_and_broadcasts(tmp_path):
    """What is heard in the end is the answer to the last frame alone; a broadcast has been carried out by both."""
    banks = {1: Bank(), 17: Bank()}
    bad = rtu(1, write_one(3, 33))[:-1] + b"\0"

    async def talk(server: ModbusSerialServer, path: str) -> None:
        said = (rtu(2, read(1, 1)), bad, rtu(0, write_one(7, 70)), b"\x01\x03\x00", rtu(17, read(7, 1)))
        heard, _ = await asyncio.to_thread(exchange, path, *said, expected=7, pause_s=0.3)
        assert heard == rtu(17, b"\3\2\0\x46")
        assert [bank.values[3:8:4] for bank in banks.values()] == [[3, 70]] * 2
        heard, _ = await asyncio.to_thread(exchange, path, rtu(1, b"\x41\1\2\3"), expected=5)
        assert heard == rtu(1, b"\xc1\x01")
        heard, _ = await asyncio.to_thread(exchange, path, rtu(1, write(3, [1])[:-1]), expected=5)
        assert heard == rtu(1, b"\x90\x03")

    on_a_line(tmp_path, talk, ModbusSerialServer(banks, line=FAST))


@pytest.mark.realtime
def test_a_line_that_hangs_answers_afterwards_and_its_name_stays(tmp_path):
    async def talk(server: ModbusSerialServer, path: str) -> None:
        for _ in range(2):
            server.hang(hung=True)
            waiting = asyncio.create_task(asyncio.to_thread(exchange, path, rtu(1, read(4, 1)), expected=7))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            server.hang(hung=False)
            assert (await waiting)[0] == rtu(1, b"\3\2\0\x04")
            await server.stop()
            server.hang(hung=False)
            await server.stop()
            Path(path).symlink_to("/nowhere")  # what a process that was killed leaves behind
            assert await server.start_pty(Path(path)) == path
        with pytest.raises(FileExistsError):
            await ModbusSerialServer(Bank()).start_pty(tmp_path)

    on_a_line(tmp_path, talk, ModbusSerialServer(Bank(), line=FAST))


@pytest.mark.realtime
def test_huawei_s_identification_as_nut_asks_for_it(tmp_path):
    expected = bytes.fromhex("012b0e0303000002 870400000001 88") + bytes((len(HUAWEI[0x88]),)) + HUAWEI[0x88]

    async def talk(server: ModbusSerialServer, path: str) -> None:
        heard, _ = await asyncio.to_thread(exchange, path, bytes.fromhex("012b0e03873175"), expected=len(expected) + 2)
        assert heard == rtu(1, expected[1:])

    on_a_line(tmp_path, talk, ModbusSerialServer(Bank(HUAWEI), line=FAST))


@pytest.mark.realtime
def test_pymodbus_on_a_line(tmp_path):
    bank = Bank()

    async def talk(server: ModbusSerialServer, path: str) -> None:
        client = AsyncModbusSerialClient(path, baudrate=115_200, timeout=10)
        assert await client.connect()
        assert (await client.read_holding_registers(0, count=50, device_id=1)).registers == list(range(50))
        assert (await client.read_discrete_inputs(0, count=9, device_id=1)).bits[:9] == [bit % 3 != 0 for bit in range(9)]
        assert not (await client.write_coils(5, [True, False, True], device_id=1)).isError()
        assert not (await client.mask_write_register(address=5, and_mask=0, or_mask=7, device_id=1)).isError()
        assert (await client.read_holding_registers(1000, device_id=1)).exception_code == 2
        found = await client.read_device_information(read_code=3, device_id=1)
        assert found.information == bank.identity
        client.close()
        assert packed(bank.bits[5:8]) == b"\x05"
        assert bank.values[5] == 7

    on_a_line(tmp_path, talk, ModbusSerialServer(bank, line=FAST))


@pytest.mark.realtime
@pytest.mark.peer("mbpoll")
def test_mbpoll_on_a_line(tmp_path):
    async def talk(server: ModbusSerialServer, path: str) -> None:
        command = ["mbpoll", "-m", "rtu", "-a", "5", "-b", "19200", "-P", "even", "-0", "-r", "30", "-1", "-o", "10"]
        done = await asyncio.to_thread(subprocess.run, [*command, "-c", "3", "-t", "4", path], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert [line.split() for line in done.stdout.splitlines() if line.startswith("[")] == [
            [f"[{n}]:", str(n)] for n in (30, 31, 32)
        ]
        done = await asyncio.to_thread(subprocess.run, [*command, "-t", "4", path, "77", "78"], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    bank = Bank()
    on_a_line(tmp_path, talk, ModbusSerialServer({5: bank}, line=Line(19_200, "even")))
    assert bank.values[30:32] == [77, 78]


@pytest.mark.realtime
@pytest.mark.peer("socat")
def test_a_serial_device_by_its_path(tmp_path):
    """Two pseudo-terminals of socat's are a cable; ours is the end that is opened by its path."""
    ends = [tmp_path / name for name in ("ttyA", "ttyB")]

    async def main() -> None:
        cable = await asyncio.create_subprocess_exec("socat", *(f"pty,raw,echo=0,link={end}" for end in ends))
        try:
            while not all(end.exists() for end in ends):
                await asyncio.sleep(0.01)
            server = ModbusSerialServer(Bank(), line=Line(9600, "even"))
            assert await server.start(str(ends[0])) == str(ends[0])
            heard, _ = await asyncio.to_thread(exchange, str(ends[1]), rtu(1, read(4, 1)), expected=7)
            assert heard == rtu(1, b"\3\2\0\x04")
            await server.stop()
        finally:
            cable.terminate()
            await cable.wait()

    asyncio.run(asyncio.wait_for(main(), 60))
    with pytest.raises(OSError, match="nowhere"):
        open_device(str(tmp_path / "nowhere"), FAST)


@pytest.mark.parametrize(("unit", "serial"), [(0, True), (248, True), (256, False), (-1, False)])
def test_units_have_bounds(unit, serial):
    with pytest.raises(ValueError, match=f"unit {unit}: must be"):
        ModbusSerialServer({unit: Bank()}) if serial else ModbusTcpServer({unit: Bank()})
