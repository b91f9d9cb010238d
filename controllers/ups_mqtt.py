"""A UPS on MQTT, in the layout of `hil.mqtt.layout`, as its driver's port."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any

from controllers.contracts import UpsMode
from hil.errors import BrokerLost, DeviceLost, DeviceRefused, DeviceTimeout
from hil.mqtt.address import BrokerAddress
from hil.mqtt.client import Message, MqttPort, PortSettings
from hil.mqtt.flight import Flight
from hil.mqtt.layout import ONLINE, Command, DeviceTopics, mapping_of, milliseconds, number_of

Event = Callable[[str, dict[str, object]], None]
# What a sample needs as a number; what may also be unknown (null).
_NUMBERS = {
    "input_power_w", "output_power_w", "battery_power_w", "soc",
    "recharge_w", "walk_in_s", "walk_in_delay_s", "support_w", "support_s",
}  # fmt: skip
_PERHAPS = {"input_frequency_hz", "input_voltage_pu", "runtime_s"}


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
            f"{topics.site}:{topics.device}:driver",
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
            what = f"nothing retained under {self._topics.of('meta')} that could be understood"
            raise DeviceTimeout(self._device, what) from None

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
            if answer.done() and not answer.cancelled():
                answer.exception()  # seen: the connection may have been lost while it was published
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
                self._heard({rest: self._value(rest, values["value"]), "time_s": _time_s(values)})
            elif what == "state":
                self._heard({name: _known(name, value) for name, value in values.items()} | {"time_s": _time_s(values)})
            elif what == "ack":
                answer = self._answers.get(rest)
                if answer is not None and not answer.done():
                    answer.set_result(values)
            elif not self._meta.done():
                self._modes = _modes(values)
                self._meta.set_result(values)
        except (ValueError, LookupError, TypeError, AttributeError) as problem:
            self._event("message_not_understood", {"topic": message.topic, "problem": str(problem)})

    def _value(self, signal: str, value: Any) -> Any:
        """Of telemetry: modes go by their number in `meta`."""
        if signal != "mode":
            return _known(signal, value)
        number = number_of(value)
        if not 0 <= number < len(self._modes) or number != int(number):
            raise ValueError("value: no such mode")
        return UpsMode(self._modes[int(number)])


def _time_s(values: Mapping[str, Any]) -> float:
    time_s = number_of(values["ts"]) / 1e3
    if not math.isfinite(time_s):
        raise ValueError("ts: must be milliseconds")
    return time_s


def _known(name: str, value: Any) -> Any:
    """A value of a state, checked where a sample needs it. Raises ValueError."""
    if name == "mode":
        return UpsMode(value)
    if (name in _NUMBERS or (name in _PERHAPS and value is not None)) and not math.isfinite(number_of(value)):
        raise ValueError(f"{name}: must be a number")
    return value


def _modes(meta: Mapping[str, Any]) -> list[str]:
    """The names of modes in a `meta` that has what a driver needs. Else it raises what comes of it."""
    limits = [limit[key] for limit in meta["commands"].values() for key in ("min", "max")]
    if not all(
        math.isfinite(number_of(value)) for value in (meta["rating_w"], meta["energy_wh"], meta["input_limit_w"], *limits)
    ):
        raise ValueError("rating_w, energy_wh, input_limit_w, min and max must be numbers")
    if not all(isinstance(limit["unit"], str) for limit in meta["commands"].values()):
        raise ValueError("unit: must be text")
    return list(meta["modes"])
