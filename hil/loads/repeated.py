"""The load of a scenario for as long as anybody asks."""

from __future__ import annotations

import numpy as np

from hil.loads.base import Floats
from hil.loads.source import LoadSource
from hil.scenario.model import Scenario


class RepeatedLoad:
    """Implements `hil.loads.base.Feed` without an end: after the scenario's duration its load begins anew, with the same seed.

    Where it ends earlier, the last power is held. again: False holds what it has come to at the end of the duration, too.
    """

    def __init__(self, scenario: Scenario, *, again: bool = True) -> None:
        self._scenario = scenario
        self._again = again
        self._feed = LoadSource(scenario).feed
        self._tick = 0
        self._left = scenario.ticks
        self.first_w = self._last_w = self._feed.first_w

    @property
    def tick(self) -> int:
        """First tick of the next block."""
        return self._tick

    def block(self, ticks: int) -> Floats:
        """Mean power of the next `ticks` ticks, W."""
        out = np.empty(ticks)
        done = 0
        while done < ticks:
            if self._left == 0 and self._again:
                self._feed, self._left = LoadSource(self._scenario).feed, self._scenario.ticks
            wanted = min(ticks - done, self._left) if self._left else ticks - done
            part = self._feed.block(wanted) if self._left else np.empty(0)
            if part.size:
                self._last_w = float(part[-1])
            out[done : done + part.size] = part
            out[done + part.size : done + wanted] = self._last_w
            self._left = max(0, self._left - wanted)
            done += wanted
        self._tick += ticks
        return out
