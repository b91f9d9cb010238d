"""SunSpec's controls by pysunspec2: limits, connection, storage rates, windows, per cent, states and resets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sunspec2.device
from bench_device import Bench
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from firmware_sim.image import FaultPoint, PcsPoint
from firmware_sim.storage.device import Nameplate
from firmware_sim.storage.personalities.kaco_gridsave import LAYOUT

QUICK = "bess.main.setpoint_ramp='1000 MW/s'"
MW = 1e6


class Client:
    """pysunspec2, from a thread; scenario time stands still meanwhile."""

    def __init__(self, device: SunSpecModbusClientDeviceTCP) -> None:
        self._device = device

    async def write(self, number: int, **points: float) -> None:
        """One `model.write()` of the named points."""

        def foreign() -> None:
            model = self._device.models[number][0]
            for name, value in points.items():
                model.points[name].cvalue = value
            model.write()

        await asyncio.to_thread(foreign)

    async def read(self, number: int, *names: str) -> list[Any]:
        """The named points of a model, read whole."""

        def foreign() -> list[Any]:
            model = self._device.models[number][0]
            model.read()
            return [model.points[name].cvalue for name in names]

        return await asyncio.to_thread(foreign)


def session(work: Callable[[Client], Awaitable[None]], bench: Bench) -> None:
    async def main(port: int) -> None:
        unit = next(iter(bench.maps))

        def scanned() -> SunSpecModbusClientDeviceTCP:
            device = SunSpecModbusClientDeviceTCP(slave_id=unit, ipaddr="127.0.0.1", ipport=port, timeout=20)
            device.scan()
            return device

        device = await asyncio.to_thread(scanned)
        try:
            await work(Client(device))
        finally:
            device.close()

    bench.serve(main)


def test_a_set_point_is_obeyed_and_reverts_when_nobody_renews_it():
    """704: a renewed set-point stands; when 5 s have passed since the last write, the one agreed before takes its place."""
    bench = Bench(QUICK)

    async def work(client: Client) -> None:
        await client.write(704, WSetRvrt=-2 * MW, WSetEnaRvrt=1, WSetRvrtTms=5)
        for power_w in (8 * MW, 9 * MW):
            await client.write(704, WSet=power_w, WSetEna=1)
            await asyncio.sleep(4.5)
            assert await client.read(701, "W") == [pytest.approx(power_w, rel=0.01)]
            assert await client.read(704, "WSet", "WSetEna", "WSetRvrtRem") == [power_w, 1, 1]
            (power_scale,) = await client.read(701, "W_SF")
            assert await client.read(701, "W") == [
                pytest.approx(bench.channel("bess.main.power_w"), abs=0.51 * 10.0**power_scale)
            ]
        await asyncio.sleep(1.0)
        assert await client.read(704, "WSet", "WSetEna", "WSetRvrtRem") == [-2 * MW, 1, 0]
        assert await client.read(701, "W") == [pytest.approx(-2 * MW, rel=0.01)]
        assert bench.firmware["reversions"] == 1

    session(work, bench)


def test_storage_rates_limit_and_force():
    """124: a limit holds the set-point; OutWRte below 0 charges, InWRte below 0 discharges; the time-out ends both."""
    bench = Bench(QUICK)

    async def work(client: Client) -> None:
        await client.write(704, WSet=20 * MW, WSetEna=1)
        for points, power_w in (
            ({"OutWRte": 40.0, "StorCtl_Mod": 2}, 10 * MW),
            ({"OutWRte": -20.0}, -5 * MW),
            ({"InWRte": -60.0, "OutWRte": 100.0, "StorCtl_Mod": 3}, 20 * MW),
            ({"StorCtl_Mod": 0}, 20 * MW),
        ):
            await client.write(124, **points)
            await asyncio.sleep(1.0)
            assert bench.channel("bess.main.power_w") == pytest.approx(power_w, rel=0.01), points
        await client.write(704, WSetEna=0)
        await client.write(124, StorCtl_Mod=1, InWRte=-8.0, InOutWRte_RvrtTms=5)
        await asyncio.sleep(1.0)
        assert bench.channel("bess.main.power_w") == pytest.approx(2 * MW, rel=0.01)
        assert await client.read(124, "ChaSt", "StorCtl_Mod", "InWRte") == [3, 1, -8.0]
        await asyncio.sleep(5.0)
        assert bench.channel("bess.main.power_w") == pytest.approx(0.0, abs=1e4)
        assert await client.read(124, "ChaSt", "StorCtl_Mod", "InWRte") == [6, 0, -8.0]

    session(work, bench)


def test_the_output_is_limited_and_connected():
    """123: WMaxLimPct with its ramp and time-out; Conn opens the contactor, and its time-out closes it again."""
    bench = Bench(QUICK)

    async def work(client: Client) -> None:
        await client.write(704, WSet=20 * MW, WSetEna=1)
        await client.write(123, WMaxLimPct_RmpTms=10)
        await client.write(123, WMaxLimPct=40.0, WMaxLimPct_RvrtTms=8, WMaxLim_Ena=1)
        await asyncio.sleep(2.0)
        assert 18 * MW < bench.channel("bess.main.power_w") < 20.1 * MW  # 2 s of 10 s over the whole range
        await asyncio.sleep(5.0)
        assert bench.channel("bess.main.power_w") == pytest.approx(10 * MW, rel=0.01)
        assert await client.read(123, "WMaxLim_Ena") == [1]
        assert await client.read(124, "StorCtl_Mod", "OutWRte") == [2, 40.0]  # the same limit
        await asyncio.sleep(12.0)
        assert await client.read(123, "WMaxLim_Ena", "WMaxLimPct") == [0, 40.0]
        assert bench.channel("bess.main.power_w") == pytest.approx(20 * MW, rel=0.01)
        await client.write(123, Conn_RvrtTms=4)
        await client.write(123, Conn=0)
        await asyncio.sleep(1.0)
        assert bench.channel("bess.main.power_w") == pytest.approx(0.0, abs=1e4)
        assert await client.read(701, "ConnSt", "Alrm") == [0, 1 << 2]
        assert await client.read(802, "State", "SetOp") == [1, 2]
        assert await client.read(122, "StorConn", "ECPConn") == [6, 0]
        await asyncio.sleep(4.0)
        assert await client.read(123, "Conn") == [1]
        assert await client.read(701, "ConnSt", "Alrm") == [1, 0]

    session(work, bench)


def test_windows_delay_alike_in_every_run():
    """123 WinTms: what is written shows at once and takes effect later, at a moment drawn from the device's seed."""
    moments = []
    for seed in (1, 1, 2):
        bench = Bench(QUICK, nameplate=Nameplate(seed=seed))

        async def work(client: Client, bench: Bench = bench) -> None:
            await client.write(123, WMaxLimPct_WinTms=20)
            await client.write(123, WMaxLimPct=40.0, WMaxLim_Ena=1)
            written = bench.engine.tick
            assert await client.read(123, "WMaxLimPct", "WMaxLim_Ena") == [40.0, 1]
            assert bench.firmware["limit_enable"] == 0
            while bench.firmware["limit_enable"] == 0:
                assert bench.engine.tick - written <= 20_001
                await asyncio.sleep(0.001)
            moments.append(bench.engine.tick - written)
            assert bench.firmware["limit_discharge_w"] == 10 * MW

        session(work, bench)
    assert moments[0] == moments[1] != moments[2]
    assert min(moments) > 1


def test_a_set_point_in_per_cent():
    """704: what is written in the unit that is not chosen waits until it is."""
    bench = Bench(QUICK)

    async def work(client: Client) -> None:
        await client.write(704, WSet=5 * MW, WSetEna=1)
        await client.write(704, WSetPct=-40.0)
        await asyncio.sleep(0.5)
        assert bench.firmware["set_w"] == 5 * MW
        await client.write(704, WSetMod=0)
        await asyncio.sleep(0.5)
        assert bench.firmware["set_w"] == -10 * MW
        assert await client.read(704, "WSet", "WSetPct", "WSetMod") == [-10 * MW, -40.0, 0]

    session(work, bench)


@pytest.mark.parametrize(
    ("order", "state", "old", "operation", "battery"),
    [({"OpCtl": 2}, 7, 8, 2, 4), ({"OpCtl": 0}, 0, 1, 0, 4), ({"OpCtl": 1}, 3, 4, 1, 3)],
    ids=["standby", "stop", "start"],
)
def test_states(order, state, old, operation, battery):
    bench = Bench(QUICK)

    async def work(client: Client) -> None:
        await client.write(715, **order)
        await asyncio.sleep(1.0)
        assert await client.read(701, "InvSt") == [state]
        assert await client.read(103, "St") == [old]
        assert await client.read(715, "OpCtl", "LocRemCtl") == [operation, 0]
        assert await client.read(802, "SetInvState", "State") == [{0: 1, 2: 2, 1: 3}[operation], battery]
        await client.write(715, OpCtl=3)  # leaves standby, and nothing else
        await asyncio.sleep(1.0)
        assert await client.read(701, "InvSt") == [3 if operation else 0]
        await client.write(802, SetInvState=3)
        await asyncio.sleep(1.0)
        assert await client.read(701, "InvSt") == [3]

    session(work, bench)


def test_a_fault_is_told_and_reset():
    """It stays until it is reset, by 715.AlarmReset or 802.AlmRst, and local control shows."""
    bench = Bench(QUICK)

    async def work(client: Client) -> None:
        for model, point in ((715, "AlarmReset"), (802, "AlmRst")):
            bench.image.command(FaultPoint.TRIP, 1)
            await asyncio.sleep(0.1)
            assert await client.read(701, "InvSt", "Alrm", "St") == [6, 1 << 16, 0]
            assert await client.read(103, "St") == [7]
            assert await client.read(802, "State", "Evt1", "ChaSt") == [99, 1 << 25, 1]
            bench.image.command(FaultPoint.TRIP, 0)
            await asyncio.sleep(0.1)
            assert await client.read(701, "InvSt") == [6]
            await client.write(model, **{point: 1})
            await asyncio.sleep(0.1)
            assert await client.read(701, "InvSt", "Alrm", "St") == [3, 0, 1]
        bench.image.command(PcsPoint.LOCAL, 1)
        await asyncio.sleep(0.1)
        assert await client.read(715, "LocRemCtl") == [1]
        assert await client.read(802, "LocRemCtl") == [1]
        await client.write(704, WSet=5 * MW, WSetEna=1)
        await asyncio.sleep(0.5)
        assert bench.firmware["set_w"] == 0
        assert bench.firmware["refused"] == 2

    session(work, bench)


def test_the_earlier_models_read_what_the_plant_does():
    bench = Bench(QUICK)

    async def work(client: Client) -> None:
        await client.write(704, WSet=-20 * MW, WSetEna=1)
        await asyncio.sleep(2.0)
        shown = await client.read(
            103, "W", "VA", "PF", "Hz", "PPVphAB", "PhVphC", "AphA", "A", "DCV", "DCW", "TmpOt", "TmpCab"
        )
        volts, amperes = 34_500 * bench.channel("bus.voltage_measured_pu"), bench.channel("bess.main.current_pu")
        rated_a = 25 * MW / 3**0.5 / 34_500
        expected = [
            bench.channel("bess.main.power_w"), 20 * MW, -1.0, bench.channel("pcc.frequency_measured_hz"),
            volts, volts / 3**0.5,
            rated_a * amperes, 3 * rated_a * amperes, bench.channel("bess.main.dc_voltage_v"),
            bench.channel("bess.main.dc_power_w"), bench.channel("bess.main.temperature_degc"),
        ]  # fmt: skip
        assert shown[:-1] == pytest.approx(expected, rel=2e-3)
        assert shown[-1] is None  # not implemented
        assert await client.read(701, "A", "AL1", "AL3") == pytest.approx(
            [3 * rated_a * amperes, rated_a * amperes, rated_a * amperes], rel=2e-3
        )
        assert await client.read(120, "DERTyp", "WRtg", "MaxChaRte", "WHRtg") == [82, 25 * MW, 25 * MW, 6.25 * MW]
        assert await client.read(121, "WMax", "VRef") == [25 * MW, 34_500]
        assert await client.read(122, "PVConn", "StorConn", "ECPConn", "StActCtl") == [0, 7, 1, 1]
        soc, state = await client.read(124, "ChaState", "ChaSt")
        assert (soc, state) == (pytest.approx(100 * bench.channel("bess.main.soc"), abs=0.01), 4)

    session(work, bench)


def test_strings_of_the_battery_and_inputs_of_the_inverter():
    """803 and 160 repeat a group; GEN24's map lies where its clients look for it."""
    bench = Bench(QUICK, firmware="fronius-gen24")
    addresses = bench.registers.addresses
    places = {
        (103, "A"): 40071,
        (120, "DERTyp"): 40123,
        (123, "Conn_WinTms"): 40229,
        (160, "DCA_SF"): 40255,
        (124, "ID"): 40343,
    }
    assert {point: addresses[point] for point in places} == places

    async def work(client: Client) -> None:
        await client.write(124, OutWRte=-20.0, StorCtl_Mod=2)
        await asyncio.sleep(1.0)
        assert await client.read(160, "N") == [4]
        groups = client._device.models[160][0].groups["module"]
        charged_w = -bench.channel("bess.main.dc_power_w")
        assert [group.points["DCW"].cvalue for group in groups] == [None, None, pytest.approx(charged_w, abs=1000), 0]

    session(work, bench)
    bench = Bench(QUICK)

    async def string(client: Client) -> None:
        assert await client.read(803, "NStr", "NStrCon") == [1, 1]
        (group,) = client._device.models[803][0].groups["string"]
        assert group.points["StrSoC"].cvalue == pytest.approx(100 * bench.channel("bess.main.soc"), abs=0.01)

    session(string, bench)


def test_pysunspec2_walks_over_a_vendors_model(tmp_path):
    """KACO's 64201, described to it in a model file of the standard's form: it finds, reads and writes it."""
    points = [
        {"name": point.name, "type": point.type, "size": point.size, "access": "RW" if point.writable else "R"}
        | ({"sf": point.scale} if point.scale else {})
        for point in LAYOUT.points.values()
    ]
    group = {"name": LAYOUT.name, "type": "group", "points": points}
    (tmp_path / f"model_{LAYOUT.id}.json").write_text(json.dumps({"id": LAYOUT.id, "group": group}))
    paths = sunspec2.device.get_model_defs_path()
    bench = Bench(QUICK, firmware="kaco-gridsave")

    async def work(client: Client) -> None:
        await client.write(LAYOUT.id, WATCHDOG=10, W_SET_PCT=-20.0)
        await asyncio.sleep(1.0)
        shown = await client.read(LAYOUT.id, "CURRENT_STATE", "WATCHDOG", "W_SET_PCT", "W", "ST_PU")
        assert shown == [11, 10, -20.0, pytest.approx(bench.channel("bess.main.power_w"), abs=1000), None]
        assert shown[3] == pytest.approx(-5 * MW, rel=0.01)
        await client.write(LAYOUT.id, REQUESTED_STATE=8)
        await asyncio.sleep(1.0)
        assert await client.read(LAYOUT.id, "CURRENT_STATE", "W") == [8, 0]

    sunspec2.device.set_model_defs_path([*paths, str(tmp_path)])
    try:
        session(work, bench)
    finally:
        sunspec2.device.set_model_defs_path(paths)
