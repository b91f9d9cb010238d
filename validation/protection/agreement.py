"""Random cases of every function through both implementations, and how many of their decisions differ."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import signal

from protection import envelopes, images, replays
from protection.relays import Relay, relay
from protection.waveforms import beside, blanks, gaps, samples_of, ticks, waveform

NEAR = 1e-9


@dataclass(frozen=True)
class Tally:
    """Decisions compared, those that differ, those of them that say yes; and the largest difference of what is no decision."""

    compared: int = 0
    differ: int = 0
    yes: int = 0
    off: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.compared + other.compared, self.differ + other.differ, self.yes + other.yes, max(self.off, other.off)
        )


def decisions(ours: np.ndarray, theirs: np.ndarray) -> Tally:
    """Numbers that must be equal at every sample, NaN to NaN."""
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    return Tally(ours.size, int(np.sum(~same)), int(np.sum(ours > 0)))


def shares(ours: np.ndarray, theirs: np.ndarray) -> Tally:
    """Shares of an operating time: equal but for rounding, and on the same side of 1 unless that close to it."""
    off = distance(ours, theirs, 1e-3)
    differ = ((ours >= 1.0) != (theirs >= 1.0)) & ~(np.abs(ours - 1.0) < NEAR)
    return Tally(ours.size, int(np.sum(differ)), int(np.sum(ours >= 1.0)), off)


def distance(ours: np.ndarray, theirs: np.ndarray, least: float) -> float:
    """Largest difference as a share of the value, or of `least` where that is more; infinite where only one is a number."""
    if np.any(np.isnan(ours) != np.isnan(theirs)):
        return math.inf
    known = ~np.isnan(ours)
    return float(np.max(np.abs(ours - theirs)[known] / np.maximum(np.abs(theirs[known]), least), initial=0.0))


def relay_case(rng: np.random.Generator) -> Tally:
    """A relay of any kind: definite exactly, inverse to rounding."""
    samples = samples_of(rng)
    inverse = bool(rng.random() < 0.5)
    under = bool(rng.random() < 0.5)
    negative = under if inverse else bool(rng.random() < 0.2)  # a curve goes by multiples of pick-up
    pickup = float(rng.choice([1.0, 0.9, 59.5, 3e6])) * (-1.0 if negative else 1.0)
    band = float(rng.choice([0.0, 0.02, 0.3])) * abs(pickup)
    dropout = pickup + band if under else pickup - band
    resets = ["instantaneous", "definite", "never", *(["disc"] if inverse else [])]
    setting = Relay(
        pickup,
        dropout,
        under,
        inclusive=bool(rng.random() < 0.5),
        inverse=inverse,
        delay_samples=ticks(rng, samples) if rng.random() < (0.4 if inverse else 0.9) else 0,
        reset=str(rng.choice(resets)),
        reset_samples=ticks(rng, samples),
        a=float(rng.choice([0.14, 13.5, 80.0, 0.0515, 28.2])),
        b=float(rng.choice([0.0, 0.114, 0.491])),
        exponent=float(rng.choice([0.02, 1.0, 2.0, 0.5])),
        dial=float(10.0 ** rng.uniform(-3.0, 0.0)),
        most=float(rng.choice([math.inf, 20.0, 1.5])),
        tr=float(rng.choice([0.5, 4.85, 29.1])),
        dt=float(rng.choice([1e-3, 1e-2, 0.1])),
    )
    value, blanked = gaps(rng, waveform(rng, samples, [pickup, dropout])), blanks(rng, samples)
    ours, theirs = relay(value, setting, blanked), replays.relay(value, setting, blanked)
    return shares(ours, theirs) if inverse else decisions(ours, theirs)


def cumulative_case(rng: np.random.Generator) -> Tally:
    """A relay with a cumulative time, exactly; and an envelope of the same level, time and band, whose decisions are its."""
    samples, under = samples_of(rng), bool(rng.random() < 0.5)
    pickup, inclusive = (0.9 if under else 1.1), bool(rng.random() < 0.3)
    dropout = pickup + float(rng.choice([0.0, 0.05])) * (1.0 if under else -1.0)
    delay = max(1, ticks(rng, samples // 3))
    setting = Relay(
        pickup,
        dropout,
        under,
        inclusive,
        delay_samples=delay,
        cumulative=True,
        window=delay + 1 + ticks(rng, samples) if rng.random() < 0.5 else 0,
        magnitude=bool(rng.random() < 0.5),
    )
    value, blanked = waveform(rng, samples, [pickup, dropout]), blanks(rng, samples)
    if setting.magnitude:
        value = value * rng.choice([-1.0, 1.0], samples)
    holed = gaps(rng, value)
    tally = decisions(relay(holed, setting, blanked), replays.relay(holed, setting, blanked))
    if inclusive:
        return tally
    share, size = replays.relay(value, setting), np.abs(value) if setting.magnitude else value
    low, high = (dropout, math.inf) if under else (-math.inf, dropout)
    band = envelopes.Envelope(low, high, (envelopes.Threshold(pickup, under, False, delay),), -math.inf, setting.window)
    used, _ = replays.envelope(size, np.ones(samples), band, 1.0)
    asked = size < pickup if under else size > pickup
    return tally + Tally(int(asked.sum()), int(np.sum(((share >= 1.0) != (used > 1.0))[asked])), int(np.sum(share >= 1.0)))


def rate_case(rng: np.random.Generator) -> Tally:
    """A rate of change, through stimuli and gaps."""
    samples, dt = samples_of(rng), float(rng.choice([1e-3, 1e-2]))
    value, blanked = gaps(rng, waveform(rng, samples, [59.5, 60.5])), blanks(rng, samples)
    window = max(1, ticks(rng, samples))
    ours, theirs = images.rate(value, window, 60.0, dt, blanked), replays.rate(value, window, 60.0, dt, blanked)
    return Tally(samples, int(np.sum(np.isnan(ours) != np.isnan(theirs))), int(np.sum(ours > 0)), distance(ours, theirs, 1.0))


def thermal_case(rng: np.random.Generator) -> Tally:
    """A thermal image, cold, warm or settled, heating and cooling alike or not."""
    samples, dt = samples_of(rng), float(rng.choice([1e-3, 1.0, 10.0]))
    heating = float(dt * 10.0 ** rng.uniform(-0.5, 4.0))
    cooling = heating if rng.random() < 0.5 else float(dt * 10.0 ** rng.uniform(-0.5, 4.0))
    value = gaps(rng, waveform(rng, samples, [0.9, 1.05]))
    args = (float(rng.choice([1.0, 1.05**-2])), heating, cooling, float(rng.choice([0.0, 0.7, 1.0])), dt)
    return shares(images.thermal(value, *args), replays.thermal(value, *args))


def counter_case(rng: np.random.Generator) -> Tally:
    """A counter, with windows from none to longer than the recording."""
    samples, bound = samples_of(rng), float(rng.choice([0.9, -2.0, 59.5]))
    value, window, under = gaps(rng, waveform(rng, samples, [bound])), ticks(rng, samples), bool(rng.random() < 0.5)
    return decisions(images.counter(value, bound, window, under=under), replays.counter(value, bound, window, under=under))


def envelope_case(rng: np.random.Generator) -> Tally:
    """An envelope with up to five thresholds a side; both outputs exactly."""
    samples = samples_of(rng)
    low, high = 0.9, 1.1
    levels = [*rng.uniform(0.0, low, rng.integers(0, 5)).tolist(), *rng.uniform(high, 1.5, rng.integers(0, 5)).tolist(), low]
    thresholds = tuple(
        envelopes.Threshold(
            float(level),
            bool(level < 1.0),
            bool(rng.random() < 0.5),
            None if rng.random() < 0.1 else ticks(rng, samples // 2),
        )
        for level in levels
    )
    relative = bool(rng.random() < 0.5)
    power = float(rng.choice([1.0, 10e6, -10e6, 0.0])) if relative else 1.0
    setting = envelopes.Envelope(
        low,
        high,
        thresholds,
        stays=0.9 if relative else 0.5,
        window=ticks(rng, samples) if rng.random() < 0.4 else 0,
        recovery=ticks(rng, samples // 3),
        relative=relative,
        gain=float(rng.choice([1.0, 0.5, 0.01])),
    )
    value = gaps(rng, waveform(rng, samples, [low, high] if rng.random() < 0.5 else [*levels, high]))
    if rng.random() < 0.6:  # long rests between disturbances
        value[rng.random(samples) < 0.5] = rng.choice([1.0, low, high])
    subject = np.full(samples, power)
    for begin in rng.integers(0, samples, rng.integers(0, 6)):
        subject[begin : begin + rng.integers(1, max(2, samples // 6))] *= rng.choice([0.0, 0.5, 0.95])
    if rng.random() < 0.2:
        subject = gaps(rng, subject)
    found = zip(
        envelopes.envelope(value, subject, setting, power), replays.envelope(value, subject, setting, power), strict=True
    )
    share, let_go = (decisions(ours, theirs) for ours, theirs in found)
    return share + let_go


def ratio_case(rng: np.random.Generator) -> Tally:
    """Each ratio, its divisor around the least."""
    samples, least, scale = samples_of(rng), 0.1, float(rng.choice([1.0, 1e-6, math.sqrt(1 / 3)]))
    a, b = waveform(rng, samples, [0.2, 1.0]), waveform(rng, samples, [0.2, 1.0])
    by = waveform(rng, samples, [least])
    by[rng.random(samples) < 0.2] = rng.choice(beside([least]))
    pairs = (
        (images.quotient(a, by, scale, least), replays.ratio("quotient", [a, by], scale, least)),
        (images.current(a, b, by, scale, least), replays.ratio("current", [a, b, by], scale, least)),
        (images.magnitude(a, scale), replays.ratio("magnitude", [a], scale, least)),
        (scale * a, replays.ratio("scaled", [a], scale, least)),
    )
    tally = Tally()
    for ours, theirs in pairs:
        off = distance(ours, theirs, 1e-12)
        tally += Tally(samples, int(np.sum((ours == 0.0) != (theirs == 0.0))), int(np.sum(ours != 0.0)), off)
    return tally


def filter_case(rng: np.random.Generator) -> Tally:
    """Butterworth filters of each kind, settled on the first input, through blanked stretches."""
    samples, kind = samples_of(rng), str(rng.choice(["lowpass", "highpass", "bandpass"]))
    order = int(rng.integers(1, 7))
    edges = np.sort(rng.uniform(0.002, 0.45, 2)) + np.array([0.0, 0.03])
    at = edges if kind == "bandpass" else edges[0]
    sections = signal.butter(order, at, kind, output="sos", fs=1.0)
    value, blanked = waveform(rng, samples, [0.9, 1.1]), blanks(rng, samples)
    settled = signal.sosfilt_zi(sections) * value[0]
    ours = images.filtered(value, sections, blanked)
    theirs = replays.filtered(value, sections, settled, blanked)
    return Tally(samples, off=distance(ours, theirs, float(np.max(np.abs(value)))))


def trend_case(rng: np.random.Generator) -> Tally:
    """A slope and the change of blocks, windows from one sample to longer than the recording, through stimuli and gaps."""
    samples, dt = samples_of(rng), float(rng.choice([1e-3, 1e-2]))
    value, blanked = gaps(rng, waveform(rng, samples, [0.9, 1.1])), blanks(rng, samples)
    window, start = max(1, ticks(rng, samples)), ticks(rng, samples)
    first = float(rng.choice([1.0, 0.0]))
    size = max(abs(first), float(np.max(np.abs(value[~np.isnan(value)]), initial=0.0)), 1.0)
    tally = Tally()
    for ours, theirs in (
        (images.slope(value, window, first, blanked, dt), replays.slope(value, window, first, blanked, dt)),
        (images.blocks(value, window, start, first, blanked, dt), replays.blocks(value, window, start, first, blanked, dt)),
    ):
        tally += Tally(samples, off=distance(ours, theirs, size / (window * dt)))
    return tally


NUMBERS = ("filters", "slopes and blocks")  # which decide nothing
CASES: dict[str, Callable[[np.random.Generator], Tally]] = {
    "relays": relay_case,
    "cumulative relays": cumulative_case,
    "rates of change": rate_case,
    "thermal images": thermal_case,
    "counters": counter_case,
    "envelopes": envelope_case,
    "ratios": ratio_case,
    "filters": filter_case,
    "slopes and blocks": trend_case,
}


def worst(name: str, seeds: range, cases: dict[str, Callable[[np.random.Generator], Tally]]) -> tuple[Tally, list[int]]:
    """Of many cases together, and the seeds of those in which something differs."""
    tally, wrong = Tally(), []
    for seed in seeds:
        one = cases[name](np.random.default_rng([seed, len(name)]))
        tally += one
        if one.differ or not one.off <= NEAR:
            wrong.append(seed)
    return tally, wrong
