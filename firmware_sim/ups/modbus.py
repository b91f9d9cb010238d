"""An emulated UPS on Modbus: which maps there are, and a UPS behind one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from firmware_sim.image import UpsImage
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.ups.maps import apc_smart_ups, contacts, generic, huawei_ups2000
from firmware_sim.ups.panel import Panel


@dataclass(frozen=True, slots=True)
class UpsMap:
    """A map. meaning: what it is, in a few words. registers: makes it for one UPS."""

    meaning: str
    registers: Callable[[Panel], RegisterMap]


MAPS: Mapping[str, UpsMap] = MappingProxyType(
    {
        "generic": UpsMap("objects of RFC 1628, after ManageUPS", generic.registers),
        "huawei-ups2000": UpsMap("Huawei UPS2000", huawei_ups2000.registers),
        "apc-smart-ups": UpsMap("APC Smart-UPS", apc_smart_ups.registers),
        "contacts": UpsMap("dry contacts behind a remote I/O module", contacts.registers),
    }
)
"""By the name that a scenario and `hil serve` give them."""


class ModbusUps:
    """The register map of one UPS (`registers`), and the timers that its clients have set."""

    def __init__(self, image: UpsImage, name: str = "generic", *, serial: str = "0001") -> None:
        panel = Panel(image, serial=serial)
        self._switch = panel.switch
        self.registers = MAPS[name].registers(panel)

    def forget(self) -> None:
        """Cancel what is still to come, as a UPS does that loses its own power."""
        self._switch.cancel()
