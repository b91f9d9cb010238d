"""How punctual the ticks of a paced run were, what they ran on, and what that cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

_SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
WORST = 10
"""Overruns that are told one by one."""


@dataclass(frozen=True)
class Overrun:
    """Ticks in a row that began later than a wake-up after their deadlines: the first, how many, and the latest."""

    at_s: float
    ticks: int
    late_us: float


@dataclass(frozen=True)
class Timing:
    """Lateness of judged ticks after their deadlines, and the time that each took; wall-clock µs, at `p50` … `max`.

    overruns: ticks of a wake-up that began later than its own length (a tick, at real time) after its deadline.
    beyond_budget: ticks that were later than `[clock] overrun_budget`. worst: the longest overruns. faults and switches: of
    the loop's thread, from the first judged tick to the last; None where the system does not count them. stolen_share: of the
    processors' time, taken by the host. demoted_s: when the loop gave its priority back because it never slept. aborted_s:
    when the policy `abort` ended the run. obtained: what the thread ran with (`Obtained`). warm_up: ticks and lateness of the
    rehearsal before the run.
    """

    speed: float
    ticks: int
    wake_ups: int
    overruns: int
    beyond_budget: int
    lateness_us: dict[str, float]
    tick_us: dict[str, float]
    minor_faults: int | None = None
    major_faults: int | None = None
    waits: int | None = None
    preemptions: int | None = None
    stolen_share: float | None = None
    demoted_s: float | None = None
    aborted_s: float | None = None
    worst: list[Overrun] = field(default_factory=list)
    obtained: dict[str, Any] = field(default_factory=dict)
    warm_up: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, counts: Any, speed: float, tick_s: float, **more: Any) -> Self:
        """From the counts of a pacer (`hil.kernel.layout.timing_dtype`)."""
        known = bool(counts["usage_known"])

        def used(name: str) -> int | None:
            return int(counts[name]) if known else None

        def moment_s(what: str) -> float | None:
            tick = int(counts[f"{what}_tick"])
            return None if tick < 0 else tick * tick_s

        return cls(
            speed,
            int(counts["ticks"]),
            int(counts["wake_ups"]),
            int(counts["overruns"]),
            int(counts["beyond_budget"]),
            lateness_us(counts),
            _quantiles(counts["busy"], int(counts["busy_max_ns"])),
            used("minor_faults"),
            used("major_faults"),
            used("waits"),
            used("preemptions"),
            demoted_s=moment_s("demoted"),
            aborted_s=moment_s("aborted"),
            **more,
        )

    @property
    def overrun_share(self) -> float:
        """Share of the ticks that were overruns."""
        return self.overruns / self.ticks if self.ticks else 0.0


class WorstOverruns:
    """Keeps the longest."""

    def __init__(self) -> None:
        self.worst: list[Overrun] = []

    def add(self, overruns: Sequence[Overrun]) -> None:
        """Take some more."""
        self.worst = sorted([*self.worst, *overruns], key=lambda one: -one.late_us)[:WORST]


def lateness_us(counts: Any) -> dict[str, float]:
    """Lateness at `p50` … `max`; empty where no tick was counted."""
    return _quantiles(counts["late"], int(counts["late_max_ns"]))


def upper_ns(place: int) -> int:
    """First number of ns beyond a bin of hil/kernel/timing.pxd."""
    return place + 1 if place < 32 else (33 + place % 32) << (place // 32 - 1)


def quantile_ns(histogram: Any, share: float) -> int:
    """Upper end of the bin in which a share of what was counted is reached; one value at least must have been."""
    so_far = np.cumsum(histogram)
    return upper_ns(int(np.searchsorted(so_far, share * so_far[-1])))


def _quantiles(histogram: Any, max_ns: int) -> dict[str, float]:
    if not histogram.any():
        return {}
    return {**{name: min(quantile_ns(histogram, share), max_ns) / 1e3 for name, share in _SHARES.items()}, "max": max_ns / 1e3}
