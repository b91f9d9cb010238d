"""A link: listens where a controller connects, opens its own connection to the device, carries messages between the two.

Sockets and timers are those of the caller's loop. So delays are in scenario time in lock-step, where what the relay sends is
accounted for as everybody's is, and in real time on any other loop.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import TracebackType
from typing import Self

from hil.links.flow import End, Flow, Tally
from hil.links.framer import Framer, Protocol
from hil.links.model import Direction, LinkModel


class Link:
    """One network path, as a relay on loopback.

    model: its delays. host, port: the device or broker behind it. protocol: what messages are. Its wake-ups belong to the
    participant that starts it.
    """

    def __init__(self, model: LinkModel, host: str, port: int, protocol: Protocol) -> None:
        self.model = model
        self.endpoint = (host, port)
        self.protocol: Protocol = protocol
        self.to_device = Tally()
        self.to_controller = Tally()
        self.connections = 0
        self._pairs: dict[_Pair, None] = {}
        self._server: asyncio.Server | None = None
        self._address: tuple[str, int] | None = None
        self._cuts = 0
        self._whole = asyncio.Event()
        self._whole.set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Listen; returns the address to connect to. Raises OSError where the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Pair(self).client, host, port)
        self._address = self._server.sockets[0].getsockname()[:2]
        return self.address

    async def stop(self) -> None:
        """Stop listening and close every connection at once; what is on its way is lost."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        pairs = list(self._pairs)
        for pair in pairs:
            pair.drop()
        for pair in pairs:
            await pair.gone.wait()
        await server.wait_closed()

    async def emptied(self, within_s: float) -> None:
        """Wait until every connection has ended and its end is known on both sides, but no longer than that."""
        ends = [asyncio.ensure_future(pair.gone.wait()) for pair in self._pairs]
        if ends:
            _, late = await asyncio.wait(ends, timeout=within_s)
            for end in late:
                end.cancel()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, once started."""
        assert self._address is not None, "a link has an address once it is started"
        return self._address

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    @property
    def silent(self) -> bool:
        """Whether it is cut."""
        return self._cuts > 0

    def cut(self) -> None:
        """Let nothing pass, as with a cable pulled: both ends stay connected, and what they send is held."""
        self._cuts += 1
        if self._cuts == 1:
            self._whole.clear()
            for pair in self._pairs:
                pair.to_device.hold()
                pair.to_controller.hold()

    def mend(self) -> None:
        """Take a cut back. With the last one, all that is held sets off: it arrives after its delay, counted from now."""
        if self._cuts == 0:
            return
        self._cuts -= 1
        if self._cuts == 0:
            self._whole.set()
            for pair in list(self._pairs):
                pair.to_device.release()
                pair.to_controller.release()

    # For its connections.

    def joins(self, pair: _Pair) -> None:
        """A connection has come."""
        self._pairs[pair] = None

    def leaves(self, pair: _Pair) -> None:
        """A connection is gone on both sides."""
        self._pairs.pop(pair, None)

    async def whole(self) -> None:
        """Wait until it is not cut."""
        while self.silent:
            await self._whole.wait()


class _Pair:
    """A controller's connection and the one that goes on to the device."""

    def __init__(self, link: Link) -> None:
        self._link = link
        number = link.connections
        link.connections += 1
        self.to_device = self._flow("to_device", number, link.to_device)
        self.to_controller = self._flow("to_controller", number, link.to_controller)
        self.client = _Side(self, self.to_device, self.to_controller)
        self.device = _Side(self, self.to_controller, self.to_device)
        self.gone = asyncio.Event()
        self._opening: asyncio.Task[None] | None = None

    def _flow(self, way: Direction, number: int, tally: Tally) -> Flow:
        return Flow(partial(self._link.model.delay, way, number), Framer(self._link.protocol), tally, self._ended)

    def made(self, side: _Side) -> None:
        """A side is connected; with the controller's, the way to the device is opened."""
        if not self._link.running:
            self.drop()
        elif side is self.client:
            self._link.joins(self)
            self._opening = asyncio.get_running_loop().create_task(self._open())
            self._opening.add_done_callback(self._opened)  # comes even where it was cancelled before its first step

    def lost(self) -> None:
        """A side is gone."""
        if self.client.gone and self.device.gone:
            self._link.leaves(self)
            self.gone.set()

    def drop(self) -> None:
        """Close both sides at once."""
        self.to_device.close()
        self.to_controller.close()
        if self._opening is not None:
            self._opening.cancel()
        for side in (self.client, self.device):
            side.drop()

    async def _open(self) -> None:
        """Connect to the device. Free of charge: a handshake takes no scenario time here."""
        loop = asyncio.get_running_loop()
        try:
            if self._link.silent:
                await self._link.whole()
                if self.to_device.finished:  # over a cut cable its connect had not succeeded: the device never hears of it
                    self.drop()
                    return
            with _standing_still(f"link {self._link.model.name}: connect to {self._link.endpoint}"):
                await loop.create_connection(lambda: self.device, *self._link.endpoint)
        except OSError:
            self.to_device.close()
            self.to_controller.finish(End.RESET, 2.0 * self._link.model.latency_s)

    def _opened(self, _: object) -> None:
        self._opening = None
        if not self.device.made:
            self.device.gone = True
            self.lost()

    def _ended(self) -> None:
        """One direction has ended for good; with both, so do the connections."""
        if self.to_device.delivered and self.to_controller.delivered:
            for side in (self.client, self.device):
                side.close()


class _Side(asyncio.Protocol):
    """One of the two connections. out: what it sends. into: what it gets."""

    def __init__(self, pair: _Pair, out: Flow, into: Flow) -> None:
        self._pair = pair
        self._out = out
        self._into = into
        self._transport: asyncio.Transport | None = None
        self.made = False
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.made = True
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pair.made(self)
        self._out.reads(transport)
        self._into.writes(transport)

    def data_received(self, data: bytes) -> None:
        self._out.take(data)

    def eof_received(self) -> bool:
        self._out.finish(End.EOF)
        return True  # the other direction goes on

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.gone = True
        self._into.close()
        self._out.source_lost()
        if exc is not None or not self._out.finished:
            self._out.finish(End.RESET)
        self._pair.lost()

    def pause_writing(self) -> None:
        self._into.sink_full(True)

    def resume_writing(self) -> None:
        self._into.sink_full(False)

    def close(self) -> None:
        """Close after what is written has been sent."""
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()


def _standing_still(reason: str) -> AbstractContextManager[None]:
    """Where the loop keeps scenario time, it stands still inside: an end outside this process is not accounted for."""
    hold = getattr(asyncio.get_running_loop(), "hold", None)
    return nullcontext() if hold is None else hold(reason)
