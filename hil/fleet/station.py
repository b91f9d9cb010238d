"""What a run asks of the station of a device, by whatever transport; and what all stations of storage systems share."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from controllers.storage_driver import DriverSettings
from firmware_sim.image import ProcessImage
from firmware_sim.storage.device import Nameplate
from firmware_sim.storage.personalities.registry import PERSONALITIES, bank_of
from hil.fleet.images import EngineStorageImage
from hil.links.framer import Protocol as WireProtocol
from hil.wiring.presence import Presence
from hil.wiring.server import DeviceServer
from hil.wiring.surroundings import Surroundings


class Station(Protocol):
    """A device of the scenario. name: as in `bess.NAME`; index: its place, storage first; speaks: on its wire, if it has."""

    name: str
    index: int
    speaks: WireProtocol | None

    @property
    def server(self) -> DeviceServer | None:
        """Its Modbus server, if it has one."""

    @property
    def presence(self) -> Presence | None:
        """Itself on the broker, if it is there."""

    @property
    def image(self) -> ProcessImage:
        """Its process image."""

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where its driver connects, if it does."""

    @property
    def messages(self) -> int:
        """Messages that it has sent and received on MQTT."""

    async def start(self) -> None:
        """Serve. Raises ScenarioError where that cannot be."""

    async def stop(self) -> None:
        """Serve no more."""


class Storage(Station, Protocol):
    """A battery-storage system."""

    def driver(
        self, endpoint: tuple[str, int], target_ttl_s: float, *, led_by: str | None, law_of: str | None
    ) -> AbstractAsyncContextManager[Any]:
        """Its driver, through an endpoint. led_by: its supervisor. law_of: the absorber whose law is on the wire."""


class Supply(Station, Protocol):
    """A UPS."""

    def driver(self, endpoint: tuple[str, int], *, led_by: str) -> AbstractAsyncContextManager[Any]:
        """Its driver, through an endpoint. led_by: its supervisor."""


class StorageStation:
    """One system: its process image, and its emulated inverter.

    maps: its register maps by Modbus unit; unit_id, registers: of the first of them.
    """

    presence = None

    def __init__(self, around: Surroundings, index: int, name: str) -> None:
        self.name = f"bess.{name}"
        self.index = index
        self._around = around
        self._section = around.scenario.bess[name]
        self.image = EngineStorageImage(around.engine, around.scenario, name)
        section, seed = self._section, around.scenario.seed
        nameplate = Nameplate(
            f"{name}-{index + 1:04d}", watchdog_s=None if section.watchdog_s is None else int(section.watchdog_s), seed=seed
        )
        self.personality = PERSONALITIES[section.firmware]
        self.maps = bank_of(self.image, section.firmware, nameplate, unit_id=section.unit_id)
        self.unit_id, self.registers = next(iter(self.maps.items()))

    def _driver_options(self, target_ttl_s: float, led_by: str | None, law_of: str | None) -> dict[str, Any]:
        """Keywords of its `StorageDriver`."""
        settings, heard = self._section.driver, self._around.heard
        return {
            "settings": DriverSettings(
                rate_hz=settings.rate_hz,
                timeout_s=settings.timeout_s,
                reversion_s=int(settings.reversion_s),
                ramp_down_s=settings.ramp_down_s,
                target_ttl_s=target_ttl_s,
            ),
            "event": self._around.event_of(self.name),
            "acknowledged": None if led_by is None else heard(f"supervisor.{led_by}"),
            "law": None if law_of is None else self.image.reader("law_w"),
            "law_sent": None if law_of is None else heard(f"absorber.{law_of}"),
        }
