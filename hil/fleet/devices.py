"""The devices of a site on their wires, what lies between them and their clients, and the script that disturbs both."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hil.clock.participants import acting_as
from hil.fleet.acts import Acted
from hil.fleet.direct import DirectStorage
from hil.fleet.direct_ups import DirectSupply
from hil.fleet.links import SiteLinks
from hil.fleet.meter import MeterStation
from hil.fleet.script import Script
from hil.fleet.station import Station, Storage, Supply
from hil.fleet.storage import ModbusStorage
from hil.fleet.supervision import Failure
from hil.fleet.ups import MqttSupply
from hil.scenario.event import ResetLockout, Stimulus
from hil.wiring.broker import SiteBroker
from hil.wiring.surroundings import Order, Surroundings


class Devices:
    """Stations, broker and links of one run.

    stimulate: has the plant feel an event from now on, which the script then plays too; None where the plant has its own.
    """

    def __init__(self, around: Surroundings, stimulate: Callable[[Stimulus | ResetLockout], None] | None = None) -> None:
        self._around = around
        self._wired = around.scenario.transport == "wire"
        self._stimulate = stimulate
        self._script: Script | None = None
        self.broker = SiteBroker(around) if around.scenario.on_mqtt and self._wired else None
        self.links = SiteLinks(around)
        self.storage: dict[str, Storage] = {}
        self.supplies: dict[str, Supply] = {}
        self.meters: dict[str, MeterStation] = {}

    @property
    def stations(self) -> list[Station]:
        """All of them, in the order in which the scenario's devices are served, meters last."""
        return [*self.storage.values(), *self.supplies.values(), *self.meters.values()]

    def traffic(self) -> dict[str, Any]:
        """Modbus requests answered, MQTT messages that devices sent and received, and what the links carried."""
        served = [station.server.requests for station in self.stations if station.server is not None]
        return {
            "requests": sum(served),
            "messages": sum(station.messages for station in self.stations),
            "links": self.links.summary(),
        }

    async def start(self) -> None:
        """Serve. Raises ScenarioError where that cannot be."""
        scenario, around = self._around.scenario, self._around
        if self.broker is not None:
            with acting_as(Order.BROKER, self.broker.name):
                await self.broker.start()
        for index, name in enumerate(scenario.bess):
            self.storage[f"bess.{name}"] = (ModbusStorage if self._wired else DirectStorage)(around, index, name)
        for index, name in enumerate(scenario.ups_alone, len(scenario.bess)):
            supply = DirectSupply(around, index, name) if self.broker is None else MqttSupply(around, index, name, self.broker)
            self.supplies[f"ups.{name}"] = supply
        for index, name in enumerate(scenario.meter if self._wired else (), len(scenario.served)):
            self.meters[f"meter.{name}"] = MeterStation(around, index, name, self.broker)
        for station in self.stations:
            with acting_as(Order.STATIONS + station.index, station.name):
                await station.start()

    async def endpoint(self, station: Station) -> tuple[str, int]:
        """Where the driver of a device connects: at its link, where it has one."""
        return station.endpoint if station.speaks is None else await self.links.through(station, station.speaks)

    def play(self, failure: Failure, *, every_s: float | None = None) -> Script:
        """Begin the script. failure: hears of what goes wrong in it. every_s: after so long it begins anew."""
        by_name = {station.name: station for station in self.stations}
        scenario = self._around.scenario
        groups = {f"ups.{name}": partial(self._command_group, name) for name in scenario.ups_groups}
        on = Acted(by_name, self.broker, self.links, self._around.event, self._stimulate, groups)
        self._script = Script(on, failure, scenario.seed)
        self._script.start(scenario.events, every_s=every_s)
        return self._script

    def _command_group(self, name: str, point: int, value: float) -> None:
        """Queue a write to every unit of a group of UPSs for the next tick."""
        scenario, engine = self._around.scenario, self._around.engine
        for place in scenario.ups_places[name]:
            engine.command(len(scenario.bess) + place, int(point), value)

    async def stop(self) -> list[BaseException]:
        """End script, links, devices, the last first, and the broker; returns what went wrong."""
        problems: list[BaseException] = []
        if self._script is not None:
            await self._script.end()
        await self.links.stop()
        for station in reversed(self.stations):
            try:
                await station.stop()
            except Exception as problem:  # noqa: BLE001  # a defect of one device must not leave others open
                problems.append(problem)
        if self.broker is not None:
            await self.broker.stop()
        return problems
