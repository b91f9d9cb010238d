"""Records to read: small files written as a run writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hil.record.framing import frames
from hil.record.streams import Stream
from hil.record.writing import ArrowSink

CHANNELS = ["load.power_w", "pcc.power_w"]
PERIOD_NS = 1_000_000


def rows(first: int, count: int, channels: int = len(CHANNELS)) -> tuple[np.ndarray, np.ndarray]:
    """Ticks, and values that tell tick and channel."""
    ticks = np.arange(first, first + count, dtype=np.int64)
    return ticks, (ticks[:, None] + np.arange(channels) / 8).astype(np.float32)


def written(path: Path, batches: list[int], channels: list[str] = CHANNELS) -> Path:
    """A whole record of batches so long."""
    apart = path.with_suffix(".made")
    apart.mkdir()
    sink = sink_of(apart, channels)
    first = 1
    for count in batches:
        put(sink, rows(first, count, len(channels)))
        first += count
    sink.close(clean=False)
    (apart / "record.arrow").replace(path)
    apart.rmdir()
    return path


def sink_of(folder: Path, channels: list[str] = CHANNELS, period_ns: int = PERIOD_NS) -> ArrowSink:
    """The sink of a record's main stream."""
    return ArrowSink(folder, Stream("main", tuple(channels)), period_ns, {})


def put(sink: ArrowSink, batch: tuple[np.ndarray, np.ndarray]) -> None:
    """Write a batch, now."""
    sink.rows(*batch)
    sink.flush()


def ends(path: Path) -> list[int]:
    """The byte after each message: the schema's first."""
    with path.open("rb", buffering=0) as file:
        return [frame.end for frame in frames(file, path.stat().st_size)]
