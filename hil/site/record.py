"""The streams of a record, as the scenario describes them."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from hil.errors import ScenarioError
from hil.kernel.engine import LOOP_CHANNELS, MARKS
from hil.record.streams import Around, Stream
from hil.scenario.model import Scenario
from hil.scenario.record import AlsoRecord, Record, stream_at

_LOOP = "loop."


def streams(scenario: Scenario, channels: Sequence[str]) -> list[Stream]:
    """The streams, the main one first; channels: of a row. Raises ScenarioError for a pattern without a match."""
    return [
        Stream(
            name,
            _matching(scenario, ".".join(stream_at(name, "channels")), stream.channels, [*channels, *LOOP_CHANNELS]),
            every=1 if stream.rate_hz is None else round(1.0 / float(stream.rate_hz * scenario.tick_s)),
            decimation=stream.decimation or "sample",
            compression=stream.compression,
            around=_around(scenario, stream),
        )
        for name, stream in scenario.record.streams.items()
    ]


def _matching(scenario: Scenario, key: str, patterns: list[str], there: list[str]) -> tuple[str, ...]:
    for pattern in patterns:
        if not any(_matches(name, pattern) for name in there):
            known = ", ".join(there)
            raise ScenarioError(scenario.source, key, f" = {pattern!r}: no such channel; there are: {known}")
    return tuple(name for name in there if any(_matches(name, pattern) for pattern in patterns))


def _matches(name: str, pattern: str) -> bool:
    """What is of the loop, and not of the site, must be named: who records everything does not ask for it."""
    return fnmatch.fnmatchcase(name, pattern) and (pattern.startswith(_LOOP) or not name.startswith(_LOOP))


def _around(scenario: Scenario, stream: Record | AlsoRecord) -> Around | None:
    if isinstance(stream, Record) or not stream.around:
        return None
    marks = sum(MARKS[kind] for kind in set(stream.around) if kind in MARKS)
    scripted = _scripted(scenario) if "event" in stream.around else ()
    before, after = map(scenario.ticks_of, stream.kept_s)
    return Around(marks, scripted, before, after)


def _scripted(scenario: Scenario) -> tuple[int, ...]:
    """Ticks of the first row in which a scripted event acts, and of the first after it."""
    found = set()
    for event in scenario.events:
        begins = scenario.ticks_of(event.at_s)
        found.add(begins + 1)
        duration_s = getattr(event, "duration_s", None)
        if duration_s is not None:
            found.add(begins + max(1, scenario.ticks_of(duration_s)) + 1)
    return tuple(sorted(found))
