"""What a supervisor may expect of a UPS: one set of cases for MQTT on our broker, MQTT on mosquitto, and without a wire."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from inspect import Parameter, Signature, signature
from itertools import pairwise
from typing import Any

import pytest
from ups_bench import SITE, now
from ups_support import dip

from controllers import UpsDevice, UpsMode
from firmware_sim.ups.device import EmulatedUps
from hil.clock.lockstep import LockstepLoop
from hil.errors import DeviceError, DeviceLost, DeviceTimeout
from hil.fleet.broker import SiteBroker
from hil.fleet.direct_ups import DirectSupply
from hil.fleet.surroundings import Surroundings
from hil.fleet.ups import MqttSupply
from hil.loads.source import LoadSource
from hil.scenario.files import from_document
from hil.session.plant import SitePlant
from hil.session.record import EventLog, MemorySink, Recorder
from hil.site.build import build_engine

WIRES = ["own", pytest.param("mosquitto", marks=pytest.mark.peer("mosquitto"))]
ALL = [*WIRES, "direct"]
TICK_S = 0.001


class Site:
    """A UPS of the kernel behind a transport, and what the run's log would hold."""

    def __init__(self, over: str, broker: str, name: str, ups: Mapping[str, Any], sections: Mapping[str, Any]) -> None:
        own = {"ups": {"a": SITE["ups"]["a"] | dict(ups)}, "mqtt": {"site": name, "broker": broker}}
        self.over = over
        self.scenario = from_document(SITE | own | dict(sections))
        source = LoadSource(self.scenario)
        self.engine = build_engine(self.scenario, source.first_w)
        self.log = EventLog()
        recorder = Recorder(self.engine, MemorySink([], self.engine.period_ns))
        self.plant = SitePlant(self.engine, source.feed, recorder, self.log, ([], []))
        self.events: list[tuple[float, str, dict[str, object]]] = []
        self.commands: list[tuple[float, str, float]] = []
        self.broker: SiteBroker | None = None
        self.station: MqttSupply | DirectSupply

    @property
    def firmware(self) -> Any:
        return self.engine.states["ups"][0]

    def channel(self, name: str) -> float:
        return self.engine.value(self.engine.channels.index(f"ups.a.{name}"))

    def told(self, *names: str) -> list[tuple[float, str]]:
        return [(time, what) for time, what, _ in self.events if what in names]

    def driver(self) -> Any:
        return self.station.driver(self.station.endpoint, led_by="test")

    async def open(self) -> None:
        around = Surroundings(self.scenario, self.engine, lambda what, details: self.events.append((now(), what, details)))
        if self.over == "direct":
            self.station = DirectSupply(around, 0, "a")
        else:
            self.broker = SiteBroker(around)
            await self.broker.start()
            self.station = MqttSupply(around, 0, "a", self.broker)
        await self.station.start()

    async def close(self) -> None:
        await self.station.stop()
        if self.broker is not None:
            await self.broker.stop()
        await asyncio.sleep(TICK_S)


def contract(*, over: list[Any] = ALL, ups: Mapping[str, Any] | None = None, **sections: Any) -> Callable[..., Any]:
    """A test that talks to a device that has been there for a quarter of a second."""

    def decorate(talk: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        @pytest.mark.parametrize("over", over)
        @wraps(talk)
        def test(over: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> None:
            broker = "mqtt://{}:{}".format(*request.getfixturevalue("mosquitto")) if over == "mosquitto" else "own"
            name = "".join(sign if sign.isalnum() else "-" for sign in request.node.name)
            site = Site(over, broker, name, ups or {}, sections)
            original = EmulatedUps.command

            def command(self: EmulatedUps, name: str, value: float) -> None:
                original(self, name, value)
                site.commands.append((now(), name, value))

            monkeypatch.setattr(EmulatedUps, "command", command)
            problems: list[dict[str, Any]] = []

            async def main() -> None:
                asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
                await site.open()
                await asyncio.sleep(0.25)
                try:
                    await talk(site, **arguments)
                finally:
                    await site.close()
                assert asyncio.all_tasks() == {asyncio.current_task()}

            with asyncio.Runner(loop_factory=lambda: LockstepLoop(site.plant)) as runner:
                runner.run(main())
            assert problems == []

        own = list(signature(talk).parameters.values())[1:]
        fixtures = [Parameter(name, Parameter.KEYWORD_ONLY) for name in ("over", "request", "monkeypatch")]
        test.__signature__ = Signature([*(p.replace(kind=Parameter.KEYWORD_ONLY) for p in own), *fixtures])
        return test

    return decorate


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


# Over a wire.


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
