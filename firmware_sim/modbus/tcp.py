"""A Modbus TCP server (MODBUS Messaging on TCP/IP Implementation Guide V1.0b) for one device.

Frames are cut by their length field; every complete frame of a segment is answered, in order; what cannot be a frame closes
the connection, and so does a partial frame that is not completed in time. A client that does not take its replies is not read.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from firmware_sim.modbus.bank import Bank, ExceptionCode, ModbusFault
from firmware_sim.modbus.pdu import answer

_HEADER = struct.Struct(">HHHB")
_LEAST_LENGTH = 2  # unit identifier and function code
_MOST_LENGTH = 254


class ModbusTcpServer:
    """Serves one device.

    unit_id: the device's own address; 0 and 255 are answered too, others with exception 0x0B.
    refused: hears of every request that is answered with an exception.
    """

    def __init__(
        self,
        bank: Bank,
        *,
        unit_id: int = 1,
        most_connections: int = 16,
        partial_timeout_s: float = 1.0,
        refused: Callable[[bytes, ModbusFault], None] | None = None,
    ) -> None:
        self.bank = bank
        self.units = frozenset((unit_id, 0, 255))
        self.most_connections = most_connections
        self.partial_timeout_s = partial_timeout_s
        self.refused = refused
        self.requests = 0
        self.hung = False
        self.connections: dict[_Connection, None] = {}  # the longest without a request first
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; returns the address. Raises OSError where the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, port)
        address: tuple[str, int] = self._server.sockets[0].getsockname()[:2]
        return address

    async def stop(self) -> None:
        """Stop listening and close every connection, without waiting for clients that do not read."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self.connections):
            connection.drop()
        await self._server.wait_closed()
        self._server = None

    def hang(self, *, hung: bool) -> None:
        """Leave clients unread while hung, those that connect meanwhile too; what they sent is answered afterwards."""
        self.hung = hung
        for connection in list(self.connections):
            connection.hang(hung=hung)


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, server: ModbusTcpServer) -> None:
        self._server = server
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._partial: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connections = self._server.connections
        if len(connections) >= self._server.most_connections:
            next(iter(connections)).drop()
        connections[self] = None
        if self._server.hung:
            self.hang(hung=True)

    def hang(self, *, hung: bool) -> None:
        """Stop reading, or go on."""
        if self._transport is None:
            return
        if hung:
            self._await_rest(partial=False)
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
            self._await_rest(partial=bool(self._buffer))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._await_rest(partial=False)
        self._server.connections.pop(self, None)
        self._transport = None

    def close(self) -> None:
        """Close after what is written has been sent."""
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """Close at once: replies that the client has not taken are lost."""
        self._server.connections.pop(self, None)
        if self._transport is not None:
            self._transport.abort()

    def pause_writing(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None and not self._server.hung:
            self._transport.resume_reading()
            self._await_rest(partial=bool(self._buffer))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        replies = bytearray()
        sound = True
        while len(self._buffer) >= _HEADER.size:
            transaction, protocol, length, unit = _HEADER.unpack_from(self._buffer)
            if protocol != 0 or not _LEAST_LENGTH <= length <= _MOST_LENGTH:
                sound = False
                break
            if len(self._buffer) < 6 + length:
                break
            request = bytes(self._buffer[_HEADER.size : 6 + length])
            del self._buffer[: 6 + length]
            reply = self._reply(unit, request)
            replies += _HEADER.pack(transaction, 0, len(reply) + 1, unit)
            replies += reply
        if replies and self._transport is not None:
            connections = self._server.connections
            connections[self] = connections.pop(self, None)
            self._transport.write(replies)
        if not sound:
            self.close()
        self._await_rest(partial=sound and bool(self._buffer))

    def _reply(self, unit: int, request: bytes) -> bytes:
        self._server.requests += 1
        if unit not in self._server.units:
            fault = ModbusFault(ExceptionCode.GATEWAY_TARGET_FAILED, f"unit {unit}")
            if self._server.refused is not None:
                self._server.refused(request, fault)
            return bytes((request[0] | 0x80, fault.code))
        return answer(self._server.bank, request, self._server.refused)

    def _await_rest(self, *, partial: bool) -> None:
        """Give the rest of a partial frame its time, which does not run while we do not read."""
        if self._partial is not None:
            self._partial.cancel()
            self._partial = None
        if partial and self._transport is not None and self._transport.is_reading():
            loop = asyncio.get_running_loop()
            self._partial = loop.call_later(self._server.partial_timeout_s, self.close)
