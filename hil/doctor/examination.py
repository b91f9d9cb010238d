"""One examination: facts, test, bands, advice, and the document that holds them."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from hil.doctor.advice import Advice, advice
from hil.doctor.bands import Rate, judged
from hil.doctor.facts import Facts, read_facts
from hil.doctor.saved import identity
from hil.doctor.stress import Stress

if TYPE_CHECKING:
    from hil.doctor.latency import Measured


@dataclass(frozen=True)
class Examination:
    """What was found. load: whether `Stress` ran beside the test. at: when it began, ISO 8601 in UTC."""

    at: str
    facts: Facts
    load: bool
    measured: Measured
    rates: list[Rate]
    advice: list[Advice]

    def document(self) -> dict[str, Any]:
        """Ready for JSON: what `--json` prints and `hil.doctor.saved` keeps."""
        return {
            "at": self.at,
            "version": version("ridethrough"),
            "machine": identity(self.facts),
            "facts": self.facts.evidence(),
            "load": self.load,
            **self.measured.document(),
            "rates": [rate.document() for rate in self.rates],
            "advice": [one.document() for one in self.advice],
        }


def examine(seconds: float, rate_hz: float, *, load: bool) -> Examination:
    """Test this machine for so long. Raises HilError where it has no such loop, OSError where no load can be started."""
    from hil.doctor.latency import measure

    at = datetime.now(UTC).isoformat(timespec="seconds")
    facts = read_facts()
    with Stress() if load else nullcontext():
        measured = measure(seconds, rate_hz)
    timing = measured.timing
    priority_obtained = timing.obtained["priority"] > 0
    found = advice(facts, priority_obtained=priority_obtained, stolen_share=timing.stolen_share)
    return Examination(at, facts, load, measured, judged(measured.lateness), found)
