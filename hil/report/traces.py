"""What of a run's record its picture shows, gathered in one pass over it, however long it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from hil.report.envelope import Envelope, Floats

if TYPE_CHECKING:
    from hil.report.panels import Line
    from hil.report.recording import Recording

_BUCKET = (".min", ".max")
"""Of channels that hold the mean of a bucket of ticks: its lowest and highest value (`hil.record`)."""


class Trace:
    """A line of a panel: `curve`, a sample or mean after the other; `band`, from lowest to highest; None where it has none."""

    def __init__(self, line: Line, recorded: set[str], view: tuple[float, float], columns: int) -> None:
        self._several = line.several
        self._channels = line.channels
        self._bounds = [tuple(name + end if name + end in recorded else name for name in line.channels) for end in _BUCKET]
        alone = len(line.channels) == 1 or line.several == "sum"
        has_band = not alone or (len(line.channels) == 1 and self._bounds[0] != self._channels != self._bounds[1])
        self.curve = Envelope(view, columns) if alone else None
        self.band = Envelope(view, columns // 2) if has_band else None

    @property
    def channels(self) -> set[str]:
        """Channels that it is made of."""
        return {*self._channels, *(name for names in self._bounds if self.band is not None for name in names)}

    def add(self, time_s: Floats, values: dict[str, Any]) -> None:
        """The next rows of a stream: by channel, where it has it."""
        if self.curve is not None and values.keys() >= {*self._channels}:
            total = sum(values[name].astype(np.float64) for name in self._channels)
            self.curve.add(time_s, total, total)
        if self.band is not None and values.keys() >= {*self._bounds[0], *self._bounds[1]}:
            low, high = (
                reduced.reduce([values[name] for name in names])
                for reduced, names in zip((np.fmin, np.fmax), self._bounds, strict=True)
            )
            self.band.add(time_s, low, high)


class Sample:
    """The value of a channel at a time: in the first row that is not earlier, or else in the last."""

    def __init__(self, channel: str, at_s: float) -> None:
        self.channel = channel
        self.value: float | None = None
        self._at_s = at_s
        self._reached = False

    @property
    def channels(self) -> set[str]:
        """The channel."""
        return {self.channel}

    def add(self, time_s: Floats, values: dict[str, Any]) -> None:
        """The next rows of a stream."""
        if self._reached or self.channel not in values or not time_s.size:
            return
        place = int(np.searchsorted(time_s, self._at_s))
        self._reached = place < time_s.size
        self.value = float(values[self.channel][min(place, time_s.size - 1)])


def gather(run: Recording, wanted: Iterable[Trace | Sample], until_s: float) -> None:
    """Give all of them the rows of their channels, up to a time or a bit beyond."""
    collectors = list(wanted)
    needed = {name for one in collectors for name in one.channels}
    for time_ns, values in run.batches([name for name in run.channels if name in needed], until_s):
        for one in collectors:
            one.add(time_ns / 1e9, values)
