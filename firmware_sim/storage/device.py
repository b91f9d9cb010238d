"""What every register map of an emulated storage inverter is made of: readings, settings, a vendor's remote control."""

from __future__ import annotations

import math
from collections.abc import Callable, Container
from dataclasses import dataclass

from firmware_sim.image import PcsCondition, PcsPoint, StorageImage
from firmware_sim.registers.accepted import Accepted
from firmware_sim.registers.point import ANY, Range
from firmware_sim.registers.sunspec_map import Setting

MOST_SECONDS = 86_400
_TOO_HOT = 2  # bit of the firmware's `fault` (firmware_sim/kernel/pcs.pxd)


@dataclass(frozen=True, slots=True)
class Nameplate:
    """What tells one device of a kind from another.

    watchdog_s: in place of the kind's own time-out, where no register sets it. seed: of what it draws.
    """

    serial: str = "0001"
    model_name: str = "Emulated BESS"
    watchdog_s: int | None = None
    seed: int = 0


class Device:
    """One storage system as its register maps see it: all of them share what was accepted within a tick.

    Readings are functions without arguments; power above 0 discharges.
    """

    def __init__(self, image: StorageImage, nameplate: Nameplate) -> None:
        self.image = image
        self.nameplate = nameplate
        self.accepted = Accepted(image)
        self.rated_a = image.rating_va / (math.sqrt(3.0) * image.grid_voltage_v)
        self.soc = _shown(image.reader("soc"))
        self.condition = image.firmware_reader("state")
        self._write = {point: self.accepted.writer(point) for point in PcsPoint}
        self.enabled = self.accepted.reader("set_enable", PcsPoint.SET_ENABLE)
        self.set_w = self.accepted.reader("set_w", PcsPoint.SET_W)

    @property
    def largest_w(self) -> float:
        """What a register of power must hold."""
        image = self.image
        return 1.25 * max(image.rating_va, image.charge_max_w, image.discharge_max_w)

    @property
    def power_range(self) -> Range:
        """Set-points that it takes."""
        return Range(-self.image.charge_max_w, self.image.discharge_max_w, "W")

    def setting(self, field: str, point: PcsPoint, allowed: Container[object] = ANY, *, full: float = 0.0) -> Setting:
        """A setting of the firmware. field: where its state keeps it; full: what 100 % is, where it is shown in per cent."""
        read, write = self.accepted.reader(field, point), self._write[point]
        if not full:
            return Setting(read, write, allowed)
        return Setting(lambda: 100.0 * read() / full, lambda value: write(value * full / 100.0), allowed)

    def command(self, point: PcsPoint, value: float) -> None:
        """Queue a setting for the next tick. Raises ModbusFault where the firmware takes no more."""
        self._write[point](value)

    def remaining_s(self, timer: str) -> Callable[[], float]:
        """Reads what is left of a timer, in whole seconds, rounded up; 0 where it does not run. timer: its field."""
        expires, image = self.image.firmware_reader(timer), self.image

        def read() -> float:
            at = expires()
            return 0.0 if at < 0 else math.ceil((at - image.tick) * image.period_ns / 1e9)

        return read

    def faults(self) -> tuple[bool, bool]:
        """Whether it has tripped, and whether by heat."""
        causes = int(self.image.firmware["fault"])
        return causes != 0, bool(causes & _TOO_HOT)

    def throttled(self) -> bool:
        """Whether it runs and a limit cuts what it is asked for."""
        return self.condition() == PcsCondition.RUNNING and bool(self.image.firmware["limited"])


class RemoteControl:
    """A vendor's remote control of the power: a set-point that lasts until its time-out, which runs in the tick.

    Only `power` and `refresh` restart the time-out. At its end the device does what `fallback_w` says; None: its own control,
    the set-point disabled.
    """

    COMMANDS = 7
    """Most that one call gives to the firmware."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.active = device.enabled
        self.set_w = device.set_w

    def power(self, power_w: float, timeout_s: float, fallback_w: float | None = None, *, restarts: bool = True) -> None:
        """Follow a set-point. timeout_s: 0: for ever. restarts: whether this restarts the time-out."""
        command = self._device.command
        command(PcsPoint.RESTARTS, 0)
        command(PcsPoint.REVERT_S, timeout_s)
        command(PcsPoint.REVERT_W, fallback_w or 0.0)
        command(PcsPoint.REVERT_ENABLE, fallback_w is not None)
        command(PcsPoint.SET_W, power_w)
        command(PcsPoint.SET_ENABLE, 1)
        if restarts:
            command(PcsPoint.REFRESH, 1)

    def refresh(self, timeout_s: float, fallback_w: float | None = None) -> None:
        """Restart the time-out."""
        self.power(self.set_w(), timeout_s, fallback_w)

    def release(self) -> None:
        """Leave the device to its own control."""
        self._device.command(PcsPoint.SET_ENABLE, 0)


def charging(reading: Callable[[], float]) -> Callable[[], float]:
    """A reading of power or current whose positive sign charges."""
    return lambda: -reading()


def _shown(soc: Callable[[], float]) -> Callable[[], float]:
    """A state of charge as a battery management system tells it: between empty and full, whatever the cells hold."""
    return lambda: min(1.0, max(0.0, soc()))
