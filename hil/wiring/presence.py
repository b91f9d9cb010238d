"""A device on the site's broker: it connects there, dies, comes back, and falls silent."""

from __future__ import annotations

from collections.abc import Sequence

from firmware_sim.mqtt.connection import DeviceMqtt
from firmware_sim.mqtt.dialect import Dialect
from firmware_sim.mqtt.faults import MessageFaults
from hil.clock.participants import acting_as
from hil.errors import BrokerLost, ScenarioError
from hil.scenario.mqtt import DeviceMqttSection
from hil.wiring.broker import SiteBroker
from hil.wiring.surroundings import Order, Surroundings


class Presence:
    """One device's. name: as in `ups.NAME`; index: its place among the stations; dialects: what it speaks there."""

    def __init__(
        self,
        around: Surroundings,
        broker: SiteBroker,
        name: str,
        index: int,
        section: DeviceMqttSection,
        dialects: Sequence[Dialect],
    ) -> None:
        self._around = around
        self._broker = broker
        self._name = name
        self._index = index
        self._section = section
        self._dialects = dialects
        self.faults = MessageFaults(around.scenario.seed, name)
        self._wire: DeviceMqtt | None = None
        self._messages = 0

    @property
    def messages(self) -> int:
        """Messages that the device has sent and received."""
        return self._messages + (0 if self._wire is None else self._wire.messages)

    async def start(self) -> None:
        """Connect to the broker and publish. Raises ScenarioError where there is none."""
        self._wire = self._made()
        try:
            await self._wire.start()
        except BrokerLost as problem:
            scenario = self._around.scenario
            raise ScenarioError(scenario.source, "mqtt.broker", f" = {scenario.mqtt.broker!r}: {problem}") from None

    async def restart(self) -> None:
        """Be back after `die`, as soon as the broker can be reached."""
        with acting_as(Order.STATIONS + self._index, self._name):
            self._wire = self._made()
            self._wire.restart()

    async def stop(self) -> None:
        """Go, and say so."""
        if self._wire is not None:
            await self._wire.stop()
            self._put_away()

    async def die(self) -> None:
        """Lose the connection without a farewell."""
        if self._wire is not None:
            await self._wire.die()
            self._put_away()

    def hang(self, *, hung: bool) -> None:
        """Keep the connection and be silent."""
        if self._wire is not None:
            self._wire.hang(hung=hung)

    def _made(self) -> DeviceMqtt:
        return DeviceMqtt(
            f"{self._around.scenario.mqtt.site}:{self._name}",
            self._broker.address,
            self._dialects,
            rate_hz=self._section.rate_hz,
            keepalive_s=int(self._section.keepalive_s),
            event=self._around.event_of(self._name),
            flight=self._broker.flight,
            faults=self.faults,
        )

    def _put_away(self) -> None:
        self._messages = self.messages
        self._wire = None
