"""Jumps of the phase of voltages, which a frequency made from phase takes for one of its own."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hil.waves.fundamental import CYCLES, smoothed, turned_back
from hil.waves.sliding import Complexes, Floats

_REACH = 3
"""Nominal cycles before and after a jump that its angle is made of."""
_PICKS = 8
"""Jumps that are looked for within twice the reach, so that what is no jump, such as noise, comes to an end."""
_LEFT = {1: 0.35, 3: 0.1}
"""Share of a jump, by the number of phases, up to which what is left around it once it is undone is still that of a jump by
itself: of one phase the mirror image turns the other way.
"""


@dataclass(frozen=True)
class Jump:
    """A jump of the phase.

    at: the first sample after it. degrees: ahead is positive. unsure: samples by which `at` may be off, where what is around
    it is not that of a jump by itself: another within three cycles, a change that takes its time.
    """

    at: int
    degrees: float
    unsure: int = 0


def phase_jump(voltages: Sequence[Floats], rate_hz: float, nominal_hz: float, nominal_peak: float) -> Floats:
    """By how much the phase has jumped at each sample, degrees in ±180, shape (n,); NaN where nothing is known around it.

    The voltages are those of `fundamental`, and so is the phasor: averaged twice over a nominal cycle. The jump is the angle
    between the phasor over the two cycles from the sample on and that over the two cycles before it, less what the frequency
    turns meanwhile: the mean of the frequency one cycle before and one cycle after. So a steady frequency and one that moves
    evenly are no jumps, however far they are from nominal; a step of the frequency is none where it is, and two thirds of what
    it turns in a cycle two cycles before and after. Around a jump the value falls off, crosses 0 a cycle away and
    reaches -2/3 of the jump at 5/3 of a cycle, until three cycles are between them.
    """
    samples = rate_hz / nominal_hz
    return _jump(turned_back(voltages, samples), samples, nominal_peak)


def phase_jumps(
    voltages: Sequence[Floats], rate_hz: float, nominal_hz: float, nominal_peak: float, least_deg: float
) -> list[Jump]:
    """Jumps beyond an angle, in time.

    The largest nearby is undone in the samples, and the rest looked at again, until nothing is beyond: so what surrounds a
    jump is not taken for more of them, and two that are more than three cycles apart (a fault that comes and goes) are told
    apart. Of one phase this is true to a third of the larger one.
    """
    samples = rate_hz / nominal_hz
    turned = turned_back(voltages, samples)
    height = np.nan_to_num(_jump(turned, samples, nominal_peak))
    reach, cycle = _REACH * math.ceil(samples), math.ceil(samples)
    left = _LEFT[len(voltages)]
    found: dict[int, float] = {}
    clear = 0  # before it nothing is beyond
    for first in np.flatnonzero(np.abs(height) > least_deg):
        if first < clear or abs(height[first]) <= least_deg:
            continue
        clear, least = int(first) + 2 * reach, least_deg
        for _ in range(_PICKS):
            at = int(first) + int(np.argmax(np.abs(height[first:clear])))
            if abs(height[at]) <= least:
                break
            at = _summit(height, at, 2 * cycle)
            found[at] = found.get(at, 0.0) + float(height[at])
            if len(voltages) == 1:
                least = max(least, left * abs(float(height[at])))
            begin, end = max(0, at - 3 * reach), at + 3 * reach
            part = turned[begin:end].copy()
            for place in (place for place in found if begin < place < end):
                part[place - begin :] *= cmath.exp(-1j * math.radians(found[place]))
            near = slice(max(0, at - reach - cycle), at + reach + cycle)
            again = _jump(part, samples, nominal_peak)
            height[near] = np.nan_to_num(again[near.start - begin : near.stop - begin])
    jumps = []
    for at, degrees in sorted(found.items()):
        around = np.abs(height[max(0, at - reach) : at + reach])
        jumps.append(Jump(at, degrees, 2 * cycle if around.max() > min(left * abs(degrees), least_deg) else 0))
    return jumps


def holds_jump(
    jumps: Sequence[Jump], count: int, rate_hz: float, nominal_hz: float
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether the windows of a frequency that `fundamental` makes hold a jump, for each of `count` samples."""
    found = np.zeros(count, np.bool_)
    held = math.ceil(CYCLES * rate_hz / nominal_hz)
    for jump in jumps:
        found[max(0, jump.at - jump.unsure) : jump.at + jump.unsure + held] = True
    return found


def _jump(turned: Complexes, samples: float, nominal_peak: float) -> Floats:
    """`phase_jump` of what was turned back."""
    cycle = math.ceil(samples)
    gap = 2 * cycle - 1  # as long as the samples of a phasor: one ends where the other begins
    found = np.full(turned.size, np.nan)
    behind = cycle + gap - 1  # from the sample to the last that its jump is made of
    if turned.size <= 2 * cycle + gap:
        return found
    phasor = smoothed(turned, samples, nominal_peak)
    last, after, before, first = (
        phasor[begin : phasor.size - (2 * cycle + gap) + begin] for begin in (2 * cycle + gap, cycle + gap, cycle, 0)
    )
    with np.errstate(invalid="ignore"):
        across = np.angle(after * before.conj())
        around = 0.5 * (np.angle(last * after.conj()) + np.angle(before * first.conj()))
    degrees = np.degrees(across - gap / cycle * around)
    found[2 * cycle + gap - behind : turned.size - behind] = degrees - 360.0 * np.rint(degrees / 360.0)
    return found


def _summit(height: Floats, at: int, near: int) -> int:
    """Where the height is the largest within so many samples to either side, uphill from one."""
    while True:
        begin = max(0, at - near)
        higher = begin + int(np.argmax(np.abs(height[begin : at + near + 1])))
        if abs(height[higher]) <= abs(height[at]):
            return at
        at = higher
