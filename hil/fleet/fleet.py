"""The slow side of a run as a whole: devices, drivers and supervisors; what starts when, what ends in which order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Self

from hil.clock.participants import acting_as
from hil.fleet.devices import Devices
from hil.fleet.leads import DEFAULT_TARGET_TTL_S, GroupLead, Leads
from hil.fleet.station import Station, Storage
from hil.fleet.supervision import Failure, end, supervise, together
from hil.kernel.engine import Engine
from hil.scenario.model import Scenario
from hil.verdict.liveness import Liveness
from hil.wiring.surroundings import Event, Order, Surroundings


class Fleet:
    """Everything asyncio of one run; an async context manager."""

    def __init__(self, scenario: Scenario, engine: Engine, event: Event, leads: Leads) -> None:
        self._around = Surroundings(scenario, engine, event)
        self._leads = leads
        self._devices = Devices(self._around)
        self._drivers: list[tuple[int, str, contextlib.AbstractAsyncContextManager[Any]]] = []
        self._supervisors: list[asyncio.Task[None]] = []
        self._failure = Failure()

    @property
    def liveness(self) -> Mapping[str, Liveness]:
        """Silences of supervisors and of laws on the wire."""
        return self._around.liveness

    @property
    def failed(self) -> asyncio.Future[None]:
        """Gets the exception of the first task that failed."""
        return self._failure.future

    def traffic(self) -> dict[str, Any]:
        """Modbus requests answered, MQTT messages that devices sent and received, and what the links carried."""
        return self._devices.traffic()

    async def __aenter__(self) -> Self:
        self._around.engine.shared_with = "controllers"
        try:
            await self._devices.start()
            await together([self._drive_storage(station) for station in self._devices.storage.values()])
            await together([self._drive_group(lead) for lead in self._leads.groups])
            self._devices.play(self._failure)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Supervisors first, then the drivers, each leaving its device safe, then all that lies between, and the devices."""
        await end(self._supervisors)
        problems = await self._leave_safe()
        problems += await self._devices.stop()
        self._failure.seen()
        if problems:
            raise problems[0]

    async def _leave_safe(self) -> list[BaseException]:
        """Leave all drivers at once, so that many devices need no longer than the slowest; returns what they raised."""
        leaving = []
        for order, name, driver in sorted(self._drivers, key=lambda entry: entry[0]):
            with acting_as(order, name):
                leaving.append(asyncio.ensure_future(driver.__aexit__(None, None, None)))
        self._drivers = []
        done = await asyncio.gather(*leaving, return_exceptions=True)
        return [problem for problem in done if isinstance(problem, BaseException)]

    async def _drive(self, station: Station, driver: contextlib.AbstractAsyncContextManager[Any]) -> Any:
        """Enter a driver; returns the device."""
        order = Order.DRIVERS + station.index
        with acting_as(order, station.name):
            device = await driver.__aenter__()
        self._drivers.append((order, station.name, driver))
        return device

    async def _drive_storage(self, station: Storage) -> None:
        """Start the driver of a system that has a supervisor or a law on the wire, and the supervisor."""
        lead = self._leads.of(station.name)
        law_of = self._around.scenario.on_wire(station.name)
        if lead is None and law_of is None:
            return
        ttl_s = DEFAULT_TARGET_TTL_S if lead is None else lead.target_ttl_s
        led_by = None if lead is None else lead.label
        driver = station.driver(await self._devices.endpoint(station), ttl_s, led_by=led_by, law_of=law_of)
        device = await self._drive(station, driver)
        if lead is not None:
            self._lead(station, lead.label, partial(lead.supervisor.run, device))

    async def _drive_group(self, lead: GroupLead) -> None:
        """Start the drivers of the UPSs that a supervisor leads, and the supervisor."""
        stations = [self._devices.supplies[name] for name in lead.devices]
        drivers = [station.driver(await self._devices.endpoint(station), led_by=lead.label) for station in stations]
        devices = await together([self._drive(*entry) for entry in zip(stations, drivers, strict=True)])
        self._lead(stations[0], lead.label, partial(lead.supervisor.run, devices))

    def _lead(self, station: Station, label: str, run: Callable[[], Awaitable[None]]) -> None:
        with acting_as(Order.SUPERVISORS + station.index, f"supervisor.{label}"):
            work = supervise(label, run, self._around.event)
            self._supervisors.append(self._failure.start(work, f"supervisor.{label}"))
