"""A UPS on MQTT, in the layout of `hil.mqtt.layout`, as its driver's port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from hil.errors import BrokerLost, DeviceLost, DeviceRefused, DeviceTimeout
from hil.mqtt.address import BrokerAddress
from hil.mqtt.client import Message, MqttPort, PortSettings
from hil.mqtt.flight import Flight
from hil.mqtt.layout import ONLINE, Command, DeviceTopics, mapping_of, milliseconds

Event = Callable[[str, dict[str, object]], None]


class MqttUps:
    """Implements `controllers.ups_driver.UpsPort`.

    timeout_s: for the answer to a command, which is also the time for which it is valid, and for the device's first word.
    """

    def __init__(
        self,
        topics: DeviceTopics,
        address: BrokerAddress,
        *,
        timeout_s: float = 1.0,
        keepalive_s: int = 30,
        event: Event | None = None,
        flight: Flight | None = None,
    ) -> None:
        self._topics = topics
        self._device = topics.device
        self._timeout_s = timeout_s
        self._event = event or (lambda _name, _details: None)
        self._heard: Callable[[Mapping[str, Any]], None] = lambda _values: None
        self._present: Callable[[bool], None] = lambda _there: None
        self._meta: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._sent = 0
        self._modes: list[str] = []
        self._prefix = len(topics.root) + 1
        self._port = MqttPort(
            f"{topics.site}-{topics.device}-driver",
            address,
            subscriptions=[
                topics.of("meta"),
                topics.of("state"),
                topics.of("status"),
                topics.of("tele", "+"),
                topics.of("ack", "+"),
            ],
            received=self._received,
            lost=self._lost,
            settings=PortSettings(timeout_s=timeout_s, keepalive_s=keepalive_s),
            flight=flight,
        )

    async def open(self, heard: Callable[[Mapping[str, Any]], None], present: Callable[[bool], None]) -> Mapping[str, Any]:
        """Connect and wait for what the device says it is. Raises DeviceLost, DeviceTimeout."""
        self._heard, self._present = heard, present
        try:
            await self._port.__aenter__()
        except BrokerLost as problem:
            raise DeviceLost(self._device, str(problem)) from None
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.shield(self._meta)
        except TimeoutError:
            raise DeviceTimeout(self._device, f"nothing retained under {self._topics.of('meta')}") from None

    async def command(self, name: str, value: float) -> None:
        """Publish a command and wait for its answer. Raises DeviceTimeout, DeviceLost, DeviceRefused."""
        loop = asyncio.get_running_loop()
        self._sent += 1
        identifier = f"{self._sent}-{milliseconds(loop.time())}"
        command = Command(identifier, value, milliseconds(loop.time()), milliseconds(self._timeout_s))
        answer = self._answers[identifier] = loop.create_future()
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._port.publish(self._topics.of("cmd", name), command.payload())
                values = await answer
        except TimeoutError:
            raise DeviceTimeout(self._device, f"{name} = {value:g}: no answer within {self._timeout_s:g} s") from None
        except BrokerLost as problem:
            raise DeviceLost(self._device, f"{name} = {value:g}: {problem}") from None
        finally:
            del self._answers[identifier]
        if values.get("ok") is not True:
            raise DeviceRefused(self._device, f"{name} = {value:g}: {values.get('reason', 'refused')}")

    async def close(self) -> None:
        """Say farewell to the broker."""
        await self._port.__aexit__(None, None, None)

    def _lost(self, why: str) -> None:
        self._event("broker_lost", {"client": "driver", "why": why})
        self._present(False)  # as its contract has it
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(BrokerLost(why))

    def _received(self, message: Message) -> None:
        """One word of the device. What is not understood is logged, and does no harm."""
        what, _, rest = message.topic[self._prefix :].partition("/")
        if what == "status":
            self._present(message.payload == ONLINE.encode())
            return
        try:
            values = mapping_of(message.payload)
            if what == "tele":
                self._heard({"time_s": values["ts"] / 1e3, rest: self._value(rest, values["value"])})
            elif what == "state":
                self._heard({"time_s": values["ts"] / 1e3, **values})
            elif what == "ack":
                answer = self._answers.get(rest)
                if answer is not None and not answer.done():
                    answer.set_result(values)
            elif not self._meta.done():
                self._modes = list(values["modes"])
                self._meta.set_result(values)
        except (ValueError, KeyError, TypeError, IndexError) as problem:
            self._event("message_not_understood", {"topic": message.topic, "problem": str(problem)})

    def _value(self, signal: str, value: Any) -> Any:
        return self._modes[int(value)] if signal == "mode" else value
