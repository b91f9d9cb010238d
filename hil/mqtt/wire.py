"""The one module that knows aiomqtt: one connection to a broker, until it is lost.

aiomqtt wakes a task for every message, connects in a thread and drives paho through the loop's self-pipe; paho makes its own
sockets and goes by the wall clock. Here messages arrive by call, writes go out at the end of the loop's turn, the loop makes
and connects the sockets where it accounts for them, and paho goes by the loop's time. Whatever ends a connection, or
an attempt at one, its socket is closed.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Self

import aiomqtt
import paho.mqtt.client as paho

from hil.mqtt.address import BrokerAddress

_READ_AHEAD = 65_536

WireError = aiomqtt.MqttError
"""What goes wrong with a connection; always turned into one of `hil.errors` by who uses it."""

# Errors here have a name; the library's log repeats them.
_LOG = logging.getLogger("ridethrough.mqtt")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False


def _loop_time() -> float:
    """Time of the running loop."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()


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


class _ReadAhead:
    """A socket that is read in large pieces: for every message paho asks for one byte, then for another, then for the rest."""

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


class Wire(aiomqtt.Client):
    """aiomqtt's client, made to fit a loop that owns time and sockets. deliver: hears of every message."""

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        deliver: Callable[[Message], None],
        will: Will | None,
        settings: PortSettings,
    ) -> None:
        class Inbox(asyncio.Queue[aiomqtt.Message]):
            """Hands on at once what comes in; nobody ever gets anything out of it."""

            def put_nowait(self, item: aiomqtt.Message) -> None:
                payload = item.payload if isinstance(item.payload, bytes) else b""
                deliver(Message(item.topic.value, payload, item.retain))

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
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._client.on_socket_register_write = self._write_soon
        self._client.on_socket_unregister_write = self._written

    async def __aenter__(self) -> Self:
        """Connect, and be accepted. Raises WireError."""
        make = getattr(self._loop, "stream_socket", socket.socket)  # a loop that accounts for what is in flight makes them
        sock = make(socket.AF_INET)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(self.timeout):
                await self._loop.sock_connect(sock, (self._hostname, self._port))
            self._client._create_socket_connection = lambda: _ReadAhead(sock)  # type: ignore[method-assign, assignment, return-value]  # noqa: SLF001
            self._client_connect()
            await asyncio.wait({self._connected, self._lost}, timeout=self.timeout, return_when=asyncio.FIRST_COMPLETED)
            if self._lost.done():
                self._lost.result()
            if not self._connected.done():
                raise WireError("the broker's answer timed out")
            self._connected.result()
        except OSError as error:
            self.cut()
            sock.close()
            raise WireError(str(error) or "no connection in time") from None
        except BaseException:
            self.cut()
            sock.close()
            raise
        return self

    async def leave(self) -> None:
        """Say farewell where there is still somebody to say it to, and close."""
        try:
            if not self._lost.done() and self._client.disconnect() == paho.MQTT_ERR_SUCCESS:
                await asyncio.wait({self._lost}, timeout=self.timeout)  # it is written by then
        finally:
            self.cut()

    def give(self, topic: str, payload: str, *, retain: bool) -> bool:
        """Publish at QoS 0 without waiting for anything."""
        return self._client.publish(topic, payload, 0, retain).rc == paho.MQTT_ERR_SUCCESS

    async def publish_acknowledged(self, topic: str, payload: str, *, retain: bool) -> None:
        """Publish at QoS 1; ends when it is acknowledged, or with the connection. Raises WireError."""
        await self._unless_lost(self.publish(topic, payload, qos=1, retain=retain))

    async def subscribe_acknowledged(self, topics: list[str]) -> None:
        """Subscribe at QoS 1; ends when it is acknowledged, or with the connection. Raises WireError."""
        await self._unless_lost(self.subscribe([(topic, 1) for topic in topics]))

    def cut(self) -> None:
        """Close the socket, without a farewell."""
        self._client._sock_close()  # noqa: SLF001  # disconnect() would say farewell
        self._is_lost("cut")
        if self._misc_task is not None:
            self._misc_task.cancel()

    async def ended(self) -> None:
        """Wait until the connection is lost. Raises WireError."""
        await asyncio.wait({self._lost})
        self._lost.result()

    async def _unless_lost(self, request: Coroutine[Any, Any, object]) -> None:
        """Wait for an answer, and no longer than there is a connection on which it could come."""
        asked: asyncio.Future[Any] = asyncio.ensure_future(request)
        asked.add_done_callback(_seen)
        try:
            await asyncio.wait({asked, self._lost}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not asked.done():
                asked.cancel()
        if not asked.done():
            self._lost.result()
        asked.result()

    def _is_lost(self, why: str) -> None:
        if not self._lost.done():
            self._lost.set_exception(WireError(why))
            self._lost.exception()  # seen, whether or not anybody waits for it

    # What paho calls.

    def _on_disconnect(self, *_: Any) -> None:
        """Before it was connected, too."""
        self._is_lost("the connection was lost")

    def _on_socket_open(self, _client: paho.Client, _userdata: Any, sock: Any) -> None:
        """As aiomqtt's, at once: we are on the loop."""
        self._loop.add_reader(sock.fileno(), self._read)
        self._misc_task = self._loop.create_task(self._misc_loop())

    def _read(self) -> None:
        """All that has come; paho reads one packet at a time."""
        try:
            while True:
                self._client.loop_read()
                sock: Any = self._client.socket()
                if sock is None or not sock.pending():
                    return
        except Exception as error:  # noqa: BLE001  # as aiomqtt does: whatever it is, the connection is broken
            self._is_lost(str(error))

    async def _misc_loop(self) -> None:
        """As aiomqtt's, but only as often as the keep-alive needs it."""
        while self._client.loop_misc() == paho.MQTT_ERR_SUCCESS:  # noqa: ASYNC110  # it is polled by design
            await asyncio.sleep(self._beat_s)

    def _write_soon(self, _client: paho.Client, _userdata: Any, _sock: Any) -> None:
        """What paho has to write goes out at the end of this turn of the loop; aiomqtt would watch the socket for it."""
        self._loop.call_soon(self._write)

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
        except Exception as error:  # noqa: BLE001  # likewise
            self._is_lost(str(error))
            return
        if self._client.want_write() and not self._writing and self._client.socket() is not None:
            self._writing = True
            self._loop.add_writer(sock, self._write)


def _seen(task: asyncio.Future[Any]) -> None:
    """Whoever asked may be gone."""
    if not task.cancelled():
        task.exception()
