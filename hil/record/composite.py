"""The streams of a folder as one record, and any record batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from hil.record.reading import ArrowRecord, Batch
from hil.record.rows import Floats, Record, Times

MAIN = "record"


@runtime_checkable
class Batched(Protocol):
    """A record that need not be in memory as a whole."""

    def batches(self, channels: Sequence[str], until_ns: int | None = None) -> Iterator[Batch]:
        """Rows of channels in order of time, stream by stream, each batch with those that its stream has."""


def batches(record: Record, channels: Sequence[str], until_ns: int | None = None) -> Iterator[Batch]:
    """Rows of some channels, a batch at a time; a record in memory gives each channel in one."""
    if isinstance(record, Batched):
        yield from record.batches(channels, until_ns)
        return
    groups: dict[bytes, Batch] = {}
    for channel in channels:
        time_ns, values = record.column(channel)
        groups.setdefault(time_ns.tobytes(), (time_ns, {}))[1][channel] = values
    yield from groups.values()


def stream_files(folder: Path) -> dict[str, Path]:
    """The streams that a run left, by name, the main one first; of those there are no others but `record-NAME.arrow`."""
    others = sorted(folder.glob(f"{MAIN}-*.arrow"))
    return {MAIN: folder / f"{MAIN}.arrow"} | {file.stem.removeprefix(f"{MAIN}-"): file for file in others}


class Streams:
    """Several streams as one record: a channel is that of the first stream that has it."""

    def __init__(self, streams: Sequence[ArrowRecord]) -> None:
        self._streams = streams
        self._homes = {name: stream for stream in reversed(streams) for name in stream.channels}

    @property
    def channels(self) -> list[str]:
        """Names of the channels, those of the first stream first."""
        return list(dict.fromkeys(name for stream in self._streams for name in stream.channels))

    def last_ns(self) -> int | None:
        """Time of the newest row of any; None where there is none."""
        return max((last for stream in self._streams if (last := stream.last_ns()) is not None), default=None)

    def column(self, channel: str) -> tuple[Times, Floats]:
        """A channel."""
        return self._homes[channel].column(channel)

    def batches(self, channels: Sequence[str], until_ns: int | None = None) -> Iterator[Batch]:
        """Rows of channels in order of time, stream by stream."""
        for stream in self._streams:
            yield from stream.batches([name for name in channels if self._homes.get(name) is stream], until_ns)
