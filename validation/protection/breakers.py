"""Breakers, lock-outs and reclosing a second time, from docs/protection.md, "Tripping, 86", over the rows of a whole run.

Takes what the relays have seen and says when each breaker was closed, about to open, and locked out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Relay:
    """beyond: samples beyond the setting. Times in ticks. reclose: None with a lock-out. blocked_by: a breaker's contact."""

    breaker: str
    beyond: Mask
    delay: int
    breaker_time: int
    reclose: int | None = None
    blocked_by: str | None = None
    settle: int = 0


@dataclass
class Breaker:
    """One breaker, on its way through the ticks."""

    closed: list[bool] = field(default_factory=list)
    tripping: list[bool] = field(default_factory=list)
    lockout: list[bool] = field(default_factory=list)
    is_open: bool = False
    locked: bool = False
    due: int | None = None
    settled_at: int = 0
    calm_since: int | None = None
    guilty: set[int] = field(default_factory=set)

    def begin(self, tick: int, *, reset: bool, reclose: int) -> None:
        """What happens to it between two samples: a reset, its own reclosing, or its opening."""
        recloses = self.calm_since is not None and tick >= self.calm_since + 1 + reclose
        if self.is_open and (reset or (recloses and not self.locked)):
            self.is_open = self.locked = False
            self.guilty.clear()
            self.calm_since, self.settled_at = None, tick
        elif self.due is not None and tick >= self.due:
            self.is_open, self.due, self.calm_since = True, None, None
        self.closed.append(not self.is_open)
        self.tripping.append(self.due is not None)
        self.lockout.append(self.locked)


def breakers(relays: Sequence[Relay], resets: Mapping[str, Sequence[int]], ticks: int) -> dict[str, Breaker]:
    """Every breaker through all ticks. resets: ticks in which somebody resets them."""
    found = {relay.breaker: Breaker() for relay in relays}
    run = [0] * len(relays)
    for tick in range(ticks):
        for name, breaker in found.items():
            waits = [relays[guilty].reclose or 0 for guilty in breaker.guilty]
            breaker.begin(tick, reset=tick in resets.get(name, ()), reclose=max(waits, default=0))
        holds: set[str] = set()
        for number, relay in enumerate(relays):
            contact = None if relay.blocked_by is None else found.get(relay.blocked_by)
            if contact is not None and (contact.is_open or (contact.settled_at and tick < contact.settled_at + relay.settle)):
                run[number] = 0
                continue
            run[number] = run[number] + 1 if relay.beyond[tick] else 0
            if run[number] <= relay.delay:
                continue
            mine = found[relay.breaker]
            if mine.is_open:
                if number in mine.guilty:
                    holds.add(relay.breaker)
            elif number not in mine.guilty:
                mine.guilty.add(number)
                mine.locked |= relay.reclose is None
                opens = tick + 1 + relay.breaker_time
                mine.due = opens if mine.due is None else min(mine.due, opens)
        for name, breaker in found.items():
            if not breaker.is_open or breaker.locked or name in holds:
                breaker.calm_since = None
            elif breaker.calm_since is None:
                breaker.calm_since = tick
    return found
