"""A battery-storage system on the wire: its emulated inverter behind Modbus TCP, and the driver that commands it."""

from __future__ import annotations

from controllers.sunspec_storage import SunSpecStorage
from hil.fleet.station import StorageStation
from hil.links.framer import Protocol
from hil.wiring.server import DeviceServer
from hil.wiring.surroundings import Surroundings


class ModbusStorage(StorageStation):
    """Implements `hil.fleet.station.Storage`."""

    speaks: Protocol | None = "modbus_tcp"
    messages = 0

    def __init__(self, around: Surroundings, index: int, name: str) -> None:
        super().__init__(around, index, name)
        most = self.personality.most_connections
        self.server = DeviceServer(
            around, self.name, self.maps, key=f"{self.name}.listen", listen=self._section.listen, most_connections=most
        )

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where it listens."""
        return self.server.address

    @property
    def clients(self) -> int | None:
        """How many are connected; None where that does not show."""
        return self.server.clients

    async def start(self) -> None:
        """Listen. Raises ScenarioError where that cannot be."""
        await self.server.start()

    async def stop(self) -> None:
        """Stop listening, as a server that dies."""
        await self.server.stop()

    def hang(self, *, hung: bool) -> None:
        """Leave clients without an answer."""
        self.server.hang(hung=hung)

    def driver(
        self, endpoint: tuple[str, int], target_ttl_s: float, *, led_by: str | None, law_of: str | None
    ) -> SunSpecStorage:
        """The driver, through an endpoint. led_by: its supervisor. law_of: the absorber whose law is on the wire."""
        options = self._driver_options(target_ttl_s, led_by, law_of)
        return SunSpecStorage(self.name, *endpoint, unit_id=self.unit_id, **options)
