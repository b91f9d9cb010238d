"""A run, or a checked recording, as JUnit XML: what CI servers read (`junit-10.xsd` of the xUnit plugin of Jenkins).

A test case is red, `failure` or `error`, exactly where it keeps the verdict from PASS: a file without anything red is that of
a run with PASS. A limit that did not hold, or is not decided, and does not keep it from PASS, is `skipped`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from xml.etree import ElementTree as ET

from hil.errors import RunUnreadable
from hil.report.limit_table import at, bound, limit_table, margin
from hil.report.saved import provenance
from hil.report.words import said, told, worst
from hil.verdict.outcome import Outcome
from hil.whole import whole

if TYPE_CHECKING:
    from hil.report.result import Result
    from hil.verdict.expectations import ExpectationResult
    from hil.verdict.result import LimitResult

# What XML 1.0 (2.2, Char) cannot hold; a carriage return would not come through a parser as one.
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_VERDICT = "verdict"
_RUN = "run"


@dataclass(frozen=True)
class _Case:
    """A test case. colour: `failure`, `error` or `skipped`; None where it passed. text: said at length."""

    name: str
    text: str
    colour: str | None = None
    kind: str = ""
    message: str = ""
    time_s: float = 0.0


class Ended(Protocol):
    """What has a verdict: a run, or a recording that was checked."""

    @property
    def verdict(self) -> Outcome:
        """The answer."""

    @property
    def limits(self) -> Mapping[str, LimitResult]:
        """How each limit ended, by its name."""

    @property
    def reasons(self) -> list[str]:
        """What keeps it from PASS although no required limit was violated."""


def document(result: Result) -> bytes:
    """The file of a run: a test case for each limit, one for the verdict, and where it all comes from as properties."""
    cases = [
        *(_of_limit(result, limit) for limit in result.limits.values()),
        *map(_of_expectation, result.expectations.values()),
    ]
    cases.append(_of_verdict(result, result.wall_s))
    return _suite(result.scenario.name, cases, _properties(result), result.provenance)


def of_check(name: str, ended: Ended, properties: Iterable[tuple[str, object]], wall_s: float) -> bytes:
    """The file of a recording that was checked, with test cases as of a run. wall_s: how long that took."""
    cases = [*(_of_limit(ended, limit) for limit in ended.limits.values()), _of_verdict(ended, wall_s)]
    return _suite(name, cases, properties, {})


def unfinished(name: str, problem: str, outcome: str, folder: Path | None = None) -> bytes:
    """The file of a run that has no verdict: one test case, an error. outcome: what kind of end it was. folder: of the run."""
    known: dict[str, Any] = {}
    if folder is not None:
        with suppress(RunUnreadable):
            known = provenance(folder)
    return _suite(name, [_Case(_RUN, problem, "error", outcome, problem)], [("folder", folder), *_made_with(known)], known)


def write(document: bytes, path: Path) -> None:
    """Put a file in place of what was there, whole or not at all, and its folder with it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part:
        part.write_bytes(document)


def make_place(path: Path) -> None:
    """Find out, before a run, whether its file could be written, and take away that of an earlier one. Raises OSError."""
    if path.is_dir():
        raise IsADirectoryError(None, "it is a folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    probe = path.with_name(f".{path.name}.probe")
    try:
        probe.write_bytes(b"")
    finally:
        probe.unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _of_limit(result: Ended, limit: LimitResult) -> _Case:
    name = f"{limit.name} ({limit.node})"
    if limit.outcome is Outcome.PASS:
        return _Case(name, told(limit))
    text = "\n".join(limit_table([limit]))
    if limit.outcome is Outcome.FAIL:
        message = (
            f"{name}: worst {worst(limit)}, limit {bound(limit)}, margin {margin(limit)}, first violated at "
            f"{at(limit.first_violation_s)}, {at(limit.time_beyond_s)} beyond in all"
        )
    else:
        message = f"{name}: {', '.join(limit.reasons) or limit.outcome.lower()}"
    if not _keeps_from_pass(result, limit):
        why = "not required: " if not limit.required else ""
        return _Case(name, text, "skipped", limit.outcome, f"{limit.outcome}, {why}{message}")
    return _Case(name, text, "failure" if limit.outcome is Outcome.FAIL else "error", limit.outcome, message)


def _of_expectation(one: ExpectationResult) -> _Case:
    name = f"{one.name} (expected)"
    text = f"expected {one.expected}; shown: {one.shown}"
    if one.outcome is Outcome.PASS:
        return _Case(name, text)
    message = f"{name}: {', '.join(one.reasons) or text}"
    return _Case(name, text, "failure" if one.outcome is Outcome.FAIL else "error", one.outcome, message)


def _keeps_from_pass(result: Ended, limit: LimitResult) -> bool:
    """Whether the verdict cannot be PASS by this limit, which is not."""
    if not limit.required or result.verdict is Outcome.PASS:
        return False
    if limit.outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.NOT_EXERCISED):
        return True
    return any(reason.startswith(f"{limit.name}: ") for reason in result.reasons)


def _of_verdict(result: Ended, wall_s: float) -> _Case:
    words = f"{result.verdict}: {said(result.limits, getattr(result, 'expectations', {}))}"
    text = "\n".join([words, *limit_table(result.limits.values()), *result.reasons])
    if result.verdict is Outcome.PASS:
        return _Case(_VERDICT, text, time_s=wall_s)
    colour = "failure" if result.verdict is Outcome.FAIL else "error"
    message = words if result.verdict is Outcome.FAIL else f"{words}; {'; '.join(result.reasons)}"
    return _Case(_VERDICT, text, colour, result.verdict, message, wall_s)


def _properties(result: Result) -> Iterator[tuple[str, object]]:
    """By name; those of the run first."""
    scenario = result.scenario
    yield "verdict", result.verdict
    yield "seed", scenario.seed
    yield "tick_s", f"{scenario.tick_s:g}"
    yield "duration_s", f"{result.duration_s:g}"
    yield "clock", result.clock
    yield "speed", None if result.timing is None else f"{result.timing.speed:g}"
    yield "transport", scenario.transport
    yield "waveform_hash", result.waveform_hash
    yield "folder", result.folder
    for limit in result.limits.values():
        yield f"missing_j.{limit.name}", None if limit.missing_j is None else f"{limit.missing_j:.6g}"
        yield f"missing_s.{limit.name}", None if limit.missing_s is None else f"{limit.missing_s:.6g}"
    yield from _made_with(result.provenance)


def _made_with(known: dict[str, Any]) -> Iterator[tuple[str, object]]:
    file = known.get("scenario_file") or {}
    yield "scenario_file", file.get("path")
    yield "scenario_file_sha256", file.get("sha256")
    yield "scenario_sha256", known.get("scenario_sha256")
    for number, override in enumerate(known.get("overrides", []), start=1):
        yield f"set.{number}", override
    for name, files in known.get("own", {}).items():
        for file_name, digest in files.items():
            yield f"own.{name}.{file_name}_sha256", digest
    for name, version in known.get("versions", {}).items():
        yield f"version.{name}", version
    yield "version.python", known.get("python")
    yield "commit", known.get("commit")
    host = known.get("host", {})
    for key in ("system", "machine", "cpu_model", "cpus", "virtualisation", "container"):
        yield f"host.{key}", host.get(key)
    yield "started", known.get("started")


def _suite(name: str, cases: list[_Case], properties: Iterable[tuple[str, object]], known: dict[str, Any]) -> bytes:
    counts = {
        "tests": len(cases),
        "failures": sum(case.colour == "failure" for case in cases),
        "errors": sum(case.colour == "error" for case in cases),
    }
    shared = {"name": name, **counts, "time": f"{sum(case.time_s for case in cases):.3f}"}
    root = ET.Element("testsuites", _texts(shared))
    suite = ET.SubElement(root, "testsuite", _texts(shared | {"skipped": sum(case.colour == "skipped" for case in cases)}))
    suite.set("timestamp", _timestamp(known))
    if host := known.get("host", {}).get("node"):
        suite.set("hostname", _text(host))
    listed = ET.SubElement(suite, "properties")
    for key, value in properties:
        if value is not None:
            ET.SubElement(listed, "property", _texts({"name": key, "value": value}))
    for case in cases:
        element = ET.SubElement(
            suite, "testcase", _texts({"classname": name, "name": case.name, "time": f"{case.time_s:.3f}"})
        )
        if case.colour is None:
            ET.SubElement(element, "system-out").text = _text(case.text)
            continue
        ET.SubElement(element, case.colour, _texts({"type": case.kind, "message": case.message})).text = _text(case.text)
    ET.indent(root)
    return b"<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(root, encoding="unicode").encode() + b"\n"


def _timestamp(known: dict[str, Any]) -> str:
    """When it was started, in UTC and without saying so, as the readers of the format want it."""
    started = known.get("started")
    moment = datetime.fromisoformat(started) if isinstance(started, str) else datetime.now(UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {key: _text(value) for key, value in values.items()}


def _text(value: object) -> str:
    """As text that XML 1.0 can hold: what it cannot is escaped as Python writes it."""
    return _NOT_XML.sub(lambda sign: sign[0].encode("unicode_escape").decode("ascii"), str(value))
