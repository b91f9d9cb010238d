"""A UPS on the wire: its emulated firmware on MQTT, and the driver that commands it."""

from __future__ import annotations

from controllers.ups_driver import UpsDriver, UpsDriverSettings
from controllers.ups_mqtt import MqttUps
from firmware_sim.ups.device import EmulatedUps
from firmware_sim.ups.mqtt import UpsMqtt, UpsMqttSettings
from hil.clock.participants import acting_as
from hil.errors import BrokerLost, ScenarioError
from hil.fleet.broker import SiteBroker
from hil.fleet.images import EngineUpsImage
from hil.fleet.surroundings import Order, Surroundings
from hil.links.framer import Protocol
from hil.mqtt.address import BrokerAddress
from hil.mqtt.layout import DeviceTopics
from hil.scenario.mqtt import UpsDriverSection


class MqttSupply:
    """Implements `hil.fleet.station.Supply`."""

    speaks: Protocol | None = "mqtt"

    def __init__(self, around: Surroundings, index: int, name: str, broker: SiteBroker) -> None:
        self.name = f"ups.{name}"
        self.index = index
        self._around = around
        self._broker = broker
        self._section = around.scenario.ups[name]
        self._topics = DeviceTopics(around.scenario.mqtt.site, self.name)
        self.image = EngineUpsImage(around.engine, around.scenario, name)
        self._device = EmulatedUps(self.image, serial=f"{name}-{index + 1:04d}", epoch_s=around.epoch_s)
        self._wire: UpsMqtt | None = None
        self._messages = 0

    @property
    def traffic(self) -> int:
        """Messages that the device has sent and received."""
        return self._messages + (0 if self._wire is None else self._wire.messages)

    @property
    def clients(self) -> int | None:
        """How many are connected to the broker, devices aside; None where it is not ours."""
        return self._broker.clients

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where its driver connects: the broker."""
        return self._broker.address.host, self._broker.address.port

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
        with acting_as(Order.STATIONS + self.index, self.name):
            self._wire = self._made()
            self._wire.restart()

    def _made(self) -> UpsMqtt:
        section = self._section.mqtt
        return UpsMqtt(
            self._device,
            self._topics,
            self._broker.address,
            settings=UpsMqttSettings(section.rate_hz, tuple(section.signals), int(section.keepalive_s)),
            event=self._around.event_of(self.name),
            flight=self._broker.flight,
        )

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

    def driver(self, endpoint: tuple[str, int], *, led_by: str) -> UpsDriver:
        """The driver, through an endpoint. led_by: its supervisor."""
        section, event = self._section.driver, self._around.event_of(self.name)
        mine = self._broker.address
        port = MqttUps(
            self._topics,
            BrokerAddress(*endpoint, mine.user, mine.password),
            timeout_s=section.timeout_s,
            keepalive_s=int(section.keepalive_s),
            event=event,
            flight=self._broker.flight,
        )
        return UpsDriver(
            self.name,
            port,
            settings=driver_settings(section),
            event=event,
            acknowledged=self._around.heard(f"supervisor.{led_by}", self.name),
        )

    def _put_away(self) -> None:
        self._messages = self.traffic
        self._wire = None


def driver_settings(section: UpsDriverSection) -> UpsDriverSettings:
    """How a driver works, from its section."""
    return UpsDriverSettings(
        rate_hz=section.rate_hz,
        timeout_s=section.timeout_s,
        stale_after_s=section.stale_after_s,
        support_s=section.support_timeout_s,
    )
