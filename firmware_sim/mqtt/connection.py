"""One emulated device's connection to a broker, and the dialects that it speaks there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from typing import Any

from firmware_sim.mqtt.dialect import Dialect, Event
from firmware_sim.mqtt.faults import MessageFaults
from hil.coroutines import Rhythm
from hil.errors import BrokerLost
from hil.mqtt.address import BrokerAddress
from hil.mqtt.client import Message, MqttPort, PortSettings
from hil.mqtt.flight import Flight, matches


class DeviceMqtt:
    """Puts one device on a broker.

    client_id: its name there. dialects: at most one of them has a will. rate_hz: of telemetry. event: hears of connections
    that were lost. faults: of its messages.
    """

    def __init__(
        self,
        client_id: str,
        address: BrokerAddress,
        dialects: Sequence[Dialect],
        *,
        rate_hz: float = 5.0,
        keepalive_s: int = 30,
        event: Event | None = None,
        flight: Flight | None = None,
        faults: MessageFaults | None = None,
    ) -> None:
        self._faults = faults or MessageFaults(0, client_id)
        told = event or (lambda _name, _details: None)
        self._name = client_id
        self._dialects = tuple(dialects)
        self._rate_hz = rate_hz
        for dialect in self._dialects:
            dialect.attach(self)
        self._port = MqttPort(
            client_id,
            address,
            subscriptions=[topic for dialect in self._dialects for topic in dialect.subscriptions],
            received=self._received,
            will=next((dialect.will for dialect in self._dialects if dialect.will is not None), None),
            born=self._announce,
            lost=lambda why: told("broker_lost", {"client": "device", "why": why}),
            settings=PortSettings(keepalive_s=keepalive_s),
            flight=flight,
        )
        self._task: asyncio.Task[None] | None = None
        self._doing: set[asyncio.Task[None]] = set()
        self._hung = False
        self._unannounced = False
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
        self._task = asyncio.create_task(self._beat(), name=f"{self._name} telemetry")

    async def stop(self) -> None:
        """Say that it goes, and go. Raises what ended the telemetry, if a defect did."""
        problems = await self._end_tasks()
        if self._port.connected:
            with contextlib.suppress(BrokerLost):
                for dialect in self._dialects:
                    await dialect.farewell()
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
            self.do(self._announce_late(), "announcement")

    async def _end_tasks(self) -> list[Exception]:
        """Returns what went wrong in them."""
        tasks = [*self._doing, *([self._task] if self._task is not None else [])]
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        return [problem for problem in done if isinstance(problem, Exception)]

    async def _announce(self) -> None:
        self._unannounced = self._hung
        if self._hung:
            return
        for dialect in self._dialects:
            await dialect.announce()

    async def _announce_late(self) -> None:
        with contextlib.suppress(BrokerLost):  # the next connect announces it
            await self._announce()

    async def _beat(self) -> None:
        """At the device's rate; what falls into a lost connection is not made up for."""
        rhythm = Rhythm(1.0 / self._rate_hz)
        while True:
            await rhythm.wait()
            if self._hung or not self._port.connected:
                continue
            for dialect in self._dialects:
                dialect.beat()

    def _received(self, message: Message) -> None:
        if not self._hung:
            self._faults.pass_on(lambda: self._hear(message))

    def _hear(self, message: Message) -> None:
        self.messages += 1
        for dialect in self._dialects:
            if any(matches(topic, message.topic) for topic in dialect.subscriptions):
                dialect.received(message)

    # What dialects publish through.

    def send(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Give a message to the connection at QoS 0; it is lost where there is none."""
        self._faults.pass_on(lambda: self._send(topic, payload, retain=retain))

    def _send(self, topic: str, payload: str, *, retain: bool) -> None:
        self.messages += self._port.send(topic, payload, retain=retain)

    async def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish at QoS 1 and wait for the acknowledgement. Raises BrokerLost."""
        late_s, times = self._faults.drawn()
        if late_s > 0.0:
            await asyncio.sleep(late_s)
        for _ in range(times):
            await self._port.publish(topic, payload, retain=retain)

    async def wait_connected(self) -> None:
        """Wait until the connection is up, its announcements made."""
        await self._port.wait_connected()

    def do(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Do what waits, beside everything else."""
        task = asyncio.create_task(work, name=f"{self._name} {what}")
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)
