"""Oscillation detectors: how the kernel's is set up for a band, a window and a tick (docs/protection.md, "Oscillations")."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.kernel.layout import CODES
from hil.limits.decimation import Array, anti_alias, gain

LEAST_SAMPLES = 64
"""In a window: with fewer the closed form of the Hann window's main lobe, which is that of a continuous signal, is off."""
MOST_SAMPLES = CODES["oscillation.most_samples"]
MOST_BINS = 1000
"""A sample and a hop each go over all of them in one tick."""
MOST_HOPS = 100
MOST_DECIMATION = 10_000
"""The filter's poles come closer to 1 the more ticks a sample has; from here on rounding would be felt."""
MARGIN = 2
"""Bins beyond those of the band on either side: one for its main lobe, one more for the Hann window's neighbours."""
SLACK_BINS = 0.1
"""By how much a sine's interpolated frequency may lie outside the band."""


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """An oscillation detector, designed. What it measures, how long its window and its hop really are, and what it costs."""

    low_hz: float
    high_hz: float
    least: float
    tick_s: float
    decimation: int
    samples: int
    hop: int
    first: int
    bins: int
    sections: Array

    @property
    def window_s(self) -> float:
        """How long the window is: what was asked for, or longer by less than a sample a hop."""
        return self.samples * self.decimation * self.tick_s

    @property
    def hop_s(self) -> float:
        """How often the outputs are renewed."""
        return self.hop * self.decimation * self.tick_s

    @property
    def rate_hz(self) -> float:
        """Samples a second behind the decimation."""
        return 1.0 / (self.decimation * self.tick_s)

    def memory(self) -> Array:
        """What belongs into the arena: filter, twiddles, gains, room for the sums; oscillation.pxd says in which order."""
        sums = 2 * self.bins + 2 * CODES["oscillation.moments"]
        sections = np.zeros((len(self.sections), CODES["filter.section_words"]))
        sections[:, :5] = self.sections
        angles = 2.0 * math.pi / self.samples * np.arange(self.samples)
        frequencies = (self.first + np.arange(self.bins)) / self.window_s
        made_up = 1.0 / gain(self.sections, frequencies, self.tick_s)
        room = np.zeros(3 * sums + self.samples // self.hop * (sums + self.bins) + self.bins)
        return np.concatenate([sections.ravel(), np.cos(angles), np.sin(angles), made_up, room])

    def fill(self, params: Any, *, channel: int, output: int, offset: int, blank: int = CODES["blank.never"]) -> None:
        """Fill a row of the parameters "oscillations"; the state begins with zeros.

        channel, output: numbers in the row of a tick, of what is looked at and of the first of the four outputs. offset: where
        `memory` lies in the arena. blank: which stimuli hold the input.
        """
        params["channel"], params["output"], params["blank"], params["offset"] = channel, output, blank, offset
        params["sections"], params["decimation"] = len(self.sections), self.decimation
        params["samples"], params["hop"] = self.samples, self.hop
        params["first"], params["bins"] = self.first, self.bins
        params["low"] = self.low_hz * self.window_s - SLACK_BINS
        params["high"] = self.high_hz * self.window_s + SLACK_BINS
        params["bin_hz"] = 1.0 / self.window_s
        params["least"] = self.least


def detector(
    *, low_hz: float, high_hz: float, window_s: float, tick_s: float, hop_s: float | None = None, least: float = 0.0
) -> Detector:
    """Design a detector of oscillations between two frequencies.

    hop_s: how often the outputs are renewed, a tenth of the window if not given. least: amplitude below which there is no
    oscillation, in the channel's unit. Raises ValueError, in one line, for what cannot be measured so.
    """
    hop_s = 0.1 * window_s if hop_s is None else hop_s
    _check(low_hz, high_hz, window_s, tick_s, hop_s, least)
    hops = max(1, round(window_s / hop_s))
    decimation, hop = _samples(high_hz, window_s, tick_s, hops)
    samples = hop * hops
    window_s = samples * decimation * tick_s
    first = math.floor(low_hz * window_s + 1e-6) - MARGIN
    last = math.ceil(high_hz * window_s - 1e-6) + MARGIN
    bins = last - first + 1
    if bins > MOST_BINS:
        raise ValueError(
            f"band {low_hz:g} to {high_hz:g} Hz, window {window_s:g} s: {bins} bins of {1.0 / window_s:.3g} Hz,"
            f" at most {MOST_BINS} are possible; make the band narrower or the window shorter"
        )
    if not LEAST_SAMPLES <= samples <= MOST_SAMPLES:
        raise ValueError(f"window {window_s:g} s: {samples} samples, must hold between {LEAST_SAMPLES} and {MOST_SAMPLES}")
    top_hz = last / window_s
    rate_hz = 1.0 / (decimation * tick_s)
    sections = anti_alias(high_hz, rate_hz - top_hz, tick_s) if decimation > 1 else np.zeros((0, 5))
    return Detector(low_hz, high_hz, least, tick_s, decimation, samples, hop, first, bins, sections)


def _check(low_hz: float, high_hz: float, window_s: float, tick_s: float, hop_s: float, least: float) -> None:
    values = {"low_hz": low_hz, "high_hz": high_hz, "window_s": window_s, "tick_s": tick_s, "hop_s": hop_s}
    for name, value in values.items():
        if not 0.0 < value < math.inf:
            raise ValueError(f"{name} = {value!r}: must be a positive number")
    if not 0.0 <= least < math.inf:
        raise ValueError(f"least = {least!r}: must be 0 or a positive number")
    if not low_hz < high_hz:
        raise ValueError(f"band {low_hz:g} to {high_hz:g} Hz: the lower edge must be below the upper one")
    if high_hz > 0.4 / tick_s * (1.0 + 1e-9):
        raise ValueError(
            f"band {low_hz:g} to {high_hz:g} Hz: the upper edge must be at most 0.4 of the rate, {0.4 / tick_s:g} Hz"
            f" at a tick of {1e3 * tick_s:g} ms"
        )
    if window_s * low_hz < 2.0 * (1.0 - 1e-9):
        raise ValueError(
            f"window {window_s:g} s: must hold two periods of the band's lower edge, {2.0 / low_hz:g} s at {low_hz:g} Hz"
        )
    if not 0.99 * window_s / MOST_HOPS <= hop_s <= window_s:
        raise ValueError(f"hop {hop_s:g} s: must be between a hundredth of the window and the window of {window_s:g} s")


def _samples(high_hz: float, window_s: float, tick_s: float, hops: int) -> tuple[int, int]:
    """Ticks a sample, and samples a hop, so that `hops` of them are the window or a little more.

    The rate is at least 2.5 times the upper edge, and at most about twice that: of such decimations the largest of those that
    meet the window best.
    """
    ticks = min(1.0 / (2.5 * high_hz * tick_s), window_s / (LEAST_SAMPLES * tick_s), MOST_DECIMATION)
    most = max(1, math.floor(ticks * (1.0 + 1e-9)))
    choices = range(most, (most - 1) // 2, -1)
    window = window_s / tick_s

    def hop(decimation: int) -> int:
        return max(1, math.ceil(window / (decimation * hops) * (1.0 - 1e-9)))

    best = min(choices, key=lambda decimation: hop(decimation) * decimation)
    return best, hop(best)
