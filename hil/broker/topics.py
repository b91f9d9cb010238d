"""Topic names and filters (MQTT 3.1.1, section 4.7): what is valid, and which matches which.

Both tables are trees by topic level, walked without recursion. What they answer comes in an order that depends only on the
order of what was put in.
"""

from __future__ import annotations

from typing import Generic, TypeVar

MOST_LEVELS = 200  # as mosquitto; the standard sets no limit but the length
_MOST_REMEMBERED = 8192

_T = TypeVar("_T")


def is_name(topic: str) -> bool:
    """Whether a message may be published to it."""
    return topic != "" and "+" not in topic and "#" not in topic and topic.count("/") < MOST_LEVELS


def is_filter(topic_filter: str) -> bool:
    """Whether a subscription may ask for it."""
    if topic_filter == "" or topic_filter.count("/") >= MOST_LEVELS:
        return False
    levels = topic_filter.split("/")
    return all(level == "+" or ("+" not in level and "#" not in level) for level in levels[:-1]) and (
        levels[-1] in ("+", "#") or ("+" not in levels[-1] and "#" not in levels[-1])
    )


class _Node(Generic[_T]):
    """One topic level: what ends here, and the levels below."""

    __slots__ = ("below", "here")

    def __init__(self) -> None:
        self.below: dict[str, _Node[_T]] = {}
        self.here: dict[_T, int] = {}


class Subscriptions(Generic[_T]):
    """Who subscribed to which filter, with which quality of service."""

    def __init__(self) -> None:
        self._root: _Node[_T] = _Node()
        self._matches: dict[str, list[tuple[_T, int]]] = {}

    def add(self, topic_filter: str, subscriber: _T, qos: int) -> None:
        """Subscribe, or change the quality of service of a subscription."""
        node = self._root
        for level in topic_filter.split("/"):
            node = node.below.setdefault(level, _Node())
        node.here[subscriber] = qos
        self._matches.clear()

    def remove(self, topic_filter: str, subscriber: _T) -> None:
        """End a subscription. Raises KeyError where there is none."""
        path = [self._root]
        levels = topic_filter.split("/")
        for level in levels:
            path.append(path[-1].below[level])
        del path[-1].here[subscriber]
        for above, level in zip(reversed(path[:-1]), reversed(levels), strict=True):
            if above.below[level].here or above.below[level].below:
                break
            del above.below[level]
        self._matches.clear()

    def match(self, topic: str) -> list[tuple[_T, int]]:
        """Every subscriber to a topic name once, with the highest quality of service of its filters."""
        found = self._matches.get(topic)
        if found is None:
            if len(self._matches) >= _MOST_REMEMBERED:
                self._matches.clear()
            found = self._matches[topic] = list(self._walk(topic).items())
        return found

    def _walk(self, topic: str) -> dict[_T, int]:
        found: dict[_T, int] = {}
        nodes = [self._root]
        wild = not topic.startswith("$")  # a wildcard in front does not match what a server keeps for itself
        for level in topic.split("/"):
            after = []
            for node in nodes:
                if wild and "#" in node.below:
                    _merge(found, node.below["#"])
                if level in node.below:
                    after.append(node.below[level])
                if wild and "+" in node.below:
                    after.append(node.below["+"])
            nodes = after
            wild = True
        for node in nodes:
            _merge(found, node)
            if "#" in node.below:  # "a/#" matches "a"
                _merge(found, node.below["#"])
        return found


def _merge(found: dict[_T, int], node: _Node[_T]) -> None:
    for subscriber, qos in node.here.items():
        found[subscriber] = max(qos, found.get(subscriber, 0))


class _Leaf(Generic[_T]):
    """One topic level of what is kept."""

    __slots__ = ("below", "kept")

    def __init__(self) -> None:
        self.below: dict[str, _Leaf[_T]] = {}
        self.kept: _T | None = None


class Retained(Generic[_T]):
    """One value for each topic name."""

    def __init__(self) -> None:
        self._root: _Leaf[_T] = _Leaf()

    def put(self, topic: str, value: _T) -> None:
        """Keep a value, in place of the one before."""
        leaf = self._root
        for level in topic.split("/"):
            leaf = leaf.below.setdefault(level, _Leaf())
        leaf.kept = value

    def remove(self, topic: str) -> None:
        """Keep nothing there."""
        path = [self._root]
        levels = topic.split("/")
        for level in levels:
            leaf = path[-1].below.get(level)
            if leaf is None:
                return
            path.append(leaf)
        path[-1].kept = None
        for above, level in zip(reversed(path[:-1]), reversed(levels), strict=True):
            if above.below[level].kept is not None or above.below[level].below:
                break
            del above.below[level]

    def match(self, topic_filter: str) -> list[_T]:
        """Values of the topics that a filter matches."""
        leaves = [self._root]
        for depth, level in enumerate(topic_filter.split("/")):
            if level == "#":
                leaves = _with_all_below(leaves, spare_reserved=depth == 0)
            elif level == "+":
                leaves = [below for leaf in leaves for below in _below(leaf, spare_reserved=depth == 0)]
            else:
                leaves = [leaf.below[level] for leaf in leaves if level in leaf.below]
        return [leaf.kept for leaf in leaves if leaf.kept is not None]


def _below(leaf: _Leaf[_T], *, spare_reserved: bool) -> list[_Leaf[_T]]:
    return [below for level, below in leaf.below.items() if not (spare_reserved and level.startswith("$"))]


def _with_all_below(leaves: list[_Leaf[_T]], *, spare_reserved: bool) -> list[_Leaf[_T]]:
    found = []
    waiting = leaves[::-1]
    while waiting:
        leaf = waiting.pop()
        found.append(leaf)
        waiting.extend(reversed(_below(leaf, spare_reserved=spare_reserved)))
        spare_reserved = False
    return found
