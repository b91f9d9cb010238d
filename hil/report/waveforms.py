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
    deviations = []
    places: dict[tuple[bytes, bytes], tuple[Any, Any, Any]] = {}  # of the common times, for each pair of streams
    for channel in common:
        columns = [run.record.column(channel) for run in (before, after)]
        times = [time_ns for time_ns, _ in columns]
        key = (times[0].tobytes(), times[1].tobytes())
        if key not in places:
            places[key] = np.intersect1d(times[0], times[1], assume_unique=True, return_indices=True)
            if not np.array_equal(times[0], times[1]):
                unlike.append(
                    f"{_extent(times[0])} against {_extent(times[1])}: compared at {places[key][0].size:,} common times"
                )
        shared, here, there = places[key]
        if not shared.size:
            continue
        one, other = columns[0][1][here], columns[1][1][there]
        deviation = _deviation(channel, shared / 1e9, one.astype(np.float64), other.astype(np.float64))
        if deviation is not None:
            deviations.append(deviation)
    deviations.sort(key=lambda deviation: -deviation.share)
    rows = max(shared.size for shared, _, _ in places.values())
    return Waveforms(False, int(rows), len(common), deviations, unlike)


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
