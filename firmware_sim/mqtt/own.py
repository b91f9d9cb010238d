"""The layout of `hil.mqtt.layout` as a device speaks it: telemetry, retained state, last will, commands with answers."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from firmware_sim.device import CommandRefused, EmulatedDevice, finite
from firmware_sim.mqtt.dialect import Event, Outlet
from hil.errors import BrokerLost
from hil.mqtt.client import Message, Will
from hil.mqtt.layout import OFFLINE, ONLINE, Command, DeviceTopics, command_of, milliseconds

STATE_EVERY_S = 1.0
_REMEMBERED = 256  # answered commands: a broker may deliver one twice
_AHEAD_MS = 1000  # clocks of a site may differ by so much


class OwnLayout:
    """Implements `firmware_sim.mqtt.dialect.Dialect`.

    signals: of the device's `meta`, that are published at its rate. event: hears of commands that were refused.
    """

    def __init__(
        self, device: EmulatedDevice, topics: DeviceTopics, signals: Sequence[str], *, event: Event | None = None
    ) -> None:
        self.subscriptions = (topics.of("cmd", "#"),)
        self.will: Will | None = Will(topics.of("status"), OFFLINE)
        self._device = device
        self._topics = topics
        self._event = event or (lambda _name, _details: None)
        self._signals = [(topics.of("tele", name), device.signal(name)) for name in signals]
        self._answers: OrderedDict[str, tuple[str, float, str]] = OrderedDict()  # by id: command, value, answer
        self._state_at = 0.0
        self._outlet: Outlet

    def attach(self, outlet: Outlet) -> None:
        """Where it publishes from now on."""
        self._outlet = outlet

    async def announce(self) -> None:
        """After every connect: what it is, how it is, and that it is there."""
        self._state_at = asyncio.get_running_loop().time() + STATE_EVERY_S
        await self._outlet.publish(self._topics.of("meta"), json.dumps(self._device.meta()), retain=True)
        self._outlet.send(self._topics.of("state"), self._state(), retain=True)
        await self._outlet.publish(self._topics.of("status"), ONLINE, retain=True)

    async def farewell(self) -> None:
        """That it goes."""
        await self._outlet.publish(self._topics.of("status"), OFFLINE, retain=True)

    def beat(self) -> None:
        """Telemetry, and state once a second."""
        now_s, now_ms = asyncio.get_running_loop().time(), milliseconds(self._device.time_s)
        for topic, read in self._signals:
            self._outlet.send(topic, f'{{"ts": {now_ms}, "value": {json.dumps(finite(read()))}}}')
        if now_s >= self._state_at - 1e-9:
            self._state_at = now_s + STATE_EVERY_S
            self._outlet.send(self._topics.of("state"), self._state(), retain=True)

    def _state(self) -> str:
        return json.dumps({"ts": milliseconds(self._device.time_s), **self._device.state()})

    def received(self, message: Message) -> None:
        """A command: carried out at the next tick, or refused; answered either way where it can be."""
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
        self._outlet.do(self._reply(command.id, answer), "answer")

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
        await self._outlet.wait_connected()  # what was retained comes before the birth is over
        try:
            await self._outlet.publish(self._topics.of("ack", identifier), answer)
        except BrokerLost as problem:
            self._event("answer_lost", {"id": identifier, "why": str(problem)})
