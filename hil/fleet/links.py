"""The links of a run: which driver goes through which relay, and what became of the messages."""

from __future__ import annotations

import asyncio
from typing import Any

from hil.clock.participants import acting_as
from hil.fleet.station import Station
from hil.links import Link, LinkModel
from hil.links.framer import Protocol
from hil.wiring.surroundings import Order, Surroundings

_FAREWELL_S = 1.0


class SiteLinks:
    """Starts a link for every driver that has one in the scenario."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._links: dict[str, Link] = {}

    async def through(self, station: Station, protocol: Protocol) -> tuple[str, int]:
        """Where the driver of a device connects: at its link, or at the device's own endpoint where it has none."""
        scenario = self._around.scenario
        found = scenario.link_of(station.name)
        if found is None:
            return station.endpoint
        name, section = found
        model = LinkModel(
            latency_s=section.latency_s,
            jitter_s=section.jitter_s,
            loss=section.loss,
            retransmit_s=section.retransmit_s,
            seed=scenario.seed,
            name=name,
        )
        link = self._links[name] = Link(model, *station.endpoint, protocol)
        with acting_as(Order.LINKS + list(scenario.link).index(name), f"link.{name}"):
            return await link.start()

    def cut(self, name: str) -> None:
        """Let nothing pass a link; one that nobody uses stays as it is."""
        if name in self._links:
            self._links[name].cut()

    def mend(self, name: str) -> None:
        """Take a cut back."""
        if name in self._links:
            self._links[name].mend()

    async def stop(self) -> None:
        """Close every connection, once the farewells of those who have left are through."""
        await asyncio.gather(*(link.emptied(_FAREWELL_S) for link in self._links.values()))
        for link in self._links.values():
            await link.stop()

    def summary(self) -> dict[str, dict[str, Any]]:
        """Messages, retransmissions and the largest delay of each link, each way."""
        return {
            name: {
                way: {
                    "messages": tally.messages,
                    "retransmissions": tally.retransmissions,
                    "largest_delay_s": tally.largest_delay_s,
                }
                for way, tally in (("to_device", link.to_device), ("to_controller", link.to_controller))
            }
            for name, link in self._links.items()
        }
