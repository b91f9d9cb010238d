"""Recordings of waveforms, and limits on them, for tests of `hil check`."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hil.check.api import check

RATE_HZ, NOMINAL_V = 10_000, 34_500.0
PEAK_V = NOMINAL_V * math.sqrt(2.0 / 3.0)
HEAD = """
[signals]
"pcc.voltage_a_wave_v" = { column = "Va", unit = "kV" }
"pcc.voltage_b_wave_v" = { column = "Vb", unit = "kV" }
"pcc.voltage_c_wave_v" = { column = "Vc", unit = "kV" }
"pcc.current_a_wave_a" = { column = "Ia" }
"pcc.current_b_wave_a" = { column = "Ib" }
"pcc.current_c_wave_a" = { column = "Ic" }

[waveforms]
voltage = { pcc = "34.5 kV" }
demand_current = "500 A"
short_circuit_current = "15 kA"
"""
SHORT = "statistics = [{ interval = '1 s', percentile = 95, period = '5 s' }]"


def site(folder, seconds=6.0, *, rate_hz=RATE_HZ, frequency_hz=60.0, harmonics=None, of_current=None, lag=0.0, voltage=None):
    """Three phases of 34.5 kV and 400 A. harmonics: shares by order. voltage: what is done to the voltages, by their times."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    columns = {"time_s": time_s}
    for place, phase in enumerate("abc"):
        angle = 2 * np.pi * (frequency_hz * time_s - place / 3)
        wave = np.cos(angle) + sum(share * np.cos(order * angle) for order, share in (harmonics or {}).items())
        current = np.cos(angle - lag) + sum(share * np.cos(order * angle) for order, share in (of_current or {}).items())
        columns[f"V{phase}"] = PEAK_V * (wave if voltage is None else voltage(wave, time_s, phase)) / 1e3
        columns[f"I{phase}"] = 400.0 * math.sqrt(2.0) * current
    path = folder / "site.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def judged(folder, path, *limits: str, head: str = HEAD):
    text = head + "".join(f"[[limits]]\nname = 'x{number}'\nrequired = true\n{limit}\n" for number, limit in enumerate(limits))
    (folder / "limits.toml").write_text(text)
    return check(path, folder / "limits.toml")


def distortion(individual: float, total: float, statistics: str = SHORT, more: str = "") -> str:
    return f"kind = 'voltage_distortion'\nindividual = {individual}\ntotal = {total}\n{statistics}\n{more}"
