"""The broker of a run: our own on the run's loop, or another by its address."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hil.broker import Broker
from hil.mqtt.address import BrokerAddress, broker_address
from hil.mqtt.flight import Flight
from hil.scenario.mqtt import OWN
from hil.wiring.listening import cannot_listen
from hil.wiring.surroundings import Surroundings

_USUAL = ("client_connected", "client_disconnected")  # every run has them, once or more a device


class SiteBroker:
    """Where a run's devices and drivers meet on MQTT.

    flight: the account of messages that a broker in another process holds, in lock-step; else None.
    """

    name = "mqtt"

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._section = around.scenario.mqtt
        self._own: Broker | None = None
        self.flight: Flight | None = None
        if self._section.broker == OWN:
            self._own = Broker(event=self._happened)
            host, _, port = self._section.listen.rpartition(":")
            self.address = BrokerAddress(around.host or host, int(port))
        else:
            self.address = broker_address(self._section.broker)
            hold_open = getattr(asyncio.get_running_loop(), "hold_open", None)
            self.flight = None if hold_open is None else Flight(hold_open)

    @property
    def own(self) -> Broker | None:
        """Our own, where it is."""
        return self._own

    @property
    def clients(self) -> int | None:
        """How many are connected to our own, the site's devices aside; None where it is another."""
        if self._own is None:
            return None
        devices = {f"{self._section.site}:{name}" for name in self._around.scenario.served}
        return sum(client not in devices for client in self._own.clients)

    async def start(self) -> None:
        """Listen, where it is our own. Raises ScenarioError where that cannot be."""
        if self._own is None:
            return
        try:
            host, port = await self._own.start(self.address.host, self.address.port)
        except OSError as error:
            address = self.address.host, self.address.port
            raise cannot_listen(self._around.scenario.source, "mqtt.listen", address, error) from None
        self.address = BrokerAddress(host, port)
        self._around.event("broker_started", {"port": port})

    async def stop(self) -> None:
        """Die: every connection ends, and wills wait for the next start."""
        if self._own is not None:
            await self._own.stop()

    def _happened(self, name: str, details: Mapping[str, object]) -> None:
        if name not in _USUAL:
            self._around.event(f"broker_{name}", dict(details))
