"""A recording in memory: signals over time, which samples count, and what is known of each signal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np

from hil.errors import RecordingError
from hil.recordings.asking import Kind
from hil.recordings.grid import invented_beyond, laid
from hil.recordings.raw import Floats, Mask

_EVEN = 0.1  # of a period: so far from an even grid a sample may lie where sampling is called uniform
_USUAL = 0.95  # of the intervals are no longer than the one that the rate of uneven sampling is told by
_SAME = 1e-12  # so little may a grid's period differ from that of the samples to be theirs
_MOST_ROWS = 1 << 27  # of a grid: 1 GiB a signal


@dataclass(frozen=True)
class Signal:
    """What is known of a signal beside its values.

    column: its name in the file. unit: empty where it is not known, or a share. kind: as the caller says. rate_hz: of the
    samples that count: a limit that looks at what is quicker than half of it cannot be judged; 0 with fewer than two of
    them. adc_step: step of the converter that recorded it, in the signal's unit. skew_s: how much later than the row's time
    it was sampled. digital: 0 or 1.
    """

    column: str
    unit: str
    kind: Kind | None
    rate_hz: float
    adc_step: float | None = None
    skew_s: float = 0.0
    digital: bool = False


@dataclass(frozen=True, eq=False)
class Uniform:
    """Signals on an even grid. time_s and each of signals: float64 of shape (n,).

    invented: by signal, where a value comes from no sample near enough: before the first, after the last, or in a gap; NaN
    where there is nothing to go by.
    """

    period_s: float
    time_s: Floats
    signals: dict[str, Floats]
    invented: dict[str, Mask]


@dataclass(frozen=True, eq=False)
class Recording:
    """What a file holds. time_s and each of signals: float64 of shape (n,), as they stand in the file, in its order.

    time_s: from 0, the first row. first_s: what the file's own time says there, so that the scenario time of a run is
    `first_s + time_s`. start: of the first row, to the microsecond; without a zone where the file has none, None where it
    has no date. ordered: rows that come later than all before. valid: by signal, samples that are there, finite, and in
    order. rate_hz: of the rows in order; is_uniform: whether each lies within a tenth of a period of an even grid. notes: a
    line each, what is missing, doubled, out of order, or doubtful.
    """

    path: Path
    form: str
    time_s: Floats
    first_s: float
    start: datetime | None
    ordered: Mask
    signals: dict[str, Floats]
    valid: dict[str, Mask]
    about: dict[str, Signal]
    rate_hz: float
    is_uniform: bool
    notes: tuple[str, ...]
    _steps: dict[str, float | None] = field(default_factory=dict, repr=False)

    @property
    def units(self) -> dict[str, str]:
        """Units of the signals of which one is known."""
        return {name: signal.unit for name, signal in self.about.items() if signal.unit}

    @property
    def duration_s(self) -> float:
        """From the first to the latest row."""
        return float(self.time_s.max())

    def step(self, name: str) -> float | None:
        """Quantisation of a signal: its converter's step, else the smallest difference between any two of its values.

        None where there are no two. Raises KeyError.
        """
        signal = self.about[name]
        if signal.adc_step is not None:
            return signal.adc_step
        if name not in self._steps:
            levels = np.unique(self.signals[name][self.valid[name]])
            with np.errstate(all="ignore"):
                self._steps[name] = float(np.diff(levels).min()) if levels.size > 1 else None
        return self._steps[name]

    def uniform(self, period_s: float, by: Literal["hold", "linear"] = "hold", *, gap_periods: float = 2.0) -> Uniform:
        """The signals on an even grid from 0 to the latest row: each sample held until the next, or a line between the two.

        Only samples that are valid count, at their own times, skew included. A value between samples further apart than
        `gap_periods` periods of the signal's own rate is invented, and so is one before the first, or more than a period
        after the last. There is no filter: what is quicker than the grid folds into it. Raises RecordingError.
        """
        if not 0 < period_s < float("inf") or not gap_periods >= 1:
            raise RecordingError(
                self.path, f"a grid of {period_s:g} s with gaps from {gap_periods:g} periods: must be > 0, and >= 1"
            )
        count = self.duration_s / period_s
        if count >= _MOST_ROWS:
            raise RecordingError(
                self.path, f"a grid of {period_s:g} s has more than {_MOST_ROWS:,} rows; take a longer period"
            )
        time_s: Floats = np.arange(int(count + 1e-6) + 1, dtype=np.float64) * np.float64(period_s)
        signals, invented = {}, {}
        as_sampled = self.is_uniform and time_s.size == self.time_s.size and abs(period_s * self.rate_hz - 1.0) < _SAME
        for name, values in self.signals.items():
            signal, valid = self.about[name], self.valid[name]
            if as_sampled and not signal.skew_s and valid.all():
                signals[name], invented[name] = values, np.zeros(values.size, np.bool_)
                continue
            own_s = 1 / signal.rate_hz if signal.rate_hz else 0.0
            sampled_s = self.time_s[valid] + signal.skew_s
            signals[name] = laid(time_s, sampled_s, values[valid], period_s, by)
            invented[name] = invented_beyond(time_s, sampled_s, period_s, own_s, gap_periods, by)
        return Uniform(period_s, time_s, signals, invented)


def rate(time_s: Floats) -> tuple[float, bool]:
    """Rate, Hz, of times that ascend, and whether they are even.

    Even ones have as many samples as intervals fit. Of others it is the rate that 95 % of the intervals keep, so that a few
    gaps do not count, and a part sampled more slowly does. 0 with fewer than two.
    """
    if time_s.size < 2:
        return 0.0, False
    span_s = float(time_s[-1]) - float(time_s[0])
    period_s = span_s / (time_s.size - 1)
    away_s = np.abs(time_s - time_s[0] - period_s * np.arange(time_s.size)).max()
    if away_s <= _EVEN * period_s:
        return _per_second(period_s), True
    return _per_second(float(np.quantile(np.diff(time_s), _USUAL, method="higher"))), False


def _per_second(period_s: float) -> float:
    return 1 / period_s if period_s > 0 else float("inf")
