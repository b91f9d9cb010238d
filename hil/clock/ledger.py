"""What is in flight: bytes, connects and closes on connections whose both ends live in this process, jobs, holds.

The account is kept at the socket, by a subclass with the standard interface: what one end has sent and the other has not yet
received is in flight. Ends that stopped reading do not count (a device that hangs must not stop the clock), nor do connections
with another process.
"""

from __future__ import annotations

import fcntl
import socket
import sys
import termios
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import Any, Self

_Address = Any
_WAITED_FOR = 16_384  # bytes for one end


class _End:
    """One end of a connection as the ledger sees it. flying: the ledger's ends that have something in flight."""

    __slots__ = ("_flying", "closed", "fd", "finished", "name", "number", "unread")

    def __init__(self, name: str, number: int, flying: dict[_End, None]) -> None:
        self.name = name
        self.number = number
        self.fd = -1  # -1: not accepted yet
        self.unread = 0  # bytes sent to this end and not received
        self.finished = False  # the other end has closed and this one has not noticed
        self.closed = False
        self._flying = flying

    def sent(self, count: int) -> None:
        """Bytes are on their way to this end."""
        if count and not self.closed:
            self.unread += count
            self._flying[self] = None

    def received(self, count: int) -> None:
        """This end has taken bytes; 0: it has seen the end of the stream, or an error that ends it."""
        if count:
            self.unread -= count
        else:
            self.unread = 0
            self.finished = False
        if not (self.unread or self.finished):
            self._flying.pop(self, None)

    def finish(self) -> None:
        """The other end says no more."""
        if not self.closed:
            self.finished = True
            self._flying[self] = None

    def accept(self, fd: int) -> None:
        """This end, a server's, has its socket."""
        self.fd = fd
        if not (self.unread or self.finished):
            self._flying.pop(self, None)

    def close(self) -> None:
        """This end is gone: nothing is on its way to it any more."""
        self.closed = True
        self._flying.pop(self, None)


class Ledger:
    """Accounts of one loop. What it costs to ask goes by what is in flight, not by how many connections there are.

    reads: tells whether a file descriptor is watched for reading, so that a paused reader does not hold the clock.
    """

    def __init__(self, reads: Callable[[int], bool]) -> None:
        self._reads = reads
        self._listening: set[_Address] = set()
        self._connecting: dict[tuple[_Address, _Address], tuple[_End, _End]] = {}  # (client, server) address → ends
        self._flying: dict[_End, None] = {}  # not accepted, with bytes unread, or with an end of stream unseen
        self._ends = 0
        self._holds: dict[int, str] = {}
        self._next_hold = 0

    def waiting_for(self) -> list[str]:
        """Names of what is in flight, the oldest connection first; empty when nothing is."""
        names = list(self._holds.values())
        for end in sorted(self._flying, key=lambda end: end.number):
            if end.fd == -1:
                names.append(f"connect to {end.name}")
            elif self._reads(end.fd):
                names.append(f"{end.unread} bytes for {end.name}" if end.unread else f"close seen by {end.name}")
        return names

    def busy(self) -> bool:
        """True while something is in flight; the quick form of `waiting_for`."""
        if self._holds:
            return True
        for end in self._flying:  # noqa: SIM110  # asked at every idle, and a generator costs more than most answers
            if end.fd == -1 or self._reads(end.fd):
                return True
        return False

    @property
    def several(self) -> bool:
        """Whether more than one end has something in flight: only then its order matters."""
        return len(self._flying) > 1

    def arrived(self, ready: Container[int]) -> bool:
        """Whether all that is in flight stands at its sockets. ready: file descriptors that a poll gave.

        What is sent on loopback is there when `send` returns, but on a busy machine not always, and then the order in which
        ends are read is the machine's affair. Much data is not waited for: it may be more than a socket holds.
        """
        for end in self._flying:
            if end.fd == -1 or not self._reads(end.fd) or end.unread > _WAITED_FOR:
                continue
            if end.fd not in ready or (end.unread and _held(end.fd) < end.unread):
                return False
        return True

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
        for key in [key for key in self._connecting if key[1] == address]:  # they will not be accepted any more
            self._connecting.pop(key)[1].close()

    def connects(self, sock: AccountedSocket, address: _Address) -> None:
        if address in self._listening:
            local = sock.getsockname()
            self._ends += 2
            client = _End(f"{_text(local)} from {_text(address)}", self._ends, self._flying)
            server = _End(f"{_text(address)} from {_text(local)}", self._ends + 1, self._flying)
            client.fd = sock.fileno()
            self._flying[server] = None
            replaced = self._connecting.get((local, address))
            if replaced is not None:  # closed by its client before it was accepted, and its port taken again
                replaced[1].close()
            self._connecting[local, address] = (client, server)
            sock.ends = (client, server)

    def accepts(self, sock: AccountedSocket, peer: _Address) -> None:
        pair = self._connecting.pop((peer, sock.getsockname()), None)
        if pair is not None:
            client, server = pair
            server.accept(sock.fileno())
            sock.ends = (server, client)

    def closes(self, sock: AccountedSocket) -> None:
        if sock.ends is not None:
            mine, other = sock.ends
            sock.ends = None
            mine.close()
            other.finish()


def _held(fd: int) -> int:
    """Bytes that a socket has and that were not received."""
    return int.from_bytes(fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"), sys.byteorder)


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
        sock = cls(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY where it is named
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
        if how != socket.SHUT_RD and self.ends is not None:
            self.ends[1].finish()

    def close(self) -> None:
        if self.ledger is not None:
            if self.listening_at is not None:
                self.ledger.stops_listening(self.listening_at)
                self.listening_at = None
            self.ledger.closes(self)
        super().close()

    def _sent(self, count: int) -> None:
        if self.ends is not None:
            self.ends[1].sent(count)

    def _received(self, count: int) -> None:
        if self.ends is not None:
            self.ends[0].received(count)
