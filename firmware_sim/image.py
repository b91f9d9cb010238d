"""What the server of an emulated device sees of it: the process image, and the numbers of commands and states."""

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
    RESET = 9
    LOCAL = 10
    LIMIT_CHARGE_W = 11
    LIMIT_DISCHARGE_W = 12
    LIMIT_ENABLE = 13
    LIMIT_REVERT_S = 14
    LIMIT_RAMP_S = 15
    CONNECT = 16
    CONNECT_REVERT_S = 17
    RESTARTS = 18
    REFRESH = 19
    REBOOT = 20


class PcsCondition(IntEnum):
    """What an inverter is doing: its firmware's `state`."""

    OFF = 0
    STARTING = 1
    STANDBY = 2
    RUNNING = 3
    STOPPING = 4
    FAULT = 5


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
    ECO = 109
    TEST = 110
    FAULT = 111
    RESET = 112


class UpsMode(IntEnum):
    """What feeds the output of a UPS, and why: its firmware's `mode`."""

    OFF = 0
    BYPASS = 1
    NORMAL = 2
    BATTERY = 3
    ECO = 4
    TEST = 5


class UpsTest(IntEnum):
    """How the last test of a UPS's battery ended: its firmware's `test`."""

    NONE = 0
    PASSED = 1
    FAILED = 2
    IN_PROGRESS = 3
    ABORTED = 4


class FaultPoint(IntEnum):
    """What a command can break in the equipment of a device (hil/kernel/faults.pxd).

    A UPS takes CAPACITY, RESISTANCE, DEAD, TEMPERATURE, SOC_DRIFT and RECTIFIER, a storage system all but RECTIFIER.
    """

    CONTACTOR = 200
    PLL = 201
    DERATING = 202
    CAPACITY = 203
    RESISTANCE = 204
    DEAD = 205
    TEMPERATURE = 206
    SOC_DRIFT = 207
    POWER_GAIN = 208
    TRIP = 209
    RECTIFIER = 210


class ProcessImage(Protocol):
    """What every device shows, as of the last tick."""

    @property
    def tick(self) -> int:
        """Ticks run so far."""

    @property
    def period_ns(self) -> int:
        """Length of a tick."""

    def reader(self, name: str) -> Callable[[], float]:
        """Reads a channel of the latest row: the device's own (`power_w`, `soc`, …), or one of the site (`pcc.voltage_pu`)."""


class FirmwareImage(ProcessImage, Protocol):
    """What a device shows whose firmware takes commands."""

    @property
    def room(self) -> int:
        """Commands that the next tick still takes."""

    @property
    def firmware(self) -> Any:
        """State of the firmware, fields of `PcsState` or `UpsState`."""

    def reader(self, name: str) -> Callable[[], float]:
        """Reads a channel of the latest row: the device's own (`power_w`, `soc`, …), or one of the site (`pcc.voltage_pu`).

        As its sensors tell it: state of charge, temperature and power may be off from what the row says.
        """

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
    def capacity_ah(self) -> float:
        """Rated charge of the battery."""

    @property
    def dc_voltage_v(self) -> float:
        """Nominal voltage of the battery."""

    @property
    def nominal_voltage_v(self) -> float:
        """Nominal line-to-line voltage of input and output."""

    @property
    def nominal_hz(self) -> float:
        """Nominal frequency of input and output."""

    @property
    def load_power_factor(self) -> float:
        """Power factor of the load at the output, lagging."""

    @property
    def input_window_pu(self) -> tuple[float, float]:
        """Voltages between which the line is good."""

    @property
    def bypass_window(self) -> tuple[float, float]:
        """Largest deviation at which the bypass may be used: of the voltage from 1 pu, of the frequency from nominal, Hz."""

    @property
    def input_limit_w(self) -> float:
        """Most that the rectifier draws."""

    @property
    def recharge_max_w(self) -> float:
        """Most with which it recharges the battery."""


class MeterImage(ProcessImage, Protocol):
    """Process image of one revenue meter, as of the last tick."""

    @property
    def rating_va(self) -> float:
        """Rated power of its current transformers."""

    @property
    def voltage_v(self) -> float:
        """Nominal voltage between two phases."""

    @property
    def frequency_hz(self) -> float:
        """Nominal frequency."""

    def measured(self, field: str, phase: int | None = None) -> Callable[[], float]:
        """Reads what it measures besides a site's channels, and what it has counted, of `MeterState` (hil/kernel/meter.pxd).

        field: reactive_var; current_va, in each phase, as the power that it carries at 1 pu; imported_j, exported_j; with a
        phase from 0: phase_pu (a, b, c), line_pu (ab, bc, ca).
        """
