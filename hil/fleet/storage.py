"""A battery-storage system on the wire: its emulated inverter behind Modbus TCP, and the driver that commands it."""

from __future__ import annotations

from controllers.sunspec_storage import SunSpecStorage
from firmware_sim.maps import STORAGE_MAPS
from firmware_sim.modbus.bank import ModbusFault
from firmware_sim.modbus.tcp import ModbusTcpServer
from hil.fleet.listening import cannot_listen
from hil.fleet.station import StorageStation
from hil.fleet.surroundings import Surroundings
from hil.links.framer import Protocol


class ModbusStorage(StorageStation):
    """Implements `hil.fleet.station.Storage`."""

    speaks: Protocol | None = "modbus_tcp"

    def __init__(self, around: Surroundings, index: int, name: str) -> None:
        super().__init__(around, index, name)
        self.registers = STORAGE_MAPS[self._section.firmware].bank(self.image, self.serial)
        self._server = ModbusTcpServer(self.registers, unit_id=self._section.unit_id, refused=self._refused)
        self._listens_at = ("", 0)

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where it listens."""
        return self._listens_at

    @property
    def traffic(self) -> int:
        """Requests that the server has answered."""
        return self._server.requests

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._server.connections)

    async def start(self) -> None:
        """Listen. Raises ScenarioError where that cannot be."""
        host, _, port = self._section.listen.rpartition(":")
        address = self._around.host or host, self._listens_at[1] or int(port)
        try:
            self._listens_at = await self._server.start(*address)
        except OSError as error:
            raise cannot_listen(self._around.scenario.source, f"{self.name}.listen", address, error) from None
        self._around.event("server_started", {"device": self.name, "port": self._listens_at[1]})

    async def stop(self) -> None:
        """Stop listening, as a server that dies."""
        await self._server.stop()

    def hang(self, *, hung: bool) -> None:
        """Leave clients without an answer."""
        self._server.hang(hung=hung)

    def driver(
        self, endpoint: tuple[str, int], target_ttl_s: float, *, led_by: str | None, law_of: str | None
    ) -> SunSpecStorage:
        """The driver, through an endpoint. led_by: its supervisor. law_of: the absorber whose law is on the wire."""
        options = self._driver_options(target_ttl_s, led_by, law_of)
        return SunSpecStorage(self.name, *endpoint, unit_id=self._section.unit_id, **options)

    def _refused(self, request: bytes, fault: ModbusFault) -> None:
        details: dict[str, object] = {"device": self.name, "request": request.hex(), "code": int(fault.code)}
        self._around.event("request_refused", {**details, "reason": str(fault)})
