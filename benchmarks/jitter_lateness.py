"""What benchmarks/jitter.py makes of the lateness of wake-ups, ours and cyclictest's alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

END_NS = 1_000_000  # where the longest histogram that cyclictest keeps ends, in ns as it is here
SHARES = {"p50_us": 0.5, "p99_us": 0.99, "p99.9_us": 0.999}


@dataclass(frozen=True)
class Lateness:
    """One measurement: wake-ups by their lateness, ns, in rising order. What is later than END_NS stands as END_NS.

    period_ns: what a wake-up must be late by to have missed its period.
    """

    late_ns: np.ndarray[Any, np.dtype[np.int64]]
    max_ns: int
    period_ns: int

    @classmethod
    def of(cls, late_ns: Iterable[int], period_ns: int) -> Self:
        """Of wake-ups in any order."""
        late = np.sort(np.fromiter(late_ns, dtype=np.int64))
        return cls(np.minimum(late, END_NS), int(late[-1]), period_ns)

    @classmethod
    def of_cyclictest(cls, thread: dict[str, Any], period_ns: int) -> Self:
        """From a thread of its JSON file, in ns: a histogram, and how many wake-ups there were with those beyond it."""
        counts = {int(late): count for late, count in thread["histogram"].items()}
        beyond = thread["cycles"] - sum(counts.values())
        values = np.array([*counts, END_NS], dtype=np.int64)
        late = np.sort(np.repeat(values, [*counts.values(), beyond]))
        return cls(late, int(thread["max"]), period_ns)

    @classmethod
    def of_ticks(cls, late_ns: Iterable[int], period_ns: int) -> Self:
        """Of the loop's ticks in their order: those that one late wake-up makes up for are no wake-ups of their own."""
        wake_ups, made_up = [], 0
        for late in late_ns:
            if made_up:
                made_up -= 1
                continue
            wake_ups.append(late)
            made_up = late // period_ns
        return cls.of(wake_ups, period_ns)

    def quantile_ns(self, share: float) -> int:
        """The lateness that so large a share of the wake-ups does not exceed."""
        return int(self.late_ns[min(len(self.late_ns) - 1, int(share * len(self.late_ns)))])

    def figures(self) -> dict[str, float]:
        """Quantiles and largest, µs; how many of a hundred wake-ups came a period late or later."""
        missed = int(np.count_nonzero(self.late_ns >= self.period_ns))
        return {
            **{name: self.quantile_ns(share) / 1e3 for name, share in SHARES.items()},
            "max_us": self.max_ns / 1e3,
            "misses_percent": 100.0 * missed / len(self.late_ns),
        }
