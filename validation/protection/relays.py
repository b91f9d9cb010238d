"""Relays: definite and inverse time, their drop-out and their resets (docs/protection.md, "Relays")."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from protection.masks import beyond, hysteresis, stretches


@dataclass(frozen=True)
class Relay:
    """Settings; times in samples where the name says so, else in seconds.

    reset: "instantaneous", "definite", "disc" or "never". a, b, exponent, dial: *t = dial·(a/(M^exponent − 1) + b)*, of an
    inverse-time relay. most: multiples above which the curve is flat. tr: of the disc. cumulative: the delay is of all
    samples beyond pick-up, from pick-up to drop-out or of the latest `window`. magnitude: a value counts without its sign.
    """

    pickup: float
    dropout: float
    under: bool = False
    inclusive: bool = False
    inverse: bool = False
    delay_samples: int = 0
    reset: str = "instantaneous"
    reset_samples: int = 0
    a: float = 0.0
    b: float = 0.0
    exponent: float = 1.0
    dial: float = 1.0
    most: float = math.inf
    tr: float = 1.0
    dt: float = 1.0
    cumulative: bool = False
    window: int = 0
    magnitude: bool = False

    def multiple(self, value: np.ndarray) -> np.ndarray:
        """Of pick-up: above 1 beyond it; where a relay picks up below, that is a negative one."""
        return value / self.pickup

    def gain(self, value: np.ndarray) -> np.ndarray:
        """What each sample adds while picked up: dt/t(M), nothing where it is not beyond pick-up."""
        over = np.minimum(self.multiple(value), self.most)
        adds = beyond(value, self.pickup, under=self.under, inclusive=self.inclusive) & (over > 1.0)
        added = np.zeros(value.shape)
        if self.inverse:
            added[adds] = self.dt / (self.dial * (self.a / np.expm1(self.exponent * np.log(over[adds])) + self.b))
        return added

    def loss(self, value: np.ndarray) -> np.ndarray:
        """What each sample takes back from a disc that is free to turn back."""
        over = np.clip(np.nan_to_num(self.multiple(value)), 0.0, 1.0)
        return self.dt * (1.0 - over**2) / (self.dial * self.tr)


def relay(value: np.ndarray, setting: Relay, blanked: np.ndarray | None = None) -> np.ndarray:
    """The share of its operating time that is used up, at each sample; it has operated where that is 1 or more.

    blanked: where a stimulus acts; the relay is then 0 and begins anew behind it.
    """
    share = np.zeros(value.size)
    value = np.abs(value) if setting.magnitude else value
    seen = np.ones(value.size, dtype=bool) if blanked is None else ~blanked
    for begin, end in stretches(seen):
        share[begin:end] = (_cumulative if setting.cumulative else _unblanked)(value[begin:end], setting)
    return share


def picked(value: np.ndarray, setting: Relay) -> np.ndarray:
    """Where it is picked up. What is not a number lets it drop out: a relay does not act on what it cannot measure."""
    on = beyond(value, setting.pickup, under=setting.under, inclusive=setting.inclusive)
    back = ~beyond(value, setting.dropout, under=setting.under)
    return hysteresis(on, back)


def _cumulative(value: np.ndarray, setting: Relay) -> np.ndarray:
    """Of the samples beyond pick-up all but the latest have lasted for their whole tick."""
    on = beyond(value, setting.pickup, under=setting.under, inclusive=setting.inclusive).astype(int)
    if setting.window:
        into = np.concatenate([np.zeros(setting.window - 1, dtype=int), on])
        count = np.lib.stride_tricks.sliding_window_view(into, setting.window).sum(axis=1)
    else:
        count = np.zeros(value.size, dtype=int)
        for begin, end in stretches(picked(value, setting)):
            count[begin:end] = np.cumsum(on[begin:end])
    return np.maximum(count - 1, 0) / setting.delay_samples


def _unblanked(value: np.ndarray, setting: Relay) -> np.ndarray:
    up = picked(value, setting)
    if not setting.inverse and setting.delay_samples == 0:
        return up.astype(float)
    gain, loss = setting.gain(value), setting.loss(value)
    share = np.zeros(value.size)
    samples = np.zeros(value.size)  # picked up, of those that are not forgotten
    kept, kept_samples, last = 0.0, 0, 0
    for begin, end in [*stretches(up), (value.size, value.size)]:
        rest, still = _rest(kept, loss[last:begin], setting)
        if setting.reset == "definite" and begin - last > 1 and _output(rest[0], kept_samples, setting) >= 1.0:
            rest[1:], still[1:] = 0.0, False  # its time was over at drop-out: it operates there, for that sample
        share[last:begin], samples[last:begin] = rest[:-1], kept_samples * still[:-1]
        kept, kept_samples = rest[-1], kept_samples * int(still[-1])
        samples[begin:end] = kept_samples + np.arange(end - begin)
        kept_samples += end - begin
        if setting.inverse:
            integral = np.add.accumulate(np.concatenate([[kept], gain[begin:end]]))
            share[begin:end], kept = integral[:-1], integral[-1]
        else:
            share[begin:end] = samples[begin:end] / setting.delay_samples
            kept = kept_samples / setting.delay_samples
        if setting.reset == "definite" and _output(share[end - 1], samples[end - 1], setting) >= 1.0:
            kept, kept_samples = 0.0, 0  # its contact drops out with it, and it begins anew
        last = end
    return _output(share, samples, setting)


def _output(share: np.ndarray, samples: np.ndarray, setting: Relay) -> np.ndarray:
    """Of curve and least time that which is slower."""
    return np.minimum(share, samples / setting.delay_samples) if setting.delay_samples else share


def _rest(kept: float, loss: np.ndarray, setting: Relay) -> tuple[np.ndarray, np.ndarray]:
    """What is left of `kept` at each sample of a drop-out and at the one after it, and where its time is not forgotten."""
    if setting.reset == "disc":  # from where its contact stops it, to where it began
        rest = np.maximum(np.subtract.accumulate(np.concatenate([[min(kept, 1.0)], loss])), 0.0)
        return rest, rest > 0.0
    still = np.full(loss.size + 1, setting.reset == "never")
    if setting.reset == "definite":
        still = np.arange(loss.size + 1) < setting.reset_samples
        still[-1] = loss.size <= setting.reset_samples  # picked up again just in time
    return kept * still, still
