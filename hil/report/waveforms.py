"""What differs between the waveforms of two runs, as far as their records show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from hil.report.result import Result

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Deviation:
    """How far apart a channel is: the largest difference, in its unit, and when; its RMS; the first recorded time of any.

    share: the largest difference over the channel's span in both runs.
    """

    channel: str
    largest: float
    at_s: float
    rms: float
    share: float
    first_s: float


@dataclass(frozen=True)
class Waveforms:
    """Two runs' waveforms. same: to the bit, every tick and channel, by their hashes.

    rows: recorded times that both have, which are compared. deviations: channels that differ there, the largest share first.
    unlike: how the records themselves differ, in words.
    """

    same: bool
    rows: int = 0
    channels: int = 0
    deviations: list[Deviation] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)

    @property
    def first_s(self) -> float | None:
        """When a recorded channel differs first."""
        return min((deviation.first_s for deviation in self.deviations), default=None)


def compared(before: Result, after: Result) -> Waveforms:
    """Compare what two runs recorded, channel by channel, at the times that both have."""
    if before.waveform_hash == after.waveform_hash and before.duration_s == after.duration_s:
        return Waveforms(same=True)
    common = [channel for channel in before.channels if channel in after.channels]
    unlike = [
        f"only in {which}: {', '.join(only)}"
        for which, only in (
            ("the first", [channel for channel in before.channels if channel not in common]),
            ("the second", [channel for channel in after.channels if channel not in common]),
        )
        if only
    ]
    if not common:
        return Waveforms(same=False, unlike=[*unlike, "no channel is in both"])
    times: list[Any] = []
    rows = 0
    deviations = []
    for channel in common:
        (time_before, one), (time_after, other) = before.record.column(channel), after.record.column(channel)
        if not times or not (np.array_equal(time_before, times[0]) and np.array_equal(time_after, times[1])):
            times = [time_before, time_after]  # of another stream of the record
            shared, here, there = np.intersect1d(time_before, time_after, assume_unique=True, return_indices=True)
            rows = max(rows, int(shared.size))
            if not np.array_equal(time_before, time_after):
                unlike.append(
                    f"{_extent(time_before)} against {_extent(time_after)}: compared at {shared.size:,} common times"
                )
        if shared.size:
            values = one[here].astype(np.float64), other[there].astype(np.float64)
            deviation = _deviation(channel, shared / 1e9, *values)
            if deviation is not None:
                deviations.append(deviation)
    deviations.sort(key=lambda deviation: -deviation.share)
    return Waveforms(False, rows, len(common), deviations, unlike)


def _extent(times_ns: Any) -> str:
    if times_ns.size == 0:
        return "no rows"
    rate = f" at {1e9 / (times_ns[1] - times_ns[0]):g} Hz" if times_ns.size > 1 else ""
    return f"{times_ns.size:,} rows to {times_ns[-1] / 1e9:g} s{rate}"


def _deviation(channel: str, time_s: Floats, one: Floats, other: Floats) -> Deviation | None:
    """None where the channel is the same in both, at every time; a value that is no number is only like another one."""
    alike = (one == other) | (np.isnan(one) & np.isnan(other))
    if alike.all():
        return None
    apart = np.where(alike, 0.0, np.nan_to_num(np.abs(one - other), nan=np.inf))
    place = int(apart.argmax())
    known = np.concatenate([one, other])
    known = known[np.isfinite(known)]
    span = float(np.ptp(known)) if known.size else 0.0
    return Deviation(
        channel=channel,
        largest=float(apart[place]),
        at_s=float(time_s[place]),
        rms=float(np.sqrt(np.mean(apart**2))),
        share=float(apart[place]) / span if span > 0.0 else np.inf,
        first_s=float(time_s[int(np.argmin(alike))]),
    )
