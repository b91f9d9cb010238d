"""A battery-storage system on the wire: its emulated inverter behind Modbus TCP, and the driver that commands it."""

from __future__ import annotations

from collections.abc import Callable

from controllers.sunspec_storage import DriverSettings, SunSpecStorage
from firmware_sim.modbus.pdu import ModbusFault
from firmware_sim.modbus.tcp import ModbusTcpServer
from firmware_sim.sunspec_bess import SunSpecBess
from hil.errors import ScenarioError
from hil.fleet.images import EngineStorageImage
from hil.fleet.surroundings import Surroundings


class ModbusStorage:
    """The station of one system. name: `bess.NAME`."""

    def __init__(self, around: Surroundings, index: int, name: str) -> None:
        self.name = f"bess.{name}"
        self.index = index
        self._around = around
        self._section = around.scenario.bess[name]
        self.image = EngineStorageImage(around.engine, around.scenario, name)
        device = SunSpecBess(self.image, serial=f"{name}-{index + 1:04d}")
        self._server = ModbusTcpServer(device.registers, unit_id=self._section.unit_id, refused=self._refused)
        self.endpoint = ("", 0)

    @property
    def requests(self) -> int:
        """Requests that the server has answered."""
        return self._server.requests

    async def start(self) -> None:
        """Listen. Raises ScenarioError where that cannot be."""
        listen = self._section.listen
        host, _, port = listen.rpartition(":")
        try:
            self.endpoint = await self._server.start(host, self.endpoint[1] or int(port))
        except OSError as error:
            what = f" = {listen!r}: cannot listen there ({error.strerror or error}); port 0 takes any free one"
            raise ScenarioError(self._around.scenario.source, f"{self.name}.listen", what) from None
        self._around.event("server_started", {"device": self.name, "port": self.endpoint[1]})

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
        settings, heard = self._section.driver, self._around.heard
        acknowledged: Callable[[], None] | None = None if led_by is None else heard(f"supervisor.{led_by}")
        return SunSpecStorage(
            self.name,
            *endpoint,
            unit_id=self._section.unit_id,
            settings=DriverSettings(
                rate_hz=settings.rate_hz,
                timeout_s=settings.timeout_s,
                reversion_s=int(settings.reversion_s),
                ramp_down_s=settings.ramp_down_s,
                target_ttl_s=target_ttl_s,
            ),
            event=self._around.event_of(self.name),
            acknowledged=acknowledged,
            law=None if law_of is None else self.image.reader("law_w"),
            law_sent=None if law_of is None else heard(f"absorber.{law_of}"),
        )

    def _refused(self, request: bytes, fault: ModbusFault) -> None:
        details: dict[str, object] = {"device": self.name, "request": request.hex(), "code": int(fault.code)}
        self._around.event("request_refused", {**details, "reason": str(fault)})
