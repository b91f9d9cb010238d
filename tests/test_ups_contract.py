"""What a supervisor may expect of a UPS: one set of cases for MQTT on our broker, MQTT on mosquitto, and without a wire."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from ups_bench import now
from ups_contract import TICK_S, contract
from ups_support import dip

from controllers import UpsDevice, UpsMode


@contract()
async def test_it_says_what_it_is_and_how(site):
    async with site.driver() as device:
        assert isinstance(device, UpsDevice)
        assert (device.name, device.rating_w, device.recharge_max_w, device.walk_in_max_s) == ("ups.a", 6e6, 6e5, 3600.0)
        assert device.energy_wh == site.scenario.ups["a"].rated_energy_wh
        sample = await device.read()
        assert sample.mode is UpsMode.NORMAL
        assert (sample.latched, sample.low_battery) == (False, False)
        assert sample.settings["recharge_w"] == 6e5
        await asyncio.sleep(0.15 + 2 * TICK_S)
        sample = await device.read()
        assert sample.time_s == 0.4
        assert sample.output_power_w == pytest.approx(4e6, rel=0.5)
        assert (sample.input_frequency_hz, sample.soc) == (pytest.approx(60.0), pytest.approx(1.0, abs=1e-3))


@contract()
async def test_a_sample_is_never_older_than_the_telemetrys_period(site):
    seen = set()
    async with site.driver() as device:
        assert now() - (await device.read()).time_s < 1.0  # the first may be the state that the broker kept
        await asyncio.sleep(0.2)
        while now() < 3.0:
            await asyncio.sleep(0.01)
            sample = await device.read()
            assert -1e-9 <= now() - sample.time_s < 0.2 + 2 * TICK_S
            seen.add(sample.time_s)
    assert sorted(seen) == [pytest.approx(0.2 * n) for n in range(2, 2 + len(seen))]
    assert len(seen) == 14


@contract()
async def test_settings_beyond_what_it_takes_are_refused_at_once(site):
    async with site.driver() as device:
        await asyncio.sleep(0.6)
        before = list(site.commands)
        for wrong in (
            lambda: device.set_recharge_power(6.001e5), lambda: device.set_recharge_power(-1.0),
            lambda: device.set_walk_in(0.0, 3601.0), lambda: device.set_walk_in(-1.0, 5.0),
            lambda: device.set_support(6.1e6), lambda: device.set_support(float("nan")),
        ):  # fmt: skip
            with pytest.raises(ValueError, match=r"ups\.a: .* must be between 0 and"):
                wrong()
        await asyncio.sleep(1.0)
        assert site.commands == before


@contract()
async def test_settings_arrive_once_in_the_next_cycle(site):
    async with site.driver() as device:
        await asyncio.sleep(0.6)
        del site.commands[:]
        device.set_recharge_power(1e5)
        device.set_walk_in(7.0, 40.0)
        device.set_recharge_power(2e5)
        await asyncio.sleep(5.0)
        sent = {name: (time, value) for time, name, value in site.commands}
        assert len(site.commands) == 3
        at_s = sent["recharge_w"][0]
        assert sent == {"recharge_w": (at_s, 2e5), "walk_in_delay_s": (at_s, 7.0), "walk_in_s": (at_s, 40.0)}
        assert 0.85 < at_s < 1.36
        assert (await device.read()).settings | {"recharge_w": 2e5, "walk_in_delay_s": 7.0, "walk_in_s": 40.0} == (
            await device.read()
        ).settings
        assert site.firmware["walk_in_s"] == 40.0


@contract()
async def test_support_lasts_as_long_as_it_is_renewed(site):
    async with site.driver() as device:
        for _ in range(20):
            device.set_support(1e6)
            await asyncio.sleep(0.5)
        assert site.channel("support_w") == 1e6
        assert (await device.read()).settings["support_w"] == 1e6
        assert site.channel("battery_w") > 0.9e6
        renewals = [time for time, name, value in site.commands if (name, value) == ("support_w", 1e6)]
        assert len(renewals) >= 19
        assert max(later - earlier for earlier, later in pairwise(renewals)) < 0.51
        last_s = now() - 0.5  # the supervisor dies
        await asyncio.sleep(5.0)
        assert site.channel("support_w") == 0.0
        ended = next(time for time, name, value in site.commands if (name, value) == ("support_w", 0.0))
        assert 2.0 < ended - last_s <= 2.5 + 2 * TICK_S
        assert [what for _, what in site.told("support_stale")] == ["support_stale"]


@contract()
async def test_support_ends_by_itself_where_the_driver_dies(site):
    device = site.driver()
    await device.__aenter__()
    device.set_support(1e6)
    await asyncio.sleep(1.2)
    device._task.cancel()
    await device._port.close()
    await asyncio.sleep(TICK_S)
    renewed = max(time for time, name, value in site.commands if (name, value) == ("support_w", 1e6))
    await asyncio.sleep(renewed + 4.9 - now())
    assert site.firmware["support_set_w"] == 1e6
    await asyncio.sleep(0.2)
    assert site.firmware["support_set_w"] == 0.0
    assert site.firmware["support_reversions"] == 1
    async with site.driver() as device:  # another takes over
        device.set_support(5e5)
        await asyncio.sleep(1.0)
        assert site.firmware["support_set_w"] == 5e5


LATCHES = {"counter": True, "counter_disturbances": 1, "qualify": "100 ms", "walk_in": "500 ms"}


@contract(ups=LATCHES, events=[dip(1.0, 0.1, 0.3)])
async def test_a_latched_ups_is_released_when_it_is_told_to(site):
    async with site.driver() as device:
        await asyncio.sleep(3.0)
        sample = await device.read()
        assert (sample.latched, sample.mode) == (True, UpsMode.BATTERY)
        await device.reset_disturbances()
        told = now()
        await asyncio.sleep(TICK_S)
        assert site.firmware["latched"] == 0
        await asyncio.sleep(1.5)
        sample = await device.read()
        assert (sample.latched, sample.mode) == (False, UpsMode.NORMAL)
        assert [time for time, name, _ in site.commands if name == "reset_disturbances"] == [told]


class Mistake(Exception):
    """In a supervisor."""


@pytest.mark.parametrize("how", ["end", "exception", "cancellation", "interrupt"])
@contract(ups={"recharge": "300 kW"})
async def test_it_is_left_safe_however_one_leaves(site, how):
    async def work() -> None:
        async with site.driver() as device:
            device.set_recharge_power(1e5)
            device.set_walk_in(7.0, 40.0)
            device.set_support(1e6)
            await asyncio.sleep(1.1)
            assert site.firmware["support_set_w"] == 1e6
            if how == "exception":
                raise Mistake
            if how != "end":
                await asyncio.sleep(1e6)

    task = asyncio.ensure_future(work())
    await asyncio.sleep(1.3)
    if how in ("cancellation", "interrupt"):
        task.cancel()
        if how == "interrupt":  # one that is impatient
            await asyncio.sleep(0)
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    assert type(outcome) is {"end": type(None), "exception": Mistake}.get(how, asyncio.CancelledError)
    await asyncio.sleep(TICK_S)
    firmware = site.firmware
    assert (firmware["support_set_w"], firmware["recharge_w"]) == (0.0, 3e5)
    assert (firmware["walk_in_delay_s"], firmware["walk_in_s"]) == (7.0, 40.0)
    assert [details for _, what, details in site.events if what == "made_safe"] == [
        {"device": "ups.a", "support_w": 0.0, "recharge_w": 3e5}
    ]


@contract()
async def test_what_was_never_set_is_left_as_it_was(site):
    site.firmware["recharge_w"] = 12.0
    async with site.driver() as device:
        await device.read()
        await asyncio.sleep(1.0)
    await asyncio.sleep(TICK_S)
    assert site.firmware["recharge_w"] == 12.0
    assert {name for _, name, _ in site.commands} == {"support_s", "support_w"}


@contract()
async def test_a_defect_in_the_driver_is_not_taken_for_a_silent_device(site):
    async with site.driver() as device:
        await device.read()
        site_port = device._port

        async def breaks(name: str, value: float) -> None:
            raise ZeroDivisionError("a mistake in a driver")

        original, site_port.command = site_port.command, breaks
        device.set_recharge_power(1e5)
        await asyncio.sleep(1.0)
        with pytest.raises(ZeroDivisionError, match="a mistake in a driver"):
            await device.read()
        with pytest.raises(ZeroDivisionError, match="a mistake in a driver"):
            device.set_recharge_power(2e5)
        site_port.command = original
    assert site.told("made_safe")
