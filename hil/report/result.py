"""What a run leaves: verdict, limits, signals, events."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.realtime.evidence import Timing
from hil.report.recording import Recording
from hil.verdict.expectations import ExpectationResult
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult

if TYPE_CHECKING:
    from hil.report.difference import Difference


@dataclass(frozen=True)
class Result(Recording):
    """A finished run.

    reasons: why the verdict is INCONCLUSIVE. waveform_hash: of every tick and channel. load: energy_j, largest_w, and for
    inference what was served. traffic: Modbus requests, MQTT messages, and what the links carried. clock: "lockstep" or
    "wall"; timing: of the wall clock. provenance: versions, host, commit, seed, command, and what it was made from.
    expectations: how those of the scenario ended, by name; each counts as a required limit does.
    """

    verdict: Outcome
    limits: dict[str, LimitResult]
    reasons: list[str]
    waveform_hash: str
    wall_s: float
    load: dict[str, Any]
    traffic: dict[str, Any]
    signal_number: int | None
    clock: str = "lockstep"
    timing: Timing | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    expectations: dict[str, ExpectationResult] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 PASS, 1 FAIL, 3 INCONCLUSIVE; 128 + n where signal n ended the run."""
        return self.verdict.exit_code if self.signal_number is None else 128 + self.signal_number

    @property
    def realtime_factor(self) -> float:
        """Scenario time over wall-clock time."""
        return self.duration_s / self.wall_s if self.wall_s > 0 else float("inf")

    def lacking(self, reason: str) -> Result:
        """This result without some evidence: what was PASS is INCONCLUSIVE."""
        verdict = Outcome.INCONCLUSIVE if self.verdict is Outcome.PASS else self.verdict
        return replace(self, verdict=verdict, reasons=[*self.reasons, reason])

    def diff(self, other: Result) -> Difference:
        """What changed from this run to another. Raises RunUnreadable where the record of a saved run is damaged."""
        from hil.report.difference import difference

        return difference(self, other)

    def junit(self, path: str | Path) -> None:
        """Write a JUnit XML file, in which something is red exactly where the verdict is not PASS (docs/ci.md).

        It is there whole or not at all. Raises OSError.
        """
        from hil.report.junit import document, write

        write(document(self), Path(path))

    def summary(self) -> dict[str, Any]:
        """Everything but the waveforms, ready for JSON."""
        return {
            "scenario": self.scenario.name,
            "title": self.scenario.title,
            "verdict": str(self.verdict),
            "reasons": self.reasons,
            "limits": [{**asdict(limit), "outcome": str(limit.outcome)} for limit in self.limits.values()],
            "expectations": [{**asdict(one), "outcome": str(one.outcome)} for one in self.expectations.values()],
            "waveform_hash": self.waveform_hash,
            "duration_s": self.duration_s,
            "tick_s": self.scenario.tick_s,
            "seed": self.scenario.seed,
            "transport": self.scenario.transport,
            "clock": self.clock,
            "speed": None if self.timing is None else self.timing.speed,
            "timing": None if self.timing is None else asdict(self.timing),
            "wall_s": self.wall_s,
            "realtime_factor": self.realtime_factor,
            "load": self.load,
            "traffic": self.traffic,
            "signal": self.signal_number,
            "folder": None if self.folder is None else str(self.folder),
        }
