"""The streams of a record: what each keeps, and what the engine's ring has to carry for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

MAIN = "main"


@dataclass(frozen=True)
class Around:
    """Moments around which a stream keeps every tick.

    marks: bits of `hil.kernel.engine.MARKS`, which a row bears. ticks: rows of scripted moments, ascending. before, after:
    so many ticks are kept.
    """

    marks: int
    ticks: tuple[int, ...]
    before: int
    after: int


@dataclass(frozen=True)
class Stream:
    """What a stream keeps: some channels of the row, every so many ticks, or every tick around certain moments."""

    name: str
    channels: tuple[str, ...]
    every: int = 1
    decimation: Literal["sample", "mean", "min_max_mean"] = "sample"
    compression: Literal["zstd", "none"] = "zstd"
    around: Around | None = None

    @property
    def columns(self) -> list[str]:
        """Columns of its rows: the channels, or each with its least and largest value."""
        if self.decimation != "min_max_mean":
            return list(self.channels)
        return [f"{name}{part}" for name in self.channels for part in ("", ".min", ".max")]

    @property
    def section(self) -> str:
        """How a scenario names it."""
        return "record" if self.name == MAIN else f"record.also.{self.name}"

    @property
    def kept(self) -> str:
        """What its rows are, in a word."""
        return "around" if self.around else self.decimation


def file_name(stream: str) -> str:
    """Name of the file of a stream."""
    return "record.arrow" if stream == MAIN else f"record-{stream}.arrow"


def ring(streams: Sequence[Stream], order: Sequence[str]) -> dict[str, Any]:
    """What of the row the ring carries, how often, and whether with marks: the least that serves all; for `Engine`.

    order: in which the channels stand there.
    """
    wanted = {channel for stream in streams for channel in stream.channels}
    return {
        "record_channels": [channel for channel in order if channel in wanted],
        "record_every": math.gcd(*(stream.every if stream.decimation == "sample" else 1 for stream in streams)),
        "record_marks": any(stream.around and stream.around.marks for stream in streams),
    }
