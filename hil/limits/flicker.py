"""The flickermeter of IEC 61000-4-15: its filters for a lamp and a frequency of the mains, at a tick.

Editions do not differ here: the amendment of 2003 added the lamp for 120 V and the filter for 60 Hz, edition 2 the mixed
pairs and other values and tolerances in its tables (`vectors/flicker.toml`), but the response asked for is the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from hil.kernel.arena import Arena
from hil.kernel.layout import CODES
from hil.limits.filters import Sections, butterworth, place, response


@dataclass(frozen=True)
class Lamp:
    """Response of lamp, eye and brain (IEC 61000-4-15, clause 5, block 3: its transfer function and table of constants).

    k·ω1·s·(1 + s/ω2) / ((s² + 2·λ·s + ω1²)·(1 + s/ω3)·(1 + s/ω4)). λ and ω are given as frequencies in hertz.
    """

    k: float
    lambda_hz: float
    omega_1_hz: float
    omega_2_hz: float
    omega_3_hz: float
    omega_4_hz: float
    threshold: float
    """Relative change, peak to peak, of the sine at 8.8 Hz that gives an instantaneous flicker of 1 (tables 1a and 1b)."""


LAMPS: Mapping[str, Lamp] = MappingProxyType(
    {
        "230 V": Lamp(1.74802, 4.05981, 9.15494, 2.27979, 1.22535, 21.9, 0.00250),
        "120 V": Lamp(1.6357, 4.167375, 9.077169, 2.939902, 1.394468, 17.31512, 0.00321),
    }
)

LOW_PASS_HZ: Mapping[float, float] = MappingProxyType({50.0: 35.0, 60.0: 42.0})
"""Edge of the low-pass of block 3, by the frequency of the mains."""

MOST_TICK_S = 0.010
MOST_CARRIER_TICK_S = 0.002
"""Up to this tick the squared carrier, at most 120 Hz, and what it beats with are told apart."""

_REFERENCE_HZ = 8.8
_HIGH_PASS_HZ = 0.05
_MEAN_S = 60.0 / math.log(9.0)
"""Of block 1, whose answer to a step takes a minute from 10 % to 90 %."""
_SMOOTHING_S = 0.3
_SMOOTHED = (  # block 5: weight of a percentile in Pst², and the shares of time, in percent, whose levels it is the mean of
    (0.0314, (0.1,)),
    (0.0525, (0.7, 1.0, 1.5)),
    (0.0657, (2.2, 3.0, 4.0)),
    (0.28, (6.0, 8.0, 10.0, 13.0, 17.0)),
    (0.08, (30.0, 50.0, 80.0)),
)


def weighting(lamp: Lamp, rate_hz: float) -> Sections:
    """The response of a lamp as two sections, exact at 8.8 Hz.

    Poles and zeros go over by exp(s/rate), and a zero at half the rate comes to them. That keeps the response to 0.2 % of the
    power up to 25 Hz at 1 kHz, where the bilinear transform, which squeezes frequencies, is wrong by 0.7 %; at 100 Hz it still
    keeps it to 8 % up to 15 Hz.
    """
    damping, resonance = 2.0 * math.pi * lamp.lambda_hz / rate_hz, 2.0 * math.pi * lamp.omega_1_hz / rate_hz
    turn = math.sqrt(resonance**2 - damping**2)
    zero, first, second = (
        math.exp(-2.0 * math.pi * hz / rate_hz) for hz in (lamp.omega_2_hz, lamp.omega_3_hz, lamp.omega_4_hz)
    )
    sections = np.array(
        [
            [1.0, -1.0 - zero, zero, -2.0 * math.exp(-damping) * math.cos(turn), math.exp(-2.0 * damping)],
            [1.0, 1.0, 0.0, -first - second, first * second],
        ]
    )
    wanted, there = abs(_analog(lamp, _REFERENCE_HZ)), abs(response(sections, _REFERENCE_HZ, rate_hz))
    sections[0, :3] *= wanted / there
    return sections


def _analog(lamp: Lamp, frequency_hz: float) -> complex:
    s = 1j * frequency_hz  # in hertz, as the constants
    band = lamp.k * lamp.omega_1_hz * s / (s * s + 2.0 * lamp.lambda_hz * s + lamp.omega_1_hz**2)
    return band * (1.0 + s / lamp.omega_2_hz) / ((1.0 + s / lamp.omega_3_hz) * (1.0 + s / lamp.omega_4_hz))


def band(lamp: Lamp, frequency_hz: float, rate_hz: float) -> Sections:
    """Block 3: high-pass of first order, low-pass of sixth, weighting."""
    high_pass = butterworth("high_pass", 1, _HIGH_PASS_HZ, rate_hz)
    low_pass = butterworth("low_pass", 6, LOW_PASS_HZ[frequency_hz], rate_hz)
    return np.vstack([high_pass, low_pass, weighting(lamp, rate_hz)])


def fill_flicker(
    params: Any,
    state: Any,
    arena: Arena,
    *,
    channel: int,
    output: int,
    blank: int,
    tick_s: float,
    lamp: str = "230 V",
    frequency_hz: float = 50.0,
    settle_s: float = 120.0,
    observe_s: float = 600.0,
) -> None:
    """Fill a row of FlickerParams and one of FlickerState.

    Nothing is put out for the first `settle_s`; then a Pst every `observe_s`. Raises ValueError for a lamp or a frequency
    that the standard has not, for a tick beyond 10 ms, and for times that are not whole ticks of at least 0 or 1.
    """
    if lamp not in LAMPS:
        raise ValueError(f"lamp {lamp!r}: must be one of {', '.join(LAMPS)}")
    if frequency_hz not in LOW_PASS_HZ:
        raise ValueError(f"frequency {frequency_hz:g} Hz: a flickermeter is for 50 or 60 Hz")
    if not 0.0 < tick_s <= MOST_TICK_S:
        raise ValueError(f"tick {tick_s:g} s: a flickermeter needs one of at most {MOST_TICK_S:g} s")
    chosen = LAMPS[lamp]
    sections = band(chosen, frequency_hz, 1.0 / tick_s)
    params["channel"], params["output"], params["blank"] = channel, output, blank
    params["settle_ticks"] = _ticks("settle time", settle_s, tick_s, 0)
    params["block_ticks"] = _ticks("observation time", observe_s, tick_s, 1)
    params["mean_gain"] = -math.expm1(-tick_s / _MEAN_S)
    params["smooth_gain"] = -math.expm1(-tick_s / _SMOOTHING_S)
    params["scale"] = _scale(chosen, sections, 1.0 / tick_s)
    params["exceeded"] = [percent / 100.0 for _, shares in _SMOOTHED for percent in shares]
    params["weight"] = [weight / len(shares) for weight, shares in _SMOOTHED for _ in shares]
    if tick_s <= MOST_CARRIER_TICK_S:
        turn = 4.0 * math.pi * frequency_hz * tick_s
        params["carrier_re"], params["carrier_im"] = math.cos(turn), math.sin(turn)
        state["carrier_re"] = 1.0
    state["pst"] = state["plt"] = math.nan
    params["offset"] = place(arena, sections)
    arena.put(np.zeros(CODES["flicker.words"] - CODES["flicker.sections"] * CODES["filter.section_words"]))


def _ticks(what: str, time_s: float, tick_s: float, least: int) -> int:
    ticks = time_s / tick_s
    if not (math.isfinite(ticks) and ticks >= least - 1e-6 and abs(ticks - round(ticks)) < 1e-6):
        raise ValueError(f"{what} {time_s:g} s: must be a whole number of ticks of {tick_s:g} s, at least {least}")
    return round(ticks)


def _scale(lamp: Lamp, sections: Sections, rate_hz: float) -> float:
    """So that the sine of reference reaches 1: half its square, and as much of the other half as the smoothing lets pass."""
    peak = lamp.threshold * abs(response(sections, _REFERENCE_HZ, rate_hz))
    ripple = 1.0 / math.hypot(1.0, 2.0 * (2.0 * math.pi * _REFERENCE_HZ) * _SMOOTHING_S)
    return float(2.0 / (peak**2 * (1.0 + ripple)))
