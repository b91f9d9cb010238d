"""A revenue meter on the wire: nobody commands it, whoever likes reads it."""

from __future__ import annotations

from firmware_sim.meter.device import EmulatedMeter
from firmware_sim.meter.sunspec import SunSpecMeter
from firmware_sim.meter.victron import meter_items
from hil.fleet.images import EngineMeterImage
from hil.links.framer import Protocol
from hil.wiring.broker import SiteBroker
from hil.wiring.dialects import dialects
from hil.wiring.presence import Presence
from hil.wiring.server import DeviceServer
from hil.wiring.surroundings import Surroundings


class MeterStation:
    """Implements `hil.fleet.station.Station`."""

    speaks: Protocol | None = "modbus_tcp"

    def __init__(self, around: Surroundings, index: int, name: str, broker: SiteBroker | None) -> None:
        self.name = f"meter.{name}"
        self.index = index
        self._around = around
        self._section = around.scenario.meter[name]
        self.image = EngineMeterImage(around.engine, around.scenario, name)
        device = EmulatedMeter(self.image, serial=f"{name}-{index + 1:04d}")
        registers = SunSpecMeter(device).registers
        self.unit_id = self._section.unit_id
        maps, key = {self.unit_id: registers}, f"{self.name}.listen"
        self.server = DeviceServer(around, self.name, maps, key=key, listen=self._section.listen)
        self.presence: Presence | None = None
        if broker is not None and self._section.mqtt is not None:
            spoken = dialects(around, self.name, device, self._section.mqtt, meter_items(device))
            self.presence = Presence(around, broker, self.name, index, self._section.mqtt, spoken)

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where it listens."""
        return self.server.address

    @property
    def clients(self) -> int | None:
        """How many are connected; None where that does not show."""
        return self.server.clients

    @property
    def messages(self) -> int:
        """Messages that it has sent and received on MQTT."""
        return 0 if self.presence is None else self.presence.messages

    async def start(self) -> None:
        """Listen, and publish. Raises ScenarioError where that cannot be."""
        await self.server.start()
        if self.presence is not None:
            await self.presence.start()

    async def stop(self) -> None:
        """Listen no more, and say on MQTT that it goes."""
        await self.server.stop()
        if self.presence is not None:
            await self.presence.stop()

    def hang(self, *, hung: bool) -> None:
        """Leave clients without an answer, and publish nothing."""
        self.server.hang(hung=hung)
        if self.presence is not None:
            self.presence.hang(hung=hung)
