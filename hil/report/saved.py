"""A finished run, made again from its folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from hil.errors import RunUnreadable, ScenarioError
from hil.realtime.evidence import Timing
from hil.record.reading import ArrowRecord
from hil.record.streams import Together, file_name
from hil.report.result import Result
from hil.scenario.files import load_finished
from hil.scenario.model import Scenario
from hil.verdict.limits import LimitResult
from hil.verdict.outcome import Outcome


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Summary(_Part):
    """What of `summary.json` a result is made of."""

    scenario: str
    verdict: Outcome
    reasons: list[str]
    limits: list[LimitResult]
    waveform_hash: str
    duration_s: float
    clock: str
    timing: Timing | None
    wall_s: float
    load: dict[str, Any]
    traffic: dict[str, Any]
    signal: int | None


def open_run(folder: str | Path) -> Result:
    """The result of a finished run, from its folder: equal to what the run returned, in every field.

    But laws and supervisors of one's own are those that the folder holds copies of. Files that its scenario names, such as a
    trace of the load, may have gone since. Raises RunUnreadable, which names the folder and the file in it that is missing
    or damaged.
    """
    path = Path(folder)
    if not os.path.isdir(path):  # noqa: PTH112  # these say no, where those of Path raise
        raise RunUnreadable(path, "not a folder" if os.path.isfile(path) else "no such folder")  # noqa: PTH113
    if not os.path.isfile(path / "scenario.toml"):  # noqa: PTH113
        raise RunUnreadable(path, "not the folder of a run: there is no scenario.toml")
    if not os.path.isfile(path / "summary.json"):  # noqa: PTH113
        why = "; failure.txt says why" if os.path.isfile(path / "failure.txt") else ""  # noqa: PTH113
        raise RunUnreadable(path, f"not finished: there is no summary.json{why}")
    summary = _summary(path)
    scenario = _scenario(path).named(summary.scenario, str(path / "scenario.toml"))
    record = Together([_SavedRecord(path, file_name(stream)) for stream in scenario.record.streams])
    return Result(
        scenario=scenario,
        verdict=summary.verdict,
        limits={limit.name: limit for limit in summary.limits},
        reasons=summary.reasons,
        events=_events(path),
        waveform_hash=summary.waveform_hash,
        duration_s=summary.duration_s,
        wall_s=summary.wall_s,
        load=summary.load,
        traffic=summary.traffic,
        signal_number=summary.signal,
        folder=path,
        channels=record.channels,
        record=record,
        clock=summary.clock,
        timing=summary.timing,
    )


def newest(runs: Path, count: int = 1) -> list[Path]:
    """The folders of the runs that were started last, in that order. Raises RunUnreadable where there are fewer."""
    found = []
    for folder in runs.iterdir() if runs.is_dir() else ():
        try:
            found.append(((folder / "provenance.json").stat().st_mtime_ns, folder.name, folder))  # written as a run starts
        except OSError:
            continue
    if len(found) < count:
        there = "only one run" if found else "no run"
        raise RunUnreadable(runs, f"there is {there} in it; name {'a folder' if count == 1 else 'two folders'}")
    return [folder for _, _, folder in sorted(found)[-count:]]


def provenance(folder: Path) -> dict[str, Any]:
    """Versions, host, seed and command of a run. Raises RunUnreadable."""
    with _reading(folder, "provenance.json") as path:
        document = json.loads(path.read_bytes())
    if not isinstance(document, dict):
        raise RunUnreadable(folder, "provenance.json: must be an object")
    return document


class _SavedRecord:
    """A stream of the record of a folder, whose damage is told as that of the folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        with _reading(folder, name) as path:
            self._record = ArrowRecord(path)

    @property
    def channels(self) -> list[str]:
        return self._record.channels

    def column(self, channel: str) -> Any:
        with _reading(self._folder, self._name):
            return self._record.column(channel)


@contextmanager
def _reading(folder: Path, name: str) -> Iterator[Path]:
    """Path of a file; what goes wrong with it in one line."""
    try:
        yield folder / name
    except FileNotFoundError:
        raise RunUnreadable(folder, f"incomplete: there is no {name}") from None
    except OSError as error:
        raise RunUnreadable(folder, f"{name}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise RunUnreadable(folder, f"{name}: not UTF-8 text, at byte {error.start}") from None
    except (ValueError, RecursionError) as error:  # of json; so it is too where Python refuses to read an integer
        raise RunUnreadable(folder, f"{name}: not JSON: {error}") from None


def _scenario(folder: Path) -> Scenario:
    try:
        return load_finished(folder / "scenario.toml")
    except ScenarioError as error:
        raise RunUnreadable(folder, f"scenario.toml: {error.key}{error.problem}") from None


def _summary(folder: Path) -> _Summary:
    with _reading(folder, "summary.json") as path:
        text = path.read_bytes()
        json.loads(text)  # its words for what is no JSON name line and column
    try:
        return _Summary.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(map(str, problem["loc"])) or "it"
        raise RunUnreadable(folder, f"summary.json: {key}: {problem['msg']}") from None


def _events(folder: Path) -> list[dict[str, Any]]:
    events = []
    with _reading(folder, "events.jsonl") as path:
        lines = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines[:-1] if lines[-1] == "" else lines, start=1):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("time_s"), (int, float)) or "event" not in event:
            raise RunUnreadable(folder, f"events.jsonl: line {number} is no event")
        events.append(event)
    return events
