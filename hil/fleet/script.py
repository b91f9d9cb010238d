"""Scripted events of the slow side: what happens to devices, servers and connections at set times."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from hil.clock.participants import acting_as
from hil.fleet.broker import SiteBroker
from hil.fleet.links import SiteLinks
from hil.fleet.station import Station
from hil.fleet.storage import ModbusStorage
from hil.fleet.supervision import Failure, end
from hil.fleet.surroundings import Order, Surroundings
from hil.fleet.ups import MqttSupply
from hil.scenario.event import BrokerStop, DeviceLoss, DeviceSilence, Event, LinkCut, ServerStop

Act = Callable[[], Coroutine[Any, Any, None]]


class Script:
    """Plays the events that are not the plant's: each begins at its time and is taken back after its duration."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, failure: Failure, stations: Iterable[Station], broker: SiteBroker | None, links: SiteLinks) -> None:
        """Start one task an event."""
        by_name = {station.name: station for station in stations}
        events = list(enumerate(self._around.scenario.events))
        # Of one instant: what began earlier ends before another begins.
        for order, (index, event) in enumerate(sorted(events, key=lambda entry: entry[1].at_s)):
            acts = self._acts(event, by_name, broker, links)
            if acts is not None:
                with acting_as(Order.SCRIPT + order, f"events.{index}"):
                    self._tasks.append(failure.start(self._play(event, *acts), f"events.{index}"))

    async def end(self) -> None:
        """End those that still wait."""
        await end(self._tasks)

    def _acts(
        self, event: Event, stations: dict[str, Station], broker: SiteBroker | None, links: SiteLinks
    ) -> tuple[Act, Act] | None:
        """What to do at the beginning and at the end; None for what is the plant's or the load's."""
        if isinstance(event, BrokerStop) and broker is not None:
            return self._told(broker.stop, "broker_stopped"), broker.start
        if isinstance(event, LinkCut):
            cut, mend = _plain(links.cut, event.link), _plain(links.mend, event.link)
            return self._told(cut, "link_cut", link=event.link), self._told(mend, "link_mended", link=event.link)
        if not isinstance(event, (ServerStop, DeviceSilence, DeviceLoss)):
            return None
        station = stations[event.device]
        if isinstance(event, ServerStop):
            return self._told(station.stop, "server_stopped", device=station.name), station.start
        if isinstance(event, DeviceLoss) and isinstance(station, MqttSupply):
            back = self._told(station.restart, "device_restarted", device=station.name)
            return self._told(station.die, "device_lost", device=station.name), back
        assert isinstance(station, (ModbusStorage, MqttSupply))
        silent, speaks = _plain(station.hang, hung=True), _plain(station.hang, hung=False)
        return (
            self._told(silent, "device_silent", device=station.name),
            self._told(speaks, "device_speaks", device=station.name),
        )

    async def _play(self, event: Any, begin: Act, back: Act) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(event.at_s - loop.time())
        await begin()
        await asyncio.sleep(event.at_s + event.duration_s - loop.time())
        await back()

    def _told(self, act: Act, what: str, **details: object) -> Act:
        """An act that stands in the log."""

        async def told() -> None:
            await act()
            self._around.event(what, details)

        return told


def _plain(act: Callable[..., None], *args: Any, **options: Any) -> Act:
    """An act that does not wait."""

    async def acted() -> None:
        act(*args, **options)

    return acted
