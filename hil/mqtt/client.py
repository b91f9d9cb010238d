"""The one module that knows aiomqtt: a connection to a broker that is kept up, with this project's errors.

aiomqtt leaves reconnecting to its user, wakes a task for every message and drives paho through the loop's self-pipe; paho
makes its own sockets and goes by the wall clock. Here a connection is re-established by itself, messages arrive by call,
writes go out at the end of the loop's turn, the loop makes the sockets where it accounts for them, and paho goes by the
loop's time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Self

import aiomqtt
import paho.mqtt.client as paho

from hil.errors import BrokerLost
from hil.mqtt.address import BrokerAddress
from hil.mqtt.flight import Flight, Release

_RECONNECT_S = 0.1
_RECONNECT_MOST_S = 1.0
_READ_AHEAD = 65_536

# Errors here have a name; the library's log repeats them.
_LOG = logging.getLogger("ridethrough.mqtt")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False

_thread = threading.local()


def _loop_time() -> float:
    """Time of the loop that works in this thread, or for which this thread works."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        told: Callable[[], float] = getattr(_thread, "time", time.monotonic)
        return told()


paho.time_func = _loop_time


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it arrived. retained: it stood at the broker before this client subscribed."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes when the connection ends without a farewell; retained, QoS 1."""

    topic: str
    payload: str


@dataclass(frozen=True, slots=True)
class PortSettings:
    """timeout_s: for the broker's answers. keepalive_s: longest silence towards the broker."""

    timeout_s: float = 2.0
    keepalive_s: int = 30


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
        self._client: _Client | None = None
        self._up = asyncio.Event()
        self._was_up = False
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
        self._task = asyncio.create_task(self._keep_up(first), name=f"{self.client_id} port")
        try:
            await first
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Say farewell: the will is not published."""
        await self._end()

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
        cancels = _cancels()
        self._given(topic, payload, retain=retain)
        try:
            with self._answered(f"acknowledgement of {topic} for {self.client_id}"):
                await client.publish(topic, payload, qos=1, retain=retain)
        except aiomqtt.MqttError as error:
            raise BrokerLost(f"{self.client_id}: {topic}: {error}") from None
        _honour(cancels)

    def kill(self) -> None:
        """End the connection as a device does that loses its power: without a farewell, and never to come back."""
        if self._task is not None:
            self._task.cancel()
        if self._client is not None:
            self._client.cut()
            if self._flight is not None and self._will is not None:
                self._flight.published(self._will.topic, retain=True, empty=False)
        self._drop()

    async def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_up(self, first: asyncio.Future[None]) -> None:
        """Connect again and again; `first` gets the outcome of the first attempt."""
        delay_s = _RECONNECT_S
        while True:
            try:
                await self._one_connection(first)
            except (aiomqtt.MqttError, BrokerLost, OSError) as error:
                if not first.done():
                    first.set_exception(BrokerLost(f"{self.client_id}: no connection to {self._address}: {error}"))
                    return
                if self._was_up:
                    self._was_up = False
                    delay_s = _RECONNECT_S
                    self._lost(f"connection to {self._address} lost")
            await asyncio.sleep(delay_s)
            delay_s = min(2.0 * delay_s, _RECONNECT_MOST_S)

    async def _one_connection(self, first: asyncio.Future[None]) -> None:
        """Connect, subscribe, announce, and stay until the connection is lost; raises what ended it."""
        cancels = _cancels()
        client = _Client(self._address, self.client_id, self._deliver, self._will, self._settings)
        with self._answered(f"connection of {self.client_id} to the broker"):
            await client.__aenter__()
        try:
            _honour(cancels)
            if self._subscriptions:
                if self._flight is not None:
                    self._flight.joins(self.client_id, self._subscriptions)
                with self._answered(f"subscription of {self.client_id}"):
                    await client.subscribe([(topic, 1) for topic in self._subscriptions])
                _honour(cancels)
            self._client = client
            if self._born is not None:
                await self._born()
            self._up.set()
            self._was_up = True
            if not first.done():
                first.set_result(None)
            await client.ended()
        except asyncio.CancelledError:
            self._drop()
            with contextlib.suppress(aiomqtt.MqttError), self._answered(f"farewell of {self.client_id}"):
                await client.__aexit__(None, None, None)
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

    def _deliver(self, message: aiomqtt.Message) -> None:
        topic = message.topic.value
        if self._flight is not None:
            self._flight.delivered(self.client_id, topic)
        payload = message.payload if isinstance(message.payload, bytes) else b""
        self._context.run(self._received, Message(topic, payload, message.retain))

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


class _ReadAhead:
    """A socket that is read in large pieces: for every message paho asks for one byte, then for another, then for the rest.

    `pending` is what aiomqtt asks TLS sockets: it goes on reading while something is left.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._piece = b""
        self._at = 0

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; asks the socket itself only when nothing is left."""
        if self._at == len(self._piece):
            self._at, self._piece = 0, self._sock.recv(_READ_AHEAD)
        start, self._at = self._at, min(self._at + size, len(self._piece))
        return self._piece[start : self._at]

    def pending(self) -> int:
        """Bytes that are left."""
        return len(self._piece) - self._at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _Client(aiomqtt.Client):
    """aiomqtt's client, made to fit a loop that owns time and sockets."""

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        deliver: Callable[[aiomqtt.Message], None],
        will: Will | None,
        settings: PortSettings,
    ) -> None:
        class Inbox(asyncio.Queue[aiomqtt.Message]):
            """Hands on at once what comes in; nobody ever gets anything out of it."""

            def put_nowait(self, item: aiomqtt.Message) -> None:
                deliver(item)

        super().__init__(
            address.host,
            address.port,
            username=address.user,
            password=address.password,
            identifier=client_id,
            queue_type=Inbox,
            clean_session=True,
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, qos=1, retain=True),
            timeout=settings.timeout_s,
            keepalive=settings.keepalive_s,
            logger=_LOG,
        )
        self._beat_s = max(1.0, settings.keepalive_s / 8.0)
        self._writing = False
        self._client.on_socket_register_write = self._write_soon
        self._client.on_socket_unregister_write = self._written

    async def __aenter__(self) -> Self:
        make = getattr(self._loop, "stream_socket", socket.socket)  # a loop that accounts for what is in flight makes them
        sock = make(socket.AF_INET)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(self.timeout):
                await self._loop.sock_connect(sock, (self._hostname, self._port))
        except OSError as error:
            sock.close()
            raise aiomqtt.MqttError(str(error) or "no connection in time") from None
        except BaseException:
            sock.close()
            raise
        self._client._create_socket_connection = lambda: _ReadAhead(sock)  # type: ignore[method-assign, assignment, return-value]  # noqa: SLF001
        try:
            return await super().__aenter__()
        except BaseException:
            self.cut()
            raise

    def give(self, topic: str, payload: str, *, retain: bool) -> bool:
        """Publish at QoS 0 without waiting for anything."""
        return self._client.publish(topic, payload, 0, retain).rc == paho.MQTT_ERR_SUCCESS

    def cut(self) -> None:
        """Close the socket, without a farewell."""
        self._client._sock_close()  # noqa: SLF001  # disconnect() would say farewell
        if not self._disconnected.done():
            self._disconnected.set_exception(aiomqtt.MqttError("cut"))
            self._disconnected.exception()  # seen
        if self._misc_task is not None:
            self._misc_task.cancel()

    async def ended(self) -> None:
        """Wait until the connection is lost. Raises MqttError."""
        await anext(self.messages)

    def _client_connect(self) -> None:
        """As aiomqtt's, in a thread that works for our loop."""
        _thread.time = self._loop.time
        try:
            super()._client_connect()
        finally:
            del _thread.time

    async def _misc_loop(self) -> None:
        """As aiomqtt's, but only as often as the keep-alive needs it."""
        while self._client.loop_misc() == paho.MQTT_ERR_SUCCESS:  # noqa: ASYNC110  # it is polled by design
            await asyncio.sleep(self._beat_s)

    def _write_soon(self, _client: paho.Client, _userdata: Any, _sock: Any) -> None:
        """What paho has to write goes out at the end of this turn of the loop; aiomqtt would watch the socket for it."""
        if self._in_loop():
            self._loop.call_soon(self._write)
        else:
            self._loop.call_soon_threadsafe(self._write)

    def _in_loop(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def _written(self, _client: paho.Client, _userdata: Any, sock: Any) -> None:
        if self._writing and sock is not None:
            self._writing = False
            self._loop.remove_writer(sock)

    def _write(self) -> None:
        sock = self._client.socket()
        if sock is None:
            return
        try:
            self._client.loop_write()
        except Exception as error:  # noqa: BLE001  # as aiomqtt does: whatever it is, the connection is broken
            if not self._disconnected.done():
                self._disconnected.set_exception(error)
            return
        if self._client.want_write() and not self._writing and self._client.socket() is not None:
            self._writing = True
            self._loop.add_writer(sock, self._write)


def _nothing() -> None:
    """Released already."""


def _cancels() -> int:
    """How often the present task has been asked to end."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _honour(cancels: int) -> None:
    """Be cancelled if asked to meanwhile: asyncio.wait_for of Python 3.11 drops a cancellation that meets the reply."""
    if _cancels() > cancels:
        raise asyncio.CancelledError
