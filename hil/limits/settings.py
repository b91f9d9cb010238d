"""Settings of functions whose designs stand elsewhere, as values that can be compared: limits that want the same share it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BandPass:
    """A Butterworth band-pass. blank: the stimulus while which it holds its input."""

    low_hz: float
    high_hz: float
    order: int
    blank: str


@dataclass(frozen=True)
class OscillationBand:
    """A detector of oscillations. least: amplitude at or below which there is none."""

    low_hz: float
    high_hz: float
    window_s: float
    blank: str
    least: float = 0.0


@dataclass(frozen=True)
class Flickermeter:
    """A flickermeter for a lamp and a frequency of the mains."""

    lamp: str
    frequency_hz: float
