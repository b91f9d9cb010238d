"""Random waveforms: steps, ramps, sines, noise and dips, with values at given bounds and the numbers next to them."""

from __future__ import annotations

import math

import numpy as np


def waveform(rng: np.random.Generator, samples: int, bounds: list[float]) -> np.ndarray:
    """Around bounds, and over them at random moments; a third of the samples of some lie at a bound or right beside one."""
    middle = float(np.mean(bounds))
    size = max(float(np.ptp(bounds)), 0.3 * abs(middle), 1e-3)
    n = np.arange(samples)
    kind = rng.integers(6)
    if kind == 0:  # steps
        edges = rng.integers(1, max(2, samples // 4), samples)
        value = np.repeat(rng.uniform(-2.0, 2.0, samples), edges)[:samples]
    elif kind == 1:  # ramps, up and down
        corners = np.sort(rng.choice(samples, min(samples, 8), replace=False))
        value = np.interp(n, corners, rng.uniform(-2.0, 2.0, corners.size))
    elif kind == 2:  # a sine with noise
        period = math.exp(rng.uniform(math.log(3.0), math.log(3.0 + 2.0 * samples)))
        value = rng.uniform(0.5, 2.0) * np.sin(2.0 * np.pi * n / period) + rng.uniform(0.0, 0.5) * rng.standard_normal(samples)
    elif kind == 3:  # noise
        value = rng.standard_normal(samples) * rng.uniform(0.3, 2.0)
    elif kind == 4:  # pulses of one height
        value = np.where(np.sin(2.0 * np.pi * n / rng.uniform(3.0, 60.0)) > rng.uniform(-0.9, 0.9), 1.5, -1.5)
    else:  # dips out of rest
        value = np.full(samples, rng.uniform(-1.0, 1.0))
        for begin in rng.integers(0, samples, rng.integers(1, 6)):
            value[begin : begin + rng.integers(1, max(2, samples // 5))] = rng.uniform(-3.0, 3.0)
    value = middle + size * value
    if rng.random() < 0.6:
        where = rng.random(samples) < rng.choice([0.05, 0.35])
        value[where] = rng.choice(beside(bounds), int(where.sum()))
    return value


def beside(bounds: list[float]) -> np.ndarray:
    """Each bound, and the numbers next to it on either side."""
    at = np.array(bounds)
    return np.concatenate([at, np.nextafter(at, -math.inf), np.nextafter(at, math.inf)])


def gaps(rng: np.random.Generator, value: np.ndarray) -> np.ndarray:
    """The same, in a third of the cases with samples that are not a number."""
    if rng.random() > 0.3:
        return value
    out = value.copy()
    for begin in rng.integers(0, value.size, rng.integers(1, 5)):
        out[begin : begin + rng.integers(1, 4)] = np.nan
    return out


def blanks(rng: np.random.Generator, samples: int) -> np.ndarray:
    """Where stimuli act; in half of the cases nowhere."""
    out = np.zeros(samples, dtype=bool)
    if rng.random() < 0.5:
        for begin in rng.integers(0, samples, rng.integers(1, 4)):
            out[begin : begin + rng.integers(1, max(2, samples // 6))] = True
    return out


def samples_of(rng: np.random.Generator) -> int:
    """A length: windows and delays may be longer than that."""
    return int(rng.choice([1, 2, 17, 120, 400]))


def ticks(rng: np.random.Generator, samples: int) -> int:
    """A window or delay, in samples: none, short, or up to beyond the recording."""
    return int(rng.choice([0, 1, 2, rng.integers(0, 12), rng.integers(0, samples + 5)]))
