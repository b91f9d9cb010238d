"""Emulated devices as foreign clients see them: libmodbus from C, mbpoll; and tshark, which reads what passes the wire."""

from __future__ import annotations

import asyncio
import re
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from bench_device import Bench
from conftest import PEERS_REQUIRED
from pymodbus.client import AsyncModbusTcpClient
from serve_rig import Serving
from ups_maps import MapBench

from controllers.modbus import ModbusConnection
from controllers.sunspec_client import SunSpecClient
from firmware_sim.modbus.bank import Bank
from firmware_sim.modbus.line import Line
from firmware_sim.modbus.serial_server import ModbusSerialServer
from firmware_sim.modbus.tcp import ModbusTcpServer

pytestmark = pytest.mark.realtime
MW = 1e6
BAUD = 115_200
ENABLE, STORAGE_MODE = 40_299, 40_675  # 704.WSetEna and 124.StorCtl_Mod of `hil serve bess`
LAST = 0x1FF  # transaction of the last request of a capture
ERROR = 0x800000  # PI_ERROR of Wireshark's expert information
QUICK = "bess.main.setpoint_ramp='1000 MW/s'"


def words(value: int) -> list[int]:
    """A 32-bit number as registers, high word first."""
    return list(struct.unpack(">2H", struct.pack(">i", value)))


def signed(registers: list[int]) -> int:
    """Registers, high word first, as a number."""
    return int.from_bytes(struct.pack(f">{len(registers)}H", *registers), "big", signed=True)


@pytest.fixture(scope="session")
def libmodbus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client in C, built."""
    program = tmp_path_factory.mktemp("libmodbus") / "client"
    source = Path(__file__).with_name("libmodbus_client.c")
    command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", str(source), "-lmodbus", "-o", str(program)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return program


class Libmodbus:
    """The client in C on one connection, which takes a request a line."""

    def __init__(self, program: Path, *where: object) -> None:
        command = [str(program), *map(str, where)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    async def ask(self, *numbers: int) -> list[int] | str:
        """The values that a request reads, or why it failed."""

        def asked() -> str:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(" ".join(map(str, numbers)) + "\n")
            self._process.stdin.flush()
            return self._process.stdout.readline()

        how, _, rest = (await asyncio.to_thread(asked)).strip().partition(" ")
        assert how in ("ok", "failed"), how
        return rest if how == "failed" else [int(value) for value in rest.split()]

    def close(self) -> None:
        with self._process:  # its input ends, and so it does
            pass


@asynccontextmanager
async def attached(program: Path, wire: str, device: Bank, folder: Path) -> AsyncIterator[Libmodbus]:
    """A device on a wire, with libmodbus at the other end."""
    if wire == "tcp":
        server = ModbusTcpServer(device)
        where: tuple[object, ...] = ("tcp", *await server.start("127.0.0.1", 0), 1)
    else:
        server = ModbusSerialServer(device, line=Line(BAUD))
        where = ("rtu", await server.start_pty(folder / "ttyDEVICE"), BAUD, 1)
    client = Libmodbus(program, *where)
    try:
        yield client
    finally:
        client.close()
        await server.stop()


@pytest.mark.peer("cc")
@pytest.mark.peer_header("modbus/modbus.h", "libmodbus-dev")
@pytest.mark.parametrize("wire", ["tcp", "rtu"])
def test_libmodbus_reads_and_commands_the_bess(libmodbus, tmp_path, wire):
    """Functions 3, 4, 6, 16, 22 and 23, and its words for exceptions 1 to 3."""
    bench = Bench(QUICK)
    at = bench.registers.addresses

    def passes(ticks: int) -> None:
        bench.plant.advance(bench.engine.tick + ticks)

    async def main() -> None:
        async with attached(libmodbus, wire, bench.registers, tmp_path) as client:
            ask = client.ask
            passes(1000)
            assert await ask(3, 40_000, 4) == [0x5375, 0x6E53, 1, 66]
            (scale,) = await ask(3, at[704, "WSet_SF"], 1)
            steps = round(-12 * MW / 10.0 ** signed([scale]))
            assert await ask(16, at[704, "WSet"], *words(steps)) == []
            assert await ask(6, at[704, "WSetEna"], 1) == []
            passes(1000)
            assert bench.firmware["set_w"] == -12 * MW
            (scale,) = await ask(3, at[701, "W_SF"], 1)
            power_w = bench.channel("bess.main.power_w")
            assert power_w == pytest.approx(-12 * MW, rel=0.01)
            for function in (3, 4):
                shown = await ask(function, at[701, "W"], 1)
                assert signed(shown) * 10.0 ** signed([scale]) == pytest.approx(power_w, abs=0.51 * 10.0 ** signed([scale]))
            assert len(await ask(3, 40_000, 125)) == 125
            assert await ask(23, at[704, "WSet"], 2, at[704, "WSet"], *words(-steps)) == words(-steps)
            passes(1)
            assert bench.firmware["set_w"] == 12 * MW
            assert await ask(6, at[124, "StorCtl_Mod"], 1) == []
            assert await ask(22, at[124, "StorCtl_Mod"], 0xFFFC, 0x0002) == []  # bit 0 off, bit 1 on
            assert await ask(3, at[124, "StorCtl_Mod"], 1) == [2]
            assert await ask(1, 0, 1) == "Illegal function"
            assert await ask(6, at[701, "W"], 1) == "Illegal data address"
            assert await ask(16, at[704, "WSet"], 0x7FFF, 0xFFFF) == "Illegal data value"
            passes(1)
            assert bench.firmware["set_w"] == 12 * MW

    asyncio.run(main())


@pytest.mark.peer("cc")
@pytest.mark.peer_header("modbus/modbus.h", "libmodbus-dev")
@pytest.mark.parametrize("wire", ["tcp", "rtu"])
def test_libmodbus_reads_and_switches_contacts(libmodbus, tmp_path, wire):
    """Functions 1 to 5 and 15 on a UPS."""
    bench = MapBench("contacts")

    async def main() -> None:
        async with attached(libmodbus, wire, bench.modbus.registers, tmp_path) as client:
            ask = client.ask
            for reached, on in (
                (lambda: bench.engine.tick >= 500, {2, 4}),
                (lambda: bench.firmware["low_battery"], {0, 1, 7}),
            ):
                bench.until(reached)
                contacts = [int(place in on) for place in range(16)]
                assert [await ask(2, 0, 16), await ask(1, 16, 16), await ask(3, 0, 16), await ask(4, 0, 16)] == [contacts] * 4
            assert await ask(5, 0, 1) == []  # FSD
            bench.until(lambda: bench.firmware["mode"] == 0, most_s=1.0)
            assert await ask(1, 0, 2) == [1, 0]
            assert await ask(15, 0, 0, 0) == []
            assert await ask(1, 0, 2) == [0, 0]
            assert await ask(2, 9, 1) == [1]
            assert await ask(5, 16, 1) == "Illegal data address"
        bench.modbus.forget()

    asyncio.run(main())


class Mbpoll:
    """mbpoll over TCP, wire addressing, one call at a time."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __call__(self, kind: str, address: int, *more: str, put: tuple[object, ...] = ()) -> list[float]:
        """What it shows from an address on, or nothing when it has written `put`."""
        values = ("--", *map(str, put)) if put else ()
        command = ["mbpoll", "-m", "tcp", "-p", str(self._port), "-0", "-1", "-o", "10", "-t", kind, "-r", str(address), *more]
        done = await asyncio.to_thread(
            subprocess.run, [*command, "127.0.0.1", *values], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return [float(shown) for shown in re.findall(r"^\[\d+\]:\s+(\S+)", done.stdout, re.MULTILINE)]


def by_mbpoll(server: ModbusTcpServer, work: Callable[[Mbpoll], Awaitable[None]]) -> None:
    async def main() -> None:
        _, port = await server.start("127.0.0.1", 0)
        try:
            await work(Mbpoll(port))
        finally:
            await server.stop()

    asyncio.run(main())


@pytest.mark.peer("mbpoll")
def test_mbpoll_reads_all_tables_of_a_ups():
    bench = MapBench("contacts")

    async def work(mbpoll: Mbpoll) -> None:
        bench.until(lambda: bench.channel("soc") < 0.9)
        contacts = [float(place in (0, 7)) for place in range(16)]
        for kind, address in (("0", 16), ("1", 0), ("3", 0), ("4", 0)):
            assert await mbpoll(kind, address, "-c", "16") == contacts, kind
        await mbpoll("0", 0, put=(1,))
        bench.until(lambda: bench.firmware["mode"] == 0, most_s=1.0)
        await mbpoll("0", 0, put=(0, 1))
        assert await mbpoll("0", 0, "-c", "2") == [0.0, 0.0]
        bench.modbus.forget()

    by_mbpoll(bench.server, work)


@pytest.mark.peer("mbpoll")
def test_mbpoll_reads_and_writes_numbers_of_32_bits():
    """Integers high word first (SunSpec), floats low word first (SolarEdge)."""
    sunspec, solaredge = Bench(QUICK), Bench(QUICK, firmware="solaredge-storedge")
    at = sunspec.registers.addresses

    async def integers(mbpoll: Mbpoll) -> None:
        (scale,) = await mbpoll("4", at[704, "WSet_SF"], "-c", "1")
        step_w = 10.0 ** signed([int(scale)])
        await mbpoll("4:int", at[704, "WSet"], "-B", put=(round(-7 * MW / step_w),))
        sunspec.plant.advance(sunspec.engine.tick + 1)
        assert sunspec.firmware["set_w"] == -7 * MW
        assert await mbpoll("4:int", at[704, "WSet"], "-B", "-c", "1") == [-7 * MW / step_w]

    async def floats(mbpoll: Mbpoll) -> None:
        for address, value in ((0xE004, 4), (0xE00D, 3)):  # remote, charge from the grid
            await mbpoll("4", address, put=(value,))
        await mbpoll("4:float", 0xE00E, put=(6.5e6,))
        solaredge.plant.advance(solaredge.engine.tick + 1000)
        charged_w = -solaredge.channel("bess.main.dc_power_w")
        assert charged_w == pytest.approx(6.5e6, rel=0.1)
        assert await mbpoll("4:float", 0xE174, "-c", "1") == [pytest.approx(charged_w, rel=1e-5)]  # as many digits as it shows

    by_mbpoll(sunspec.server, integers)
    by_mbpoll(solaredge.server, floats)


FRAME = ("mbtcp.trans_id", "mbtcp.unit_id", "modbus.func_code")


def each(packet: dict[str, str], field: str) -> list[str]:
    """The values of a field, one for each frame of a packet."""
    return [value for value in packet[field].split(",") if value]


class Capture:
    """tshark on loopback: the Modbus packets of one port, as they pass."""

    FIELDS = (
        "tcp.dstport", *FRAME, "modbus.exception_code", "modbus.response_time", "_ws.malformed", "_ws.expert.severity",
    )  # fmt: skip

    def __init__(self, port: int) -> None:
        self._port = port
        self.packets: list[dict[str, str]] = []

    def __enter__(self) -> Self:
        fields = [word for name in self.FIELDS for word in ("-e", name)]
        command = ["tshark", "-i", "lo", "-f", f"tcp port {self._port}", "-a", "duration:120", "-l", "-T", "fields", *fields]
        self._process = subprocess.Popen(
            [*command, "-o", f"mbtcp.tcp.port:{self._port}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        told = ""
        while "Capture started" not in told:
            line = self._process.stderr.readline()
            told += line
            if not line:
                self._end()
                (pytest.fail if PEERS_REQUIRED else pytest.skip)(f"tshark may not capture on loopback: {told}")
        return self

    def until(self, met: Callable[[dict[str, str]], bool]) -> None:
        """Take packets up to one that is as wanted."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            packet = dict(zip(self.FIELDS, line.rstrip("\n").split("\t"), strict=True))
            self.packets.append(packet)
            if met(packet):
                return
        raise AssertionError("never came")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        with self._process:  # closes its pipes
            pass


async def talk(port: int, libmodbus: Path) -> None:
    """What clients do with a BESS, each on a connection of its own."""
    plain = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=10.0, retries=0)
    assert await plain.connect()
    assert (await plain.read_holding_registers(40_000, count=125)).registers[:2] == [0x5375, 0x6E53]
    assert (await plain.read_input_registers(40_000, count=1)).registers == [0x5375]
    assert (await plain.read_coils(0)).exception_code == 1
    assert len((await plain.read_device_information(read_code=1)).information) == 3
    plain.close()

    driver = ModbusConnection("bess.main", "127.0.0.1", port, unit_id=1, timeout_s=10.0)
    await driver.connect()
    ours = SunSpecClient(driver)
    await ours.scan(dict.fromkeys((1, 701, 702, 704, 713, 802), "all"))
    await ours.write(704, {"WSet": 1e5})
    assert (await ours.read(704, "WSet"))["WSet"] == 1e5
    driver.close()

    mbpoll = Mbpoll(port)
    assert await mbpoll("4", 40_000, "-c", "2") == [0x5375, 0x6E53]
    await mbpoll("4", ENABLE, put=(0,))

    client = Libmodbus(libmodbus, "tcp", "127.0.0.1", port, 1)
    assert await client.ask(23, ENABLE, 1, ENABLE, 1) == [1]
    assert await client.ask(22, STORAGE_MODE, 0xFFFF, 0) == []
    assert await client.ask(3, 65_535, 1) == "Illegal data address"
    client.close()

    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(struct.pack(">HHHBBHH", tid, 0, 6, 1, 3, 40_000 + tid, 1) for tid in range(LAST - 5, LAST + 1)))
    await reader.readexactly(6 * 11)
    writer.close()


@pytest.mark.peer("cc", "mbpoll", "tshark")
@pytest.mark.peer_header("modbus/modbus.h", "libmodbus-dev")
def test_tshark_finds_an_answer_to_every_request_and_nothing_malformed(libmodbus):
    with Serving("bess") as served:
        port = served.devices["bess.main"]["port"]
        with Capture(port) as capture:
            asyncio.run(talk(port, libmodbus))
            capture.until(lambda packet: packet["tcp.dstport"] != str(port) and str(LAST) in each(packet, "mbtcp.trans_id"))

    def passed(to_device: bool) -> list[tuple[str, ...]]:
        """Transaction, unit and function of every frame in one direction; several may share a packet."""
        packets = [packet for packet in capture.packets if (packet["tcp.dstport"] == str(port)) == to_device]
        return [frame for packet in packets for frame in zip(*(each(packet, name) for name in FRAME), strict=True)]

    def told(field: str) -> list[str]:
        return [value for packet in capture.packets for value in each(packet, field)]

    asked = passed(to_device=True)
    assert len(asked) > 20
    assert passed(to_device=False) == asked
    assert told("modbus.exception_code") == ["1", "2"]
    times_s = told("modbus.response_time")  # of exceptions Wireshark keeps none: for them only transaction and function speak
    assert len(times_s) == len(asked) - 2
    assert min(map(float, times_s)) >= 0.0
    assert told("_ws.malformed") == []
    assert all(int(severity) < ERROR for severity in told("_ws.expert.severity"))
