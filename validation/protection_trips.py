"""The eight must-trip stages of IEEE 1547-2018, categories I to III, against the trips of EPRI's OpenDER on random recordings.

OpenDER counts a sample beyond as a whole step at once, ours as one that lasts until the next: a stage of OpenDER whose time is
n steps operates at the n-th sample beyond, n − 1 after the one of pick-up. Its flag `rt_pass_time_req` is left alone.
"""

from __future__ import annotations

import logging
import math
import sys

import harness
import numpy as np
from harness import Figure
from protection import replays
from protection.relays import Relay

try:
    from opender import DER_PV
    from opender.der import DER
except ImportError:
    sys.exit("protection_trips: needs OpenDER: pip install 'ridethrough[peers]'")

STAGES = ("OV2", "OV1", "UV1", "UV2", "OF2", "OF1", "UF1", "UF2")
CATEGORIES = ("CAT_I", "CAT_II", "CAT_III")
STEPS_S = (1.0 / 32.0, 0.125, 1.0)  # binary fractions: OpenDER adds them up
SAMPLES, RECORDINGS = 420, 12


def recording(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Voltage in per unit and frequency in Hz: excursions of random depth and length out of rest; none lies at a threshold."""
    voltage, frequency = np.full(SAMPLES, 1.0), np.full(SAMPLES, 60.0)
    for value, low, high, often in ((voltage, 0.3, 1.3, 6), (frequency, 56.0, 63.0, 4)):
        for begin in rng.integers(5, SAMPLES, rng.integers(0, often)):
            length = int(np.exp(rng.uniform(0.0, np.log(SAMPLES))))
            value[begin : begin + length] = round(rng.uniform(low, high), 2) + 0.005
    return voltage, frequency


def theirs(
    category: str, voltage: np.ndarray, frequency: np.ndarray, step_s: float
) -> tuple[int, dict[str, tuple[float, float]]]:
    """First sample at which OpenDER is in trip (the length where never), and its settings: value and time of each stage."""
    DER.t_s = step_s
    der = DER_PV(NP_ABNORMAL_OP_CAT=category)
    file = der.der_file
    settings = {
        stage: (float(getattr(file, f"{stage}_TRIP_{stage[1]}")), float(getattr(file, f"{stage}_TRIP_T"))) for stage in STAGES
    }
    for n, (v, f) in enumerate(zip(voltage.tolist(), frequency.tolist(), strict=True)):
        der.update_der_input(v_pu=v, f=f, p_dc_pu=0.5)
        der.run()
        if der.der_status == "Trip":
            return n, settings
    return voltage.size, settings


def ours(settings: dict[str, tuple[float, float]], voltage: np.ndarray, frequency: np.ndarray, step_s: float) -> int:
    """First sample at which one of the compiled relays operates."""
    first = voltage.size
    for stage, (pickup, delay_s) in settings.items():
        setting = Relay(pickup, pickup, under=stage[0] == "U", delay_samples=math.ceil(delay_s / step_s) - 1)
        operated = np.flatnonzero(replays.relay(voltage if stage[1] == "V" else frequency, setting) >= 1.0)
        first = min([first, *operated[:1].tolist()])
    return first


def figures() -> list[Figure]:
    """A figure a category: samples apart at most, over all recordings."""
    logging.disable(logging.WARNING)
    found = []
    for category in CATEGORIES:
        apart, trips = [], 0
        for seed in range(RECORDINGS):
            for step_s in STEPS_S:
                voltage, frequency = recording(np.random.default_rng([seed, CATEGORIES.index(category)]))
                peer, settings = theirs(category, voltage, frequency, step_s)
                mine = ours(settings, voltage, frequency, step_s)
                trips += peer < voltage.size
                apart.append(abs(mine - peer))
        label = f"IEEE 1547-2018 {category}: first trip of {len(apart)} recordings ({trips} trip), most samples apart"
        found.append(Figure(label, max(apart), 0, harness.peer("opender")))
    return found


if __name__ == "__main__":
    harness.report("protection_trips", figures())
