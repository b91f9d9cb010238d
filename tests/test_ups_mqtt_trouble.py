"""What becomes of an emulated UPS on a broker, and of its driver, in trouble and among strangers."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mqtt_wire import Message
from ups_bench import ROOT, UpsBench, came, now, on_bench, order
from ups_messages import ANYTHING, JSON, topics, values

from controllers import UpsMode
from hil.errors import DeviceLost, DeviceTimeout


@on_bench()
async def test_a_hung_device_keeps_its_connection_and_says_nothing(bench):
    wire = await bench.start()
    watch = await bench.client("watch", "#")
    await came(watch)
    wire.hang(hung=True)
    await watch.published(f"{ROOT}/cmd/recharge_w", order("x", 7.0))
    await asyncio.sleep(200.0)  # longer than its keep-alive
    assert [m.topic for m in await came(watch)] == [f"{ROOT}/cmd/recharge_w"]
    assert "hall:ups.a" in bench.broker.clients
    wire.hang(hung=False)
    await asyncio.sleep(1.0)
    assert {"tele/soc", "state"} < set(topics(await came(watch)))
    assert bench.firmware["recharge_w"] == 6e5


@on_bench()
async def test_a_hung_device_is_silent_through_the_death_of_its_broker_too(bench):
    wire = await bench.start()
    await asyncio.sleep(1.0)
    wire.hang(hung=True)
    await bench.broker.stop()
    await asyncio.sleep(1.0)
    await bench.broker.start(bench.address.host, bench.address.port)
    watch = await bench.client("watch", "#")
    kept = await came(watch)
    assert sorted(topics(kept)) == ["meta", "state", "status"]
    assert next(m.payload for m in kept if m.topic.endswith("status")) == b"offline"  # its will
    await asyncio.sleep(20.0)
    assert await came(watch) == []
    wire.hang(hung=False)
    await asyncio.sleep(0.001)
    heard = await came(watch)
    assert topics(heard) == ["meta", "state", "status"]
    assert heard[-1].payload == b"online"
    await asyncio.sleep(0.2)
    assert "tele/soc" in topics(await came(watch))


@on_bench()
async def test_a_broker_that_dies_and_comes_back_finds_its_devices_again(bench):
    await bench.start()
    async with bench.driver(rate_hz=4.0) as driver:
        driver.set_recharge_power(1000.0)
        await asyncio.sleep(1.1)
        assert bench.firmware["recharge_w"] == 1000.0
        await bench.broker.stop()
        bench.firmware["recharge_w"] = 5.0  # as if it had lost its settings
        await asyncio.sleep(1.9)
        with pytest.raises(DeviceLost, match="is offline"):
            await driver.read()
        await bench.broker.start(bench.address.host, bench.address.port)
        watch = await bench.client("watch", "status")
        assert await came(watch) == [Message(f"{ROOT}/status", b"offline", 1, retain=True)]
        await asyncio.sleep(1.0)  # attempts 0.1, 0.3, 0.7, 1.5, 2.5 s after the loss
        assert await came(watch) == [Message(f"{ROOT}/status", b"online", 1)]
        assert (await driver.read()).time_s == pytest.approx(now(), abs=0.25)
        assert bench.firmware["recharge_w"] == 1000.0
    assert [name for _, name, _ in bench.events] == [
        "broker_lost", "broker_lost", "device_failed", "device_back", "made_safe",
    ]  # fmt: skip


@pytest.mark.parametrize("timeout_s", [0.25, 1.0, 1.7])
@on_bench()
async def test_an_unanswered_command_times_out_at_the_exact_instant(bench, timeout_s):
    wire = await bench.start()
    async with bench.driver(timeout_s=timeout_s, rate_hz=2.0) as driver:
        await asyncio.sleep(1.3)
        wire.hang(hung=True)
        asked = now()
        with pytest.raises(DeviceTimeout, match=f"no answer within {timeout_s:g} s"):
            await driver.reset_disturbances()
        assert now() == asked + timeout_s
        wire.hang(hung=False)
        await asyncio.sleep(2.0)
        await driver.reset_disturbances()


@on_bench()
async def test_the_commands_of_a_driver_are_valid_as_long_as_it_waits(bench):
    wire = await bench.start()
    watch = await bench.client("watch", "cmd/#")
    async with bench.driver(timeout_s=0.7) as driver:
        wire.hang(hung=True)
        driver.set_recharge_power(1000.0)
        await asyncio.sleep(0.6)
        wire.hang(hung=False)
    sent = [values(message) for message in await came(watch)]
    assert {command["ttl_ms"] for command in sent} == {700}
    assert len({command["id"] for command in sent}) == len(sent) > 2


NEWS = st.sampled_from(
    ["state", "meta", "status", "ack/x", "tele/mode", "tele/soc", "tele/input_power_w", "tele/x", "tele/time_s"]
)
SAID = st.fixed_dictionaries(
    {},
    optional={
        "ts": JSON | st.integers(-(10**400), 10**400),
        "value": JSON | st.integers(-(10**400), 10**400) | st.integers(-5, 5),
        "mode": JSON | st.sampled_from(["normal", "eco"]),
        "soc": JSON,
        "input_power_w": JSON,
        "input_frequency_hz": JSON,
        "recharge_w": JSON | st.integers(-(10**400), 10**400),
        "commands": JSON,
        "modes": JSON,
    },
).map(lambda value: json.dumps(value).encode())


@given(st.lists(st.tuples(NEWS, ANYTHING | SAID | st.just(b"online"), st.booleans()), min_size=1, max_size=25))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_that_is_published_in_its_name_kills_a_driver(news):
    """Nor does it end up in a sample as anything but what a sample holds; the device's own word makes all good again."""

    async def talk(bench: UpsBench) -> None:
        await bench.start()
        forger = await bench.client("forger")
        async with bench.driver() as driver:
            driver.set_recharge_power(1000.0)
            for topic, payload, retain in news:
                await forger.published(f"{ROOT}/{topic}", payload, retain=retain)
                if topic != "status" and driver._present:
                    try:
                        sample = await driver.read()
                    except DeviceTimeout:
                        continue  # its time stamp is old
                    assert isinstance(sample.mode, UpsMode)
                    assert all(math.isfinite(v) for v in (sample.soc, sample.input_power_w, *sample.settings.values()))
            await forger.published(f"{ROOT}/status", b"online", retain=True)
            await asyncio.sleep(2.1)
            sample = await driver.read()
            assert (sample.mode, sample.latched) == (UpsMode.NORMAL, False)
            assert bench.firmware["recharge_w"] == 1000.0
        assert bench.told("broker_lost") == []

    UpsBench().serve(talk)


@pytest.mark.parametrize(
    "meta", [b"", b"[]", b"{}", b'{"commands": {}, "rating_w": 1, "energy_wh": null, "modes": []}', b'{"commands": 5}']
)
@on_bench()
async def test_a_device_that_does_not_say_what_it_is_is_told_in_time(bench, meta):
    forger = await bench.client("forger")
    await forger.published(f"{ROOT}/meta", meta, retain=True)
    await forger.published(f"{ROOT}/status", b"online", retain=True)
    with pytest.raises(DeviceTimeout, match=r"nothing retained under .*meta that could be understood"):
        async with bench.driver(timeout_s=0.5):
            pass
    assert now() == 0.5


@pytest.mark.peer("mosquitto_sub")
@on_bench()
async def test_mosquittos_own_clients_see_and_command_it(bench):
    """Their doings take wall-clock time, for which scenario time stands still."""
    await bench.start()
    await asyncio.sleep(1.0)
    at = ["-h", bench.address.host, "-p", str(bench.address.port), "-q", "1"]
    loop = asyncio.get_running_loop()

    async def run(*command: str) -> str:
        """To its end, in a thread, while our broker answers."""
        with loop.hold(command[0]):
            done = await loop.run_in_executor(
                None, lambda: subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
            )
        return done.stdout

    seen = await run("mosquitto_sub", *at, "-t", f"{ROOT}/#", "-C", "3", "-W", "20", "-F", "%t %q %r %p")
    lines = dict(line.split(" ", 1) for line in seen.splitlines())
    assert lines[f"{ROOT}/status"] == "1 1 online"
    assert json.loads(lines[f"{ROOT}/meta"].removeprefix("1 1 "))["kind"] == "ups"
    assert lines[f"{ROOT}/state"].startswith("0 1 ")
    await run("mosquitto_pub", *at, "-t", f"{ROOT}/cmd/recharge_w", "-m", order("peer", 1234.0).decode())
    await asyncio.sleep(0.001)
    assert bench.firmware["recharge_w"] == 1234.0
