"""Butterworth filters as second-order sections, by the bilinear transform with pre-warped edges, and their place in an arena.

Sections are arrays of shape (sections, 5), each `b0 b1 b2 a1 a2` with a0 = 1: what `hil/kernel/protection/filters.pxd` runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hil.kernel.arena import Arena
from hil.kernel.layout import CODES

Sections = npt.NDArray[np.float64]
Kind = Literal["low_pass", "high_pass", "band_pass"]

_AT_ONE = (1.0, -2.0, 1.0)  # a section's numerator: both zeros at no frequency
_AT_BOTH = (1.0, 0.0, -1.0)  # one there, one at half the rate
_AT_HALF = (1.0, 2.0, 1.0)  # both at half the rate


def butterworth(kind: Kind, order: int, edges_hz: float | Sequence[float], rate_hz: float) -> Sections:
    """Design a filter whose gain is 1/√2 at its edge or edges, and 1 where it passes.

    A band-pass of order n has 2n poles, n at either edge. Raises ValueError for an order below 1, for edges that are not above
    0 and below half the rate, for a band that does not grow, and for more sections than a tick runs.
    """
    edges: list[float] = np.atleast_1d(np.asarray(edges_hz, np.float64)).tolist()
    _check(kind, order, edges, rate_hz)
    angles = math.pi * (np.arange(order // 2) * 2 + 1) / (2 * order)
    prototype = np.exp(1j * (math.pi / 2 + angles))  # its poles above the real axis; odd orders have −1 besides
    warped = [math.tan(math.pi * edge / rate_hz) for edge in edges]
    if kind == "band_pass":
        return _band_pass(prototype, order % 2 == 1, warped[0], warped[1])
    low = kind == "low_pass"
    passes = 1.0 + 0j if low else -1.0 + 0j
    sections = []
    for pole in prototype:
        digital = _digital(warped[0] * pole if low else warped[0] / pole)
        sections.append(_scaled(_AT_HALF if low else _AT_ONE, *_denominator(digital, digital.conjugate()), at=passes))
    if order % 2:
        sections.append(_scaled((1.0, passes.real, 0.0), -_digital(-warped[0] + 0j).real, 0.0, at=passes))
    return np.array(sections)


def _check(kind: str, order: int, edges: list[float], rate_hz: float) -> None:
    if kind not in ("low_pass", "high_pass", "band_pass"):
        raise ValueError(f"kind {kind!r}: must be low_pass, high_pass or band_pass")
    if isinstance(order, bool) or not isinstance(order, int | np.integer) or order < 1:
        raise ValueError(f"order {order}: must be a whole number of at least 1")
    if not 0.0 < rate_hz < math.inf:
        raise ValueError(f"rate {rate_hz:g} Hz: must be above 0")
    if len(edges) != (2 if kind == "band_pass" else 1):
        raise ValueError(f"edges {edges}: a {kind} has {'two' if kind == 'band_pass' else 'one'}")
    for edge in edges:
        if not 0.0 < edge < rate_hz / 2:
            raise ValueError(f"edge {edge:g} Hz: must be above 0 and below half the rate, {rate_hz / 2:g} Hz")
    if edges[0] >= edges[-1] and len(edges) > 1:
        raise ValueError(f"edges {edges[0]:g} and {edges[1]:g} Hz: the second must be above the first")
    sections = order if kind == "band_pass" else (order + 1) // 2
    if sections > CODES["filter.most_sections"]:
        raise ValueError(f"order {order}: a {kind} of it has {sections} sections, at most {CODES['filter.most_sections']}")


def _digital(pole: complex) -> complex:
    """A pole of the plane whose unit is twice the rate, by the bilinear transform."""
    return complex((1.0 + pole) / (1.0 - pole))


def _denominator(first: complex, second: complex) -> tuple[float, float]:
    return -(first + second).real, (first * second).real


def _scaled(numerator: tuple[float, float, float], a1: float, a2: float, at: complex) -> list[float]:
    """A section of gain 1 at a point of the unit circle, with the coefficients as they are after rounding.

    The gain of a filter whose poles lie close to 1 would otherwise be as wrong as the distance is rounded.
    """
    b0, b1, b2 = numerator
    if at.imag == 0.0:  # sums of three numbers are then exact
        gain = (1.0 + a1 + a2) / 4 if at.real > 0.0 else (1.0 - a1 + a2) / 4
        if b2 == 0.0:  # first order
            gain = (1.0 + a1) / 2 if at.real > 0.0 else (1.0 - a1) / 2
    else:
        inverse = 1.0 / at
        gain = abs((1.0 + a1 * inverse + a2 * inverse**2) / (b0 + b1 * inverse + b2 * inverse**2))
    return [gain * b0, gain * b1, gain * b2, a1, a2]


def _band_pass(prototype: npt.NDArray[np.complex128], odd: bool, low: float, high: float) -> Sections:
    """Each pole p of the low-pass becomes the two roots of s² − p·(high − low)·s + low·high."""
    pairs = []
    for pole in [*prototype, *([-1.0 + 0j] if odd else [])]:
        half = pole * (high - low) / 2
        root = np.sqrt(complex(half * half - low * high))
        far = half + root if abs(half + root) >= abs(half - root) else half - root
        near = low * high / far  # their product, without the cancellation of the difference
        if pole == -1.0:
            pairs.append((_digital(far), _digital(near)))
        else:
            pairs += [(_digital(root), _digital(root).conjugate()) for root in (near, far)]
    pairs.sort(key=lambda pair: abs(pair[0] - 1.0) * abs(pair[1] - 1.0))
    centre = math.atan(math.sqrt(low * high)) * 2
    at = complex(math.cos(centre), math.sin(centre))
    sections = []
    for i, pair in enumerate(pairs):  # zeros at no frequency belong to the slow poles, those at half the rate to the fast ones
        numerator = _AT_ONE if 2 * i + 1 < len(pairs) else _AT_BOTH if 2 * i + 1 == len(pairs) else _AT_HALF
        sections.append(_scaled(numerator, *_denominator(*pair), at=at))
    return np.array(sections)


def response(sections: npt.ArrayLike, frequency_hz: npt.ArrayLike, rate_hz: float) -> npt.NDArray[np.complex128]:
    """Complex gain at each frequency, in the shape of `frequency_hz`."""
    back = np.exp(-2j * math.pi * np.asarray(frequency_hz, np.float64) / rate_hz)
    gain = np.ones(np.shape(back), np.complex128)
    for b0, b1, b2, a1, a2 in np.asarray(sections):
        gain = gain * (b0 + (b1 + b2 * back) * back) / (1.0 + (a1 + a2 * back) * back)
    return gain


def settled(sections: npt.ArrayLike, value: float) -> npt.NDArray[np.float64]:
    """The two memories of each section, shape (sections, 2), after `value` has been the input forever."""
    memories = []
    for b0, b1, b2, a1, a2 in np.asarray(sections):
        answer = (b0 + b1 + b2) / (1.0 + a1 + a2) * value
        memories.append([answer - b0 * value, b2 * value - a2 * answer])
        value = answer
    return np.array(memories)


def place(arena: Arena, sections: npt.ArrayLike, initial: float = 0.0) -> int:
    """Put sections, settled on an input, into an arena; return the offset of the first."""
    coefficients = np.asarray(sections)
    return arena.put(np.hstack([coefficients, settled(coefficients, initial)]).ravel())


def fill_filter(
    params: Any, state: Any, arena: Arena, sections: npt.ArrayLike, *, channel: int, output: int, blank: int, initial: float
) -> None:
    """Fill a row of FilterParams and one of FilterState; the filter begins settled on `initial`."""
    params["channel"], params["output"], params["blank"] = channel, output, blank
    params["sections"], params["offset"] = len(np.asarray(sections)), place(arena, sections, initial)
    state["held"] = initial
