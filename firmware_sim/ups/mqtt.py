"""An emulated UPS on MQTT, in the layout of `hil.mqtt.layout`: telemetry, retained state, last will, commands with answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from firmware_sim.ups.device import CommandRefused, EmulatedUps, finite
from hil.coroutines import Rhythm
from hil.errors import BrokerLost
from hil.mqtt.address import BrokerAddress
from hil.mqtt.client import Message, MqttPort, PortSettings, Will
from hil.mqtt.flight import Flight
from hil.mqtt.layout import OFFLINE, ONLINE, Command, DeviceTopics, command_of, milliseconds
from hil.mqtt.signals import USUAL

STATE_EVERY_S = 1.0
_REMEMBERED = 256  # answered commands: a broker may deliver one twice
_AHEAD_MS = 1000  # clocks of a site may differ by so much

Event = Callable[[str, dict[str, object]], None]


@dataclass(frozen=True, slots=True)
class UpsMqttSettings:
    """rate_hz: of telemetry. signals: that are published at that rate, of `hil.mqtt.signals.UNITS`."""

    rate_hz: float = 5.0
    signals: tuple[str, ...] = USUAL
    keepalive_s: int = 30


class UpsMqtt:
    """Puts one UPS on a broker.

    event: hears of commands that were refused and of connections that were lost.
    """

    def __init__(
        self,
        device: EmulatedUps,
        topics: DeviceTopics,
        address: BrokerAddress,
        *,
        settings: UpsMqttSettings | None = None,
        event: Event | None = None,
        flight: Flight | None = None,
    ) -> None:
        self._device = device
        self._topics = topics
        self._settings = settings or UpsMqttSettings()
        self._event = event or (lambda _name, _details: None)
        self._signals = [(topics.of("tele", name), device.signal(name)) for name in self._settings.signals]
        self._answers: OrderedDict[str, tuple[str, float, str]] = OrderedDict()  # by id: command, value, answer
        self._port = MqttPort(
            f"{topics.site}:{topics.device}",
            address,
            subscriptions=[topics.of("cmd", "#")],
            received=self._received,
            will=Will(topics.of("status"), OFFLINE),
            born=self._announce,
            lost=lambda why: self._event("broker_lost", {"client": "device", "why": why}),
            settings=PortSettings(keepalive_s=self._settings.keepalive_s),
            flight=flight,
        )
        self._task: asyncio.Task[None] | None = None
        self._doing: set[asyncio.Task[None]] = set()
        self._hung = False
        self._unannounced = False
        self._state_at = 0.0
        self.messages = 0

    async def start(self) -> None:
        """Connect and publish from now on. Raises BrokerLost."""
        await self._port.__aenter__()
        self._begin()

    def restart(self) -> None:
        """Connect as soon as the broker can be reached, and publish then."""
        self._port.begin()
        self._begin()

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._publish(), name=f"{self._topics.device} telemetry")

    async def stop(self) -> None:
        """Say that it goes, and go. Raises what ended the telemetry, if a defect did."""
        problems = await self._end_tasks()
        if self._port.connected:
            with contextlib.suppress(BrokerLost):
                await self._port.publish(self._topics.of("status"), OFFLINE, retain=True)
        await self._port.__aexit__(None, None, None)
        if problems:
            raise problems[0]

    async def die(self) -> None:
        """Lose power: the connection ends without a farewell, so that the broker publishes the will."""
        self._port.kill()
        await self._end_tasks()
        await self._port.__aexit__(None, None, None)

    def hang(self, *, hung: bool) -> None:
        """Keep the connection, but neither publish nor answer while hung; a birth that fell into it is made up for."""
        self._hung = hung
        if not hung and self._unannounced:
            self._do(self._announce_late(), "announcement")

    async def _end_tasks(self) -> list[Exception]:
        """Returns what went wrong in them."""
        tasks = [*self._doing, *([self._task] if self._task is not None else [])]
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        return [problem for problem in done if isinstance(problem, Exception)]

    async def _announce(self) -> None:
        """After every connect: what it is, how it is, and that it is there."""
        self._unannounced = self._hung
        if self._hung:
            return
        self._state_at = asyncio.get_running_loop().time() + STATE_EVERY_S
        await self._port.publish(self._topics.of("meta"), json.dumps(self._device.meta()), retain=True)
        self._send(self._topics.of("state"), self._state(), retain=True)
        await self._port.publish(self._topics.of("status"), ONLINE, retain=True)

    async def _announce_late(self) -> None:
        with contextlib.suppress(BrokerLost):  # the next connect announces it
            await self._announce()

    def _state(self) -> str:
        return json.dumps({"ts": milliseconds(self._device.time_s), **self._device.state()})

    async def _publish(self) -> None:
        """Telemetry at its rate, state once a second; what falls into a lost connection is not made up for."""
        loop = asyncio.get_running_loop()
        rhythm = Rhythm(1.0 / self._settings.rate_hz)
        while True:
            await rhythm.wait()
            if self._hung or not self._port.connected:
                continue
            now_ms = milliseconds(self._device.time_s)
            for topic, read in self._signals:
                self._send(topic, f'{{"ts": {now_ms}, "value": {json.dumps(finite(read()))}}}')
            if loop.time() >= self._state_at - 1e-9:
                self._state_at = loop.time() + STATE_EVERY_S
                self._send(self._topics.of("state"), self._state(), retain=True)

    def _send(self, topic: str, payload: str, *, retain: bool = False) -> None:
        self.messages += self._port.send(topic, payload, retain=retain)

    def _received(self, message: Message) -> None:
        """A command: carried out at the next tick, or refused; answered either way where it can be."""
        if self._hung:
            return
        self.messages += 1
        name = message.topic.removeprefix(self._topics.of("cmd") + "/")
        try:
            command = command_of(message.payload)
        except ValueError as problem:
            self._event("command_refused", {"command": name, "reason": str(problem)})
            return
        earlier = self._answers.get(command.id)
        if earlier is None:
            answer = self._answer(name, command, retained=message.retained)
            self._answers[command.id] = name, command.value, answer
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        elif earlier[:2] == (name, command.value):
            answer = earlier[2]
        else:
            answer = self._answer(name, command, retained=message.retained, taken=True)
        self._do(self._reply(command.id, answer), "answer")

    def _do(self, work: Coroutine[Any, Any, None], what: str) -> None:
        task = asyncio.create_task(work, name=f"{self._topics.device} {what}")
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)

    def _answer(self, name: str, command: Command, *, retained: bool, taken: bool = False) -> str:
        """Carry out or refuse. taken: its id stands for another command."""
        now_ms = milliseconds(self._device.time_s)
        values: dict[str, Any] = {"id": command.id, "ok": True, "ts": now_ms, "command": name, "value": command.value}
        try:
            if retained:
                raise CommandRefused("retained: a command is an order for now")
            if taken:
                raise CommandRefused("its id stands for another command")
            if command.stale(now_ms):
                raise CommandRefused(f"stale by {now_ms - command.ts_ms - command.ttl_ms} ms")
            if command.ts_ms > now_ms + _AHEAD_MS:
                raise CommandRefused(f"dated {command.ts_ms - now_ms} ms ahead")
            self._device.command(name, command.value)
        except CommandRefused as problem:
            self._event("command_refused", {"command": name, "reason": str(problem)})
            values |= {"ok": False, "reason": str(problem)}
        return json.dumps(values)

    async def _reply(self, identifier: str, answer: str) -> None:
        await self._port.wait_connected()  # what was retained comes before the birth is over
        try:
            await self._port.publish(self._topics.of("ack", identifier), answer)
        except BrokerLost as problem:
            self._event("answer_lost", {"id": identifier, "why": str(problem)})
