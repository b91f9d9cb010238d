"""A client's connection to a broker that is kept up, with this project's errors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextvars import copy_context
from typing import Self

from hil.coroutines import cancels, honour
from hil.errors import BrokerLost
from hil.mqtt.address import BrokerAddress
from hil.mqtt.flight import Flight, Release
from hil.mqtt.wire import Message, PortSettings, Will, Wire, WireError

_RECONNECT_S = 0.1
_RECONNECT_MOST_S = 1.0

__all__ = ["Message", "MqttPort", "PortSettings", "Will"]


class MqttPort:
    """A client's connection to a broker; an async context manager, connected inside and re-connected where it was lost.

    received: hears of every message, in the context in which the port was made. born: awaited after every connect, before
    anybody else may publish. lost: hears why a connection ended that should not have. flight: the account of a broker in
    another process, in lock-step.
    """

    def __init__(
        self,
        client_id: str,
        address: BrokerAddress,
        *,
        subscriptions: Iterable[str] = (),
        received: Callable[[Message], None] | None = None,
        will: Will | None = None,
        born: Callable[[], Awaitable[None]] | None = None,
        lost: Callable[[str], None] | None = None,
        settings: PortSettings | None = None,
        flight: Flight | None = None,
    ) -> None:
        self.client_id = client_id
        self._address = address
        self._subscriptions = list(subscriptions)
        self._received = received or (lambda _message: None)
        self._will = will
        self._born = born
        self._lost = lost or (lambda _why: None)
        self._settings = settings or PortSettings()
        self._flight = flight
        self._context = copy_context()
        self._client: Wire | None = None
        self._up = asyncio.Event()
        self._was_up = False
        self._killed = False
        self._defect: Exception | None = None
        self._task: asyncio.Task[None] | None = None
        self._requests = 0
        self._unanswered: dict[int, Release] = {}

    @property
    def connected(self) -> bool:
        """Whether the broker is there and has answered."""
        return self._up.is_set()

    async def __aenter__(self) -> Self:
        """Connect. Raises BrokerLost where that does not come about at once."""
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.begin(first)
        try:
            await first
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Say farewell: the will is not published. Raises what `received` or `born` raised, if one of them has a defect."""
        await self._end()

    def begin(self, first: asyncio.Future[None] | None = None) -> None:
        """Connect as soon as that can be. first: gets the outcome of the first attempt, which is the last where it fails."""
        self._task = asyncio.create_task(self._keep_up(first), name=f"{self.client_id} port")

        def give_up(_: object) -> None:
            if first is not None and not first.done():
                first.set_exception(BrokerLost(f"{self.client_id}: ended before it was connected"))
                first.exception()  # who waits for it may be who ended it

        self._task.add_done_callback(give_up)

    async def wait_connected(self) -> None:
        """Wait until it is."""
        await self._up.wait()

    def send(self, topic: str, payload: str, *, retain: bool = False) -> bool:
        """Give a message to the connection at QoS 0; False where there is none."""
        client = self._client
        if client is None or not client.give(topic, payload, retain=retain):
            return False
        self._given(topic, payload, retain=retain)
        return True

    async def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish at QoS 1 and wait for the broker's acknowledgement. Raises BrokerLost."""
        client = self._client
        if client is None:
            raise BrokerLost(f"{self.client_id}: not connected to {self._address}")
        before = cancels()
        self._given(topic, payload, retain=retain)
        try:
            with self._answered(f"acknowledgement of {topic} for {self.client_id}"):
                await client.publish_acknowledged(topic, payload, retain=retain)
        except WireError as error:
            raise BrokerLost(f"{self.client_id}: {topic}: {error}") from None
        honour(before)

    def kill(self) -> None:
        """End the connection as a device does that loses its power: without a farewell, and never to come back."""
        self._killed = True
        if self._task is not None:
            self._task.cancel()
        if self._client is not None:
            self._client.cut()
            if self._flight is not None and self._will is not None:
                self._flight.published(self._will.topic, retain=True, empty=False)
        self._drop()

    async def _end(self) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        if not task.done():
            task.cancel()
        (problem,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(problem, Exception):
            raise problem

    async def _keep_up(self, first: asyncio.Future[None] | None) -> None:
        """Connect again and again."""
        delay_s = _RECONNECT_S
        while True:
            try:
                await self._one_connection(first)
            except (WireError, BrokerLost, OSError) as error:
                if self._defect is not None:
                    raise self._defect from None
                if first is not None and not first.done():
                    first.set_exception(BrokerLost(f"{self.client_id}: no connection to {self._address}: {error}"))
                    return
                if self._was_up:
                    self._was_up = False
                    delay_s = _RECONNECT_S
                    self._lost(f"connection to {self._address} lost")
            except Exception as defect:
                if first is None or first.done():
                    raise
                first.set_exception(defect)
                return
            await asyncio.sleep(delay_s)
            delay_s = min(2.0 * delay_s, _RECONNECT_MOST_S)

    async def _one_connection(self, first: asyncio.Future[None] | None) -> None:
        """Connect, subscribe, announce, and stay until the connection is lost; raises what ended it."""
        before = cancels()
        client = Wire(self._address, self.client_id, self._deliver, self._will, self._settings)
        with self._answered(f"connection of {self.client_id} to the broker"):
            await client.__aenter__()
        try:
            honour(before)
            if self._subscriptions:
                if self._flight is not None:
                    self._flight.joins(self.client_id, self._subscriptions)
                with self._answered(f"subscription of {self.client_id}"):
                    await client.subscribe_acknowledged(self._subscriptions)
                honour(before)
            self._client = client
            if self._born is not None:
                await self._born()
            self._up.set()
            self._was_up = True
            if first is not None and not first.done():
                first.set_result(None)
            await client.ended()
        except asyncio.CancelledError:
            self._drop()
            if self._killed:
                client.cut()
            else:
                with self._answered(f"farewell of {self.client_id}"):
                    await client.leave()
            raise
        except BaseException:
            self._drop()
            client.cut()
            raise

    def _drop(self) -> None:
        self._client = None
        self._up.clear()
        if self._flight is not None:
            self._flight.leaves(self.client_id)
            for number in list(self._unanswered):
                self._unanswered.pop(number)()

    def _deliver(self, message: Message) -> None:
        if self._flight is not None:
            self._flight.delivered(self.client_id, message.topic)
        try:
            self._context.run(self._received, message)
        except Exception as defect:
            self._defect = self._defect or defect
            raise  # which ends the connection

    def _given(self, topic: str, payload: str, *, retain: bool) -> None:
        if self._flight is not None:
            self._flight.published(topic, retain=retain, empty=not payload)

    @contextlib.contextmanager
    def _answered(self, what: str) -> Iterator[None]:
        """Scenario time waits inside for a broker in another process, for as long as there is a connection."""
        if self._flight is None:
            yield
            return
        self._requests += 1
        number = self._requests
        self._unanswered[number] = self._flight.request(what)
        try:
            yield
        finally:
            self._unanswered.pop(number, _nothing)()


def _nothing() -> None:
    """Released already."""
