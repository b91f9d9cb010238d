"""The same load under several remedies: a run for each variant of a scenario, and what it cost and saved (docs/compare.md)."""

from __future__ import annotations

import hashlib
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from threading import current_thread, main_thread
from typing import Any

import numpy as np

from hil.errors import HilError, ScenarioError
from hil.loads.source import LoadSource
from hil.report.comparison import Comparison, Row, overhead
from hil.report.saved import SavedStream, stream_file
from hil.report.variant import LoadFacts, Measured, limits_of, measured, measured_channels
from hil.scenario.files import Written, from_document
from hil.scenario.model import Scenario
from hil.scenario.overlay import Variant, lay, name_of, title_of
from hil.session.prepare import prepare
from hil.session.run import Options, run_scenario
from hil.session.workers import in_order
from hil.verdict.outcome import Outcome
from hil.verdict.result import LimitResult

LOAD_REMEDIES = ("smoothing", "filler", "rack", "capping")
"""Sub-tables of `[load]` that change what the same job draws: without them the load is what it was."""

_ROWS_HZ = 100
_BLOCK_TICKS = 65_536
_STREAM = "compared"  # the stream of a run's record that is measured


@dataclass(frozen=True)
class Job:
    """A variant to run. document: of its scenario, as a file would hold it; stream: of its record, which is measured.

    folder: of its run; kept: whether that stays.
    """

    name: str
    scenario: str
    source: str
    document: dict[str, Any]
    stream: str
    folder: Path
    kept: bool


@dataclass(frozen=True)
class Ran:
    """What a run has left for its row; all of it can be sent to another process."""

    verdict: Outcome
    reasons: list[str]
    limits: dict[str, LimitResult]
    held: int
    required: int
    worst: tuple[str, float] | None
    load: LoadFacts
    drawn_j: float
    measured: Measured
    waveform_hash: str


@dataclass(frozen=True)
class CompareOptions:
    """How variants are run. jobs: how many at a time, each in a process of its own where there are several.

    folder: where each run's folder is kept, by the variant's name; None: nowhere. told: hears of a variant that is done, with
    how many are, of how many.
    """

    jobs: int = 1
    folder: Path | None = None
    told: Callable[[str, int, int], None] = field(default=lambda _name, _done, _all: None)


def compare_variants(base: Written, variants: Sequence[Variant], options: CompareOptions) -> Comparison:
    """Run every variant and measure it. The first, of no overlay, is what the others are compared with.

    Raises ScenarioError for what cannot be run, before anything runs; HilError where a run does not come to its end; and
    KeyboardInterrupt, once the runs under way have ended and their folders have gone.
    """
    scenarios = [_scenario(base, variant) for variant in variants]
    kept = options.folder is not None
    parent = Path(mkdtemp(prefix="hil-compare-")) if options.folder is None else options.folder
    ran: list[Ran] = []
    try:
        jobs = [_job(scenario, parent / name_of(variant), kept) for scenario, variant in zip(scenarios, variants, strict=True)]
        with _folders(jobs, parent) as finished, closing(in_order(_ran, jobs, options.jobs)) as results:
            for job, one in zip(jobs, results, strict=True):
                ran.append(one)
                finished.add(job.folder)
                options.told(job.name, len(ran), len(jobs))
    finally:
        if not kept:
            shutil.rmtree(parent, ignore_errors=True)
    rows = [_row(variant, job, one, ran[0]) for variant, job, one in zip(variants, jobs, ran, strict=True)]
    first = scenarios[0]
    return Comparison(base.name, first.title, float(first.duration_s), first.seed, rows)


def _scenario(base: Written, variant: Variant) -> Scenario:
    """A variant, checked and built as for a run. Raises ScenarioError, of the overlay that brought the key where one did."""
    laid = lay(base, variant)
    scenario = laid.scenario()
    try:
        prepare(scenario)
    except ScenarioError as error:
        raise laid.told(error) from None
    return scenario


def _job(scenario: Scenario, folder: Path, kept: bool) -> Job:
    """What runs a scenario with one more stream in its record: means and extremes of what is measured."""
    ticks_hz = round(1.0 / float(scenario.tick_s))
    rate_hz = next(rate for rate in range(min(_ROWS_HZ, ticks_hz), 0, -1) if ticks_hz % rate == 0)
    stream = _STREAM
    while stream in scenario.record.also:
        stream += "_"
    document = scenario.document()
    document["record"].setdefault("also", {})[stream] = {
        "channels": measured_channels(scenario),
        "rate": f"{rate_hz} Hz",
        "decimation": "min_max_mean",
    }
    return Job(folder.name, scenario.name, scenario.source, document, stream, folder, kept)


@contextmanager
def _folders(jobs: Sequence[Job], parent: Path) -> Iterator[set[Path]]:
    """Make the folders of runs; in the end take away those not among the finished, and what was made for them alone.

    Raises ScenarioError where one cannot be made, or is there already.
    """
    made: list[Path] = []
    finished: set[Path] = set()
    try:
        for folder in [*reversed(_missing(parent)), *(job.folder for job in jobs)]:
            try:
                folder.mkdir()
            except OSError as error:
                there = isinstance(error, FileExistsError)
                problem = "is there already" if there else f"cannot be made ({error.strerror or error})"
                raise ScenarioError(f"--out {parent}", "", f"{folder}: {problem}") from None
            made.append(folder)
        yield finished
    finally:
        of_runs = {job.folder for job in jobs} - finished
        for folder in reversed(made):
            if folder in of_runs:
                shutil.rmtree(folder, ignore_errors=True)
            elif folder not in finished:
                with suppress(OSError):
                    folder.rmdir()  # which it only does where it is empty


def _missing(folder: Path) -> list[Path]:
    """A folder and those above it, as far as they are not there, the innermost first."""
    return [] if folder.exists() else [folder, *_missing(folder.parent)]


def _ran(job: Job) -> Ran:
    """Run a variant. Raises KeyboardInterrupt where a signal ended it."""
    scenario = from_document(job.document, source=job.source).named(job.scenario, job.source)
    load = load_facts(scenario)
    try:
        with _terminated_as_before():
            result = run_scenario(scenario, Options(folder=job.folder, picture=job.kept))
    except (HilError, OSError):
        raise
    except Exception as error:  # whatever a user's own code raises is told in one line
        raise HilError(f"{job.name}: {type(error).__name__}: {error}") from error
    if result.signal_number is not None:
        raise KeyboardInterrupt(result.signal_number)
    rows = SavedStream(job.folder, stream_file(job.folder, job.stream), whole=True)
    held, required, worst = limits_of(result)
    ran = Ran(
        verdict=result.verdict,
        reasons=result.reasons,
        limits=result.limits,
        held=held,
        required=required,
        worst=worst,
        load=load,
        drawn_j=float(result.load["energy_j"]),
        measured=measured(result, rows),
        waveform_hash=result.waveform_hash,
    )
    if not job.kept:
        shutil.rmtree(job.folder)
    return ran


@contextmanager
def _terminated_as_before() -> Iterator[None]:
    """A run's loop leaves SIGTERM at its default: what it did before it does again after."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def load_facts(scenario: Scenario) -> LoadFacts:
    """What a scenario's load is before its own remedies, over the whole run: made anew, tick by tick."""
    document = scenario.document()
    _without_remedies(document["load"])
    bare = from_document(document, source=scenario.source)
    feed = LoadSource(bare).feed
    digest = hashlib.sha256()
    energy_j, largest_w = 0.0, 0.0
    while feed.tick < scenario.ticks:
        block = feed.block(min(_BLOCK_TICKS, scenario.ticks - feed.tick))
        if not block.size:
            break
        digest.update(block.tobytes())
        energy_j += float(np.sum(block)) * float(scenario.tick_s)
        largest_w = max(largest_w, float(block.max()))
    stated_w = (getattr(bare.load, key, None) for key in ("rated_w", "power_w"))
    rated_w = next((float(power_w) for power_w in stated_w if power_w is not None), largest_w)
    return LoadFacts(digest.hexdigest(), energy_j, largest_w, rated_w)


def _without_remedies(load: dict[str, Any]) -> None:
    for key in LOAD_REMEDIES:
        load.pop(key, None)
    for part in load.get("part", {}).values():
        _without_remedies(part)


def _row(variant: Variant, job: Job, ran: Ran, base: Ran) -> Row:
    same_load = ran.load.digest == base.load.digest
    net_j, base_j = (one.measured.site_j - one.measured.stored_j for one in (ran, base))
    return Row(
        name=job.name,
        title=title_of(variant),
        overlays=tuple(overlay.source for overlay in variant),
        verdict=ran.verdict,
        reasons=ran.reasons,
        limits=ran.limits,
        held=ran.held,
        required=ran.required,
        worst=ran.worst,
        load=ran.load,
        same_load=same_load,
        drawn_j=ran.drawn_j,
        measured=ran.measured,
        overhead=overhead(net_j, base_j, same_load=same_load),
        waveform_hash=ran.waveform_hash,
        folder=job.folder if job.kept else None,
    )
