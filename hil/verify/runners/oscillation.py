"""A detector of oscillations at the end of a sine, also one that dies away, or of a square wave, from the first tick on."""

from __future__ import annotations

from typing import Any

import numpy as np

from hil.kernel.layout import CODES
from hil.limits.oscillation import detector
from hil.verify.bench import Bench, Column


def run(given: dict[str, Any]) -> dict[str, Any]:
    """input: shape, its numbers, tick_s, duration_s, band_hz, window_s.

    found: amplitude, frequency_hz, damping, share; bin_hz, how wide a bin is.
    """
    low_hz, high_hz = given["band_hz"]
    design = detector(low_hz=low_hz, high_hz=high_hz, window_s=given["window_s"], tick_s=given["tick_s"])
    bench = Bench()
    params, _ = bench.add("oscillations")
    design.fill(params[0], channel=0, output=1, offset=bench.put(design.memory()))
    end = bench.run(_wave(given), outputs=CODES["oscillation.outputs"])[-1, 1:]
    names = ("amplitude", "frequency_hz", "damping", "share")
    return dict(zip(names, map(float, end), strict=True)) | {"bin_hz": 1.0 / design.window_s}


def _wave(given: dict[str, Any]) -> Column:
    tick_s = given["tick_s"]
    time_s = np.arange(round(given["duration_s"] / tick_s)) * tick_s
    if given["shape"] == "sine":
        turns = np.sin(2.0 * np.pi * given["frequency_hz"] * time_s + 0.3)  # at no phase of note
        turns *= np.exp(-given.get("decay_per_s", 0.0) * time_s)
        return np.asarray(given["offset"] + given["amplitude"] * turns, np.float64)
    high = (time_s + 1e-9) % given["period_s"] < given["duty"] * given["period_s"] - 1e-9
    return np.asarray(np.where(high, given["offset"] + given["swing"], given["offset"]), np.float64)
