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
from hil.mqtt.pipe import Pipe

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
        self._deliver = deliver
        self._beat_s = max(1.0, settings.keepalive_s / 8.0)
        self._pipe: Pipe | None = None
        self._to_flush = self._writing = False
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._client.on_socket_register_write = self._write_soon
        self._client.on_socket_unregister_write = None

    async def __aenter__(self) -> Self:
        """Connect, and be accepted. Raises WireError."""
        make = getattr(self._loop, "stream_socket", socket.socket)  # a loop that accounts for what is in flight makes them
        sock = make(socket.AF_INET)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(self.timeout):
                await self._loop.sock_connect(sock, (self._hostname, self._port))
            pipe = self._pipe = Pipe(sock)
            self._client._create_socket_connection = lambda: pipe  # type: ignore[method-assign, assignment, return-value]  # noqa: SLF001
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
        """Publish at QoS 0 without waiting for anything; False where there is no connection, or one that takes nothing."""
        pipe = self._pipe
        if pipe is None or not self._client.is_connected():
            return False
        if self._client.want_write():
            self._client.loop_write()  # what paho was given before goes first
        if not pipe.publish(topic, payload, retain=retain):
            return False
        self._flush_soon()
        return True

    async def publish_acknowledged(self, topic: str, payload: str, *, retain: bool) -> None:
        """Publish at QoS 1; ends when it is acknowledged, or with the connection. Raises WireError."""
        await self._unless_lost(self.publish(topic, payload, qos=1, retain=retain))

    async def subscribe_acknowledged(self, topics: list[str]) -> None:
        """Subscribe at QoS 1; ends when it is acknowledged, or with the connection. Raises WireError."""
        await self._unless_lost(self.subscribe([(topic, 1) for topic in topics]))

    def cut(self) -> None:
        """Close the socket, without a farewell."""
        if self._pipe is not None:
            self._pipe.discard()
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
        """All that has come."""
        pipe = self._pipe
        assert pipe is not None
        try:
            for publication in pipe.packets():
                if publication is None:
                    self._client.loop_read()
                else:
                    self._deliver(Message(*publication))
                if self._client.socket() is None:
                    return
            if pipe.ended:
                self._client.loop_read()
        except Exception as error:  # noqa: BLE001  # as aiomqtt does: whatever it is, the connection is broken
            self._is_lost(str(error))

    async def _misc_loop(self) -> None:
        """As aiomqtt's, but only as often as the keep-alive needs it."""
        while self._client.loop_misc() == paho.MQTT_ERR_SUCCESS:  # noqa: ASYNC110  # it is polled by design
            await asyncio.sleep(self._beat_s)

    def _on_socket_close(self, client: paho.Client, userdata: Any, sock: Any) -> None:
        """As aiomqtt's, with the writer of ours."""
        super()._on_socket_close(client, userdata, sock)
        if self._writing:
            self._writing = False
            self._loop.remove_writer(sock.fileno())

    def _write_soon(self, *_: Any) -> None:
        """What paho has to write goes out with the rest; aiomqtt would watch the socket for it."""
        self._flush_soon()

    def _flush_soon(self) -> None:
        """Write at the end of this turn of the loop."""
        if not self._to_flush:
            self._to_flush = True
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        self._to_flush = False
        pipe: Any = self._client.socket()
        if pipe is None:
            return
        try:
            self._client.loop_write()
        except Exception as error:  # noqa: BLE001  # likewise
            self._is_lost(str(error))
            return
        if self._client.socket() is None:  # that was the farewell
            return
        unwritten = not pipe.flush()
        if unwritten != self._writing:
            self._writing = unwritten
            if unwritten:
                self._loop.add_writer(pipe.fileno(), self._write)
            else:
                self._loop.remove_writer(pipe.fileno())


def _seen(task: asyncio.Future[Any]) -> None:
    """Whoever asked may be gone."""
    if not task.cancelled():
        task.exception()
