"""A stream of the record that stays in memory."""

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

    @property
    def channels(self) -> list[str]:
        """Names of the columns."""
        return self._channels

    def rows(self, ticks: Ticks, values: Rows) -> None:
        """Keep rows."""
        self._ticks.append(ticks)
        self._values.append(values)

    def flush(self) -> None:
        """There is nowhere to write to."""

    def close(self, *, clean: bool = True) -> None:  # noqa: ARG002
        """Make one array of them."""
        self._ticks = [np.concatenate(self._ticks)]
        self._values = [np.concatenate(self._values)]

    def reasons(self) -> list[str]:
        """Nothing gets lost here."""
        return []

    def column(self, channel: str) -> tuple[Times, Floats]:
        """A channel, once closed."""
        if channel not in self.channels:
            raise KeyError(channel)
        return self._ticks[0] * self._period_ns, self._values[0][:, self.channels.index(channel)]
