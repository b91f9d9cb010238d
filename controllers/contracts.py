"""What a supervisor may expect of a device, whatever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class StorageSample:
    """What a storage device last said of itself; None where it does not say. Discharge > 0."""

    time_s: float
    active_power_w: float
    soc: float
    reactive_power_var: float | None = None
    frequency_hz: float | None = None
    voltage_v: float | None = None
    setpoint_w: float | None = None
    setpoint_enabled: bool | None = None


@runtime_checkable
class StorageDevice(Protocol):
    """A battery-storage system that takes a set-point of active power."""

    @property
    def name(self) -> str:
        """Name in the scenario."""

    @property
    def rating_w(self) -> float:
        """Most it discharges."""

    @property
    def energy_wh(self) -> float:
        """Rated energy."""

    async def read(self) -> StorageSample:
        """The latest sample; waits for the first. Raises DeviceTimeout when the latest is stale."""

    async def set_active_power(self, power_w: float) -> None:
        """Set the target that the driver sends from its next cycle on. Raises ValueError beyond the rating."""
