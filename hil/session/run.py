"""One run of a scenario, from its engine to its result."""

from __future__ import annotations

import asyncio
import math
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hil.clock.lockstep import LockstepLoop
from hil.clock.wall import WallLoop
from hil.errors import ScenarioError
from hil.fleet.fleet import Fleet
from hil.fleet.leads import Own
from hil.limits.entries import entry_details
from hil.realtime.evidence import Timing
from hil.record.clocks import ClockPairs
from hil.record.events import EventLog
from hil.record.memory import MemorySink
from hil.record.recorder import Recorder
from hil.record.rows import RowSink
from hil.record.streams import Stream
from hil.report.expectations import with_what_was_expected
from hil.report.missing import with_what_was_missing
from hil.report.result import Result
from hil.scenario.event import PlantEvent
from hil.scenario.model import Scenario
from hil.session.folder import RunFolder, provenance
from hil.session.law_errors import LawErrors
from hil.session.paced import PacedPlant, wanted_of
from hil.session.plant import SitePlant
from hil.session.prepare import Prepared, prepare
from hil.session.signals import StopSignals
from hil.site.record import streams
from hil.verdict.evidence import load_too_slow
from hil.verdict.judge import judge
from hil.verdict.liveness import Liveness
from hil.verdict.punctuality import late_reasons

_SHORTEST_PACED_S = 1e-4  # of a wake-up; faster than real time shorter ticks share one


@dataclass(frozen=True)
class Options:
    """How a run is made; in lock-step nothing here changes its waveforms but `accounting = False`.

    clock: "lockstep" or "wall"; speed: of the wall clock, scenario time over wall-clock time. folder: where the run's files
    go; None keeps the record in memory only. progress: hears of ticks done. tap: float64 array, shape (n, channels), that
    takes every row. controllers: False leaves the slow side out. patience_s: wall-clock time that something in flight may
    stay silent, or that the wall clock waits for the devices to be set up.

    Raises ValueError for a clock that there is not, and a speed that it cannot have.
    """

    folder: Path | None = None
    progress: Callable[[int], None] | None = None
    supervisors: Own | None = None
    controllers: bool = True
    accounting: bool = True
    tap: Any = None
    patience_s: float = 5.0
    overrides: Iterable[str] = ()
    clock: Literal["lockstep", "wall"] = "lockstep"
    speed: float = 1.0
    picture: bool = True

    def __post_init__(self) -> None:
        if self.clock not in ("lockstep", "wall"):
            raise ValueError(f"clock {self.clock!r}: must be 'lockstep' or 'wall'")
        if not 0.0 < self.speed < math.inf:
            raise ValueError(f"speed {self.speed:g}: must be a positive number")
        if self.clock == "lockstep" and self.speed != 1.0:
            raise ValueError(f"speed {self.speed:g}: only the wall clock has one; lock-step runs as fast as it can")


def run_scenario(scenario: Scenario, options: Options) -> Result:
    """Run a scenario on the clock of the options.

    Raises ScenarioError for what only shows when it is built; whatever a supervisor of one's own raises, after its devices
    have been left safe.
    """
    prepared = prepare(scenario, options.supervisors, controllers=options.controllers)
    scenario, source, engine = prepared.scenario, prepared.source, prepared.engine
    if options.clock == "wall" and options.speed <= 1.0 and scenario.tick_s / options.speed < _SHORTEST_PACED_S:
        problem = f" = {1e6 * scenario.tick_s:g} us: on the wall clock, must be at least 100 us at real time"
        raise ScenarioError(scenario.source, "tick", problem)
    if options.tap is not None:
        engine.attach_tap(options.tap)
    with ExitStack() as stack:
        made_with = provenance(scenario, tuple(options.overrides))
        folder = None if options.folder is None else RunFolder(options.folder, scenario, made_with)
        log = EventLog(None if folder is None else folder.events)
        stack.callback(log.close)

        def sink(stream: Stream) -> RowSink:
            if folder is None:
                return MemorySink(stream.columns, engine.period_ns)
            return folder.record(stream, engine.period_ns)

        recorder = stack.enter_context(Recorder(engine, streams(scenario, engine.channels), sink, log))
        names = (entry_details(scenario), [f"bess.{name}" for name in scenario.bess])
        plant = SitePlant(engine, source.feed, recorder, log, names, options.progress)
        _script(scenario, log)
        for limit in scenario.limits:
            for reason in load_too_slow(limit, source.sampled_s):
                log.add(0.0, "load_too_slow", {"limit": limit.name, "reason": reason})
        began = time.perf_counter()
        law_errors = stack.enter_context(LawErrors())
        try:
            outcome = _drive(prepared, plant, log, options)
        except Exception as error:
            log.add(plant.time_s, "run_failed", {"problem": f"{type(error).__name__}: {error}"})
            if folder is not None and not isinstance(error, ScenarioError):
                folder.failed(error)
            raise
        wall_s = time.perf_counter() - began
        recorder.close()
        log.close()
        judged_s = min(engine.tick, engine.end_tick) * engine.period_ns / 1e9
        for silence in outcome.liveness.values():
            silence.until(judged_s)
        late = [] if outcome.timing is None else late_reasons(outcome.timing, scenario.clock)
        ended = [outcome.interrupted] if outcome.interrupted else []
        missing = [*ended, *late, *law_errors.reasons(), *recorder.reasons(), *log.reasons()]
        verdict = judge(scenario, engine, outcome.liveness, missing, source.sampled_s)
        result = Result(
            scenario=scenario,
            verdict=verdict.outcome,
            limits=verdict.limits,
            reasons=verdict.reasons,
            events=log.events,
            waveform_hash=engine.waveform_hash,
            duration_s=judged_s,
            wall_s=wall_s,
            load={"energy_j": engine.load_energy_j, "largest_w": engine.largest_demand_w, **source.summary(judged_s)},
            traffic=outcome.traffic,
            signal_number=outcome.signal_number,
            folder=options.folder,
            channels=recorder.channels,
            record=recorder,
            clock=options.clock,
            timing=outcome.timing,
            provenance=made_with,
        )
        result = with_what_was_expected(with_what_was_missing(result))
    return result if folder is None or recorder.abandoned else folder.finish(result, picture=options.picture)


@dataclass
class _Outcome:
    """What the drive of a run leaves for the verdict."""

    liveness: Mapping[str, Liveness]
    traffic: dict[str, Any] = field(default_factory=dict)
    interrupted: str | None = None
    signal_number: int | None = None
    timing: Timing | None = None


def _drive(prepared: Prepared, plant: SitePlant, log: EventLog, options: Options) -> _Outcome:
    if options.clock == "wall":
        return _drive_paced(prepared, plant, log, options)
    scripted = any(event.kind == "ups_command" for event in prepared.scenario.events)  # of groups of UPSs too
    if prepared.leads is None or not (prepared.scenario.served or prepared.scenario.meter or scripted):
        return _drive_alone(prepared.scenario, plant)
    with asyncio.Runner(loop_factory=lambda: _loop(plant, options)) as runner:
        return _told(runner.run(_drive_with_devices(prepared, plant, log)), plant)


def _loop(plant: SitePlant, options: Options) -> LockstepLoop:
    return LockstepLoop(plant, accounting=options.accounting, patience_s=options.patience_s)


def _drive_paced(prepared: Prepared, plant: SitePlant, log: EventLog, options: Options) -> _Outcome:
    """The thread of the kernel goes on until everything else has come to an end, and no longer."""
    clock = prepared.scenario.clock
    plant.engine.command_valid_ticks = prepared.scenario.ticks_of(clock.command_validity_s)
    clocks = None if options.folder is None else ClockPairs(options.folder / "clocks.csv")
    with (
        PacedPlant(plant, wanted_of(clock), options.speed, log, clocks) as paced,
        asyncio.Runner(loop_factory=lambda: WallLoop(paced, patience_s=options.patience_s)) as runner,
    ):
        outcome = runner.run(_drive_with_devices(prepared, plant, log, paced))
    outcome.timing = paced.timing
    return _told(outcome, plant)


def _told(outcome: _Outcome, plant: SitePlant) -> _Outcome:
    """Say where a signal ended the run, once it is known."""
    if outcome.signal_number is not None:
        ended_s = plant.engine.end_tick * plant.period_ns / 1e9
        outcome.interrupted = f"ended by signal {outcome.signal_number} at {ended_s:.3f} s"
    return outcome


def _drive_alone(scenario: Scenario, plant: SitePlant) -> _Outcome:
    """Without a slow side there is nothing to make safe: an interrupt just ends the run."""
    try:
        plant.advance(scenario.ticks)
    except KeyboardInterrupt:
        plant.engine.close()
        return _Outcome({}, interrupted=f"interrupted at {plant.time_s:.3f} s", signal_number=signal.SIGINT)
    return _Outcome({})


async def _drive_with_devices(
    prepared: Prepared, plant: SitePlant, log: EventLog, paced: PacedPlant | None = None
) -> _Outcome:
    """paced: whose time begins once the devices are connected and the supervisors run."""
    scenario, leads = prepared.scenario, prepared.leads
    outcome = _Outcome({})
    aborted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if paced is not None:
        paced.on_abort = lambda: aborted.set_result(None)  # which may be while the devices are still set up

    def event(name: str, details: dict[str, object]) -> None:
        log.add(plant.time_s, name, details)

    async def to_the_end(failed: Iterable[asyncio.Future[None]] = ()) -> None:
        ends = {aborted, *failed}
        if paced is not None:
            paced.start()
        end = asyncio.ensure_future(asyncio.sleep(scenario.ticks * plant.period_ns / 1e9 - plant.time_s))
        try:
            await asyncio.wait({end, *ends}, return_when=asyncio.FIRST_COMPLETED)
            for failure in ends:
                if failure.done():
                    failure.result()
        finally:
            end.cancel()
            plant.engine.close()  # what follows makes devices safe and is not judged

    async def whole_run() -> None:
        if leads is None:
            await to_the_end()
            return
        fleet = Fleet(scenario, plant.engine, event, leads)
        outcome.liveness = fleet.liveness
        try:
            async with fleet:
                await to_the_end([fleet.failed])
        finally:
            outcome.traffic = fleet.traffic()

    task = asyncio.ensure_future(whole_run())

    def cancel() -> None:
        plant.engine.close()
        task.cancel()

    with StopSignals(cancel) as signals:
        try:
            await task
        except asyncio.CancelledError:
            if signals.caught is None:
                raise
    outcome.signal_number = signals.caught
    return outcome


def _script(scenario: Scenario, log: EventLog) -> None:
    """Scripted events of the plant stand in the log from the start, at their times."""
    for event in scenario.events:
        if isinstance(event, PlantEvent):
            details = event.model_dump(mode="json", by_alias=True, exclude={"at_s", "kind"}, exclude_none=True)
            log.add(event.at_s, event.kind, {"scripted": True, **details})
