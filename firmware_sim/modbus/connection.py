"""One client of a Modbus server on TCP: its frames, its times, and how much it may be owed."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from firmware_sim.modbus.framing import Framing, Mbap, Rtu
from firmware_sim.modbus.outbox import Outbox
from hil.coroutines import hold_reading

if TYPE_CHECKING:
    from firmware_sim.modbus.tcp import ModbusTcpServer


class Connection(asyncio.BufferedProtocol):
    """One client. era: the server's when it was accepted."""

    def __init__(self, server: ModbusTcpServer, era: object) -> None:
        self._server = server
        self._era = era
        self._transport: asyncio.Transport | None = None
        self._stream: Framing
        self._allowed: frozenset[int] | None = None
        self._outbox = Outbox(self._say, self.close, self.regulate)
        self._partial: asyncio.TimerHandle | None = None
        self._awaited = 0  # which frame that one is of
        self._idle: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()  # asking for it costs a system call each time, on Python 3.11
        self._heard_s = 0.0
        self._behind = False  # the client does not take its replies
        self._leaving = False  # nothing more is asked of us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the client in, unless the server has stopped since it was accepted."""
        assert isinstance(transport, asyncio.Transport)
        server = self._server
        if self._era is not server.era:
            transport.abort()
            return
        if server.refuses and len(server.connections) >= server.most_connections:
            transport.abort()
            return
        self._transport = transport
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if server.tls is not None:
            self._allowed = server.tls.functions_of(transport.get_extra_info("ssl_object"))
        self._stream = (Mbap if server.framing == "mbap" else Rtu)(server.units, self._allowed)
        if len(server.connections) >= server.most_connections:
            next(iter(server.connections)).drop()
        server.connections[self] = None
        self.regulate()
        if server.hung:
            hold_reading(transport)
        if server.idle_timeout_s is not None:
            self._heard_s = self._loop.time()
            self._idle = self._loop.call_later(server.idle_timeout_s, self._judge_idle)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Forget the client."""
        self._await_rest(partial=False)
        self._outbox.clear()
        if self._idle is not None:
            self._idle.cancel()
        self._server.connections.pop(self, None)
        self._transport = None

    def close(self) -> None:
        """Close after what is written has been sent."""
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """Close at once: replies that the client has not taken are lost."""
        self._server.connections.pop(self, None)
        self._outbox.clear()
        if self._transport is not None:
            self._transport.abort()

    def pause_writing(self) -> None:
        """A client that does not take its replies is not read."""
        self._behind = True
        self.regulate()

    def resume_writing(self) -> None:
        """It has taken them."""
        self._behind = False
        self.regulate()

    def eof_received(self) -> bool:
        """A client that has said all it had to say still gets its answers."""
        if not self._outbox or self._server.tls is not None:  # TLS cannot be half closed
            return False
        self._outbox.put(None)
        return True

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Where the next bytes go."""
        return self._stream.space()

    def buffer_updated(self, nbytes: int) -> None:
        """Answer every request that is complete."""
        stream = self._stream
        if self._server.faults.active or self._outbox:
            stream.took(nbytes)
            while not self._leaving and (request := stream.cut()) is not None:
                self._answer(request)
            if self._leaving:
                stream.drop()
        else:
            replies = stream.answered(nbytes)
            if replies:
                self._say(replies)
        if stream.broken:
            if self._server.framing == "mbap":
                self._outbox.put(None)
            else:
                stream.rest()
        if self._idle is not None:
            self._heard_s = self._loop.time()
        if stream.partial:
            if self._partial is None or self._awaited != stream.completed:  # a drop a second does not buy it time
                self._await_rest(partial=True)
        elif self._partial is not None:
            self._await_rest(partial=False)

    def _answer(self, request: tuple[int, int, bytes]) -> None:
        server = self._server
        outcome = server.faults.answer(server.units, request, self._stream.frame, self._allowed)
        if outcome.disconnects:
            self._leaving = True
            self._outbox.put(None, outcome.delay_s)
        elif outcome.frame:
            self._outbox.put(outcome.frame, outcome.delay_s)
            self.regulate()

    def _say(self, replies: bytes | bytearray) -> None:
        if self._transport is not None:
            connections = self._server.connections
            connections[self] = connections.pop(self, None)
            self._transport.write(replies)

    def regulate(self) -> None:
        """Read, or do not: while the server hangs, the client does not take its replies, or is owed too many."""
        if self._transport is None:
            return
        if self._server.hung or self._behind or self._outbox.full:
            self._await_rest(partial=False)
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
            self._await_rest(partial=self._stream.partial)

    def _await_rest(self, *, partial: bool) -> None:
        """Give the rest of a partial frame its time, which does not run while we do not read."""
        if self._partial is not None:
            self._partial.cancel()
            self._partial = None
        if partial and self._transport is not None and self._transport.is_reading():
            self._awaited = self._stream.completed
            self._partial = self._loop.call_later(self._server.partial_timeout_s, self._no_more)

    def _no_more(self) -> None:
        """The rest has not come."""
        self._partial = None
        request = self._stream.rest()
        if request is not None:
            self._answer(request)
        elif self._stream.broken:
            self.close()

    def _judge_idle(self) -> None:
        """Close a client that has been silent for too long, unless it is we who do not listen."""
        loop = self._loop
        assert self._server.idle_timeout_s is not None
        reading = self._transport is not None and self._transport.is_reading()
        until_s = (self._heard_s if reading and not self._outbox else loop.time()) + self._server.idle_timeout_s
        if loop.time() >= until_s:
            self.close()
        else:
            self._idle = loop.call_at(until_s, self._judge_idle)
