"""A revenue meter on the wire: nobody commands it, whoever likes reads it."""

from __future__ import annotations

from firmware_sim.meter.device import EmulatedMeter
from firmware_sim.meter.sunspec import SunSpecMeter
from firmware_sim.meter.victron import meter_items
from firmware_sim.modbus.bank import ModbusFault
from firmware_sim.modbus.tcp import ModbusTcpServer
from hil.errors import ScenarioError
from hil.fleet.broker import SiteBroker
from hil.fleet.dialects import dialects
from hil.fleet.images import EngineMeterImage
from hil.fleet.presence import Presence
from hil.fleet.surroundings import Surroundings
from hil.links.framer import Protocol


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
        self._server = ModbusTcpServer(registers, unit_id=self._section.unit_id, refused=self._refused)
        self._listens_at = ("", 0)
        self._presence: Presence | None = None
        if broker is not None and self._section.mqtt is not None:
            spoken = dialects(around, self.name, device, self._section.mqtt, meter_items(device))
            self._presence = Presence(around, broker, self.name, index, self._section.mqtt, spoken)

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where it listens."""
        return self._listens_at

    @property
    def traffic(self) -> int:
        """Requests that the server has answered."""
        return self._server.requests

    @property
    def messages(self) -> int:
        """Messages that it has sent and received on MQTT."""
        return 0 if self._presence is None else self._presence.messages

    async def start(self) -> None:
        """Listen, and publish. Raises ScenarioError where that cannot be."""
        listen = self._section.listen
        host, _, port = listen.rpartition(":")
        try:
            self._listens_at = await self._server.start(host, self._listens_at[1] or int(port))
        except OSError as error:
            what = f" = {listen!r}: cannot listen there ({error.strerror or error}); port 0 takes any free one"
            raise ScenarioError(self._around.scenario.source, f"{self.name}.listen", what) from None
        self._around.event("server_started", {"device": self.name, "port": self._listens_at[1]})
        if self._presence is not None:
            await self._presence.start()

    async def stop(self) -> None:
        """Listen no more, and say on MQTT that it goes."""
        await self._server.stop()
        if self._presence is not None:
            await self._presence.stop()

    def hang(self, *, hung: bool) -> None:
        """Leave clients without an answer, and publish nothing."""
        self._server.hang(hung=hung)
        if self._presence is not None:
            self._presence.hang(hung=hung)

    def _refused(self, request: bytes, fault: ModbusFault) -> None:
        details: dict[str, object] = {"device": self.name, "request": request.hex(), "code": int(fault.code)}
        self._around.event("request_refused", {**details, "reason": str(fault)})
