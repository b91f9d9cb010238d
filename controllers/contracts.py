"""What a supervisor may expect of a device, whatever it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
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


class UpsMode(StrEnum):
    """What feeds a UPS's output."""

    OFF = "off"
    BYPASS = "bypass"
    NORMAL = "normal"
    BATTERY = "battery"
    ECO = "eco"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class UpsSample:
    """What a UPS last said of itself; None where it does not say. Input draws, output feeds the load, battery discharges > 0.

    time_s: of the telemetry. settings: what it holds of its own settings, by the names of its commands.
    """

    time_s: float
    mode: UpsMode
    input_power_w: float
    output_power_w: float
    battery_power_w: float
    soc: float
    input_frequency_hz: float | None = None
    input_voltage_pu: float | None = None
    runtime_s: float | None = None
    latched: bool = False
    low_battery: bool = False
    settings: Mapping[str, float] | None = None


@runtime_checkable
class UpsDevice(Protocol):
    """An uninterruptible power supply whose recharge, walk-in and support of the grid can be set.

    A setting is a target: its driver sends it, and sends it again after a loss, until the device has answered.
    """

    @property
    def name(self) -> str:
        """Name in the scenario."""

    @property
    def rating_w(self) -> float:
        """Rated output power."""

    @property
    def energy_wh(self) -> float:
        """Rated energy of its battery."""

    @property
    def recharge_max_w(self) -> float:
        """Most with which it recharges."""

    @property
    def input_limit_w(self) -> float:
        """Most that its rectifier draws: what a walk-in leads up to."""

    @property
    def walk_in_max_s(self) -> float:
        """Longest delay, and longest duration, of a walk-in."""

    async def read(self) -> UpsSample:
        """The latest sample; waits for the first. Raises DeviceTimeout when it is stale, DeviceLost when nobody is there."""

    def set_recharge_power(self, power_w: float) -> None:
        """Most with which the battery is recharged. Raises ValueError beyond what the device takes."""

    def set_walk_in(self, delay_s: float, duration_s: float) -> None:
        """How the rectifier comes back after an outage: when, once the line is good, and how slowly. Raises ValueError."""

    def set_support(self, power_w: float) -> None:
        """Power of the load that the battery takes over from the grid; to be renewed, else it ends. Raises ValueError."""

    async def reset_disturbances(self) -> None:
        """Release a UPS that has latched off the grid. Raises DeviceError."""
