"""What a supervisor may expect of a UPS on a wire that fails: MQTT on our broker and on mosquitto."""

from __future__ import annotations

import asyncio

import pytest
from ups_bench import now
from ups_contract import TICK_S, WIRES, contract

from hil.errors import DeviceError, DeviceLost, DeviceTimeout


@contract(over=WIRES)
async def test_a_silent_device_is_stale_after_two_seconds(site):
    async with site.driver() as device:
        await asyncio.sleep(1.0)
        site.station.hang(hung=True)
        last_s = (await device.read()).time_s
        await asyncio.sleep(last_s + 2.0 - now())
        await device.read()
        await asyncio.sleep(2 * TICK_S)
        with pytest.raises(DeviceTimeout, match=r"latest sample is 2\.002 s old"):
            await device.read()
        site.station.hang(hung=False)
        await asyncio.sleep(0.2)
        assert (await device.read()).time_s > 3.0
        await asyncio.sleep(1.0)
    assert [what for _, what in site.told("device_failed", "device_back", "made_safe")] == [
        "device_failed", "device_back", "made_safe",
    ]  # fmt: skip


@contract(over=WIRES)
async def test_a_dead_device_is_lost_and_set_anew_when_it_is_back(site):
    async with site.driver() as device:
        device.set_recharge_power(1e5)
        device.set_support(1e6)
        await asyncio.sleep(1.0)
        await site.station.die()
        await asyncio.sleep(TICK_S)
        with pytest.raises(DeviceLost, match="is offline"):
            await device.read()
        with pytest.raises(DeviceError):
            await device.reset_disturbances()
        site.firmware["recharge_w"] = 6e5  # what it starts with
        await asyncio.sleep(3.0)
        await site.station.restart()
        await asyncio.sleep(1.0)
        await device.read()
        assert site.firmware["recharge_w"] == 1e5
        assert site.firmware["support_set_w"] == 0.0  # nobody has renewed it


@contract(over=WIRES)
async def test_where_nobody_answers_one_leaves_within_a_bounded_time(site):
    async with site.driver() as device:
        device.set_support(1e6)
        device.set_recharge_power(1e5)
        await asyncio.sleep(1.0)
        site.station.hang(hung=True)
        left = now()
    assert 5.0 <= now() - left <= 5.0 + 1.0 + 0.5
    ((_, _, details),) = [event for event in site.events if event[1] == "not_made_safe"]
    assert details["support_ends_after_s"] == 5.0
    assert site.firmware["support_set_w"] == 0.0  # by itself


@pytest.mark.parametrize(("support_s", "rate_hz", "most_s"), [("5 s", 2.0, 6.5), ("1 h", 0.001, 32.5), ("1 s", 0.001, 5.0)])
@contract(over=["own"])
async def test_where_there_is_no_broker_one_leaves_within_a_bounded_time(site, support_s, rate_hz, most_s):
    section = site.scenario.ups["a"].driver
    section.support_timeout_s, section.rate_hz = support_s, rate_hz
    async with site.driver() as device:
        device.set_recharge_power(1e5)
        await asyncio.sleep(1.0)
        await site.broker.stop()
        left = now()
    assert now() - left <= most_s
    assert [what for _, what in site.told("not_made_safe", "made_safe")] == ["not_made_safe"]


@contract(over=["own"])
async def test_who_comes_back_in_time_is_made_safe(site):
    async with site.driver() as device:
        device.set_recharge_power(1e5)
        await asyncio.sleep(1.0)
        await site.broker.stop()
        asyncio.get_running_loop().call_later(2.0, lambda: back.append(asyncio.ensure_future(site.broker.start())))
        back: list[asyncio.Future[None]] = []
    assert site.told("made_safe")
    await asyncio.sleep(TICK_S)
    assert site.firmware["recharge_w"] == 6e5


@contract(over=WIRES)
async def test_nobody_at_all_is_told_as_a_device_error(site):
    await site.station.die()
    with pytest.raises(DeviceError, match=r"ups\.a"):
        async with site.driver():
            pass
    assert now() <= 0.25 + 1.0 + TICK_S
