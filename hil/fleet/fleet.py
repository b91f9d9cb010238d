"""The slow side of a run as a whole: what starts when, and what ends in which order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Self

from controllers.supervisor import Supervisor
from hil.clock.participants import acting_as
from hil.errors import ScenarioError
from hil.fleet.direct import DirectStorage
from hil.fleet.script import Script
from hil.fleet.station import Station
from hil.fleet.storage import ModbusStorage
from hil.fleet.supervision import Failure, end, lead_of, supervise
from hil.fleet.surroundings import Event, Order, Surroundings
from hil.kernel.engine import Engine
from hil.scenario.model import Scenario
from hil.verdict.liveness import Liveness

_STORAGE: dict[str, Callable[[Surroundings, int, str], Station]] = {"wire": ModbusStorage, "direct": DirectStorage}


class Fleet:
    """Everything asyncio of one run; an async context manager.

    own: supervisors of one's own, by device (`bess.main`); they replace the scenario's for that device and are required.
    """

    def __init__(self, scenario: Scenario, engine: Engine, event: Event, own: Mapping[str, Supervisor]) -> None:
        unknown = set(own) - {f"bess.{name}" for name in scenario.bess}
        if unknown:
            raise ScenarioError(scenario.source, "supervisors", f": no such device: {', '.join(sorted(unknown))}")
        self._around = Surroundings(scenario, engine, event)
        self._own = own
        self._stations: dict[str, Station] = {}
        self._drivers: list[tuple[int, contextlib.AbstractAsyncContextManager[Any]]] = []
        self._supervisors: list[asyncio.Task[None]] = []
        self._script = Script(self._around, self._stations)
        self._failure = Failure()

    @property
    def liveness(self) -> Mapping[str, Liveness]:
        """Silences of supervisors and of laws on the wire."""
        return self._around.liveness

    @property
    def failed(self) -> asyncio.Future[None]:
        """Gets the exception of the first task that failed."""
        return self._failure.future

    @property
    def requests(self) -> int:
        """Requests that the servers have answered."""
        return sum(station.requests for station in self._stations.values())

    async def __aenter__(self) -> Self:
        self._around.engine.shared_with = "controllers"
        storage = _STORAGE[self._around.scenario.transport]
        try:
            for index, name in enumerate(self._around.scenario.bess):
                station = storage(self._around, index, name)
                self._stations[station.name] = station
                with acting_as(Order.STATIONS + index, station.name):
                    await station.start()
            for station in self._stations.values():
                await self._drive(station)
            self._script.start(self._failure)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Supervisors first, then the drivers, each leaving its device safe, then the script and the servers."""
        await end(self._supervisors)
        problems = await self._leave_safe()
        await self._script.end()
        for station in self._stations.values():
            await station.stop()
        self._failure.seen()
        if problems:
            raise problems[0]

    async def _leave_safe(self) -> list[BaseException]:
        """Leave all drivers at once, so that many devices need no longer than the slowest; returns what they raised."""
        leaving = []
        for order, driver in self._drivers:
            with acting_as(order, "leaving"):
                leaving.append(asyncio.ensure_future(driver.__aexit__(None, None, None)))
        self._drivers = []
        done = await asyncio.gather(*leaving, return_exceptions=True)
        return [problem for problem in done if isinstance(problem, BaseException)]

    async def _drive(self, station: Station) -> None:
        """Start the driver of a device that has a supervisor or a law on the wire, and the supervisor."""
        lead = lead_of(self._around, station.name, self._own.get(station.name))
        law_of = self._around.scenario.on_wire(station.name)
        if lead is None and law_of is None:
            return
        ttl_s = 1.0 if lead is None else lead.target_ttl_s
        driver = station.driver(station.endpoint, ttl_s, led_by=None if lead is None else lead.label, law_of=law_of)
        with acting_as(Order.DRIVERS + station.index, station.name):
            device = await driver.__aenter__()
        self._drivers.append((Order.DRIVERS + station.index, driver))
        if lead is not None:
            with acting_as(Order.SUPERVISORS + station.index, f"supervisor.{lead.label}"):
                work = supervise(lead.label, partial(lead.supervisor.run, device), self._around.event)
                self._supervisors.append(self._failure.start(work, f"supervisor.{lead.label}"))
