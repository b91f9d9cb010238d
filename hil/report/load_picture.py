"""The picture of a load: its power over time, and its spectrum with the bands in which limits look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from hil.report.figures import FORMATS, save

Floats = np.ndarray[Any, np.dtype[np.float64]]

_COLUMNS = 1600
_SHADES = ("#c8d9ee", "#f3dcc0", "#d5e8cf", "#e6d3e8")


@dataclass(frozen=True)
class Drawn:
    """What is drawn: times, s, powers and amplitudes, W, frequencies, Hz; bands by what they are called."""

    title: str
    time_s: Floats
    power_w: Floats
    frequency_hz: Floats
    amplitude_w: Floats
    bands_hz: Mapping[str, tuple[float, float]]


def draw_load(drawn: Drawn, path: Path) -> None:
    """Draw into a PNG or SVG file. Raises ValueError for another ending, OSError for a file that cannot be written."""
    save(path, lambda: _figure(drawn))


def _figure(drawn: Drawn) -> Figure:
    figure = Figure(figsize=(10.0, 6.4), layout="constrained")
    above, below = figure.subplots(2, 1)
    above.set_title(drawn.title, loc="left", fontweight="bold")
    for axes in (above, below):
        axes.set_axisbelow(b=True)
    _power(above, drawn)
    _spectrum(below, drawn)
    return figure


def _scale(most_w: float) -> tuple[float, str]:
    for unit, of in ((1e6, "MW"), (1e3, "kW")):
        if most_w >= unit:
            return unit, of
    return 1.0, "W"


def _power(axes: Any, drawn: Drawn) -> None:
    unit, name = _scale(float(np.max(np.abs(drawn.power_w))))
    edges = np.unique(np.linspace(0, drawn.time_s.size, _COLUMNS + 1).astype(int))[:-1]
    low, high = (reduce.reduceat(drawn.power_w, edges) / unit for reduce in (np.minimum, np.maximum))
    axes.fill_between(drawn.time_s[edges], low, high, color="#1f4e8c", linewidth=0.8)
    axes.set_xlim(drawn.time_s[0], drawn.time_s[-1])
    axes.set_ylim(bottom=min(0.0, float(low.min())))
    axes.set_xlabel("time, s")
    axes.set_ylabel(f"power, {name}")
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)


def _spectrum(axes: Any, drawn: Drawn) -> None:
    """The largest amplitude of each column of a logarithmic axis."""
    hz, amplitude_w = drawn.frequency_hz, drawn.amplitude_w
    most_w = max(float(amplitude_w.max()), 1e-9)
    unit, name = _scale(most_w)
    begins = np.unique(np.searchsorted(hz, np.geomspace(hz[0], hz[-1], _COLUMNS)))
    begins = begins[begins < hz.size]
    for (label, (low, high)), shade in zip(drawn.bands_hz.items(), _SHADES * len(drawn.bands_hz), strict=False):
        axes.axvspan(max(low, hz[0]), min(high, hz[-1]), color=shade, label=f"{label}, {low:g} to {high:g} Hz", zorder=0)
    axes.plot(hz[begins], np.maximum.reduceat(amplitude_w, begins) / unit, color="#1f4e8c", linewidth=0.9)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(hz[0], hz[-1])
    axes.set_ylim(1e-5 * most_w / unit, 2.0 * most_w / unit)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _place: f"{value:g}")
        axis.set_minor_formatter("")
    axes.set_xlabel("frequency, Hz")
    axes.set_ylabel(f"amplitude, {name}")
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    if drawn.bands_hz:
        axes.legend(loc="lower left", fontsize=7.5, framealpha=0.9)


__all__ = ["FORMATS", "Drawn", "draw_load"]
