"""The folder of a run: everything needed to read it, and to make it again."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from hil.doctor.facts import read_facts
from hil.doctor.saved import last
from hil.own.loading import files_of
from hil.record.streams import Stream
from hil.record.writing import ArrowSink
from hil.scenario.absorber import OwnLaw
from hil.scenario.files import file_of
from hil.scenario.model import Scenario
from hil.scenario.supervisor import OwnSupervisor
from hil.whole import whole

if TYPE_CHECKING:
    from hil.report.result import Result

_NAMED_BY = {"absorber": "law", "supervisor": "class"}
_LIBRARIES = ("ridethrough", "numpy", "pyarrow", "pydantic", "pymodbus", "pysunspec2")


def new_folder(parent: Path, name: str) -> Path:
    """A folder that does not exist yet, named for scenario and time."""
    stem = f"{name}-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}"
    for suffix in ["", *(f"-{number}" for number in range(2, 1000))]:
        folder = parent / f"{stem}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{parent / stem}: a thousand runs within a second")


class RunFolder:
    """Writes `scenario.toml`, `provenance.json`, the record, `events.jsonl`, then `picture.png` and `summary.json`.

    A run that failed leaves `failure.txt` in place of the last two. Once a run has begun nothing that the disk does is raised.

    made_with: the run's `provenance`. `hil.report.saved` reads them again. Laws and supervisors of one's own are copied to
    `own/absorber.NAME/` and `own/supervisor.NAME/` with what they imported from beside themselves, and the scenario there
    names the copies.
    """

    def __init__(self, path: Path, scenario: Scenario, made_with: dict[str, Any]) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.events = path / "events.jsonl"
        self._provenance = made_with
        document = scenario.document()
        copies: dict[Path, bytes] = {}
        for name, files in own_files(scenario).items():
            copies |= {path / "own" / name / file.relative_to(files[0].parent): file.read_bytes() for file in files}
            section, _, entry = name.partition(".")
            table, key = document[section][entry], _NAMED_BY[section]
            table[key] = f"own/{name}/{files[0].name}:{table[key].rpartition(':')[2]}"
        self._clear()
        for copy, content in copies.items():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
        (path / "scenario.toml").write_text(tomli_w.dumps(document), encoding="utf-8")
        (path / "provenance.json").write_text(json.dumps(self._provenance, indent=2) + "\n", encoding="utf-8")

    def _clear(self) -> None:
        """Take away what an earlier run left in the folder: it must not pass for what this one leaves."""
        records = [*self.path.glob("record*.arrow"), *self.path.glob("record*.parquet")]
        for old in (*records, *(self.path / name for name in ("summary.json", "clocks.csv", "picture.png", "failure.txt"))):
            old.unlink(missing_ok=True)
        shutil.rmtree(self.path / "own", ignore_errors=True)

    def record(self, stream: Stream, period_ns: int) -> ArrowSink:
        """The sink of a stream of the record."""
        return ArrowSink(self.path, stream, period_ns, {"provenance": json.dumps(self._provenance)})

    def failed(self, error: BaseException) -> None:
        """Write `failure.txt`: what ended a run that has no summary."""
        with suppress(OSError):
            (self.path / "failure.txt").write_text("".join(traceback.format_exception(error)), encoding="utf-8")

    def finish(self, result: Result, *, picture: bool = True) -> Result:
        """Write the picture where matplotlib is installed, and the summary; the result, with what could not be written."""
        try:
            if picture:
                self._draw(result)
        except OSError as error:
            result = result.lacking(f"picture.png: {error.strerror or error}")
        try:
            self._summarize(result)
        except OSError as error:
            result = result.lacking(f"summary.json: {error.strerror or error}")
        return result

    def _draw(self, result: Result) -> None:
        try:
            from hil.report.picture import draw
        except ImportError:
            return
        path = self.path / "picture.png"
        try:
            draw(result, path)
        except OSError:
            with suppress(OSError):
                path.unlink(missing_ok=True)  # what there is of it
            raise

    def _summarize(self, result: Result) -> None:
        """The summary is there whole or not at all: it says that a run has finished."""
        with whole(self.path / "summary.json") as part:
            part.write_text(json.dumps(result.summary(), indent=2) + "\n", encoding="utf-8")


def provenance(scenario: Scenario, overrides: tuple[str, ...]) -> dict[str, Any]:
    """Versions, host, seed and command of a run, what it was made from, and what `hil doctor` last found here.

    scenario_file: as it was given, with the SHA-256 of what stands in it now; None of a scenario made in Python.
    scenario_sha256: of the resolved scenario, every key of it: equal hash, equal settings.
    """
    facts = read_facts()
    file = file_of(scenario)
    resolved = json.dumps(scenario.document(), sort_keys=True).encode()
    host = {"system": platform.platform(), "machine": platform.machine(), "node": platform.node(), **facts.evidence()}
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "scenario": scenario.name,
        "scenario_file": None if file is None else {"path": scenario.source, "sha256": _sha256(file)},
        "scenario_sha256": hashlib.sha256(resolved).hexdigest(),
        "seed": scenario.seed,
        "overrides": list(overrides),
        "command": list(sys.argv),
        "own": {
            name: {str(file.relative_to(files[0].parent)): _sha256(file) for file in files}
            for name, files in own_files(scenario).items()
        },
        "versions": dict(_versions()),
        "python": platform.python_version(),
        "host": host,
        "doctor": last(facts),
        "commit": _commit(),
    }


def own_files(scenario: Scenario) -> dict[str, tuple[Path, ...]]:
    """Files of the loaded laws and supervisors of one's own, by section, the named one first; modules have none."""
    named = {f"absorber.{name}": one.law for name, one in scenario.absorber.items() if isinstance(one, OwnLaw)}
    named |= {f"supervisor.{name}": one.path for name, one in scenario.supervisor.items() if isinstance(one, OwnSupervisor)}
    return {name: files for name, what in named.items() if (files := files_of(what))}


def _sha256(file: Path) -> str | None:
    """Of what a file holds; None where it has gone since."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    return tuple((name, version(name)) for name in _LIBRARIES)


@cache
def _commit() -> str | None:
    """The commit of a checkout, with a plus where files differ from it; None elsewhere. Asked once: code is loaded once."""
    here = Path(__file__).parent
    try:
        run = subprocess.run(  # noqa: S603
            ["git", "-C", str(here), "describe", "--always", "--dirty=+", "--abbrev=12"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout.strip() or None if run.returncode == 0 else None
