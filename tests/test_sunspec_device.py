"""The emulated BESS as foreign clients see it: pysunspec2's own client, mbpoll, and our driver's."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Callable

import pytest
from bench_device import Bench
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from controllers.modbus import ModbusConnection
from controllers.sunspec_client import SunSpecClient
from hil.errors import DeviceRefused
from hil.standards.sunspec import model

LENGTHS = {1: 66, 701: 153, 702: 50, 704: 65, 713: 7, 715: 7, 802: 62}


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


def test_pysunspec2_finds_the_models_and_their_lengths():
    def work(client: SunSpecModbusClientDeviceTCP) -> None:
        found = {number: client.models[number][0] for number in client.models if isinstance(number, int)}
        assert set(found) == set(LENGTHS)
        for number, length in LENGTHS.items():
            assert found[number].points["L"].value == length
            assert model(number).length == length

    with_pysunspec(Bench(), work)


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
        close(ac.points["LLV"], 34_500 * bench.channel("pcc.voltage_measured_pu"))
        close(storage.points["SoC"], 100 * bench.channel("bess.main.soc"))
        close(storage.points["WHRtg"], 6.25e6)
        close(battery.points["SoC"], 100 * bench.channel("bess.main.soc"))
        close(battery.points["V"], bench.channel("bess.main.dc_voltage_v"))
        close(battery.points["A"], bench.channel("bess.main.dc_current_a"))
        close(battery.points["W"], bench.channel("bess.main.dc_power_w"))
        close(ratings.points["WMaxRtg"], 25e6)
        assert client.models[1][0].points["Mn"].cvalue == "Ridethrough"
        assert client.models[715][0].points["DERHb"].cvalue == 30
        assert ac.points["TmpCab"].value is None  # not implemented

    with_pysunspec(bench, work)


def test_pysunspec2_writes_enable_before_set_point():
    """It writes dirty points in address order, mixing function codes 6 and 16."""
    bench = Bench()

    def work(client: SunSpecModbusClientDeviceTCP) -> None:
        control = client.models[704][0]
        control.points["WSet"].cvalue = -12_000_000
        control.points["WSetEna"].cvalue = 1
        control.points["WSetRvrtTms"].cvalue = 60
        control.write()
        control.read()
        assert control.points["WSet"].cvalue == -12_000_000  # at once, before the tick that applies it
        assert bench.firmware["set_w"] == 0

    with_pysunspec(bench, work)
    assert bench.firmware["set_w"] == -12e6
    assert bench.firmware["set_enable"] == 1
    assert bench.firmware["revert_at"] == 30_000 + 60_000


@pytest.mark.parametrize(
    ("number", "point", "registers", "code"),
    [
        (704, "WSet", [0x7FFF, 0xFFFF], 3),  # beyond the rating
        (704, "WSet", [0x8000, 0x0000], 3),  # "not implemented" is no set-point
        (704, "WSet", [0x0000], 2),  # half of a 32-bit point
        (704, "WSetEna", [7], 3),
        (704, "WSetMod", [0], 3),  # per cent: not supported
        (704, "WSetRvrtTms", [0xFFFF, 0xFFFE], 3),
        (704, "WSetRvrtRem", [0, 5], 2),  # read-only
        (704, "WMaxLimPct", [50], 2),  # not declared
        (701, "W", [5], 2),
        (715, "OpCtl", [9], 3),
        (702, "WMaxRtg", [1], 2),
    ],
)
def test_bad_writes_are_refused_and_change_nothing(number, point, registers, code):
    bench = Bench()
    address = bench.device.registers.addresses[number, point]

    async def main(port: int) -> None:
        connection = ModbusConnection("bess.main", "127.0.0.1", port, unit_id=1, timeout_s=1.0)
        await connection.connect()
        before = bench.firmware.copy()
        with pytest.raises(DeviceRefused, match=f"exception {code}$"):
            await connection.write(address, registers)
        connection.close()
        await asyncio.sleep(0.005)
        after = bench.firmware.copy()
        for field in ("set_w", "set_enable", "revert_s", "revert_w", "operation", "commanded_at"):
            assert after[field] == before[field]

    bench.serve(main)


def test_reads_cut_anywhere_agree():
    """Any window of the map shows the same registers as the whole."""
    bench = Bench()

    async def main(_port: int) -> None:
        await asyncio.sleep(1.0)
        registers = bench.device.registers
        size = 2 + sum(length + 2 for length in LENGTHS.values()) + 2
        whole = [registers.read(40_000 + at, 1)[0] for at in range(size)]
        for at in range(0, size - 7, 3):
            assert list(registers.read(40_000 + at, 7)) == whole[at : at + 7]
        assert whole[:2] == [0x5375, 0x6E53]
        assert whole[-2:] == [0xFFFF, 0]

    bench.serve(main)


def test_our_client_reads_what_pysunspec2_reads():
    bench = Bench("absorber.main.kind=ramp_limit")
    theirs: dict[tuple[int, str], object] = {}

    def work(client: SunSpecModbusClientDeviceTCP) -> None:
        for number in LENGTHS:
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
        connection = ModbusConnection("bess.main", "127.0.0.1", port, unit_id=1, timeout_s=1.0)
        await connection.connect()
        ours = SunSpecClient(connection)
        await ours.scan(dict.fromkeys(LENGTHS, "all"))
        compared = 0
        for (number, name), value in theirs.items():
            if name == "Pad":
                continue
            mine = (await ours.read(number, name))[name]
            if value is None or mine is None or isinstance(value, str):
                assert (mine or None) == (value or None), (number, name)
            else:
                assert mine == pytest.approx(value, rel=1e-12), (number, name)
            compared += 1
        assert compared >= 250
        connection.close()

    bench.serve(main)


@pytest.mark.parametrize("seconds", [0, 2, 5])
def test_reversion_timer(seconds):
    """Never, or exactly T after the tick that applies the last accepted write; a refresh restarts it."""
    bench = Bench()

    async def main(port: int) -> None:
        connection = ModbusConnection("bess.main", "127.0.0.1", port, unit_id=1, timeout_s=1.0)
        await connection.connect()
        client = SunSpecClient(connection)
        await client.scan({704: "set-point"})
        await asyncio.sleep(1.0)
        await client.write(704, {"WSetRvrt": -1e6})
        await client.write(704, {"WSetEnaRvrt": 1.0, "WSetRvrtTms": float(seconds)})
        await client.write(704, {"WSet": 3e6})
        await client.write(704, {"WSetEna": 1.0})
        await asyncio.sleep(1.5)
        await client.write(704, {"WSet": 4e6})  # the refresh
        applied = bench.engine.tick
        await asyncio.sleep(0.3)
        with pytest.raises(DeviceRefused):
            await client.write(704, {"WSet": 99e6})  # refused: does not restart it
        remaining = (await client.read(704, "WSetRvrtRem"))["WSetRvrtRem"]
        assert remaining == seconds  # 4.7 s of 5 left read 5: whole seconds, rounded up
        await asyncio.sleep(20.0)
        shown = await client.read(704, "WSetEna", "WSet", "WSetRvrtRem")
        if seconds == 0:
            assert bench.firmware["reversions"] == 0
            assert shown["WSet"] == 4e6
        else:
            assert abs(int(bench.firmware["reverted_at"]) - (applied + 1000 * seconds)) <= 1
            assert (shown["WSetEna"], shown["WSet"]) == (1, -1e6)
            assert bench.firmware["reversions"] == 1
        assert shown["WSetRvrtRem"] == 0
        connection.close()

    bench.serve(main)


def test_stop_and_start():
    """OpCtl 0 takes the output to zero though the set-point stands; 1 brings it back."""
    bench = Bench("bess.main.setpoint_ramp='100 MW/s'")

    async def main(port: int) -> None:
        connection = ModbusConnection("bess.main", "127.0.0.1", port, unit_id=1, timeout_s=1.0)
        await connection.connect()
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
        connection.close()

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
        enable = str(bench.device.registers.addresses[704, "WSetEna"])
        await asyncio.to_thread(mbpoll, "-t", "4", "-r", enable, "127.0.0.1", "1")
        await asyncio.sleep(0.002)
        assert bench.firmware["set_enable"] == 1
        shown = await asyncio.to_thread(mbpoll, "-t", "4", "-r", enable, "-c", "1", "127.0.0.1")
        assert re.search(r"\[\d+\]:\s+1\b", shown)

    bench.serve(main)
