"""What changed between two runs: settings, limits, waveforms."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from hil.report.settings import Changed, changed_provenance, changed_settings
from hil.report.waveforms import Waveforms, compared
from hil.verdict.result import LimitResult

if TYPE_CHECKING:
    from hil.report.result import Result


@dataclass(frozen=True)
class LimitPair:
    """A limit in both runs; None where one does not have it."""

    name: str
    before: LimitResult | None
    after: LimitResult | None

    @property
    def same(self) -> bool:
        """Whether it ended alike: outcome, values, times."""
        return self.before == self.after


@dataclass(frozen=True)
class Difference:
    """What changed between two runs; what is the same is not listed, but limits, which are all there."""

    before: Result
    after: Result
    settings: list[Changed]
    provenance: list[Changed]
    limits: list[LimitPair]
    waveforms: Waveforms

    @property
    def same(self) -> bool:
        """Whether settings, verdict, limits and waveforms are the same, whatever versions gave them."""
        verdicts = (self.before.verdict, self.before.reasons) == (self.after.verdict, self.after.reasons)
        return not self.settings and verdicts and all(limit.same for limit in self.limits) and self.waveforms.same

    def document(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {
            "same": self.same,
            "runs": [None if run.folder is None else str(run.folder) for run in (self.before, self.after)],
            "verdict": [str(run.verdict) for run in (self.before, self.after)],
            "reasons": [run.reasons for run in (self.before, self.after)],
            "waveform_hash": [run.waveform_hash for run in (self.before, self.after)],
            "settings": [asdict(changed) for changed in self.settings],
            "provenance": [asdict(changed) for changed in self.provenance],
            "limits": [{**asdict(limit), "same": limit.same} for limit in self.limits],
            "waveforms": {
                **asdict(self.waveforms),
                "first_s": self.waveforms.first_s,
                "deviations": [_finite(asdict(deviation)) for deviation in self.waveforms.deviations],
            },
        }


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: null stands where a value is no number in one of the runs."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in values.items()}


def difference(before: Result, after: Result) -> Difference:
    """Compare two runs. Raises RunUnreadable where the record of one is damaged."""
    names = dict.fromkeys([*before.limits, *after.limits])
    return Difference(
        before=before,
        after=after,
        settings=changed_settings(before, after),
        provenance=changed_provenance(before, after),
        limits=[LimitPair(name, before.limits.get(name), after.limits.get(name)) for name in names],
        waveforms=compared(before, after),
    )
