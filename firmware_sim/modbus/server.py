"""What every Modbus server has: its devices by unit, a count of requests, faults of its wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from firmware_sim.modbus.bank import Bank, ModbusFault
from firmware_sim.modbus.engine import Units
from firmware_sim.modbus.faults import Kind, WireFaults

Refused = Callable[[bytes, ModbusFault], None]

_UNITS_OF_ONE = (0, 255)  # what a device on TCP answers too (Implementation Guide V1.0b, section 4.4.1.2, and clients' habits)
_LAST_ON_A_LINE = 247  # Serial Line V1.02, section 2.2


class ModbusServer:
    """Serves one device, or several by unit.

    serial: whether the rules of a serial line hold for units. faults: what goes wrong on the wire, nothing at first.
    """

    def __init__(
        self,
        bank: Bank | Mapping[int, Bank],
        unit_id: int,
        *,
        serial: bool,
        silent: bool,
        refused: Refused | None,
        faults: tuple[frozenset[Kind], int, str],
    ) -> None:
        banks = dict(bank) if isinstance(bank, Mapping) else {unit_id: bank}
        first, last = (1, _LAST_ON_A_LINE) if serial else (0, 255)
        for unit in banks:
            if not first <= unit <= last:
                raise ValueError(f"unit {unit}: must be {first} to {last}")
        if not (serial or isinstance(bank, Mapping)):
            banks |= dict.fromkeys(_UNITS_OF_ONE, bank)
        self.units = Units(banks, serial=serial, silent=silent, refused=refused)
        self.faults = WireFaults(*faults)
        self.hung = False

    @property
    def requests(self) -> int:
        """Requests that were for a device here."""
        return self.units.requests

    @property
    def refused(self) -> Refused | None:
        """Hears of every request that is answered with an exception."""
        return self.units.refused

    @refused.setter
    def refused(self, refused: Refused | None) -> None:
        self.units.refused = refused
