"""Section `[record]`, and the further streams `[record.also.NAME]` (docs/runs.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import CHOICE, Name, Refused, Section
from hil.scenario.quantity import Frequency, Time

Decimation = Literal["sample", "mean", "min_max_mean"]
Around = Literal["limit", "event", "reversion", "ups"]

MAIN = "main"
"""What the stream of `[record]` itself goes by."""

_CHANNELS = "names of channels, or patterns such as 'pcc.*'; 'loop.*' has to be named"
_DECIMATION = "what a row holds of the ticks since the last: the newest, their mean, or mean, NAME.min and NAME.max of each"
_BEFORE_S, _AFTER_S = 0.5, 2.0
_COMPRESSION = "of the batches in the file"


class AlsoRecord(Section):
    """A further stream of the record: other channels or another rate, or every tick around certain moments only."""

    channels: list[str] = Field(default=["*"], min_length=1, description=_CHANNELS, json_schema_extra=CHOICE)
    rate_hz: Frequency | None = Field(
        default=None, ge=0.001, description="rows a second; must divide the tick rate; needed without `around`"
    )
    decimation: Decimation | None = Field(default=None, description=f"{_DECIMATION}; default: 'sample'; not with `around`")
    around: list[Around] = Field(
        default=[],
        description="keep every tick, but only around: the start of a limit's violation, start and end of a scripted event, "
        "the reversion of a device without its controller, what a UPS logs",
        json_schema_extra=CHOICE,
    )
    before_s: Time | None = Field(
        default=None, ge=0, description=f"how much is kept before such a moment; default: {_BEFORE_S:g} s; only with `around`"
    )
    after_s: Time | None = Field(
        default=None, ge=0, description=f"how much is kept after it; default: {_AFTER_S:g} s; only with `around`"
    )
    compression: Literal["zstd", "none"] = Field(default="zstd", description=_COMPRESSION, json_schema_extra=CHOICE)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.around and self.rate_hz is not None:
            raise Refused("not with `around`, which keeps every tick", "rate")
        if self.around and self.decimation is not None:
            raise Refused("not with `around`, which keeps every tick", "decimation")
        if not self.around and self.rate_hz is None:
            raise Refused("needs `rate`, or `around`")
        for key in ("before", "after"):
            if not self.around and getattr(self, f"{key}_s") is not None:
                raise Refused("only with `around`", key)
        return self

    @property
    def kept_s(self) -> tuple[float, float]:
        """How much is kept before and after a moment."""
        before_s, after_s = self.before_s, self.after_s
        return _BEFORE_S if before_s is None else float(before_s), _AFTER_S if after_s is None else float(after_s)


class Record(Section):
    """What the record of a run keeps."""

    rate_hz: Frequency = Field(
        default=100.0, ge=0.001, description="rows a second; must divide the tick rate", json_schema_extra=CHOICE
    )
    channels: list[str] = Field(default=["*"], min_length=1, description=_CHANNELS, json_schema_extra=CHOICE)
    decimation: Decimation = Field(default="sample", description=_DECIMATION, json_schema_extra=CHOICE)
    compression: Literal["zstd", "none"] = Field(default="zstd", description=_COMPRESSION, json_schema_extra=CHOICE)
    also: dict[Name, AlsoRecord] = Field(default_factory=dict, description="further streams, by name, each a file of its own")

    @property
    def streams(self) -> dict[str, Record | AlsoRecord]:
        """All streams by name, the main one first."""
        return {MAIN: self, **self.also}

    @model_validator(mode="after")
    def _own_names(self) -> Self:
        if MAIN in self.also:
            raise Refused("this is what the stream of [record] goes by; take another name", "also", MAIN)
        return self


def rates(record: Record) -> Iterator[tuple[tuple[str, ...], float]]:
    """Where each rate stands, and what it is, Hz."""
    for name, stream in record.streams.items():
        if stream.rate_hz is not None:
            yield stream_at(name, "rate"), float(stream.rate_hz)


def stream_at(name: str, key: str) -> tuple[str, ...]:
    """Where a key of a stream stands."""
    return ("record", key) if name == MAIN else ("record", "also", name, key)
