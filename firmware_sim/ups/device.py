"""What an emulated UPS shows and takes, whatever carries it: signals, state, commands with their limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from firmware_sim.device import CommandRefused, finite
from firmware_sim.image import UpsImage, UpsMode, UpsPoint
from hil.mqtt.signals import UPS_UNITS

MODES = tuple(mode.name.lower() for mode in UpsMode)
RECTIFIER = ("off", "qualifying", "walk-in", "on")
# The channel behind each signal on the wire.
_CHANNELS = {
    "input_power_w": "input_w",
    "output_power_w": "output_w",
    "battery_power_w": "battery_w",
    "soc": "soc",
    "mode": "mode",
    "input_voltage_pu": "bus.voltage_measured_pu",
    "input_frequency_hz": "pcc.frequency_measured_hz",
    "output_voltage_pu": "output_voltage_pu",
    "runtime_s": "runtime_s",
}
_MOST_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Setting:
    """One command: its point, its unit, what it takes. whole: only whole numbers, such as flags."""

    point: UpsPoint
    unit: str
    least: float
    most: float
    whole: bool = False

    def check(self, value: float) -> None:
        """Raise CommandRefused for what it does not take."""
        if not self.least <= value <= self.most or (self.whole and value != int(value)):
            kind = "a whole number " if self.whole and self.most > 1 else ""
            raise CommandRefused(f"{value:g}: must be {kind}between {self.least:g} and {self.most:g} {self.unit}".rstrip())


class EmulatedUps:
    """One UPS over its process image.

    Powers: input > 0 draws from the grid, output > 0 feeds the load, battery > 0 discharges. epoch_s: what its clock shows at
    the first tick.
    """

    def __init__(self, image: UpsImage, *, serial: str = "0001", epoch_s: float = 0.0) -> None:
        self._image = image
        self._serial = serial
        self._epoch_s = epoch_s
        self._read = {name: image.reader(_CHANNELS[name]) for name in UPS_UNITS}
        self.settings = {
            "recharge_w": Setting(UpsPoint.RECHARGE_W, "W", 0.0, image.recharge_max_w),
            "walk_in_s": Setting(UpsPoint.WALK_IN_S, "s", 0.0, _MOST_SECONDS),
            "walk_in_delay_s": Setting(UpsPoint.WALK_IN_DELAY_S, "s", 0.0, _MOST_SECONDS),
            "support_w": Setting(UpsPoint.SUPPORT_W, "W", 0.0, image.rating_w),
            "support_s": Setting(UpsPoint.SUPPORT_S, "s", 0.0, _MOST_SECONDS),
            "operation": Setting(UpsPoint.OPERATION, "", 0, 1, whole=True),
            "bypass": Setting(UpsPoint.BYPASS, "", 0, 1, whole=True),
            "counter": Setting(UpsPoint.COUNTER, "", 0, 1, whole=True),
            "reset_disturbances": Setting(UpsPoint.RESET_DISTURBANCES, "", 1, 1, whole=True),
        }

    @property
    def time_s(self) -> float:
        """Time of the last tick, by its clock."""
        return self._epoch_s + self._image.tick * self._image.period_ns / 1e9

    def meta(self) -> dict[str, Any]:
        """What it is: ratings, units, signs, and what its commands take."""
        commands = {
            name: {"unit": setting.unit, "min": setting.least, "max": setting.most} for name, setting in self.settings.items()
        }
        return {
            "kind": "ups",
            "manufacturer": "Ridethrough",
            "model": "Emulated UPS",
            "serial": self._serial,
            "rating_w": self._image.rating_w,
            "energy_wh": self._image.energy_wh,
            "input_limit_w": self._image.input_limit_w,
            "signals": {name: {"unit": unit} for name, unit in UPS_UNITS.items()},
            "signs": {"input_power_w": "draws", "output_power_w": "feeds the load", "battery_power_w": "discharges"},
            "modes": list(MODES),
            "commands": commands,
        }

    def state(self) -> dict[str, Any]:
        """A snapshot of everything, as of the last tick."""
        firmware = self._image.firmware
        values: dict[str, Any] = {name: finite(read()) for name, read in self._read.items()}
        values["mode"] = MODES[int(values["mode"])]
        values["rectifier"] = RECTIFIER[int(firmware["rectifier"])]
        for name in ("line_ok", "latched", "low_battery", "counter", "operation", "bypass"):
            values[name] = bool(firmware[name])
        values["disturbances"] = int(firmware["disturbances"])
        for name in ("recharge_w", "walk_in_s", "walk_in_delay_s", "support_s"):
            values[name] = float(firmware[name])
        values["support_w"] = float(firmware["support_set_w"])
        values["supporting_w"] = float(firmware["support_w"])
        return values

    def signal(self, name: str) -> Callable[[], float]:
        """Reads one of `hil.mqtt.signals.UPS_UNITS`, as of the last tick."""
        return self._read[name]

    def command(self, name: str, value: float) -> None:
        """Queue a command for the next tick. Raises CommandRefused."""
        setting = self.settings.get(name)
        if setting is None:
            raise CommandRefused(f"{name}: no such command; there are: {', '.join(self.settings)}")
        setting.check(value)
        try:
            self._image.command(setting.point, value)
        except OverflowError as error:
            raise CommandRefused(str(error)) from None
