"""Limits of the pure-Python twin of benchmarks/tick.py, written from docs/model.md."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

from tick_python_windows import Mean, Peak


class Limit:
    """What every limit keeps for the report."""

    def __init__(self, p: Any) -> None:
        self.low, self.high = p.low, p.high
        self.highest, self.lowest = -math.inf, math.inf
        self.valid_ticks = self.blank_ticks = self.beyond_ticks = self.excursions = 0
        self.first_tick = -1
        self.beyond = False

    def leave_out(self) -> None:
        """A sample that a stimulus voids."""
        self.blank_ticks += 1
        self.beyond = False

    def judge(self, x: float, tick: int) -> None:
        """A value that counts."""
        self.valid_ticks += 1
        if math.isfinite(self.high):
            self.highest = max(self.highest, x)
        if math.isfinite(self.low):
            self.lowest = min(self.lowest, x)
        beyond = x > self.high or x < self.low
        if beyond:
            self.beyond_ticks += 1
            if not self.beyond:
                self.excursions += 1
                if self.first_tick < 0:
                    self.first_tick = tick
        self.beyond = beyond


class Band(Limit):
    """The value itself."""

    def push(self, x: float, tick: int) -> None:
        """One tick."""
        self.judge(x, tick)


class Level(Limit):
    """The value sustained for the delay: the least extreme of a closed window."""

    def __init__(self, p: Any, *, upper: bool) -> None:
        super().__init__(p)
        self.sign = -1.0 if upper else 1.0
        self.delay, self.run = p.delay_ticks, 0
        self.held = Peak(p.delay_ticks + 1)

    def push(self, x: float, tick: int, blanked: bool) -> None:
        """One tick."""
        if blanked:
            self.leave_out()
            self.held.clear()
            self.run = 0
            return
        held = self.sign * self.held.push(self.sign * x, tick)
        self.run += 1
        if self.run > self.delay:
            self.judge(held, tick)
        else:
            self.valid_ticks += 1
            self.beyond = False


class Ramp(Limit):
    """Difference of the mean over a window, per second."""

    def __init__(self, p: Any, ticks: Any, fill: float) -> None:
        super().__init__(p)
        self.per_second, self.last = p.per_second, fill
        self.mean = Mean(ticks.ramp_mean, fill)
        self.past = deque([fill] * ticks.ramp_past, maxlen=ticks.ramp_past)

    def push(self, x: float, tick: int, blanked: bool) -> None:
        """One tick; while blanked the window holds the last sample before."""
        if not blanked:
            self.last = x
        mean = self.mean.push(self.last)
        slope = (mean - self.past[0]) * self.per_second
        self.past.append(mean)
        if blanked:
            self.leave_out()
        else:
            self.judge(slope, tick)


class Range(Limit):
    """Largest minus smallest in a rolling window."""

    def __init__(self, p: Any, ticks: Any, fill: float) -> None:
        super().__init__(p)
        self.last = fill
        self.top, self.bottom = Peak(ticks.range), Peak(ticks.range)

    def push(self, x: float, tick: int, blanked: bool) -> None:
        """One tick; while blanked the window holds the last sample before."""
        if not blanked:
            self.last = x
        span = self.top.push(self.last, tick) + self.bottom.push(-self.last, tick)
        if blanked:
            self.leave_out()
        else:
            self.judge(span, tick)
