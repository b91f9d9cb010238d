"""A second flickermeter, on the voltage itself: carrier, half-cycle RMS, square, filters of scipy, exact percentiles.

Its constants are those of OpenDSS (Pstcalc.pas), in radians a second; its scale is what the sine of reference needs.
"""

from __future__ import annotations

import functools

import numpy as np
from scipy import signal

LAMPS = {
    "230 V": (1.74802, 25.5085385419, 57.5221844961, 14.3243430315, 7.69910111615, 137.601758227, 0.250),
    "120 V": (1.6357, 26.1843893695, 57.0335348916, 18.4719490509, 8.76170084893, 108.794107576, 0.321),
}
PERCENTILES = (0.1, 0.7, 1, 1.5, 2.2, 3, 4, 6, 8, 10, 13, 17, 30, 50, 80)


def response(lamp: str, mains_hz: float, frequency_hz: np.ndarray) -> np.ndarray:
    """Block 3 as the standard writes it, in the plane of s."""
    k, lam, w1, w2, w3, w4, _ = LAMPS[lamp]
    s = 2j * np.pi * np.asarray(frequency_hz)
    weighting = k * w1 * s / (s**2 + 2 * lam * s + w1**2) * (1 + s / w2) / ((1 + s / w3) * (1 + s / w4))
    edge = 2 * np.pi * (35 if mains_hz == 50 else 42)
    low_pass = signal.freqs(*signal.butter(6, edge, analog=True), s.imag)[1]
    return weighting * low_pass * s / (s + 2 * np.pi * 0.05)


def unscaled(voltage: np.ndarray, rate_hz: int, lamp: str, mains_hz: int) -> np.ndarray:
    """Blocks 1 to 4. The rate must be a multiple of twice the mains' frequency."""
    half = rate_hz // (2 * mains_hz)
    rms = np.sqrt(np.mean(voltage.reshape(-1, half) ** 2, axis=1))
    gain = 1 - np.exp(-np.log(9) / 60 / (2 * mains_hz))
    mean, _ = signal.lfilter([gain], [1, gain - 1], rms, zi=[rms[0] * (1 - gain)])
    square = (voltage / np.repeat(mean, half)) ** 2
    k, lam, w1, w2, w3, w4, _ = LAMPS[lamp]
    weighting = signal.bilinear(
        np.polymul([k * w1, 0], [1 / w2, 1]), np.polymul([1, 2 * lam, w1**2], np.polymul([1 / w3, 1], [1 / w4, 1])), rate_hz
    )
    sections = np.vstack(
        [
            signal.butter(1, 0.05, "high", fs=rate_hz, output="sos"),
            signal.butter(6, 35 if mains_hz == 50 else 42, fs=rate_hz, output="sos"),
            signal.tf2sos(*weighting),
        ]
    )
    seen = signal.sosfilt(sections, square - 1.0)
    return signal.lfilter(*signal.bilinear([1], [0.3, 1], rate_hz), seen**2)


def on_carrier(envelope: np.ndarray, rate_hz: int, mains_hz: int) -> np.ndarray:
    return envelope * np.sqrt(2) * np.sin(2 * np.pi * mains_hz / rate_hz * np.arange(len(envelope)))


@functools.cache
def scale(rate_hz: int, lamp: str, mains_hz: int) -> float:
    time_s = np.arange(60 * rate_hz) / rate_hz
    sine = 1 + LAMPS[lamp][-1] / 200 * np.sin(2 * np.pi * 8.8 * time_s)
    return 1 / unscaled(on_carrier(sine, rate_hz, mains_hz), rate_hz, lamp, mains_hz)[30 * rate_hz :].max()


def level(envelope: np.ndarray, rate_hz: int, lamp: str, mains_hz: int) -> np.ndarray:
    """Instantaneous flicker."""
    found = unscaled(on_carrier(envelope, rate_hz, mains_hz), rate_hz, lamp, mains_hz)
    return found * scale(rate_hz, lamp, mains_hz)


def pst(levels: np.ndarray) -> float:
    """Block 5."""
    exceeded = dict(zip(PERCENTILES, np.percentile(levels, 100 - np.array(PERCENTILES)), strict=True))
    smoothed = {
        0.0314: (0.1,),
        0.0525: (0.7, 1, 1.5),
        0.0657: (2.2, 3, 4),
        0.28: (6, 8, 10, 13, 17),
        0.08: (30, 50, 80),
    }
    return float(np.sqrt(sum(weight * np.mean([exceeded[x] for x in of]) for weight, of in smoothed.items())))


def random_envelope(seed: int, ticks: int, tick_s: float) -> np.ndarray:
    """Steps at random moments, a random walk that returns, and noise of a few hertz, in proportions that the seed draws."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet([1, 1, 1]) * rng.uniform(0.005, 0.05)
    level = rng.uniform(-1, 1, ticks)[np.cumsum(rng.random(ticks) < rng.uniform(0.05, 5.0) * tick_s)]
    walk = signal.lfilter([1], [1, -np.exp(-tick_s / 10)], rng.standard_normal(ticks)) * np.sqrt(2 * tick_s / 10) / 3
    noise = signal.sosfilt(signal.butter(2, (2, 20), "band", fs=1 / tick_s, output="sos"), rng.standard_normal(ticks))
    return 1 + shares[0] * level + shares[1] * walk + shares[2] * noise / np.std(noise) / 5
