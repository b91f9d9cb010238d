"""Scripted events of the slow side: what happens to servers and connections at set times."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hil.clock.participants import acting_as
from hil.fleet.station import Station
from hil.fleet.supervision import Failure, end
from hil.fleet.surroundings import Order, Surroundings
from hil.scenario.event import ServerStop


class Script:
    """Plays the events that are not the plant's."""

    def __init__(self, around: Surroundings, stations: Mapping[str, Station]) -> None:
        self._around = around
        self._stations = stations
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, failure: Failure) -> None:
        """Start one task an event."""
        for index, event in enumerate(self._around.scenario.events):
            if isinstance(event, ServerStop):
                with acting_as(Order.SCRIPT + index, f"events.{index}"):
                    self._tasks.append(failure.start(self._stop_server(event), f"events.{index}"))

    async def end(self) -> None:
        """End those that still wait."""
        await end(self._tasks)

    async def _stop_server(self, event: ServerStop) -> None:
        station = self._stations[event.device]
        await self._until(event.at_s)
        await station.stop()
        self._around.event("server_stopped", {"device": event.device})
        await self._until(event.at_s + event.duration_s)
        await station.start()

    @staticmethod
    async def _until(time_s: float) -> None:
        await asyncio.sleep(time_s - asyncio.get_running_loop().time())
