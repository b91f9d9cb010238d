"""What a run asks of the machine, and what it was given."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Wanted:
    """How the loop's thread is to run.

    priority: of SCHED_FIFO, 1 to 99; 0: the ordinary scheduler. cpu: to stay on; None: the last isolated one, if there is any.
    spin_s: how long before a deadline it stops sleeping, wall-clock time; None: as long as nineteen in twenty wake-ups of the
    rehearsal were late, at most 50 µs and a quarter of a tick, and not at all at an ordinary priority. lock_memory: keep the
    process in memory. warm_up_s: of the rehearsal, wall-clock time. policy, budget_s, catch_up_s: see `Pacer`.
    """

    priority: int = 80
    cpu: int | None = None
    spin_s: float | None = None
    lock_memory: bool = True
    warm_up_s: float = 0.25
    policy: Literal["skip", "catch_up", "abort"] = "skip"
    budget_s: float = float("inf")
    catch_up_s: float = 0.0


@dataclass
class Obtained:
    """What of it the thread runs with. missing: what was wanted and not given, and why, one line each."""

    scheduler: str = "SCHED_OTHER"
    priority: int = 0
    cpu: int | None = None
    spin_us: float = 0.0
    memory_locked: bool = False
    cpu_latency_held: bool = False
    missing: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)
