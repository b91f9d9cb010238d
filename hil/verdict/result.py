"""How one limit ended, and what required limits say together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hil.scenario.limit import Limit
from hil.verdict.outcome import Outcome


@dataclass(frozen=True)
class LimitResult:
    """How one limit ended.

    worst: the most extreme value sustained for the limit's delay, on the side with less margin; None where nothing was judged.
    limit: the bound on that side. margin: what was left of the span between reference and bound, negative beyond. The
    reference is nominal for voltage and frequency, the middle of the window for SoC, the ambient for a temperature, else 0.
    suspect_s: how long it was not judged because a tick of the wall clock that came too late lay within its window.
    missing_j, missing_s: of one that was violated, the energy or the time that was missing to hold it (`hil.verdict.missing`);
    None where it is not known, or means nothing. unit: of worst and limit. trips: the breaker that it trips, empty where it
    only logs; tripped_s: when it did so first. disconnected_s: how long it was not judged for a breaker that was open.
    """

    name: str
    kind: str
    node: str
    required: bool
    outcome: Outcome
    unit: str
    limit: float
    worst: float | None = None
    margin: float | None = None
    at_s: float | None = None
    first_violation_s: float | None = None
    time_beyond_s: float = 0.0
    excursions: int = 0
    blanked_s: float = 0.0
    suspect_s: float = 0.0
    missing_j: float | None = None
    missing_s: float | None = None
    basis: str = ""
    unverified: bool = False
    reasons: list[str] = field(default_factory=list)
    trips: str = ""
    tripped_s: float | None = None
    disconnected_s: float = 0.0

    @classmethod
    def of(cls, judged: Limit, outcome: Outcome, **found: Any) -> LimitResult:
        """The result of a limit with what it says of itself. found: the other fields."""
        own = {key: getattr(judged, key) for key in ("name", "kind", "node", "required", "basis", "unverified")}
        return cls(**own, outcome=outcome, **found)


def decided(limits: Mapping[str, LimitResult], missing: Sequence[str], none_required: str) -> tuple[Outcome, list[str]]:
    """What required limits say together, and what blocks PASS: `missing`, and those of them that were not decided.

    FAIL of one outranks everything. none_required: the reason where there is none.
    """
    required = [result for result in limits.values() if result.required]
    undecided_ones = [one for one in required if one.outcome not in (Outcome.PASS, Outcome.FAIL)]
    reasons = [*missing, *(f"{one.name}: {', '.join(one.reasons) or one.outcome.lower()}" for one in undecided_ones)]
    if not required:
        reasons.append(none_required)
    if any(one.outcome is Outcome.FAIL for one in required):
        return Outcome.FAIL, reasons
    return Outcome.INCONCLUSIVE if reasons else Outcome.PASS, reasons


def undecided(limit: Limit, reasons: list[str]) -> LimitResult:
    """Result of a limit that could not be judged at all."""
    return LimitResult.of(limit, Outcome.INCONCLUSIVE, unit="", limit=math.nan, reasons=reasons)
