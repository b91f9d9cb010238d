"""How punctual the ticks of a paced run were, and whether that is good enough for PASS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from hil.scenario.clock import Clock

_SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


@dataclass(frozen=True)
class Timing:
    """Lateness of judged ticks after their deadlines, and the time that each took; wall-clock µs, at `p50` … `max`.

    overruns: ticks of a wake-up that began later than its own length (a tick, at real time) after its deadline.
    """

    speed: float
    ticks: int
    overruns: int
    lateness_us: dict[str, float]
    tick_us: dict[str, float]

    @classmethod
    def of(cls, counts: Any, speed: float) -> Self:
        """From the counts of a pacer (`hil.kernel.layout.timing_dtype`)."""
        late, busy = (
            _quantiles(counts[kind], int(counts[f"{kind}_max_ns"])) if counts["ticks"] else {} for kind in ("late", "busy")
        )
        return cls(speed, int(counts["ticks"]), int(counts["overruns"]), late, busy)

    @property
    def overrun_share(self) -> float:
        """Share of the ticks that were overruns."""
        return self.overruns / self.ticks if self.ticks else 0.0

    def reasons(self, allowed: Clock) -> list[str]:
        """Why the verdict cannot be PASS; empty where the ticks were punctual enough."""
        if self.overrun_share <= allowed.overruns:
            return []
        share = f"{100 * self.overrun_share:.3g} % of the ticks were late by a tick or more (overrun)"
        return [f"clock: {share}, allowed {100 * allowed.overruns:g} %"]

    def summary(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "ticks": self.ticks,
            "overruns": self.overruns,
            "overrun_share": self.overrun_share,
            "lateness_us": self.lateness_us,
            "tick_us": self.tick_us,
        }


def upper_ns(place: int) -> int:
    """First number of ns beyond a bin of hil/kernel/timing.pxd."""
    return place + 1 if place < 32 else (33 + place % 32) << (place // 32 - 1)


def _quantiles(counts: Any, max_ns: int) -> dict[str, float]:
    so_far = np.cumsum(counts)
    places = {name: int(np.searchsorted(so_far, share * so_far[-1])) for name, share in _SHARES.items()}
    return {**{name: min(upper_ns(place), max_ns) / 1e3 for name, place in places.items()}, "max": max_ns / 1e3}
