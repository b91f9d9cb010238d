"""A UPS on the wire: its emulated firmware on MQTT, and the driver that commands it."""

from __future__ import annotations

from controllers.ups_driver import UpsDriver, UpsDriverSettings
from controllers.ups_mqtt import MqttUps
from firmware_sim.ups.device import EmulatedUps
from firmware_sim.ups.victron import ups_items
from hil.fleet.broker import SiteBroker
from hil.fleet.dialects import dialects
from hil.fleet.images import EngineUpsImage
from hil.fleet.presence import Presence
from hil.fleet.surroundings import Surroundings
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
        device = EmulatedUps(self.image, serial=f"{name}-{index + 1:04d}", epoch_s=around.epoch_s)
        spoken = dialects(around, self.name, device, self._section.mqtt, ups_items(device, self.image))
        self._presence = Presence(around, broker, self.name, index, self._section.mqtt, spoken)

    @property
    def traffic(self) -> int:
        """Messages that the device has sent and received."""
        return self._presence.messages

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
        await self._presence.start()

    async def restart(self) -> None:
        """Be back after `die`, as soon as the broker can be reached."""
        await self._presence.restart()

    async def stop(self) -> None:
        """Go, and say so."""
        await self._presence.stop()

    async def die(self) -> None:
        """Lose the connection without a farewell."""
        await self._presence.die()

    def hang(self, *, hung: bool) -> None:
        """Keep the connection and be silent."""
        self._presence.hang(hung=hung)

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


def driver_settings(section: UpsDriverSection) -> UpsDriverSettings:
    """How a driver works, from its section."""
    return UpsDriverSettings(
        rate_hz=section.rate_hz,
        timeout_s=section.timeout_s,
        stale_after_s=section.stale_after_s,
        support_s=section.support_timeout_s,
    )
