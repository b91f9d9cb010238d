"""What a connection asks of a dialect, and gives it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from hil.mqtt.client import Message, Will

Event = Callable[[str, dict[str, object]], None]


class Outlet(Protocol):
    """The connection, as a dialect sees it."""

    def send(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Give a message to the connection at QoS 0; it is lost where there is none."""

    async def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish at QoS 1 and wait for the acknowledgement. Raises BrokerLost."""

    async def wait_connected(self) -> None:
        """Wait until the connection is up, its announcements made."""

    def do(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Do what waits, beside everything else; it ends with the connection's owner."""


class Dialect(Protocol):
    """Topics and payloads of one convention."""

    @property
    def subscriptions(self) -> Sequence[str]:
        """What it wants to hear."""

    @property
    def will(self) -> Will | None:
        """Of the connection, if it has one."""

    def attach(self, outlet: Outlet) -> None:
        """Where it publishes from now on."""

    async def announce(self) -> None:
        """After every connect. Raises BrokerLost."""

    def beat(self) -> None:
        """At the device's rate, while it is connected."""

    def received(self, message: Message) -> None:
        """A message on one of its subscriptions."""

    async def farewell(self) -> None:
        """Before the device goes. Raises BrokerLost."""
