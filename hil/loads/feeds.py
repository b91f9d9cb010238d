"""Feeds made of feeds: one behind a schedule and its remedies, one that is a sum of others.

Blocks of any size give the same bits: what is below is always asked for blocks of one size.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hil.loads.base import Floats, LoadFeed, Piece
from hil.loads.remedies import AT_GPUS, Stage, stages
from hil.loads.stages import total
from hil.scenario.load.base import LoadSection

_BLOCK_TICKS = 8192


class Steady:
    """A feed that is asked for blocks of one size, whatever size it is asked for itself."""

    def __init__(self, feed: LoadFeed) -> None:
        self._feed = feed
        self._left: Floats = np.empty(0)
        self._tick = 0
        self.first_w: float = feed.first_w

    @property
    def tick(self) -> int:
        """First tick of the next block."""
        return self._tick

    def block(self, ticks: int) -> Floats:
        """Mean power of the next `ticks` ticks, W; fewer, or none, where it has ended."""
        while self._left.size < ticks:
            more = self._feed.block(_BLOCK_TICKS)
            if not more.size:
                break
            self._left = np.concatenate([self._left, more])
        out, self._left = self._left[:ticks].copy(), self._left[ticks:]
        self._tick += out.size
        return out


class SummedFeed:
    """Several feeds together, each times a factor; it ends with the first that does."""

    def __init__(self, feeds: dict[str, tuple[Steady | RemediedFeed, float]], period_s: float) -> None:
        self._feeds = feeds
        self._period_s = period_s
        self._tick = 0
        self._sums_w = dict.fromkeys(feeds, 0.0)
        self.first_w = 0.0
        for feed, scale in feeds.values():
            self.first_w += scale * feed.first_w

    @property
    def tick(self) -> int:
        """First tick of the next block."""
        return self._tick

    def block(self, ticks: int) -> Floats:
        """Mean power of the next `ticks` ticks, W; fewer, or none, where one of them has ended."""
        blocks = {name: scale * feed.block(ticks) for name, (feed, scale) in self._feeds.items()}
        ticks = min(block.size for block in blocks.values())
        out = np.zeros(ticks)
        for name, block in blocks.items():
            out += block[:ticks]
            self._sums_w[name] = total(block[:ticks], self._sums_w[name])
        self._tick += ticks
        return out

    def energy_j(self, name: str) -> float:
        """Energy of one of them so far, J."""
        return self._sums_w[name] * self._period_s


class RemediedFeed:
    """A feed behind its schedule and remedies."""

    def __init__(self, feed: Steady | SummedFeed, load: LoadSection, period_s: float) -> None:
        self._feed = feed
        self._period_s = period_s
        self._schedule = np.array(load.schedule, dtype=np.float64).T if load.schedule else None
        self._stages: dict[str, Stage] = stages(load, period_s)
        self._job_w = self._gpus_w = self._after_w = 0.0
        first_w = feed.first_w if self._schedule is None else feed.first_w * float(self._factors(0, 1)[0])
        for stage in self._stages.values():
            first_w = stage.settle(first_w)
        self.first_w: float = first_w

    @property
    def tick(self) -> int:
        """First tick of the next block."""
        return self._feed.tick

    def block(self, ticks: int) -> Floats:
        """Mean power of the next `ticks` ticks, W; fewer, or none, where the load has ended."""
        tick = self._feed.tick
        out = self._feed.block(ticks)
        if self._schedule is not None:
            out = out * self._factors(tick, out.size)
        self._job_w = total(out, self._job_w)
        for name, stage in self._stages.items():
            if name in AT_GPUS:
                stage.act(out)
        self._gpus_w = total(out, self._gpus_w)
        for name, stage in self._stages.items():
            if name not in AT_GPUS:
                stage.act(out)
        self._after_w = total(out, self._after_w)
        return out

    def figures(self) -> dict[str, Any]:
        """Of each remedy what it has come to, and the energy that the job asked for, the GPUs took and the site drew."""
        if not self._stages:
            return {}
        job_j, gpus_j, after_j = (sum_w * self._period_s for sum_w in (self._job_w, self._gpus_w, self._after_w))
        whole = {
            "until_s": self.tick * self._period_s,
            "job_j": job_j,
            "gpus_j": gpus_j,
            "energy_j": after_j,
            "overhead_j": gpus_j - job_j,
            "overhead": gpus_j / job_j - 1.0 if job_j else 0.0,
        }
        return {"remedies": whole | {name: stage.figures() for name, stage in self._stages.items()}}

    def _factors(self, tick: int, ticks: int) -> Floats:
        """The schedule at the middle of each tick."""
        assert self._schedule is not None
        return np.asarray(np.interp((np.arange(tick, tick + ticks) + 0.5) * self._period_s, *self._schedule))


class Ahead:
    """Break-points from a later time on: what was at `lead_s` is at 0."""

    def __init__(self, pieces: Any, lead_s: float) -> None:
        self._pieces = pieces
        self._lead_s = lead_s
        self._begun = False

    def __iter__(self) -> Ahead:
        return self

    def __next__(self) -> Piece:
        if self._begun:
            time_s, power_w = next(self._pieces)
            return time_s - self._lead_s, power_w
        self._begun = True
        time_s, power_w = next(self._pieces)
        while time_s[-1] <= self._lead_s:
            last = time_s[-1:], power_w[-1:]
            time_s, power_w = next(self._pieces)
            time_s, power_w = np.concatenate([last[0], time_s]), np.concatenate([last[1], power_w])
        behind = int(np.searchsorted(time_s, self._lead_s, side="right"))
        first_w = float(np.interp(self._lead_s, time_s, power_w))
        if behind and time_s[behind - 1] == self._lead_s:  # behind a step
            first_w = float(power_w[behind - 1])
        return (
            np.concatenate([[0.0], time_s[behind:] - self._lead_s]),
            np.concatenate([[first_w], power_w[behind:]]),
        )
