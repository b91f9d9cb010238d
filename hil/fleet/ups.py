"""A UPS on the wire: its emulated firmware on MQTT, on Modbus too where asked for, and the driver that commands it."""

from __future__ import annotations

from controllers.ups_driver import UpsDriver, UpsDriverSettings
from controllers.ups_mqtt import MqttUps
from firmware_sim.ups.device import EmulatedUps
from firmware_sim.ups.modbus import ModbusUps
from firmware_sim.ups.victron import ups_items
from hil.fleet.images import EngineUpsImage
from hil.links.framer import Protocol
from hil.mqtt.address import BrokerAddress
from hil.mqtt.layout import DeviceTopics
from hil.scenario.mqtt import UpsDriverSection
from hil.wiring.broker import SiteBroker
from hil.wiring.dialects import dialects
from hil.wiring.presence import Presence
from hil.wiring.server import DeviceServer
from hil.wiring.surroundings import Surroundings


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
        serial = f"{name}-{index + 1:04d}"
        self.image = EngineUpsImage(around.engine, around.scenario, name)
        device = EmulatedUps(self.image, serial=serial, epoch_s=around.epoch_s)
        spoken = dialects(around, self.name, device, self._section.mqtt, ups_items(device, self.image))
        self.presence = Presence(around, broker, self.name, index, self._section.mqtt, spoken)
        self._modbus: ModbusUps | None = None
        self.server: DeviceServer | None = None
        if (section := self._section.modbus) is not None:
            self._modbus = ModbusUps(self.image, section.map, serial=serial)
            maps, key = {section.unit_id: self._modbus.registers}, f"{self.name}.modbus.listen"
            self.server = DeviceServer(around, self.name, maps, key=key, listen=section.listen)

    @property
    def messages(self) -> int:
        """Messages that the device has sent and received."""
        return self.presence.messages

    @property
    def clients(self) -> int | None:
        """How many are connected to the broker, devices aside, and to its Modbus server; None where neither tells."""
        told = [self._broker.clients, None if self.server is None else self.server.clients]
        known = [clients for clients in told if clients is not None]
        return sum(known) if known else None

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where its driver connects: the broker."""
        return self._broker.address.host, self._broker.address.port

    async def start(self) -> None:
        """Listen, connect to the broker and publish. Raises ScenarioError where one of them cannot be."""
        if self.server is not None:
            await self.server.start()
        await self.presence.start()

    async def restart(self) -> None:
        """Be back after `die`, as soon as the broker can be reached."""
        if self.server is not None:
            await self.server.start()
        await self.presence.restart()

    async def stop(self) -> None:
        """Go, and say so; what its Modbus clients have set going is forgotten."""
        if self._modbus is not None:
            self._modbus.forget()
        if self.server is not None:
            await self.server.stop()
        await self.presence.stop()

    async def die(self) -> None:
        """Lose all connections without a farewell."""
        if self.server is not None:
            await self.server.stop()
        await self.presence.die()

    def hang(self, *, hung: bool) -> None:
        """Keep all connections and be silent."""
        if self.server is not None:
            self.server.hang(hung=hung)
        self.presence.hang(hung=hung)

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
