"""What an emulated device's server sees of its firmware and plant: the process image of one storage system."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, Protocol


class PcsPoint(IntEnum):
    """What a write can set in the firmware (firmware_sim/kernel/pcs.pxd)."""

    SET_W = 0
    SET_ENABLE = 1
    REVERT_W = 2
    REVERT_ENABLE = 3
    REVERT_S = 4
    SET_VAR = 5
    VAR_ENABLE = 6
    OPERATION = 7
    CONTROLLER_HEARTBEAT = 8


class UpsPoint(IntEnum):
    """What a command can set in the firmware of a UPS (firmware_sim/kernel/ups.pxd)."""

    RECHARGE_W = 100
    WALK_IN_S = 101
    WALK_IN_DELAY_S = 102
    SUPPORT_W = 103
    SUPPORT_S = 104
    OPERATION = 105
    BYPASS = 106
    RESET_DISTURBANCES = 107
    COUNTER = 108


class FirmwareImage(Protocol):
    """What every device shows, as of the last tick."""

    @property
    def tick(self) -> int:
        """Ticks run so far."""

    @property
    def period_ns(self) -> int:
        """Length of a tick."""

    @property
    def room(self) -> int:
        """Commands that the next tick still takes."""

    @property
    def firmware(self) -> Any:
        """State of the firmware, fields of `PcsState` or `UpsState`."""

    def reader(self, name: str) -> Callable[[], float]:
        """Reads a channel of the latest row: the device's own (`power_w`, `soc`, …), or one of the site (`pcc.voltage_pu`)."""

    def firmware_reader(self, field: str) -> Callable[[], float]:
        """Reads a field of the firmware's state, as a plain number."""

    def command(self, point: IntEnum, value: float) -> None:
        """Queue a validated write for the next tick."""


class StorageImage(FirmwareImage, Protocol):
    """Process image of one storage system, as of the last tick."""

    @property
    def rating_va(self) -> float:
        """Rated apparent power."""

    @property
    def charge_max_w(self) -> float:
        """Most it charges."""

    @property
    def discharge_max_w(self) -> float:
        """Most it discharges."""

    @property
    def energy_wh(self) -> float:
        """Rated energy."""

    @property
    def capacity_ah(self) -> float:
        """Rated charge."""

    @property
    def grid_voltage_v(self) -> float:
        """Nominal line-to-line voltage at the terminals."""

    @property
    def soc_window(self) -> tuple[float, float]:
        """State of charge within which the firmware works."""


class UpsImage(FirmwareImage, Protocol):
    """Process image of one UPS, as of the last tick."""

    @property
    def rating_w(self) -> float:
        """Rated output power."""

    @property
    def energy_wh(self) -> float:
        """Rated energy of the battery."""

    @property
    def input_limit_w(self) -> float:
        """Most that the rectifier draws."""

    @property
    def recharge_max_w(self) -> float:
        """Most with which it recharges the battery."""
