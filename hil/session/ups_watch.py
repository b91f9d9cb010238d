"""What the firmware of UPSs has logged, on its way to the run's events."""

from __future__ import annotations

from collections import Counter
from typing import Any

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
_SIGN = ".dc_link_pu"  # a channel that UPSs alone have, and groups of them
_MOST_ALIKE = 500  # events of one kind, or of one transfer, that a group tells
_MOST_NAMED = 20  # units of a group in one event


class UpsWatch:
    """Reads each UPS's log up to where it stands; `ups_log_lost` says how many entries were overwritten before.

    Of a group of UPSs, entries that are alike but for the unit stand in one event. What goes beyond 500 of one kind, or of one
    transfer, is left out, which `ups_log_ended` says once.
    """

    def __init__(self, engine: Engine, log: EventLog) -> None:
        devices = [name.removesuffix(_SIGN) for name in engine.channels if name.endswith(_SIGN)]
        groups = engine.parameters["ups_groups"]
        alone = len(engine.parameters["ups"]) - int(groups["count"].sum())
        self._names = devices[:alone]
        self._groups = [
            (name, range(int(group["first"]), int(group["first"] + group["count"])))
            for name, group in zip(devices[alone:], groups, strict=True)
        ]
        self._told: Counter[tuple[str, int]] = Counter()
        self._engine = engine
        self._counted = engine.seen  # what the counts belong to; on the wall clock it changes once
        self._counts = engine.seen["ups"]["log_count"]
        self._period_s = engine.period_ns / 1e9
        self._log = log
        self._seen: list[int] = self._counts.tolist()

    def look(self) -> None:
        """Take in what is new."""
        if not self._seen:
            return
        if self._engine.seen is not self._counted:
            self._counted = self._engine.seen
            self._counts = self._counted["ups"]["log_count"]
        counts = self._counts.tolist()
        if counts != self._seen:
            for index, name in enumerate(self._names):
                self._take(index, name, counts[index])
            for name, units in self._groups:
                self._take_group(name, units, counts)
            self._seen = counts

    def _entries(self, index: int, count: int) -> tuple[list[tuple[int, int]], int]:
        """New entries of a log, tick and code, and how many are lost."""
        seen = self._seen[index]
        first = max(seen, count - CODES["ups.log"])
        places = [entry % CODES["ups.log"] for entry in range(first, count)]
        state = self._counted["ups"][index]
        return [(int(state["log_at"][place]), int(state["log_code"][place])) for place in places], first - seen

    def _take(self, index: int, name: str, count: int) -> None:
        entries, lost = self._entries(index, count)
        for tick, code in entries:
            self._tell(tick, code, {"device": name})
        if lost:
            self._log.add(entries[-1][0] * self._period_s, "ups_log_lost", {"device": name, "entries": lost})

    def _take_group(self, name: str, units: range, counts: list[int]) -> None:
        alike: dict[tuple[int, int], list[int]] = {}
        lost = 0
        for place, index in enumerate(units):
            if counts[index] != self._seen[index]:
                entries, overwritten = self._entries(index, counts[index])
                lost += overwritten
                for entry in entries:
                    alike.setdefault(entry, []).append(place)
        for (tick, code), places in sorted(alike.items()):
            if self._told[name, code] < _MOST_ALIKE:
                one = {"device": f"{name}[{places[0]}]"}
                several = {"device": name, "count": len(places), "units": places[:_MOST_NAMED]}
                self._tell(tick, code, one if len(places) == 1 else several)
            elif self._told[name, code] == _MOST_ALIKE:
                self._tell(tick, code, {"device": name}, ended=True)
            self._told[name, code] += 1
        if lost:
            last = max(tick for tick, _ in alike)
            self._log.add(last * self._period_s, "ups_log_lost", {"device": name, "entries": lost})

    def _tell(self, tick: int, code: int, whose: dict[str, Any], *, ended: bool = False) -> None:
        """An entry; or that those like it are left out from here on."""
        event, details = _LOGGED.get(code, "ups_transfer"), {**whose, "tick": tick}
        if event == "ups_transfer":
            before, after = divmod(code - CODES["ups_logged.mode"], 8)
            details |= {"from": UpsMode(before).name.lower(), "to": UpsMode(after).name.lower()}
        self._log.add(tick * self._period_s, "ups_log_ended" if ended else event, details | ({"of": event} if ended else {}))
