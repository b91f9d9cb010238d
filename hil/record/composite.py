"""The streams of a folder as one record, and any record batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from hil.record.reading import Batch
from hil.record.rows import Floats, Record, Times
from hil.record.streams import MAIN, file_name


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
    prefix, suffix = file_name("*").split("*")
    others = sorted(folder.glob(file_name("*")))
    return {MAIN: folder / file_name(MAIN)} | {file.name.removeprefix(prefix).removesuffix(suffix): file for file in others}


class Streams:
    """Several records as one: a channel is that of the first which has it."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._homes = {name: record for record in reversed(records) for name in record.channels}

    @property
    def channels(self) -> list[str]:
        """Names of the channels, those of the first record first."""
        return list(dict.fromkeys(name for record in self._records for name in record.channels))

    def column(self, channel: str) -> tuple[Times, Floats]:
        """A channel. Raises KeyError."""
        return self._homes[channel].column(channel)

    def batches(self, channels: Sequence[str], until_ns: int | None = None) -> Iterator[Batch]:
        """Rows of channels in order of time, stream by stream."""
        for record in self._records:
            yield from batches(record, [name for name in channels if self._homes.get(name) is record], until_ns)
