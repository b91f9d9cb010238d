"""What a run has recorded, finished or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hil.record.composite import batches
from hil.record.reading import Batch
from hil.record.rows import Record
from hil.scenario.model import Scenario

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Recording:
    """What a run has recorded so far; it has no verdict, which only a `Result` has.

    duration_s: how far that goes, in scenario time. events: what happened, in order.
    """

    scenario: Scenario
    events: list[dict[str, Any]]
    duration_s: float
    folder: Path | None
    channels: list[str]
    record: Record

    def signal(self, channel: str) -> tuple[Floats, Floats]:
        """A recorded channel as (time_s, values), float64 arrays of shape (n,), at the record's rate.

        Raises KeyError naming the channels there are.
        """
        if channel not in self.channels:
            raise KeyError(f"no channel {channel!r}; recorded: {', '.join(self.channels)}")
        time_ns, values = self.record.column(channel)
        return time_ns / 1e9, values.astype(np.float64)

    def batches(self, channels: Sequence[str], until_s: float | None = None) -> Iterator[Batch]:
        """Rows of recorded channels, some MB at a time, in order of time; those of several streams one after the other."""
        return batches(self.record, channels, None if until_s is None else round(until_s * 1e9))

    def plot(self, path: str | Path, *, from_s: float | None = None, to_s: float | None = None) -> None:
        """Draw the run, or its part between two times, into a PNG or an SVG file, as its name ends. Needs matplotlib.

        Raises ValueError for times that are no part of the run, or another ending; OSError for a file that cannot be written.
        """
        from hil.report.picture import draw

        draw(self, Path(path), from_s=from_s, to_s=to_s)
