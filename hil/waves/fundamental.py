"""The fundamental of voltages: phasor, phase, frequency; and RMS values and powers over its period."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hil.waves.sliding import Complexes, Floats, sliding_mean

CYCLES = 3
"""Nominal cycles of which a frequency is made: two of the phasor, and one over which its phase is compared."""
_LEAST = 0.1
"""Share of the nominal voltage below which there is no frequency."""
_FARTHEST = 0.4
"""Share of the nominal frequency by which a frequency may differ from it."""
_TURN = np.exp(2j * math.pi / 3.0)


@dataclass(frozen=True, eq=False)
class Fundamental:
    """The fundamental of a set of voltages, at each sample, shape (n,).

    frequency_hz: NaN for the first `CYCLES` nominal cycles, over gaps, where the voltage is too low, and where it would be far
    from nominal. turns: of the fundamental since the first sample, at the sample itself and not a window behind it; NaN
    likewise. period_samples: of the latest frequency, before the first of that.
    """

    frequency_hz: Floats
    turns: Floats
    period_samples: Floats


def fundamental(voltages: Sequence[Floats], rate_hz: float, nominal_hz: float, nominal_peak: float) -> Fundamental:
    """Fundamental of three voltages in the order of phases (their positive sequence), or of one.

    The voltages are turned back at nominal frequency and averaged twice over a nominal cycle, which has zeros at every
    harmonic; the frequency is how far the phase turns in one more cycle.
    """
    samples = rate_hz / nominal_hz
    time = np.arange(voltages[0].size) / samples
    angle = np.angle(smoothed(turned_back(voltages, samples), samples, nominal_peak)) / (2.0 * np.pi)
    steps = np.diff(angle, prepend=np.nan)
    steps -= np.rint(steps)
    with np.errstate(invalid="ignore"):
        astray = np.abs(steps) * rate_hz > _FARTHEST * nominal_hz
    steps[astray] = angle[astray] = np.nan
    back = sliding_mean(steps, samples)  # turns a sample, beyond nominal
    frequency = nominal_hz + back * rate_hz
    turns = time + _ahead(_unwrapped(angle), samples - 1.0)  # the middle of both means lies so far behind
    return Fundamental(frequency, turns, rate_hz / _held(frequency, nominal_hz))


def turned_back(voltages: Sequence[Floats], samples: float) -> Complexes:
    """Three voltages in the order of phases as one (their positive sequence), or one, turned back at nominal frequency.

    samples: of a nominal cycle.
    """
    together = sum(voltage * _TURN**place for place, voltage in enumerate(voltages)) / len(voltages)
    found: Complexes = together * np.exp(-2j * np.pi * np.mod(np.arange(voltages[0].size) / samples, 1.0))
    return found


def smoothed(turned: Complexes, samples: float, nominal_peak: float) -> Complexes:
    """Peak phasor of what was turned back, averaged twice over a nominal cycle; NaN where the voltage is too low."""
    found: Complexes = 2.0 * sliding_mean(sliding_mean(turned, samples), samples)
    found[~(np.abs(found) >= _LEAST * nominal_peak)] = np.nan
    return found


def _held(values: Floats, otherwise: float) -> Floats:
    """Values with the latest known one where there is none, before the first with that."""
    known = np.flatnonzero(~np.isnan(values))
    if known.size == 0:
        return np.full(values.size, otherwise)
    latest = np.searchsorted(known, np.arange(values.size), side="right") - 1
    found: Floats = values[known[np.maximum(latest, 0)]]
    return found


def _ahead(values: Floats, samples: float) -> Floats:
    """Values so many samples later, a line between two; NaN at the end."""
    whole = math.floor(samples)
    found = np.full(values.size, np.nan)
    if 0 < whole + 1 < values.size:
        part = samples - whole
        found[: -whole - 1] = (1.0 - part) * values[whole:-1] + part * values[whole + 1 :]
    return found


def _unwrapped(angle: Floats) -> Floats:
    """An angle in turns without its jumps; over gaps the nearest multiple is taken."""
    known = np.flatnonzero(~np.isnan(angle))
    found = np.full(angle.size, np.nan)
    found[known] = np.unwrap(angle[known], period=1.0)
    return found


def rms(values: Floats, period_samples: Floats) -> Floats:
    """RMS value over the latest period, at each sample; NaN until there is one."""
    found: Floats = np.sqrt(np.maximum(sliding_mean(values * values, period_samples), 0.0))
    return found


def envelope(values: Floats, period_samples: Floats) -> Floats:
    """RMS value over half a period, half a period late, with what that mean takes from slow modulations given back.

    A mean over *T* leaves sin *y*/*y* of a modulation, *y = πfT*; a second difference over *T* restores *y*²/6 of it.
    """
    half = 0.5 * period_samples
    means, places = rms(values, half), np.arange(values.size, dtype=np.float64)
    before, long_before = (np.interp(places - count * half, places, means, left=np.nan) for count in (1, 2))
    found: Floats = before - (means - 2.0 * before + long_before) / 24.0
    return found


def half_cycles(values: Floats, turns: Floats) -> Floats:
    """Values held from each half turn to the next: an RMS over a period becomes Urms(1/2) of IEC 61000-4-30."""
    halves = np.floor(2.0 * turns + 0.5)  # a turn begins at the peak, a period of the standard where the voltage rises
    with np.errstate(invalid="ignore"):
        starts = np.flatnonzero(np.diff(halves, prepend=np.nan) != 0.0)
    if starts.size == 0:
        return values
    latest = starts[np.maximum(np.searchsorted(starts, np.arange(values.size), side="right") - 1, 0)]
    return np.where(np.isnan(turns), values, values[latest])


def phasor(values: Floats, rate_hz: float, nominal_hz: float, period_samples: Floats) -> Complexes:
    """Peak phasor of the fundamental over the latest period, turned back at nominal frequency."""
    turned = np.exp(-2j * np.pi * np.mod(np.arange(values.size) * (nominal_hz / rate_hz), 1.0))
    found: Complexes = 2.0 * sliding_mean(values * turned, period_samples)
    return found
