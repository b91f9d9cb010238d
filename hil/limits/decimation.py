"""Anti-alias filters: low-pass filters of Chebyshev's second kind, flat in the pass band, as cascades of sections.

Made from the analogue prototype by the bilinear transform, the stop edge pre-warped. A section is `b0 b1 b2 a1 a2` (a0 = 1);
each passes a constant unchanged.
"""

from __future__ import annotations

import math

import numpy as np

from hil.kernel.layout import CODES

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

STOP_DB = 70.0
"""What aliases into the band is attenuated by at least this much: to 0.03 %."""
PASS_GAIN = 0.99
"""Least gain up to the pass edge; what is missing can be made up for, by `gain`."""


def anti_alias(pass_hz: float, stop_hz: float, tick_s: float) -> Array:
    """Design the smallest filter with at least PASS_GAIN up to `pass_hz` and STOP_DB from `stop_hz` on. Shape (sections, 5).

    Raises ValueError where the edges are too close together for the sections that a cascade may have.
    """
    ratio = math.tan(math.pi * stop_hz * tick_s) / math.tan(math.pi * pass_hz * tick_s)
    beyond = math.sqrt((10.0 ** (STOP_DB / 10.0) - 1.0) / (PASS_GAIN**-2 - 1.0))
    sections = math.ceil(math.acosh(beyond) / math.acosh(ratio) / 2.0)
    most = CODES["filter.most_sections"]
    if sections > most:
        raise ValueError(f"a filter from {pass_hz:g} to {stop_hz:g} Hz takes {sections} sections, {most} are possible")
    return chebyshev_2(sections, stop_hz, tick_s)


def chebyshev_2(sections: int, stop_hz: float, tick_s: float) -> Array:
    """Design a filter of order 2·`sections` that attenuates by STOP_DB from `stop_hz` on. Shape (sections, 5)."""
    edge = math.tan(math.pi * stop_hz * tick_s)
    angles = (2.0 * np.arange(sections) + 1.0) * math.pi / (4.0 * sections)
    a = math.asinh(math.sqrt(10.0 ** (STOP_DB / 10.0) - 1.0)) / (2.0 * sections)
    poles = edge / (-math.sinh(a) * np.sin(angles) + 1j * math.cosh(a) * np.cos(angles))
    zeros = 1j * edge / np.cos(angles)
    poles, zeros = (1.0 + poles) / (1.0 - poles), (1.0 + zeros) / (1.0 - zeros)
    one = np.ones(sections)
    above = np.stack([one, -2.0 * zeros.real, np.abs(zeros) ** 2], axis=1)
    below = np.stack([one, -2.0 * poles.real, np.abs(poles) ** 2], axis=1)
    # At 1 the squared distances say it with less cancellation than the sums of coefficients.
    above *= (np.abs(1.0 - poles) ** 2 / np.abs(1.0 - zeros) ** 2)[:, np.newaxis]
    return np.concatenate([above, below[:, 1:]], axis=1)[::-1]  # the least resonant first


def gain(sections: Array, frequencies_hz: Array, tick_s: float) -> Array:
    """What the cascade multiplies the amplitude of a sine by, at each frequency."""
    z = np.exp(-2j * math.pi * frequencies_hz * tick_s)
    result = np.ones(len(frequencies_hz))
    for b0, b1, b2, a1, a2 in sections:
        result = result * np.abs((b0 + z * (b1 + z * b2)) / (1.0 + z * (a1 + z * a2)))
    return result
