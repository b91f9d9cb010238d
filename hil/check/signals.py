"""From what a recording holds to the channels that limits look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hil.recordings import Recording

Floats = np.ndarray[Any, np.dtype[np.float64]]

_SAME = {
    "pcc.power_measured_w": "pcc.power_w",
    "pcc.power_w": "pcc.power_measured_w",
    "pcc.frequency_measured_hz": "pcc.frequency_hz",
    "pcc.frequency_hz": "pcc.frequency_measured_hz",
}
"""A recorded signal is a measured one: where a limit looks at one of these the other will do."""


class Signals:
    """Channels of a recording on an even grid, NaN where a sample is missing."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.period_s = 1.0 / recording.rate_hz
        grid = recording.uniform(self.period_s)
        self.count = grid.time_s.size
        self._there: dict[str, Floats] = {
            name: np.where(grid.invented[name], np.nan, values) for name, values in grid.signals.items()
        }

    def channel(self, name: str) -> Floats | None:
        """The samples of a channel, shape (n,); None where the recording does not tell it."""
        if name in self._there:
            return self._there[name]
        if _SAME.get(name) in self._there:
            return self._there[_SAME[name]]
        node, _, what = name.partition(".")
        if what in ("voltage_lowest_measured_pu", "voltage_highest_measured_pu"):
            return self._extreme(node, lowest="lowest" in what)
        if what in ("voltage_a_pu", "voltage_b_pu", "voltage_c_pu"):
            return self._there.get(f"{node}.voltage_pu")
        return None

    def _extreme(self, node: str, *, lowest: bool) -> Floats | None:
        phases = [self._there[f"{node}.voltage_{phase}_pu"] for phase in "abc" if f"{node}.voltage_{phase}_pu" in self._there]
        if not phases:
            return self._there.get(f"{node}.voltage_pu")
        found: Floats = (np.min if lowest else np.max)(np.stack(phases), axis=0)  # of one that is missing nothing is known
        return found

    def step(self, name: str) -> float:
        """Quantisation of a channel, or of what stands for it; 0 where it is not known."""
        about: Mapping[str, Any] = self.recording.about
        for candidate in (name, _SAME.get(name, "")):
            if candidate in about:
                return self.recording.step(candidate) or 0.0
        return 0.0
