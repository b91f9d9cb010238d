"""A UPS of the kernel behind a transport, and tests that talk to it over each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

import pytest
from ups_bench import SITE, now

from firmware_sim.ups.device import EmulatedUps
from hil.clock.lockstep import LockstepLoop
from hil.fleet.direct_ups import DirectSupply
from hil.fleet.ups import MqttSupply
from hil.loads.source import LoadSource
from hil.record.events import EventLog
from hil.record.recorder import Recorder
from hil.scenario.files import from_document
from hil.session.plant import SitePlant
from hil.site.build import build_engine
from hil.wiring.broker import SiteBroker
from hil.wiring.surroundings import Surroundings

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
        recorder = Recorder(self.engine, [], lambda stream: None)
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
