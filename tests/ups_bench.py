"""Emulated UPSs of the kernel on a lock-step loop with a broker, seen by clients that know nothing of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

from mqtt_wire import Client, Message

from controllers.ups_driver import UpsDriver, UpsDriverSettings
from controllers.ups_mqtt import MqttUps
from firmware_sim.mqtt.connection import DeviceMqtt
from firmware_sim.mqtt.dialect import Dialect
from firmware_sim.mqtt.own import OwnLayout
from firmware_sim.ups.device import EmulatedUps
from hil.broker import Broker
from hil.clock.lockstep import LockstepLoop
from hil.fleet.images import EngineUpsImage
from hil.loads.source import LoadSource
from hil.mqtt.address import BrokerAddress
from hil.mqtt.flight import Flight
from hil.mqtt.layout import DeviceTopics
from hil.mqtt.signals import USUAL
from hil.record.events import EventLog
from hil.record.recorder import Recorder
from hil.scenario.files import from_document
from hil.session.plant import SitePlant
from hil.site.build import build_engine

ROOT = "hil/v1/hall/ups.a"
SITE = {
    "duration": "10000 s",
    "grid": {"short_circuit": "500 MVA"},
    "load": {"kind": "training", "power": "4 MW", "power_factor": 1.0, "jitter": 0.0, "start": "0 s", "start_ramp": "0 s"},
    "ups": {"a": {"rating": "6 MW", "autonomy": "60 s", "qualify": "1 s", "walk_in": "2 s"}},
    "record": {"rate": "1 Hz"},
}


def now() -> float:
    return asyncio.get_running_loop().time()


class UpsBench:
    """One UPS `ups.a`, without drivers and supervisors unless asked for; `address` of a broker elsewhere, or our own."""

    def __init__(self, ups: Mapping[str, Any] | None = None, address: tuple[str, int] | None = None, **sections: Any) -> None:
        document = SITE | {"ups": {"a": SITE["ups"]["a"] | dict(ups or {})}} | sections
        self.scenario = from_document(document)
        source = LoadSource(self.scenario)
        self.engine = build_engine(self.scenario, source.first_w)
        self.log = EventLog()
        recorder = Recorder(self.engine, [], lambda stream: None)
        self.plant = SitePlant(self.engine, source.feed, recorder, self.log, ([], []))
        self.topics = DeviceTopics("hall", "ups.a")
        self.device = EmulatedUps(EngineUpsImage(self.engine, self.scenario, "a"), serial="a-0001")
        self.events: list[tuple[float, str, dict[str, object]]] = []
        self.problems: list[dict[str, Any]] = []
        self.clients: list[Client] = []
        self.broker = Broker()
        self.elsewhere = address
        self.address = BrokerAddress(*(address or ("127.0.0.1", 0)))
        self.flight: Flight | None = None
        self._started: list[DeviceMqtt] = []

    # What the kernel has.

    @property
    def firmware(self) -> Any:
        return self.engine.states["ups"][0]

    def told(self, name: str) -> list[tuple[float, dict[str, object]]]:
        return [(time, details) for time, what, details in self.events if what == name]

    def event(self, name: str, details: Mapping[str, object]) -> None:
        self.events.append((now(), name, dict(details)))

    # Who takes part.

    async def start(self, *more: Dialect, signals: Sequence[str] = USUAL, **settings: Any) -> DeviceMqtt:
        """The device in our own layout, and in more dialects."""
        own = OwnLayout(self.device, self.topics, signals, event=self.event)
        wire = DeviceMqtt(
            "hall:ups.a", self.address, [own, *more], event=self.event, flight=self.flight, **settings,
        )  # fmt: skip
        self._started.append(wire)
        await wire.start()
        return wire

    def driver(self, **settings: Any) -> UpsDriver:
        timeout_s = settings.get("timeout_s", 1.0)
        port = MqttUps(self.topics, self.address, timeout_s=timeout_s, event=self.event, flight=self.flight)
        return UpsDriver("ups.a", port, settings=UpsDriverSettings(**settings), event=self.event)

    async def client(self, name: str, *filters: str, qos: int = 1) -> Client:
        """A raw client; its topics are relative to the device's."""
        client = await Client.open((self.address.host, self.address.port))
        self.clients.append(client)
        await client.connected(name)
        if filters:
            await client.subscribed(*((f"{ROOT}/{topic}", qos) for topic in filters))
        return client

    def serve(self, talk: Callable[[UpsBench], Awaitable[None]], patience_s: float = 5.0) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: self.problems.append(context))
            if self.elsewhere is None:
                self.address = BrokerAddress(*await self.broker.start("127.0.0.1", 0))
            else:
                self.flight = Flight(loop.hold_open)
            before = len(asyncio.all_tasks())
            try:
                await talk(self)
            finally:
                for wire in self._started:
                    await wire.stop()
                for client in self.clients:
                    await client.close()
                await asyncio.sleep(0.001)
                await self.broker.stop()
            await asyncio.sleep(0.001)
            assert len(asyncio.all_tasks()) == before, asyncio.all_tasks()

        with asyncio.Runner(loop_factory=lambda: LockstepLoop(self.plant, patience_s=patience_s)) as runner:
            runner.run(main())
        assert self.problems == []


def on_bench(ups: Mapping[str, Any] | None = None, **sections: Any) -> Callable[[Callable[..., Awaitable[None]]], Any]:
    """A test that talks to the bench."""

    def decorate(talk: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        @wraps(talk)
        def test(**arguments: Any) -> None:
            UpsBench(ups, **sections).serve(lambda bench: talk(bench, **arguments))

        own = list(signature(talk).parameters.values())[1:]
        test.__signature__ = Signature([parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in own])
        return test

    return decorate


def order(identifier: str, value: object, *, ts: int | None = None, ttl_ms: int = 1000) -> bytes:
    """A command's payload, dated now."""
    stamp = round(now() * 1e3) if ts is None else ts
    return json.dumps({"id": identifier, "value": value, "ts": stamp, "ttl_ms": ttl_ms}).encode()


async def came(client: Client) -> list[Message]:
    """What has come, once all is quiet: a tick later."""
    await asyncio.sleep(0.001)
    return await client.got()


async def answers(client: Client) -> list[dict[str, Any]]:
    """Answers that have come, in order."""
    return [json.loads(message.payload) for message in await came(client) if "/ack/" in message.topic]
