"""What a load's power is like: mean, peak, ramps, its spectrum, and how much of it swings in which band.

A spectrum is taken through a Hann window over the whole stretch, the mean left out. It is scaled so that a lone sine keeps its
amplitude; amplitudes of bands are those of a sine with the same energy. What is judged is elsewhere: hil/limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.loads.base import Feed, Floats

BANDS_HZ = ((0.1, 5.0), (5.0, 55.0))
RAMPS_S = (1.0, 60.0)
MOST_TICKS = 8_000_000
_DOMINANT = 5
_BLOCK_TICKS = 8192
_LEAST = 1e-3  # of the largest amplitude: below it no line is told
_NEAR_LINES = 4  # of the window: so near is the same line


@dataclass(frozen=True)
class Spectrum:
    """One-sided amplitudes of a power, W, at frequencies from `resolution_hz` up, shape (n,) each."""

    frequency_hz: Floats
    amplitude_w: Floats
    resolution_hz: float

    def lines(self) -> list[tuple[float, float]]:
        """The strongest lines, strongest first: frequency between the bins, Hz, and amplitude, W."""
        found: list[tuple[float, float]] = []
        a = self.amplitude_w
        if a.size < 3:
            return found
        peaks = np.flatnonzero((a[1:-1] >= a[:-2]) & (a[1:-1] > a[2:])) + 1
        for k in peaks[np.argsort(a[peaks])[::-1]]:
            if len(found) == _DOMINANT or a[k] <= _LEAST * a.max():
                break
            hz, amplitude = _between_bins(a, int(k))
            frequency_hz = float(self.frequency_hz[k] + hz * self.resolution_hz)
            if all(abs(frequency_hz - other) > _NEAR_LINES * self.resolution_hz for other, _ in found):
                found.append((frequency_hz, amplitude))
        return sorted(found, key=lambda line: -line[1])

    def band_w(self, low_hz: float, high_hz: float) -> float:
        """Amplitude of a sine with the energy that lies in a band, W."""
        inside = (self.frequency_hz >= low_hz) & (self.frequency_hz < high_hz)
        return math.sqrt(float(np.sum(self.amplitude_w[inside] ** 2)) / 1.5)  # 1.5: the window's noise bandwidth in bins


def _between_bins(amplitude: Floats, k: int) -> tuple[float, float]:
    """Where between bins a sine through a Hann window lies, and its amplitude, exact for a lone one."""
    left, middle, right = (float(x) for x in amplitude[k - 1 : k + 2])
    side, ratio = (1.0, right / middle) if right >= left else (-1.0, left / middle)
    offset = min(0.5, max(0.0, (2.0 * ratio - 1.0) / (ratio + 1.0)))
    shape = 1.0 if offset == 0.0 else math.sin(math.pi * offset) / (math.pi * offset) / (1.0 - offset**2)
    return side * offset, middle / shape


def spectrum(power_w: Floats, period_s: float) -> Spectrum:
    """The spectrum of evenly sampled power, shape (n,), n >= 8."""
    n = power_w.size
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n) / n)
    lines = np.fft.rfft((power_w - power_w.mean()) * window)
    amplitude = np.abs(lines)[1:] * (2.0 / window.sum())
    frequency_hz = np.arange(1, lines.size) / (n * period_s)
    return Spectrum(frequency_hz, np.asarray(amplitude, np.float64), 1.0 / (n * period_s))


@dataclass(frozen=True)
class Stretch:
    """A stretch of a load. power_w: mean of each tick, shape (n,); start_s: of the first."""

    power_w: Floats
    period_s: float
    start_s: float

    @property
    def time_s(self) -> Floats:
        """Middle of each tick."""
        return np.asarray(self.start_s + (np.arange(self.power_w.size) + 0.5) * self.period_s)

    def largest_ramp_w(self, over_s: float) -> float | None:
        """Largest change of the power between two ticks so far apart, W; None where the stretch is shorter."""
        ticks = max(1, round(over_s / self.period_s))
        if ticks >= self.power_w.size:
            return None
        return float(np.max(np.abs(self.power_w[ticks:] - self.power_w[:-ticks])))


def stretch(feed: Feed, period_s: float, from_s: float, to_s: float) -> Stretch:
    """Part of a load from its beginning; shorter where the load ends. Raises ValueError for more than MOST_TICKS."""
    first, last = round(from_s / period_s), round(to_s / period_s)
    if last - first > MOST_TICKS:
        raise ValueError(f"{last - first:,} ticks: at most {MOST_TICKS:,} at a time")
    blocks = []
    while feed.tick < last:
        begin = feed.tick
        block = feed.block(min(_BLOCK_TICKS, last - begin))
        if not block.size:
            break
        if begin + block.size > first:
            blocks.append(block[max(0, first - begin) :])
    return Stretch(np.concatenate(blocks) if blocks else np.empty(0), period_s, first * period_s)


def document(of: Stretch, lines: Spectrum, bands_hz: Iterable[tuple[float, float]] = ()) -> dict[str, Any]:
    """All figures under plain names, SI. bands_hz: further bands, those of limits."""
    bands = list(dict.fromkeys([*BANDS_HZ, *bands_hz]))
    most_hz = 0.5 / of.period_s
    return {
        "from_s": of.start_s,
        "to_s": of.start_s + of.power_w.size * of.period_s,
        "tick_s": of.period_s,
        "mean_w": float(of.power_w.mean()),
        "peak_w": float(of.power_w.max()),
        "min_w": float(of.power_w.min()),
        "energy_j": float(of.power_w.sum() * of.period_s),
        "ramps": [{"over_s": over_s, "largest_w": of.largest_ramp_w(over_s)} for over_s in RAMPS_S],
        "resolution_hz": lines.resolution_hz,
        "lines": [{"frequency_hz": hz, "amplitude_w": amplitude_w} for hz, amplitude_w in lines.lines()],
        "bands": [
            {"band_hz": [low, high], "amplitude_w": lines.band_w(low, high) if low < most_hz else None} for low, high in bands
        ],
    }
