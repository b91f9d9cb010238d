"""A run from its folder: the result of a finished one made again, what another has recorded so far."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from hil.errors import RunUnreadable, ScenarioError
from hil.realtime.evidence import Timing
from hil.record.composite import Streams, stream_files
from hil.record.reading import CHUNK_BYTES, ArrowRecord
from hil.record.streams import MAIN, file_name
from hil.report.recording import Recording
from hil.report.result import Result
from hil.scenario.files import load_finished
from hil.scenario.model import Scenario
from hil.verdict.expectations import ExpectationResult
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult

_GROWS_WITHIN_S = 2.0  # its rows are on file within 0.5 s


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Summary(_Part):
    """What of `summary.json` a result is made of."""

    scenario: str
    verdict: Outcome
    reasons: list[str]
    limits: list[LimitResult]
    expectations: list[ExpectationResult]
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
    path = run_folder(folder)
    if not os.path.isfile(path / "summary.json"):  # noqa: PTH113
        raise RunUnreadable(path, _unfinished(path))
    summary = _summary(path)
    scenario = _scenario(path).named(summary.scenario, str(path / "scenario.toml"))
    record = Streams([SavedStream(path, path / file_name(stream), whole=True) for stream in scenario.record.streams])
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
        provenance=_made_with(path),
        expectations={one.name: one for one in summary.expectations},
    )


def open_recording(folder: str | Path) -> Recording:
    """What a run has recorded so far, whether it is under way, was killed, or has finished; it has no verdict.

    The record goes to its last whole batch, and the log of events to its last whole line. Raises RunUnreadable.
    """
    path = run_folder(folder)
    streams = _streams(path)
    record = Streams(streams)
    return Recording(
        scenario=_scenario(path).named(_name(path), str(path / "scenario.toml")),
        events=_events(path, whole=False),
        duration_s=_last_s(streams),
        folder=path,
        channels=record.channels,
        record=record,
    )


def run_folder(folder: str | Path) -> Path:
    """The folder of a run, be it finished or not. Raises RunUnreadable where it is none."""
    path = Path(folder)
    if not os.path.isdir(path):  # noqa: PTH112  # these say no, where those of Path raise
        raise RunUnreadable(path, "not a folder" if os.path.isfile(path) else "no such folder")  # noqa: PTH113
    if not os.path.isfile(path / "scenario.toml"):  # noqa: PTH113
        raise RunUnreadable(path, "not the folder of a run: there is no scenario.toml")
    return path


def has_ended(folder: Path) -> bool:
    """Whether a run has left what it leaves as the last: its summary, or why there is none."""
    return (folder / "summary.json").exists() or (folder / "failure.txt").exists()


def stream_file(folder: Path, stream: str | None) -> Path:
    """The file of a stream of a run's record, None the main one. Raises RunUnreadable naming those there are."""
    files = stream_files(folder)
    if stream is not None and stream not in files:
        raise RunUnreadable(folder, f"no stream {stream!r} in it; there is {', '.join(files)}")
    return files[stream or MAIN]


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
    with reading(folder, "provenance.json") as path:
        document = json.loads(path.read_bytes())
    if not isinstance(document, dict):
        raise RunUnreadable(folder, "provenance.json: must be an object")
    return document


def _made_with(folder: Path) -> dict[str, Any]:
    """The provenance of a result, which is one without it too."""
    try:
        return provenance(folder)
    except RunUnreadable:
        return {}


class SavedStream(ArrowRecord):
    """A stream of a run's record, whose damage is told as that of the folder. Raises RunUnreadable."""

    def __init__(self, folder: Path, file: Path, *, whole: bool = False) -> None:
        self._folder, self._name = folder, file.name
        with reading(folder, file.name):
            super().__init__(file, whole=whole)

    def last_ns(self) -> int | None:
        """Time of its last row; None where it has none."""
        with reading(self._folder, self._name):
            return super().last_ns()

    def chunks(self, channels: Sequence[str], until_ns: int | None = None, size: int = CHUNK_BYTES) -> Iterator[Any]:
        """Time and the named channels."""
        with reading(self._folder, self._name):
            yield from super().chunks(channels, until_ns, size)


def _streams(folder: Path) -> list[SavedStream]:
    """Of a run that may not have finished."""
    return [SavedStream(folder, file) for file in stream_files(folder).values()]


def _last_s(streams: Iterable[SavedStream]) -> float:
    """How far they go."""
    return max((last_ns for stream in streams if (last_ns := stream.last_ns()) is not None), default=0) / 1e9


def _name(folder: Path) -> str:
    """Of the scenario, from the provenance, which is written before anything runs."""
    return str(provenance(folder).get("scenario", ""))


def _unfinished(folder: Path) -> str:
    """Why a run has no result, how far its record goes, when it grew last, and what reads it."""
    why = "; failure.txt says why" if os.path.isfile(folder / "failure.txt") else ""  # noqa: PTH113
    words = f"not finished: there is no summary.json{why}"
    try:
        last_s = _last_s(_streams(folder))
        age_s = max(0.0, time.time() - max(file.stat().st_mtime for file in stream_files(folder).values()))
    except (RunUnreadable, OSError):
        return words
    grew = f"grew within the last {_GROWS_WITHIN_S:g} s" if age_s < _GROWS_WITHIN_S else f"has not grown for {_age(age_s)}"
    return f"{words}; its record goes to {last_s:g} s and {grew}; hil plot and hil tail read it"


def _age(age_s: float) -> str:
    for unit, length_s in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if age_s >= 2 * length_s:
            return f"{age_s / length_s:.0f} {unit}"
    return f"{age_s:.0f} s"


@contextmanager
def reading(folder: Path, name: str) -> Iterator[Path]:
    """Path of a file of a run; what goes wrong with it in one line, as RunUnreadable."""
    try:
        yield folder / name
    except (RunUnreadable, BrokenPipeError):  # told already; of standard output
        raise
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
    with reading(folder, "summary.json") as path:
        text = path.read_bytes()
        json.loads(text)  # its words for what is no JSON name line and column
    try:
        return _Summary.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(map(str, problem["loc"])) or "it"
        raise RunUnreadable(folder, f"summary.json: {key}: {problem['msg']}") from None


def _events(folder: Path, *, whole: bool = True) -> list[dict[str, Any]]:
    """whole: the last line is one. Otherwise it may be torn, and the file may not be there yet."""
    events: list[dict[str, Any]] = []
    with reading(folder, "events.jsonl") as path:
        if not whole and not path.exists():
            return events
        data = path.read_bytes()
        lines = (data if whole else data[: data.rfind(b"\n") + 1]).decode("utf-8").split("\n")
    for number, line in enumerate(lines[:-1] if lines[-1] == "" else lines, start=1):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("time_s"), (int, float)) or "event" not in event:
            raise RunUnreadable(folder, f"events.jsonl: line {number} is no event")
        events.append(event)
    return events
