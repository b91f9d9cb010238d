"""A record that stays in memory."""

from __future__ import annotations

import numpy as np

from hil.record.rows import Floats, Rows, Ticks, Times


class MemorySink:
    """Keeps the rows in memory."""

    def __init__(self, channels: list[str], period_ns: int) -> None:
        self._channels = channels
        self._period_ns = period_ns
        self._ticks: list[Ticks] = [np.empty(0, np.int64)]
        self._values: list[Rows] = [np.empty((0, len(channels)), np.float32)]

    def rows(self, ticks: Ticks, values: Rows) -> None:
        """Keep rows."""
        self._ticks.append(ticks)
        self._values.append(values)

    def close(self) -> None:
        """Make one array of them."""
        self._ticks = [np.concatenate(self._ticks)]
        self._values = [np.concatenate(self._values)]

    def column(self, channel: str) -> tuple[Times, Floats]:
        """A channel."""
        if channel not in self._channels:
            raise KeyError(channel)
        return self._ticks[0] * self._period_ns, self._values[0][:, self._channels.index(channel)]
