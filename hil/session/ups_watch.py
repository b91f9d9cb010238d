"""What the firmware of UPSs has logged, on its way to the run's events."""

from __future__ import annotations

from firmware_sim.image import UpsMode
from hil.kernel.engine import Engine
from hil.kernel.layout import CODES
from hil.record.events import EventLog

_LOGGED = {
    CODES["ups_logged.latched"]: "ups_latched",
    CODES["ups_logged.low_battery"]: "ups_low_battery",
    CODES["ups_logged.shutdown"]: "ups_shutdown",
    CODES["ups_logged.support_reverted"]: "ups_support_reverted",
    CODES["ups_logged.test_passed"]: "ups_test_passed",
    CODES["ups_logged.test_failed"]: "ups_test_failed",
    CODES["ups_logged.test_aborted"]: "ups_test_aborted",
    CODES["ups_logged.fault"]: "ups_fault",
}
_SIGN = ".dc_link_pu"  # a channel that UPSs alone have


class UpsWatch:
    """Reads each UPS's log up to where it stands; `ups_log_lost` says how many entries were overwritten before."""

    def __init__(self, engine: Engine, log: EventLog) -> None:
        self._names = [name.removesuffix(_SIGN) for name in engine.channels if name.endswith(_SIGN)]
        self._engine = engine
        self._counted = engine.seen  # what the counts belong to; on the wall clock it changes once
        self._counts = engine.seen["ups"]["log_count"]
        self._period_s = engine.period_ns / 1e9
        self._log = log
        self._seen: list[int] = self._counts.tolist()

    def look(self) -> None:
        """Take in what is new."""
        if not self._names:
            return
        if self._engine.seen is not self._counted:
            self._counted = self._engine.seen
            self._counts = self._counted["ups"]["log_count"]
        counts = self._counts.tolist()
        if counts != self._seen:
            for index, (count, seen) in enumerate(zip(counts, self._seen, strict=True)):
                self._take(index, seen, count)
            self._seen = counts

    def _take(self, index: int, seen: int, count: int) -> None:
        state, name = self._counted["ups"][index], self._names[index]
        first = max(seen, count - CODES["ups.log"])
        for entry in range(first, count):
            place = entry % CODES["ups.log"]
            tick, code = int(state["log_at"][place]), int(state["log_code"][place])
            event, details = _LOGGED.get(code, "ups_transfer"), {"device": name, "tick": tick}
            if event == "ups_transfer":
                before, after = divmod(code - CODES["ups_logged.mode"], 8)
                details |= {"from": UpsMode(before).name.lower(), "to": UpsMode(after).name.lower()}
            self._log.add(tick * self._period_s, event, details)
        if first > seen:
            self._log.add(tick * self._period_s, "ups_log_lost", {"device": name, "entries": first - seen})
