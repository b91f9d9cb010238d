"""An emulated revenue meter as SunSpec models 1 and 203 (three-phase wye), read-only.

The text of model 203 gives its powers no sign. Here positive ones import, as its quadrant 1 has it, in which both energies are
imported. What it may leave out per phase (powers, power factors, energies) reads "not implemented", and so do apparent and
reactive energies.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from firmware_sim.meter.device import EmulatedMeter, Signal
from firmware_sim.registers.sunspec_map import Declaration, SunSpecMap
from hil.standards.sunspec import scale_for

_HELD = 2.0  # of its rating
_HIGHEST_PU = 1.5
_HOURS_A_YEAR = 8766.0
_COUNTS = 2**32  # of an acc32, which then begins anew


class SunSpecMeter:
    """The register map of one emulated meter (`registers`)."""

    def __init__(self, device: EmulatedMeter) -> None:
        image, model_name = device.image, "Emulated meter"
        self.registers = SunSpecMap(
            {
                1: {"Mn": "Ridethrough", "Md": model_name, "Vr": "0.1.0", "SN": device.serial, "DA": 1},
                203: _three_phase(device),
            },
            generation=lambda: image.tick,
            room=lambda: 0,
            identity=("Ridethrough", model_name, "0.1.0"),
        )


def _three_phase(device: EmulatedMeter) -> dict[str, Declaration]:
    image, signals = device.image, device.signals
    rated_a = image.rating_va / (math.sqrt(3.0) * image.voltage_v)
    power = scale_for(_HELD * image.rating_va)
    energy = scale_for(image.rating_va * _HOURS_A_YEAR, _COUNTS - 1)  # so that it lasts a year
    current, factor = signals["current_a"], signals["power_factor"]
    phases = [signals[f"voltage_{phase}_v"] for phase in ("a", "b", "c")]
    lines = [signals[f"voltage_{line}_v"] for line in ("ab", "bc", "ca")]

    def percent() -> float | None:
        share = factor()
        return None if share is None else 100.0 * share

    return {
        "A": lambda: 3.0 * (current() or 0.0),
        **dict.fromkeys(("AphA", "AphB", "AphC"), current),
        "A_SF": _fine(3.0 * _HELD * rated_a),
        "PhV": _mean(phases),
        **dict(zip(("PhVphA", "PhVphB", "PhVphC"), phases, strict=True)),
        "PPV": _mean(lines),
        **dict(zip(("PhVphAB", "PhVphBC", "PhVphCA"), lines, strict=True)),
        "V_SF": _fine(_HIGHEST_PU * image.voltage_v),
        "Hz": signals["frequency_hz"],
        "Hz_SF": _fine(1.2 * image.frequency_hz),
        "W": signals["power_w"],
        "W_SF": power,
        "VA": signals["apparent_va"],
        "VA_SF": power,
        "VAR": signals["reactive_var"],
        "VAR_SF": power,
        "PF": percent,
        "PF_SF": -2,
        "TotWhExp": _counter(signals["exported_wh"], energy),
        "TotWhImp": _counter(signals["imported_wh"], energy),
        "TotWh_SF": energy,
        "Evt": 0,
    }


def _fine(largest: float) -> int:
    """Scale factor with which `largest` fits, down to hundredths."""
    return scale_for(100.0 * largest) - 2


def _mean(signals: list[Signal]) -> Callable[[], float]:
    return lambda: sum(read() or 0.0 for read in signals) / len(signals)


def _counter(energy_wh: Signal, scale: int) -> Callable[[], float]:
    """Whole counts of an energy, as an accumulator shows them."""
    unit_wh = 10**scale
    return lambda: int((energy_wh() or 0.0) / unit_wh) % _COUNTS * unit_wh
