"""The emulated BESS as foreign clients see it: pysunspec2's own client, mbpoll, and our driver's."""

from __future__ import annotations

import asyncio
import re
import struct
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from bench_device import Bench, held
from hypothesis import given, settings
from hypothesis import strategies as st
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from controllers.modbus import ModbusConnection
from controllers.sunspec_client import SunSpecClient
from firmware_sim.modbus.bank import Table
from firmware_sim.modbus.engine import answer
from hil.errors import DeviceRefused
from hil.standards.sunspec import model, scale_for

LENGTHS = {
    1: 66, 701: 153, 702: 50, 704: 65, 713: 7, 715: 7, 802: 62, 803: 58, 103: 50, 120: 26, 121: 30, 122: 44, 123: 24, 124: 24,
}  # fmt: skip
STRING = {803: 1}  # repeating groups that it has
LAYOUTS = {number: model(number, repeats=STRING.get(number, 0)) for number in LENGTHS}
DRIVEN = tuple(number for number in LENGTHS if number not in STRING)  # models that our client knows
FIRMWARE = ("set_w", "set_enable", "revert_w", "revert_enable", "revert_s", "var_enable", "operation", "commanded_at")


def with_pysunspec(bench: Bench, work: Callable[[SunSpecModbusClientDeviceTCP], None], before_s: float = 30.0) -> None:
    """Let a foreign, blocking client talk to the device from a thread; scenario time stands still meanwhile."""

    async def main(port: int) -> None:
        await asyncio.sleep(before_s)

        def foreign() -> None:
            client = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=20)
            try:
                client.scan()
                work(client)
            finally:
                client.close()

        await asyncio.to_thread(foreign)
        await asyncio.sleep(0.001)  # the tick that applies what was written

    bench.serve(main)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[ModbusConnection]:
    """The driver's own connection."""
    connection = ModbusConnection("bess.main", "127.0.0.1", port, unit_id=1, timeout_s=1.0)
    await connection.connect()
    try:
        yield connection
    finally:
        connection.close()


def test_pysunspec2_finds_the_models_and_their_lengths():
    def work(client: SunSpecModbusClientDeviceTCP) -> None:
        found = {number: client.models[number][0] for number in client.models if isinstance(number, int)}
        assert set(found) == set(LENGTHS)
        for number, length in LENGTHS.items():
            assert found[number].points["L"].value == length
            assert LAYOUTS[number].length == length

    with_pysunspec(Bench(), work)


@pytest.mark.parametrize(("held", "told"), [(-0.009, 0.0), (1.004, 100.0), (0.5, 50.0)])
def test_a_battery_beyond_empty_is_told_as_empty(held, told):
    bench = Bench()
    bench.engine.states["battery"]["soc"] = held

    def work(client: SunSpecModbusClientDeviceTCP) -> None:
        assert [client.models[number][0].points["SoC"].cvalue for number in (713, 802)] == pytest.approx(
            [told, told], abs=0.02
        )

    with_pysunspec(bench, work)


def test_pysunspec2_reads_what_the_plant_does():
    bench = Bench("absorber.main.kind=ramp_limit")

    def work(client: SunSpecModbusClientDeviceTCP) -> None:
        ac, storage, battery, ratings = (client.models[number][0] for number in (701, 713, 802, 702))

        def close(point: object, value: float) -> None:
            assert point.cvalue == pytest.approx(value, abs=0.51 * 10.0 ** (point.sf_value or 0))

        assert abs(bench.channel("bess.main.power_w")) > 1e6  # the absorber is at work
        close(ac.points["W"], bench.channel("bess.main.power_w"))
        close(ac.points["Var"], bench.channel("bess.main.reactive_var"))
        close(ac.points["Hz"], bench.channel("pcc.frequency_measured_hz"))
        close(ac.points["LLV"], 34_500 * bench.channel("bus.voltage_measured_pu"))
        close(storage.points["SoC"], 100 * bench.channel("bess.main.soc"))
        close(storage.points["WHRtg"], 6.25e6)
        close(battery.points["SoC"], 100 * bench.channel("bess.main.soc"))
        close(battery.points["V"], bench.channel("bess.main.dc_voltage_v"))
        close(battery.points["A"], bench.channel("bess.main.dc_current_a"))
        close(battery.points["W"], bench.channel("bess.main.dc_power_w"))
        for rating in ("WMaxRtg", "VAMaxRtg", "VarMaxInjRtg", "WChaRteMaxRtg", "WDisChaRteMaxRtg"):
            close(ratings.points[rating], 25e6)
        close(ratings.points["VNomRtg"], 34_500)
        close(ratings.points["AMaxRtg"], 25e6 / 3**0.5 / 34_500)
        close(ac.points["LNV"], 34_500 / 3**0.5 * bench.channel("bus.voltage_measured_pu"))
        close(storage.points["WHAvail"], 6.25e6 * bench.channel("bess.main.soc"))
        assert client.models[1][0].points["Mn"].cvalue == "Ridethrough"
        assert client.models[715][0].points["DERHb"].cvalue == 30
        assert ac.points["TmpCab"].value is None  # not implemented

    with_pysunspec(bench, work)


def test_pysunspec2_writes_enable_before_set_point():
    """It writes dirty points in address order, mixing function codes 6 and 16."""
    bench = Bench()
    registers = bench.registers
    names = {address: name for (number, name), address in registers.addresses.items() if number == 704}
    order: list[str] = []
    apply = registers.write
    registers.write = lambda table, address, values: order.append(names[address]) or apply(table, address, values)

    def work(client: SunSpecModbusClientDeviceTCP) -> None:
        control = client.models[704][0]
        control.points["WSet"].cvalue = -12_000_000
        control.points["WSetEna"].cvalue = 1
        control.points["WSetRvrtTms"].cvalue = 60
        control.write()
        control.read()
        assert [control.points[name].cvalue for name in order] == [1, -12_000_000, 60]  # before the tick that applies it
        assert bench.firmware["set_w"] == bench.firmware["set_enable"] == 0

    with_pysunspec(bench, work)
    assert order == ["WSetEna", "WSet", "WSetRvrtTms"]
    assert bench.firmware["set_w"] == -12e6
    assert bench.firmware["set_enable"] == 1
    assert bench.firmware["revert_at"] == 30_000 + 60_000


@pytest.mark.parametrize(
    ("number", "point", "registers", "code"),
    [
        (704, "WSet", [0x7FFF, 0xFFFF], 3),  # beyond the rating
        (704, "WSet", list(struct.unpack(">2H", struct.pack(">i", 25_000_001))), 3),
        (704, "WSet", list(struct.unpack(">2H", struct.pack(">i", -25_000_001))), 3),
        (704, "WSet", [0x8000, 0x0000], 3),  # "not implemented" is no set-point
        (704, "WSet", [0x0000], 2),  # half of a 32-bit point
        (704, "WSet", [0x0000, 0x0001, 0x0000], 2),  # one and a half
        (704, "WSetEna", [7], 3),
        (704, "WSetEna", [1, 1, 0x7FFF, 0xFFFF], 3),  # the last of three points is bad
        (704, "WSetEna", [7, 1, 0, 1, 0, 1, 5, 5, 0, 0, 5, 0, 5], 2),  # a bad value, and WSetRvrtRem: the address comes first
        (704, "WSetMod", [2], 3),
        (704, "WSetPct", [10_001], 3),
        (704, "WSetPct", [0x8000], 3),
        (704, "WSetRvrtTms", [0xFFFF, 0xFFFE], 3),
        (704, "WSetRvrtTms", [0xFFFF, 0xFFFF], 3),
        (704, "WSetRvrtRem", [0, 5], 2),  # read-only
        (704, "WMaxLimPct", [50], 2),  # not declared
        (704, "WSet_SF", [0], 2),
        (701, "W", [5], 2),
        (715, "OpCtl", [9], 3),
        (702, "WMaxRtg", [1], 2),
        (1, "ID", [1], 2),
    ],
)
def test_bad_writes_are_refused_and_change_nothing(number, point, registers, code):
    bench = Bench()
    address = bench.registers.addresses[number, point]

    async def main(port: int) -> None:
        async with connected(port) as connection:
            before = bench.firmware.copy()
            with pytest.raises(DeviceRefused, match=f"exception {code}$"):
                await connection.write(address, registers)
            await asyncio.sleep(0.005)
            for field in FIRMWARE:
                assert bench.firmware[field] == before[field]

    bench.serve(main)


def test_reads_cut_anywhere_agree():
    """Any window of the map shows the same registers as the whole."""
    bench = Bench()

    async def main(_port: int) -> None:
        await asyncio.sleep(1.0)
        registers = bench.registers
        size = 2 + sum(length + 2 for length in LENGTHS.values()) + 2
        whole = [held(registers, 40_000 + at)[0] for at in range(size)]
        for at in range(0, size - 7, 3):
            assert held(registers, 40_000 + at, 7) == whole[at : at + 7]
        assert whole[:2] == [0x5375, 0x6E53]
        assert whole[-2:] == [0xFFFF, 0]

    bench.serve(main)


def test_our_client_reads_what_pysunspec2_reads():
    bench = Bench("absorber.main.kind=ramp_limit")
    theirs: dict[tuple[int, str], object] = {}

    def work(client: SunSpecModbusClientDeviceTCP) -> None:
        for number in DRIVEN:
            for name, point in client.models[number][0].points.items():
                theirs[number, name] = point.cvalue

    async def main(port: int) -> None:
        await asyncio.sleep(28.5)

        def foreign() -> None:
            client = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=20)
            client.scan()
            work(client)
            client.close()

        await asyncio.to_thread(foreign)
        async with connected(port) as connection:
            ours = SunSpecClient(connection)
            await ours.scan(dict.fromkeys(DRIVEN, "all"))
            for number in DRIVEN:
                names = [name for name, point in model(number).points.items() if point.type != "pad" and "." not in name]
                for name, mine in (await ours.read(number, *names)).items():  # a long model in several requests
                    value, kind = theirs[number, name], model(number).points[name].type
                    if kind == "string" or (kind.startswith("acc") and value is None):
                        assert (mine or None) == value, (number, name)
                    else:
                        assert mine == (value if value is None else pytest.approx(value, rel=1e-12)), (number, name)
                    del theirs[number, name]

    bench.serve(main)
    assert {name for _, name in theirs} <= {"Pad"}


@pytest.mark.parametrize(("seconds", "falls_to", "enable"), [(0, -1e6, 1), (2, -1e6, 1), (5, 2e6, 0)])
def test_reversion_timer(seconds, falls_to, enable):
    """Never, or exactly T after the tick that applies the last accepted write; a refresh restarts it."""
    bench = Bench()

    async def main(port: int) -> None:
        async with connected(port) as connection:
            client = SunSpecClient(connection)
            await client.scan({704: "set-point"})
            await asyncio.sleep(1.0)
            await client.write(704, {"WSetRvrt": falls_to})
            await client.write(704, {"WSetEnaRvrt": float(enable), "WSetRvrtTms": float(seconds)})
            await client.write(704, {"WSet": 3e6})
            await client.write(704, {"WSetEna": 1.0})
            for refresh in ({"WSet": 4e6}, {"WSetEna": 1.0}, {"WSet": 4e6}):  # of the same value too
                await asyncio.sleep(1.5)
                await client.write(704, refresh)
                applied = bench.engine.tick
            await asyncio.sleep(0.3)
            with pytest.raises(DeviceRefused):
                await client.write(704, {"WSet": 99e6})  # refused: does not restart it
            for passed_s in range(seconds):  # 4.7 s of 5 left read 5: whole seconds, rounded up
                assert (await client.read(704, "WSetRvrtRem"))["WSetRvrtRem"] == seconds - passed_s
                assert bench.firmware["reversions"] == 0
                await asyncio.sleep(1.0)
            await asyncio.sleep(20.0)
            shown = await client.read(704, "WSetEna", "WSet", "WSetRvrtRem")
            if seconds == 0:
                assert bench.firmware["reversions"] == 0
                assert shown == {"WSetEna": 1, "WSet": 4e6, "WSetRvrtRem": 0}
            else:
                assert abs(int(bench.firmware["reverted_at"]) - (applied + 1000 * seconds)) <= 1
                assert bench.firmware["reversions"] == 1
                assert shown == {"WSetEna": enable, "WSet": falls_to, "WSetRvrtRem": 0}

    bench.serve(main)


def test_more_writes_than_a_tick_takes_are_refused_not_half_done():
    bench = Bench()
    registers = bench.registers
    enable = registers.addresses[704, "WSetEna"]
    replies = {answer(registers, struct.pack(">BHH", 6, enable, 0)) for _ in range(4096)}
    assert {reply[0] for reply in replies} == {6}
    assert answer(registers, struct.pack(">BHH", 6, enable, 1)) == b"\x86\x06"
    assert held(registers, enable) == [0]  # what was refused does not show
    bench.plant.advance(1)
    assert answer(registers, struct.pack(">BHH", 6, enable, 1))[0] == 6


@pytest.mark.parametrize("rating", ["100 kVA", "6 MVA", "10 MVA", "100 MVA", "600 MVA"])
@pytest.mark.parametrize("voltage", ["400 V", "690 V", "34.5 kV", "345 kV"])
def test_scale_factors_fit_any_size(rating, voltage):
    bench = Bench(f"grid.voltage={voltage}", f"bess.main.rating={rating}")
    registers = bench.registers
    va = bench.image.rating_va
    for number, name, value in ((702, "AMaxRtg", va / 3**0.5 / bench.image.grid_voltage_v), (702, "WMaxRtg", va)):
        factor = model(number).points[name].scale
        scale = struct.unpack(">h", registers.read(Table.HOLDING, registers.addresses[number, factor], 1))[0]
        assert held(registers, registers.addresses[number, name])[0] * 10.0**scale == pytest.approx(value, rel=1e-3, abs=0.051)


def packed(registers: list[int]) -> bytes:
    return struct.pack(f">{len(registers)}H", *registers)


@given(st.sampled_from([p for n in LENGTHS for p in LAYOUTS[n].points.values() if p.type[-2:] in ("16", "32")]), st.data())
@settings(max_examples=100, deadline=None, derandomize=True)
def test_every_value_survives_its_registers(point, data):
    """Decoding and encoding again, the plain and the quick way, gives the same registers."""
    registers = data.draw(st.lists(st.integers(0, 0xFFFF), min_size=point.size, max_size=point.size))
    scale = data.draw(st.integers(-4, 4))
    value = point.decode(registers, scale)
    assert point.encode(value, scale) == registers
    assert point.encoder(scale)(value) == packed(registers)
    for odd in (None, float("nan"), float("inf"), -float("inf"), 1e30):
        assert point.encoder(scale)(odd) == packed(point.encode(None))


@given(st.floats(1e-3, 1e12), st.sampled_from((32_767, 65_534)))
def test_scale_for(largest, limit):
    exponent = scale_for(largest, limit)
    assert largest / 10**exponent <= limit
    assert exponent == 0 or largest / 10 ** (exponent - 1) > limit


def test_stop_and_start():
    """OpCtl 0 takes the output to zero though the set-point stands; 1 brings it back."""
    bench = Bench("bess.main.setpoint_ramp='100 MW/s'")

    async def main(port: int) -> None:
        async with connected(port) as connection:
            client = SunSpecClient(connection)
            await client.scan({704: "set-point", 715: "operation", 701: "power"})
            await client.write(704, {"WSet": 5e6})
            await client.write(704, {"WSetEna": 1.0})
            for operation, expected, state in ((1, 5e6, 1), (0, 0.0, 0), (1, 5e6, 1)):
                await client.write(715, {"OpCtl": float(operation)})
                await asyncio.sleep(1.0)
                shown = await client.read(701, "W", "St")
                assert shown["W"] == pytest.approx(expected, abs=1e3)
                assert shown["St"] == state

    bench.serve(main)


@pytest.mark.peer("mbpoll")
def test_mbpoll_reads_and_writes():
    bench = Bench()

    async def main(port: int) -> None:
        def mbpoll(*arguments: str) -> str:
            command = ["mbpoll", "-m", "tcp", "-p", str(port), "-a", "1", "-0", "-1", "-o", "5", *arguments]
            run = subprocess.run(command, capture_output=True, text=True, timeout=30)
            assert run.returncode == 0, run.stdout + run.stderr
            return run.stdout

        marker = await asyncio.to_thread(mbpoll, "-t", "4:hex", "-r", "40000", "-c", "2", "127.0.0.1")
        assert re.findall(r"0x([0-9A-F]{4})", marker) == ["5375", "6E53"]
        enable = str(bench.registers.addresses[704, "WSetEna"])
        await asyncio.to_thread(mbpoll, "-t", "4", "-r", enable, "127.0.0.1", "1")
        await asyncio.sleep(0.002)
        assert bench.firmware["set_enable"] == 1
        shown = await asyncio.to_thread(mbpoll, "-t", "4", "-r", enable, "-c", "1", "127.0.0.1")
        assert re.search(r"\[\d+\]:\s+1\b", shown)

    bench.serve(main)
