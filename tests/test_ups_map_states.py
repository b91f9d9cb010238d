"""States that UPSs show through their register maps beyond line and battery: test, eco, fault, overload, walk-in."""

from __future__ import annotations

import asyncio

import pytest
from ups_maps import MapBench

from firmware_sim.image import UpsPoint

NO_OUTAGE = {"events": []}
TEST, ECO = 5, 4  # modes of the firmware

# By map: how a quick test is ordered and stopped, and where its results stand: address, in progress, passed, failed, aborted.
TESTS = {
    "generic": ((0x110, 4), (0x110, 2), (0x111, 5, 1, 3, 4)),
    "huawei-ups2000": ((12028, 1), (12023, 1), (11043, 4, 0, 0x40, 0)),
    "apc-smart-ups": ((1541, 1), (1541, 2), (23, 2, 4, 8, 0x20)),
}


@pytest.mark.parametrize("name", TESTS)
def test_a_battery_test_passes_after_ten_seconds(name):
    start, _, (address, in_progress, passed, _, _) = TESTS[name]
    bench = MapBench(name, **NO_OUTAGE)

    async def main(client):
        await client.write(*start)
        await asyncio.sleep(1.0)
        assert bench.firmware["mode"] == TEST
        assert await client.number(address) == in_progress
        await asyncio.sleep(10.0)
        assert await client.number(address) == passed
        await asyncio.sleep(2.0)  # of walk-in
        assert bench.firmware["mode"] == 2

    bench.talk(main)


@pytest.mark.parametrize("name", TESTS)
def test_a_battery_test_can_be_stopped(name):
    start, stop, (address, *_, aborted) = TESTS[name]
    bench = MapBench(name, **NO_OUTAGE)

    async def main(client):
        await client.write(*start)
        await asyncio.sleep(2.0)
        await client.write(*stop)
        await asyncio.sleep(0.1)
        assert await client.number(address) == aborted

    bench.talk(main)


@pytest.mark.parametrize("name", TESTS)
def test_a_battery_that_runs_low_fails_its_test(name):
    """And it wants to be replaced: RFC 1628's upsAlarmBatteryBad, Huawei's 40164.1, APC's BatterySystemError.2."""
    start, _, (address, _, _, failed, _) = TESTS[name]
    bad = {"generic": (0x102, 0, 1), "huawei-ups2000": (41188, 1, 1), "apc-smart-ups": (22, 2, 1)}[name]
    bench = MapBench(name, {"soc": 0.22, "recharge": "0 W"}, **NO_OUTAGE)

    async def main(client):
        await client.write(*start)
        await asyncio.sleep(9.0)
        assert await client.number(address) == failed
        assert int(await client.number(bad[0])) >> bad[1] & 1 == bad[2]

    bench.talk(main)


def test_eco():
    """The bypass feeds the load while the line is good; in an outage the battery does."""
    bench = MapBench("generic", {"bypass_return": "500 ms"}, events=[
        {"kind": "grid_dip", "at": "3 s", "duration": "2 s", "residual": 0.0},
    ])  # fmt: skip

    async def main(client):
        await client.write(0x153, 1)
        await asyncio.sleep(2.0)
        assert [await client.number(address) for address in (0x153, 0x140, 0x031)] == [1, ECO, 4]
        await asyncio.sleep(2.0)
        assert await client.number(0x031) == 5

    bench.talk(main)


@pytest.mark.parametrize(
    ("name", "address", "code", "bit"),
    [("generic", 0x101, "I", 17), ("huawei-ups2000", 41204, "H", 6), ("apc-smart-ups", 0, "I", 5), ("contacts", 14, "H", 0)],
)
def test_a_fault_shows_and_sends_the_load_to_the_bypass(name, address, code, bit):
    bench = MapBench(name, **NO_OUTAGE)

    async def main(client):
        bench.image.command(UpsPoint.FAULT, 1.0)
        await asyncio.sleep(0.5)
        assert bench.firmware["mode"] == 1
        assert int(await client.number(address, code)) >> bit & 1
        bench.image.command(UpsPoint.FAULT, 0.0)
        bench.image.command(UpsPoint.RESET, 1.0)
        await asyncio.sleep(0.5)
        assert not int(await client.number(address, code)) >> bit & 1

    bench.talk(main)


def test_a_client_clears_a_fault_that_is_gone():
    bench = MapBench("generic", {"bypass_return": "500 ms"}, **NO_OUTAGE)

    async def main(client):
        bench.image.command(UpsPoint.FAULT, 1.0)
        await asyncio.sleep(0.5)
        await client.write(0x155, 1)
        assert await client.number(0x154) == 1
        bench.image.command(UpsPoint.FAULT, 0.0)
        await asyncio.sleep(0.5)
        await client.write(0x155, 1)
        assert await client.number(0x154) == 0
        await asyncio.sleep(1.0)
        assert await client.number(0x031) == 3

    bench.talk(main)


@pytest.mark.parametrize(
    ("name", "address", "code", "bit"),
    [("generic", 0x101, "I", 7), ("huawei-ups2000", 41197, "H", 3), ("apc-smart-ups", 0, "I", 21), ("contacts", 8, "H", 0)],
)
def test_an_overload_shows(name, address, code, bit):
    bench = MapBench(name, {"rating": "2.5 MW"}, **NO_OUTAGE)

    async def main(client):
        while not bench.firmware["overload"]:
            await asyncio.sleep(0.01)
        assert int(await client.number(address, code)) >> bit & 1

    bench.talk(main)


def test_walk_in():
    bench = MapBench("generic", events=[{"kind": "grid_dip", "at": "1 s", "duration": "1 s", "residual": 0.0}])

    async def main(client):
        await asyncio.sleep(4.0)  # 1 s of qualifying, then 2 s of walk-in
        assert await client.number(0x141) == 2
        assert await client.number(0x142) == pytest.approx(100 * bench.channel("walk_in_share"), abs=0.5)
        await asyncio.sleep(1.5)
        assert await client.number(0x141) == 3

    bench.talk(main)
