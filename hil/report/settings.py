"""The settings of a run as a flat table, and what differs between two of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hil.report.saved import provenance

if TYPE_CHECKING:
    from hil.report.result import Result

Value = str | float | bool | list[Any] | None


@dataclass(frozen=True)
class Changed:
    """A key and its values as a scenario file writes them; None where a run does not have it."""

    key: str
    before: Value
    after: Value


def changed_settings(before: Result, after: Result) -> list[Changed]:
    """Keys of the resolved scenarios in which two runs differ, and their clocks.

    Entries of lists go by their names; events, which have none, by their kind, those of a kind by their order.
    """
    return _changed(_settings(before), _settings(after))


def changed_provenance(before: Result, after: Result) -> list[Changed]:
    """Versions, commit, machine, files of laws and supervisors where they differ; nothing for runs without a folder."""
    if before.folder is None or after.folder is None:
        return []
    return _changed(*(dict(_told(provenance(run.folder))) for run in (before, after) if run.folder is not None))


def _told(document: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    kept = {key: document.get(key) for key in ("commit", "python", "versions", "own")}
    host = document.get("host")
    if isinstance(host, dict):
        kept["host"] = {key: host.get(key) for key in ("system", "machine")}
    return _flat("", kept)


def _changed(before: dict[str, Value], after: dict[str, Value]) -> list[Changed]:
    keys = dict.fromkeys([*before, *after])
    return [Changed(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]


def _settings(result: Result) -> dict[str, Value]:
    document = result.scenario.document()
    document["run"] = {"clock": result.clock, "speed": None if result.timing is None else result.timing.speed}
    here = "" if result.folder is None else f"{result.folder.resolve()}/"  # which holds copies of laws and supervisors
    return {key: value.removeprefix(here) if isinstance(value, str) else value for key, value in _flat("", document)}


def _flat(path: str, value: Any) -> Iterator[tuple[str, Value]]:
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        value = dict(zip(_names(value), value, strict=True))
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _flat(f"{path}.{key}" if path else str(key), entry)
    else:
        yield path, value if isinstance(value, (str, float, int, bool, list)) else None


def _names(entries: list[dict[str, Any]]) -> list[str]:
    names = [str(entry.get("name") or entry.get("kind") or "entry") for entry in entries]
    return [name if names.count(name) == 1 else f"{name}.{1 + names[:place].count(name)}" for place, name in enumerate(names)]


def shown(value: Value) -> str:
    """A value in a table."""
    if value is None:
        return "—"
    return value if isinstance(value, str) else json.dumps(value)
