"""What breakers have done, on its way to the run's events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hil.kernel.engine import Engine
from hil.kernel.layout import CODES
from hil.record.events import EventLog

_LOGGED = {
    CODES["breaker_logged.tripped"]: "relay_tripped",
    CODES["breaker_logged.locked_out"]: "breaker_locked_out",
    CODES["breaker_logged.opened"]: "breaker_opened",
    CODES["breaker_logged.reset"]: "lockout_reset",
    CODES["breaker_logged.closed"]: "breaker_closed",
    CODES["breaker_logged.not_open"]: "breaker_not_open",
}
_OF_A_LIMIT = ("relay_tripped", "breaker_locked_out")
_SIGN = ".tripping"  # a channel that breakers alone have


class BreakerWatch:
    """Reads each breaker's log up to where it stands; `breaker_log_lost` says how many entries were overwritten before.

    limits: their entries, as details of an event.
    """

    def __init__(self, engine: Engine, log: EventLog, limits: Sequence[dict[str, object]]) -> None:
        named = [name for name in engine.channels if name.startswith("breakers.") and name.endswith(_SIGN)]
        self._names = [name.removeprefix("breakers.").removesuffix(_SIGN) for name in named]
        self._engine = engine
        self._limits = limits
        self._log = log
        self._seen = [0] * len(self._names)

    def look(self) -> None:
        """Take in what is new."""
        for index, (seen, name) in enumerate(zip(self._seen, self._names, strict=True)):
            count = int(self._engine.seen["breakers"]["log_count"][index])
            if count != seen:
                self._take(name, self._engine.seen["breakers"][index], seen, count)
                self._seen[index] = count

    def _take(self, name: str, state: Any, seen: int, count: int) -> None:
        first = max(seen, count - CODES["breaker.log"])
        at_s = 0.0
        for entry in range(first, count):
            place = entry % CODES["breaker.log"]
            at_s = int(state["log_at"][place]) * self._engine.period_ns / 1e9
            event = _LOGGED[int(state["log_code"][place])]
            of = self._limits[int(state["log_limit"][place])] if event in _OF_A_LIMIT else {}
            self._log.add(at_s, event, {"breaker": name, **of})
        if first > seen:
            self._log.add(at_s, "breaker_log_lost", {"breaker": name, "entries": first - seen})
