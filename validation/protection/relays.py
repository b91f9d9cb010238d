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
    inverse-time relay. most: multiples above which the curve is flat. tr: of the disc.
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

    def multiple(self, value: np.ndarray) -> np.ndarray:
        """Of pick-up: above 1 beyond it, above or below."""
        if self.under and self.pickup > 0.0:
            return np.divide(self.pickup, value, out=np.full(value.shape, math.inf), where=value > 0.0)
        return value / self.pickup

    def gain(self, value: np.ndarray) -> np.ndarray:
        """What each sample adds while picked up: dt/t(M), nothing where it is not beyond pick-up."""
        over = np.minimum(self.multiple(value), self.most)
        adds = beyond(value, self.pickup, under=self.under, inclusive=self.inclusive) & (over > 1.0)
        time = np.full(value.shape, math.inf)
        time[adds] = self.dial * (self.a / (over[adds] ** self.exponent - 1.0) + self.b)
        return self.dt / time

    def loss(self, value: np.ndarray) -> np.ndarray:
        """What each sample takes back from a disc that is free to turn back."""
        share = np.clip(np.nan_to_num(self.multiple(value)), 0.0, 1.0)
        return self.dt * (1.0 - share**2) / (self.dial * self.tr)


def relay(value: np.ndarray, setting: Relay, blanked: np.ndarray | None = None) -> np.ndarray:
    """The share of its operating time that is used up, at each sample; it has operated where that is 1 or more.

    blanked: where a stimulus acts; the relay is then 0 and begins anew behind it.
    """
    share = np.zeros(value.size)
    seen = np.ones(value.size, dtype=bool) if blanked is None else ~blanked
    for begin, end in stretches(seen):
        share[begin:end] = _unblanked(value[begin:end], setting)
    return share


def picked(value: np.ndarray, setting: Relay) -> np.ndarray:
    """Where it is picked up. What is not a number lets it drop out: a relay does not act on what it cannot measure."""
    on = beyond(value, setting.pickup, under=setting.under, inclusive=setting.inclusive)
    back = ~beyond(value, setting.dropout, under=setting.under)
    return hysteresis(on, back)


def _unblanked(value: np.ndarray, setting: Relay) -> np.ndarray:
    up = picked(value, setting)
    if not setting.inverse and setting.delay_samples == 0:
        return up.astype(float)
    gain, loss = setting.gain(value), setting.loss(value)
    share = np.zeros(value.size)
    kept = kept_samples = 0.0
    last = 0
    for begin, end in [*stretches(up), (value.size, value.size)]:
        rest = _rest(kept, loss[last:begin], begin - last, setting)
        share[last:begin] = rest[:-1]
        kept_samples *= bool(rest[-1] > 0.0)
        elapsed = kept_samples + np.arange(end - begin)
        if setting.inverse:
            integral = rest[-1] + np.concatenate([[0.0], np.cumsum(gain[begin:end])])
            least = elapsed / setting.delay_samples if setting.delay_samples else np.inf
            share[begin:end] = np.minimum(integral[:-1], least)
            kept = integral[-1]
        else:
            share[begin:end] = elapsed / setting.delay_samples
            kept = (kept_samples + end - begin) / setting.delay_samples
        kept_samples += end - begin
        last = end
    return share


def _rest(kept: float, loss: np.ndarray, samples: int, setting: Relay) -> np.ndarray:
    """What is left of `kept` at each sample of a drop-out, and at the one after it."""
    since = np.arange(samples + 1)
    if setting.reset == "never":
        return np.full(samples + 1, kept)
    if setting.reset == "definite":
        still = since <= setting.reset_samples
        still[-1] = samples == 0 or still[-2]  # the last sample inside has decided
        return np.where(still, kept, 0.0)
    if setting.reset == "disc":
        return np.maximum(min(kept, 1.0) - np.concatenate([[0.0], np.cumsum(loss)]), 0.0)
    return np.zeros(samples + 1)
