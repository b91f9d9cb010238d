"""A raw client and a raw far end on a link."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

from test_lockstep import in_lockstep, now

from hil.clock.lockstep import LockstepLoop
from hil.coroutines import hold_reading
from hil.links import Link, LinkModel

LATENCY = 0.015


class Far(asyncio.Protocol):
    """The far end: what came and when; `echo` sends it back."""

    def __init__(self, ends: list[Far], *, echo: bool = False, pauses: bool = False) -> None:
        self.ends, self.echo, self.pauses = ends, echo, pauses
        self.heard: list[tuple[float, bytes]] = []
        self.ended: list[tuple[float, str]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.ends.append(self)
        if self.pauses:
            hold_reading(transport)

    def data_received(self, data: bytes) -> None:
        self.heard.append((now(), data))
        if self.echo:
            self.transport.write(data)

    def eof_received(self) -> bool:
        self.ended.append((now(), "eof"))
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.append((now(), type(exc).__name__ if exc else "closed"))

    @property
    def bytes(self) -> bytes:
        return b"".join(data for _, data in self.heard)


def frame(tid: int, size: int = 2) -> bytes:
    return struct.pack(">HHH", tid, 0, size) + bytes(size)


def through(
    model: LinkModel,
    talk: Callable[[Link, Far, list[Far]], Awaitable[None]],
    *,
    protocol: str = "modbus_tcp",
    on: Callable[[Callable[[], Awaitable[None]]], object] = in_lockstep,
    **far: bool,
) -> Link:
    """Run a talk between a raw client and a raw far end on a link; nothing may be left behind."""
    links: list[Link] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ends: list[Far] = []
        server = await loop.create_server(lambda: Far(ends, **far), "127.0.0.1", 0)
        async with Link(model, *server.sockets[0].getsockname(), protocol) as link:
            links.append(link)
            _, client = await loop.create_connection(lambda: Far([]), *link.address)
            await talk(link, client, ends)
            client.transport.abort()
        for end in ends:
            end.transport.abort()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)
        assert link._pairs == {}
        if isinstance(loop, LockstepLoop):
            assert loop.ledger.waiting_for() == []
            assert not [timer for *_, timer in loop._timers if not timer.cancelled()]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    on(main)
    return links[0]


def linger_and_abort(end: Far) -> None:
    end.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.transport.abort()
