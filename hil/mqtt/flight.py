"""What a broker in another process holds for clients of this one, so that lock-step can wait for it.

A message that was given to the broker is in flight until every client whose subscriptions match has received it; a request
until it is answered. The bytes themselves are out of sight there (docs/lockstep.md).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

Release = Callable[[], None]


class Flight:
    """One account for all clients of a run.

    hold_open: holds scenario time for a reason until the returned function is called.
    """

    def __init__(self, hold_open: Callable[[str], Release]) -> None:
        self._hold_open = hold_open
        self._filters: dict[str, list[str]] = {}
        self._retained: dict[str, None] = {}
        self._awaited: dict[str, dict[str, deque[Release]]] = {}  # client → topic → holds

    def request(self, what: str) -> Release:
        """Something that the broker will answer."""
        return self._hold_open(what)

    def joins(self, client: str, filters: Iterable[str]) -> None:
        """A client is about to subscribe: from now on it is sent what matches, first what is retained."""
        added = list(filters)
        self._filters.setdefault(client, []).extend(added)
        for topic in self._retained:
            if any(matches(filter_, topic) for filter_ in added):
                self._await(client, topic)

    def leaves(self, client: str) -> None:
        """A client's connection is gone: nothing will reach it any more."""
        self._filters.pop(client, None)
        for holds in self._awaited.pop(client, {}).values():
            for release in holds:
                release()

    def published(self, topic: str, *, retain: bool, empty: bool) -> None:
        """A message is given to the broker, or a will falls due."""
        if retain and empty:
            self._retained.pop(topic, None)
        elif retain:
            self._retained[topic] = None
        for client, filters in self._filters.items():
            if any(matches(filter_, topic) for filter_ in filters):
                self._await(client, topic)

    def delivered(self, client: str, topic: str) -> None:
        """A client has received a message."""
        holds = self._awaited.get(client, {}).get(topic)
        if holds:
            holds.popleft()()

    def _await(self, client: str, topic: str) -> None:
        holds = self._awaited.setdefault(client, {}).setdefault(topic, deque())
        holds.append(self._hold_open(f"message {topic} for {client} at the broker"))


def matches(filter_: str, topic: str) -> bool:
    """Whether a topic filter takes a topic (MQTT 3.1.1, section 4.7)."""
    wanted, levels = filter_.split("/"), topic.split("/")
    if levels[0].startswith("$") and wanted[0] in ("+", "#"):
        return False
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(levels) or level not in ("+", levels[index]):
            return False
    return len(wanted) == len(levels)
