"""What an emulated revenue meter shows, whatever carries it.

Signs: power and reactive power > 0 import, from the grid to the site, as energies imported and exported count.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from firmware_sim.device import CommandRefused, finite
from firmware_sim.image import MeterImage
from hil.mqtt.signals import METER_UNITS

Signal = Callable[[], float | None]

_ROOT3 = math.sqrt(3.0)
_LEAST_SHARE = 1e-3  # of its rating: with less there is no power factor
_PHASES = ("a", "b", "c")
_LINES = ("ab", "bc", "ca")


class EmulatedMeter:
    """One meter over its process image. signals: what it shows, of `hil.mqtt.signals.METER_UNITS`."""

    def __init__(self, image: MeterImage, *, serial: str = "0001") -> None:
        self.image = image
        self.serial = serial
        power, reactive = image.reader("pcc.power_measured_w"), image.measured("reactive_var")
        at_one_pu, nominal_v = image.measured("current_va"), image.voltage_v
        imported_j, exported_j = image.measured("imported_j"), image.measured("exported_j")

        def apparent_va() -> float:
            return math.hypot(power(), reactive())

        def power_factor() -> float | None:
            va = apparent_va()
            return power() / va if va > _LEAST_SHARE * image.rating_va else None

        self.signals: dict[str, Signal] = {
            "power_w": power,
            "reactive_var": reactive,
            "apparent_va": apparent_va,
            "power_factor": power_factor,
            "current_a": lambda: at_one_pu() / (_ROOT3 * nominal_v),
            "frequency_hz": image.reader("pcc.frequency_measured_hz"),
            "imported_wh": lambda: imported_j() / 3600.0,
            "exported_wh": lambda: exported_j() / 3600.0,
        }
        for index, phase in enumerate(_PHASES):
            self.signals[f"voltage_{phase}_v"] = _scaled(image.measured("phase_pu", index), nominal_v / _ROOT3)
        for index, line in enumerate(_LINES):
            self.signals[f"voltage_{line}_v"] = _scaled(image.measured("line_pu", index), nominal_v)

    @property
    def time_s(self) -> float:
        """Time of the last tick."""
        return self.image.tick * self.image.period_ns / 1e9

    def meta(self) -> dict[str, Any]:
        """What it is: ratings, units, signs; it takes no commands."""
        return {
            "kind": "meter",
            "manufacturer": "Ridethrough",
            "model": "Emulated meter",
            "serial": self.serial,
            "rating_va": self.image.rating_va,
            "voltage_v": self.image.voltage_v,
            "signals": {name: {"unit": unit} for name, unit in METER_UNITS.items()},
            "signs": {"power_w": "imports", "reactive_var": "imports"},
            "commands": {},
        }

    def state(self) -> dict[str, Any]:
        """A snapshot of everything, as of the last tick."""
        return {name: finite(self.signals[name]()) for name in METER_UNITS}

    def signal(self, name: str) -> Signal:
        """Reads one of `hil.mqtt.signals.METER_UNITS`, as of the last tick."""
        return self.signals[name]

    def command(self, name: str, value: float) -> None:  # noqa: ARG002  # whatever it is
        """Raises CommandRefused: nothing of a meter can be set."""
        raise CommandRefused(f"{name}: no such command; a meter takes none")


def _scaled(read: Callable[[], float], by: float) -> Signal:
    return lambda: by * read()
