"""What the limits of a recording stand on."""

from __future__ import annotations

from dataclasses import dataclass, field

from hil.check.orders import CheckFile
from hil.check.runs import RunRows
from hil.check.signals import Signals
from hil.limits.facts import Facts


@dataclass(frozen=True)
class JudgedOn:
    """A recording's signals and what is known besides.

    count, period_s: of the rows that are judged. run: whose record it is. notes: what is found, gathered in place.
    """

    signals: Signals
    facts: Facts
    orders: CheckFile
    count: int
    period_s: float
    run: RunRows | None = None
    notes: list[str] = field(default_factory=list)
