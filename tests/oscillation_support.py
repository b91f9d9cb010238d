"""Runs of the oscillation detector over rows, and the same found out by numpy's FFT over the same windows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hil.kernel.layout import CODES, parameter_dtypes, state_dtypes
from hil.kernel.protection.replay import Replay
from hil.limits.oscillation import Detector, detector

OUTPUTS = CODES["oscillation.outputs"]


class Run:
    """A detector alone, fed piece by piece: channel 0 is looked at."""

    def __init__(self, design: Detector, blank: int = CODES["blank.never"]):
        params = np.zeros(1, parameter_dtypes()["oscillations"])
        design.fill(params[0], channel=0, output=1, offset=0, blank=blank)
        self.design = design
        states = {"oscillations": np.zeros(1, state_dtypes()["oscillations"]), "arena": design.memory()}
        self.replay = Replay({"oscillations": params}, states)

    def feed(self, values) -> np.ndarray:
        """Outputs tick by tick, shape (ticks, 4)."""
        rows = np.zeros((len(values), 1 + OUTPUTS))
        rows[:, 0] = values
        self.replay.run(rows)
        return rows[:, 1:]


def outputs(values, **settings) -> np.ndarray:
    return Run(detector(**settings)).feed(values)


def last(values, **settings) -> tuple[float, float, float, float]:
    """Amplitude, frequency, damping ratio and share at the end."""
    return tuple(outputs(values, **settings)[-1])


@dataclass
class Found:
    amplitude: float
    frequency_hz: float
    share: float


def by_fft(values, design: Detector) -> Found:
    """The same of the last window of raw ticks, without filter: scipy's Hann window, numpy's FFT, a fine search."""
    from scipy.optimize import minimize_scalar
    from scipy.signal.windows import hann

    ticks = design.samples * design.decimation
    x = np.asarray(values[-ticks:], float)
    weights = hann(ticks, sym=False)
    x = x - np.average(x, weights=weights)
    spectrum = np.abs(np.fft.rfft(weights * x)) ** 2
    low, high = design.low_hz * design.window_s, design.high_hz * design.window_s
    whole = 2.0 * spectrum.sum() - spectrum[0] - (spectrum[-1] if ticks % 2 == 0 else 0.0)
    band = 2.0 * spectrum[max(2, math.floor(low + 1e-6) - 1) : math.ceil(high - 1e-6) + 2].sum()
    inside = np.arange(math.ceil(low - 1e-6), math.floor(high + 1e-6) + 1)
    peak = inside[np.argmax(spectrum[inside])]
    n = np.arange(ticks)

    def minus(bin_):
        return -abs(np.sum(weights * x * np.exp(-2j * np.pi * bin_ * n / ticks)))

    best = minimize_scalar(minus, bounds=(peak - 0.7, peak + 0.7), method="bounded", options={"xatol": 1e-6})
    return Found(-best.fun * 4.0 / ticks, best.x / design.window_s, band / whole)


def sine(design_or_tick, frequency_hz, amplitude=1.0, offset=0.0, seconds=10.0, phase=0.3, growth=0.0):
    tick_s = getattr(design_or_tick, "tick_s", design_or_tick)
    t = np.arange(round(seconds / tick_s)) * tick_s
    return offset + amplitude * np.exp(growth * t) * np.sin(2.0 * np.pi * frequency_hz * t + phase)


def square(tick_s, period_s, duty, seconds, swing=1.0, offset=0.0):
    ticks = np.arange(round(seconds / tick_s))
    return offset + swing * ((ticks * tick_s + 1e-9) % period_s < duty * period_s - 1e-9)


def harmonic(n, duty):
    """Amplitude of a square wave's n-th harmonic over its swing."""
    return 2.0 / (math.pi * n) * abs(math.sin(math.pi * n * duty))


def by_definition(values, design: Detector) -> np.ndarray:
    """Amplitude, frequency, damping ratio and share of every full window from the definition; shape (hops, 4).

    scipy's filter, numpy's FFT over samples that are taken out and windowed in time; nothing slides.
    """
    from scipy.signal import cheby2, sosfilt, sosfreqz
    from scipy.signal.windows import hann

    d, n = design.decimation, design.samples
    x = np.asarray(values, float) - values[0]
    filtered, response = x, lambda hz: np.ones(len(hz))
    if d > 1:
        rate = 1.0 / design.tick_s
        edge = design.rate_hz - (design.first + design.bins - 1) / design.window_s
        sos = cheby2(2 * len(design.sections), 70.0, edge, fs=rate, output="sos")
        filtered, response = sosfilt(sos, x), lambda hz: np.abs(sosfreqz(sos, hz, fs=rate)[1])
    samples = filtered[d - 1 :: d]
    means = x[: len(samples) * d].reshape(-1, d).mean(axis=1)
    squares = (x[: len(samples) * d] ** 2).reshape(-1, d).mean(axis=1)
    weights = hann(n, sym=False)
    bins = np.arange(n // 2 + 1)
    lower, upper = math.floor(design.low_hz * design.window_s + 1e-6), math.ceil(design.high_hz * design.window_s - 1e-6)
    made_up = 1.0 / response(bins / design.window_s)
    found, powers = [], {}
    for end in range(n, len(samples) + 1, design.hop):
        part = slice(end - n, end)
        mean = np.average(means[part], weights=weights)
        square = np.average(squares[part] - 2.0 * mean * means[part] + mean**2, weights=weights**2)
        power = powers[end] = np.abs(np.fft.rfft(weights * (samples[part] - mean))) ** 2
        share = 2.0 * np.sum((power * made_up**2)[max(2, lower - 1) : upper + 2]) / (n * np.sum(weights**2) * square)
        best = (0.0, math.nan, math.nan)
        strongest = 0.0
        for k in range(lower, upper + 1):
            if not (power[k] > power[k - 1] and power[k] >= power[k + 1] and power[k] > strongest):
                continue
            side = 1 if power[k + 1] >= power[k - 1] else -1
            ratio = math.sqrt(power[k + side] / power[k])
            delta = side * (2.0 * ratio - 1.0) / (1.0 + ratio)
            hz = (k + delta) / design.window_s
            if not design.low_hz - 0.1 / design.window_s <= hz <= design.high_hz + 0.1 / design.window_s:
                continue
            strongest = power[k]
            amplitude = 4.0 / n * math.sqrt(power[k]) * (1.0 - delta**2) / np.sinc(delta) / response(np.array([hz]))[0]
            damping = math.nan
            if end >= 2 * n:
                growth = np.log(np.sum(power[k - 1 : k + 2]) / np.sum(powers[end - n][k - 1 : k + 2])) / 2.0 / design.window_s
                damping = -growth / math.hypot(growth, 2.0 * math.pi * hz)
            best = (amplitude, hz, damping)
        found.append((*best, min(share, 1.0)))
    return np.array(found)
