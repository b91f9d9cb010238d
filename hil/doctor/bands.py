"""Which tick rates are honest, from how late the ticks of one rate were.

Lateness is how long after a deadline the loop has the processor. The deadlines of another rate would have met the same
machine, so the share that was later than some period is the share of ticks that a loop of that period misses: what is measured
at 1 kHz tells of 100 Hz and of 10 kHz too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

RATES_HZ = (100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0)
# LinuxCNC's bands of the largest lateness, µs (latency-test.adoc, "what do the results mean"); its servo thread has 1 kHz.
_LINUXCNC = (
    (20.0, "very good, by LinuxCNC's bands: even pulses made in software would be even"),
    (50.0, "good, by LinuxCNC's bands"),
    (100.0, "fair, by LinuxCNC's bands"),
    (1000.0, "good enough for a servo loop of 1 kHz, by LinuxCNC's bands, not for faster ones"),
)
_NO_CANDIDATE = "over 1 ms: no candidate for a real-time loop, by LinuxCNC's bands"


LEAST_TICKS = 3000  # fewer cannot show that at most one in a thousand is missed


class Band(StrEnum):
    """How far a rate can be trusted, best first."""

    GOOD = "good"
    USABLE = "usable"
    DOUBTFUL = "doubtful"
    NO = "no"

    @property
    def words(self) -> str:
        """What it means for a run."""
        return {
            Band.GOOD: "none missed, and lateness is small against the period",
            Band.USABLE: "at most one tick in a thousand missed",
            Band.DOUBTFUL: "up to one tick in a hundred missed: expect INCONCLUSIVE",
            Band.NO: "more missed: not on this machine",
        }[self]


@dataclass(frozen=True)
class Lateness:
    """A histogram of lateness: `bins` are (upper bound in ns, ticks), rising; the largest in ns."""

    bins: tuple[tuple[int, int], ...]
    max_ns: int

    @property
    def ticks(self) -> int:
        """Ticks in it."""
        return sum(count for _, count in self.bins)

    def beyond(self, ns: float) -> int:
        """Ticks later than this; those of the bin that it falls into are among them where their upper bound is."""
        return sum(count for upper_ns, count in self.bins if min(upper_ns, self.max_ns) > ns)

    def quantile_ns(self, share: float) -> int:
        """Lateness that this share of the ticks kept, at most 3 % above the true value."""
        wanted, so_far = share * self.ticks, 0
        for upper_ns, count in self.bins:
            so_far += count
            if so_far >= wanted:
                return min(upper_ns, self.max_ns)
        return self.max_ns


@dataclass(frozen=True)
class Rate:
    """How a rate fares. missed_at_most: what the share may truly be, at 95 % confidence, if ticks are missed one by one."""

    rate_hz: float
    band: Band
    missed_share: float
    missed_at_most: float

    def document(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "rate_hz": self.rate_hz,
            "band": str(self.band),
            "missed_share": self.missed_share,
            "missed_at_most": self.missed_at_most,
        }


def judged(lateness: Lateness, rates_hz: Iterable[float] = RATES_HZ) -> list[Rate]:
    """The band of each rate; empty where nothing was measured.

    Good: usable, none missed, and 99.9 % within a tenth of the period, as LinuxCNC's bands ask 100 µs of a thread of 1 ms.
    Usable: at most one in a thousand missed. Doubtful: one in a hundred, which a shared virtual machine keeps
    (docs/wall_clock.md). No: more. Missed is what it may truly be, so that a short test finds no rate good.
    """
    ticks = lateness.ticks
    found = []
    for rate_hz in rates_hz if ticks else ():
        period_ns = 1e9 / rate_hz
        missed = lateness.beyond(period_ns)
        at_most = min(1.0, _at_most(missed) / ticks)
        if at_most > 0.01:
            band = Band.NO
        elif at_most > 0.001:
            band = Band.DOUBTFUL
        elif missed or lateness.quantile_ns(0.999) > period_ns / 10.0:
            band = Band.USABLE
        else:
            band = Band.GOOD
        found.append(Rate(rate_hz, band, missed / ticks, at_most))
    return found


def fastest(rates: Iterable[Rate], band: Band) -> float | None:
    """The fastest rate that, with all slower ones, is in this band or a better one, Hz."""
    order = list(Band)
    found = None
    for rate in rates:
        if order.index(rate.band) > order.index(band):
            break
        found = rate.rate_hz
    return found


def linuxcnc(max_us: float) -> str:
    """What the largest lateness means in LinuxCNC's words."""
    return next((words for most_us, words in _LINUXCNC if max_us <= most_us), _NO_CANDIDATE)


def _at_most(count: int) -> float:
    """Upper end of the one-sided 95 % confidence interval of a Poisson count.

    Source: the rule of three for none (3.0), Wilson and Hilferty's approximation of chi-squared above.
    """
    if count == 0:
        return 3.0
    n = count + 1.0
    root = 1.0 - 1.0 / (9.0 * n) + 1.6449 / (3.0 * math.sqrt(n))
    return n * root * root * root
