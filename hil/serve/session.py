"""Devices served on the wall clock until somebody ends it: the plant, the devices, and nobody of ours who drives them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hil.clock.wall import WallLoop
from hil.errors import EventRefused, ScenarioError
from hil.fleet.devices import Devices
from hil.fleet.script import Script
from hil.fleet.supervision import Failure
from hil.limits.entries import entry_details
from hil.loads.repeated import RepeatedLoad
from hil.record.events import EventLog
from hil.record.recorder import Recorder
from hil.scenario.event import GenerationLoss
from hil.scenario.files import from_document
from hil.scenario.model import Scenario
from hil.serve.commands import event_of, kind_of
from hil.serve.endpoints import Endpoint, endpoints_of
from hil.serve.status import Overview, Row
from hil.session.paced import PacedPlant, wanted_of
from hil.session.plant import SitePlant
from hil.session.signals import StopSignals
from hil.site.build import build_engine
from hil.site.events import stimulate, stimulate_no_more
from hil.wiring.surroundings import Surroundings
from hil.wiring.wires import Wire

_FOR_EVER = 1 << 60
SIGNALS = {2: "SIGINT", 15: "SIGTERM"}


class Served:
    """Devices that are being served, as who watches and disturbs them sees it."""

    def __init__(
        self,
        scenario: Scenario,
        endpoints: list[Endpoint],
        overview: Overview,
        script: Script,
        *,
        calm: Callable[[], None],
        stop: Callable[[str], None],
    ) -> None:
        self.scenario = scenario
        self.endpoints = endpoints
        self._overview = overview
        self._script = script
        self._calm = calm
        self.stop = stop

    def rows(self) -> list[Row]:
        """How each device is."""
        return self._overview.rows()

    def command(self, text: str) -> None:
        """Let an event happen, in the words of `hil.serve.commands`. Raises EventRefused."""
        self._script.by_hand(event_of(text, self.scenario))

    def mend(self, *words: str) -> None:
        """Take a fault back: its kind, and its device where there are several. Raises EventRefused."""
        word, where, *more = (*words, "", "")
        if any(more):
            raise EventRefused(f"mend: {words[2]}: one word too many")
        self._script.mend(kind_of(word) if word else "", where)

    def calm(self) -> None:
        """End all dips and losses of the grid."""
        self._calm()
        self._script.calm()


@dataclass(frozen=True)
class ServeOptions:
    """How devices are served.

    attend: entered once they are, and left before they go. heard: is told each event of the log. for_s: when it ends itself.
    again: False plays load and events of the scenario once, and holds the last power. host: where all listen, in place of the
    scenario's addresses. wire: what their Modbus servers stand on.
    """

    attend: Callable[[Served], AbstractAsyncContextManager[Any]]
    heard: Callable[[dict[str, Any]], None] | None = None
    for_s: float | None = None
    again: bool = True
    host: str | None = None
    wire: Wire = field(default_factory=Wire)


def serve(scenario: Scenario, options: ServeOptions) -> str:
    """Serve the devices of a scenario; returns what ended it. Raises ScenarioError where they cannot be."""
    alone = _alone(scenario, again=options.again)
    load = RepeatedLoad(alone, again=options.again)
    at_rest = alone.model_copy(update={"events": []})  # what happens to the plant is the script's here
    engine = build_engine(at_rest, load.first_w, record=False)
    engine.states["run"]["end_tick"] = _FOR_EVER
    engine.command_valid_ticks = alone.ticks_of(alone.clock.command_validity_s)
    with ExitStack() as stack:
        log = EventLog(heard=options.heard)
        recorder = stack.enter_context(Recorder(engine, [], _no_stream, log))
        names = (entry_details(alone), [f"bess.{name}" for name in alone.bess])
        plant = SitePlant(engine, load, recorder, log, names)
        paced = stack.enter_context(PacedPlant(plant, wanted_of(alone.clock), 1.0, log))
        runner = stack.enter_context(asyncio.Runner(loop_factory=lambda: WallLoop(paced)))
        return runner.run(_serve(alone, plant, log, paced, options))


def _alone(scenario: Scenario, *, again: bool) -> Scenario:
    """The scenario with its devices on their wires. Raises ScenarioError.

    again: what is lost for good is back when the scenario begins anew.
    """
    document = scenario.document() | {"transport": "wire"}
    alone = from_document(document, source=scenario.source).named(scenario.name, scenario.source)
    if not alone.served and not alone.meter:
        raise ScenarioError(alone.source, "bess", ": neither a bess nor a ups nor a meter is there to be served")
    for event in alone.events:
        if again and isinstance(event, GenerationLoss) and event.duration_s is None:
            event.duration_s = alone.duration_s - event.at_s
    return alone


async def _serve(scenario: Scenario, plant: SitePlant, log: EventLog, paced: PacedPlant, options: ServeOptions) -> str:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def end(why: str) -> None:
        if not ended.done():
            ended.set_result(why)

    def event(name: str, details: dict[str, object]) -> None:
        log.add(plant.time_s, name, details)

    paced.on_abort = partial(end, "the clock's policy abort")
    around = Surroundings(scenario, plant.engine, event, host=options.host, epoch_s=time.time(), wire=options.wire)
    devices, failure = Devices(around, partial(stimulate, plant.engine, scenario)), Failure()
    with StopSignals(lambda: end("signal")) as signals:
        try:
            await devices.start()
            overview = Overview(plant.engine, devices)
            endpoints = await endpoints_of(scenario, devices)
            paced.start()
            script = devices.play(failure, every_s=scenario.duration_s if options.again else None)
            calm = partial(stimulate_no_more, plant.engine, scenario)
            async with options.attend(Served(scenario, endpoints, overview, script, calm=calm, stop=end)):
                await _until(ended, failure.future, options.for_s)
        finally:
            problems = await devices.stop()
            failure.seen()
    if problems:
        raise problems[0]
    return SIGNALS.get(signals.caught or 0, ended.result() if ended.done() else "its time was over")


async def _until(ended: asyncio.Future[str], failed: asyncio.Future[None], for_s: float | None) -> None:
    """Wait for the end, or a failure, which is raised."""
    either: set[asyncio.Future[Any]] = {ended, failed}
    await asyncio.wait(either, timeout=for_s, return_when=asyncio.FIRST_COMPLETED)
    if failed.done():
        failed.result()


def _no_stream(_: object) -> Any:
    raise AssertionError("nothing is recorded")
