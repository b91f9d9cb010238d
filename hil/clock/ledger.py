"""What is in flight: bytes, connects and closes on connections whose both ends live in this process, jobs, holds.

The account is kept at the socket, by a subclass with the standard interface: what one end has sent and the other has not yet
received is in flight. Ends that stopped reading do not count (a device that hangs must not stop the clock), nor do connections
with another process.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

_Address = Any


class _End:
    """One end of a connection as the ledger sees it."""

    __slots__ = ("closed", "fd", "finished", "name", "unread")

    def __init__(self, name: str) -> None:
        self.name = name
        self.fd = -1  # -1: not accepted yet
        self.unread = 0  # bytes sent to this end and not received
        self.finished = False  # the other end has closed and this one has not noticed
        self.closed = False


class Ledger:
    """Accounts of one loop.

    reads: tells whether a file descriptor is watched for reading, so that a paused reader does not hold the clock.
    """

    def __init__(self, reads: Callable[[int], bool]) -> None:
        self._reads = reads
        self._listening: set[_Address] = set()
        self._connections: dict[tuple[_Address, _Address], tuple[_End, _End]] = {}  # (client, server) address → ends
        self._holds: dict[int, str] = {}
        self._next_hold = 0

    def waiting_for(self) -> list[str]:
        """Names of what is in flight; empty when nothing is."""
        names = list(self._holds.values())
        for client, server in self._connections.values():
            for end in (client, server):
                if end.closed:
                    continue
                if end.fd == -1:
                    names.append(f"connect to {end.name}")
                elif (end.unread or end.finished) and self._reads(end.fd):
                    names.append(f"{end.unread} bytes for {end.name}" if end.unread else f"close seen by {end.name}")
        return names

    def busy(self) -> bool:
        """True while something is in flight; the quick form of `waiting_for`."""
        if self._holds:
            return True
        for ends in self._connections.values():
            for end in ends:
                if not end.closed and (end.fd == -1 or ((end.unread or end.finished) and self._reads(end.fd))):
                    return True
        return False

    @contextmanager
    def hold(self, reason: str) -> Iterator[None]:
        """Scenario time stands still inside."""
        release = self.hold_open(reason)
        try:
            yield
        finally:
            release()

    def hold_open(self, reason: str) -> Callable[[], None]:
        """Hold scenario time until the returned function is called."""
        self._next_hold += 1
        key = self._next_hold
        self._holds[key] = reason
        return lambda: void(self._holds.pop(key, None))

    # What the sockets report.

    def listens(self, address: _Address) -> None:
        self._listening.add(address)

    def stops_listening(self, address: _Address) -> None:
        self._listening.discard(address)
        for key in [k for k, (_, server) in self._connections.items() if k[1] == address and server.fd == -1]:
            del self._connections[key]

    def connects(self, sock: AccountedSocket, address: _Address) -> None:
        if address in self._listening:
            local = sock.getsockname()
            client, server = _End(f"{_text(local)} from {_text(address)}"), _End(f"{_text(address)} from {_text(local)}")
            client.fd = sock.fileno()
            self._connections[local, address] = (client, server)
            sock.ends = (client, server)

    def accepts(self, sock: AccountedSocket, peer: _Address) -> None:
        pair = self._connections.get((peer, sock.getsockname()))
        if pair is not None:
            client, server = pair
            server.fd = sock.fileno()
            sock.ends = (server, client)

    def closes(self, sock: AccountedSocket) -> None:
        if sock.ends is None:
            return
        mine, other = sock.ends
        sock.ends = None
        mine.closed = True
        mine.unread = 0
        mine.finished = False
        if other.closed:
            self._connections = {key: ends for key, ends in self._connections.items() if mine not in ends}
        else:
            other.finished = True


def void(_: object) -> None:
    """Drop a value."""


def _text(address: _Address) -> str:
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)


class AccountedSocket(socket.socket):
    """A TCP socket that reports to a ledger what it sends and receives."""

    ledger: Ledger | None = None
    ends: tuple[_End, _End] | None = None  # own, other
    listening_at: _Address = None

    @classmethod
    def open(cls, ledger: Ledger, family: int = socket.AF_INET) -> Self:
        """A new non-blocking stream socket."""
        sock = cls(family, socket.SOCK_STREAM)
        sock.ledger = ledger
        sock.setblocking(False)
        return sock

    def listen(self, backlog: int = 100, /) -> None:
        super().listen(backlog)
        if self.ledger is not None:
            self.listening_at = self.getsockname()
            self.ledger.listens(self.listening_at)

    def accept(self) -> tuple[socket.socket, Any]:
        fd, address = self._accept()  # type: ignore[attr-defined]  # as socket.socket.accept does, to make our own class
        sock = AccountedSocket(self.family, self.type, self.proto, fileno=fd)
        sock.ledger = self.ledger
        sock.setblocking(False)
        if self.ledger is not None:
            self.ledger.accepts(sock, address)
        return sock, address

    def connect(self, address: _Address, /) -> None:
        try:
            super().connect(address)
        except BlockingIOError:
            if self.ledger is not None:
                self.ledger.connects(self, address)
            raise
        if self.ledger is not None:
            self.ledger.connects(self, address)

    def send(self, data: Any, flags: int = 0, /) -> int:
        count = super().send(data, flags)
        self._sent(count)
        return count

    def sendmsg(self, buffers: Any, /, *args: Any) -> int:
        count = super().sendmsg(buffers, *args)
        self._sent(count)
        return count

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        try:
            data = super().recv(bufsize, flags)
        except BlockingIOError:
            raise
        except OSError:
            self._received(0)
            raise
        self._received(len(data))
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0, /) -> int:
        try:
            count = super().recv_into(buffer, nbytes, flags)
        except BlockingIOError:
            raise
        except OSError:
            self._received(0)
            raise
        self._received(count)
        return count

    def shutdown(self, how: int, /) -> None:
        super().shutdown(how)
        if how != socket.SHUT_RD and self.ends is not None and not self.ends[1].closed:
            self.ends[1].finished = True

    def close(self) -> None:
        if self.ledger is not None:
            if self.listening_at is not None:
                self.ledger.stops_listening(self.listening_at)
                self.listening_at = None
            self.ledger.closes(self)
        super().close()

    def _sent(self, count: int) -> None:
        if self.ends is not None and not self.ends[1].closed:
            self.ends[1].unread += count

    def _received(self, count: int) -> None:
        if self.ends is not None:
            mine = self.ends[0]
            mine.unread -= count
            if count == 0:  # end of stream, or an error that ends it
                mine.unread = 0
                mine.finished = False
