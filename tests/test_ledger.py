"""The account of what is in flight: against a walk over all ends, and for sockets that a library uses by itself."""

from __future__ import annotations

import asyncio
import random
import socket

import pytest
from test_lockstep import in_lockstep, now

from hil.clock.ledger import AccountedSocket, Ledger
from hil.clock.lockstep import LockstepLoop


def lockstep() -> LockstepLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LockstepLoop)
    return loop


class Bench:
    """A ledger with real sockets and no loop; every end that ever was is remembered."""

    def __init__(self) -> None:
        self.reading: set[int] = set()
        self.ledger = Ledger(self.reading.__contains__)
        self.listener = AccountedSocket.open(self.ledger)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.pairs: list[tuple] = []  # of ends: client, server

    def connect(self) -> AccountedSocket:
        sock = AccountedSocket.open(self.ledger)
        sock.setblocking(True)  # on the loopback a connect is done at once, or the test would have to wait
        sock.connect(self.listener.getsockname())
        sock.setblocking(False)
        self.pairs.append(sock.ends)
        return sock

    def accept(self) -> AccountedSocket:
        sock, _ = self.listener.accept()
        assert isinstance(sock, AccountedSocket)
        return sock

    def walked(self) -> list[str]:
        """What is in flight, by the rule, over all ends."""
        names = []
        for end in (end for pair in self.pairs for end in pair if not end.closed):
            if end.fd == -1:
                names.append(f"connect to {end.name}")
            elif (end.unread or end.finished) and end.fd in self.reading:
                names.append(f"{end.unread} bytes for {end.name}" if end.unread else f"close seen by {end.name}")
        return names


@pytest.mark.parametrize("seed", range(5))
def test_what_is_in_flight_is_what_a_walk_over_all_ends_finds(seed):
    chance = random.Random(seed)
    bench = Bench()
    open_socks: list[AccountedSocket] = []
    unaccepted = 0
    seen_busy = 0
    for _ in range(1500):
        what = chance.choice(["connect", "accept", "send", "send", "recv", "recv", "recv", "watch", "shutdown", "close"])
        sock = chance.choice(open_socks) if open_socks else None
        if what == "connect" and len(open_socks) < 20:
            open_socks.append(bench.connect())
            unaccepted += 1
        elif what == "accept" and unaccepted:
            open_socks.append(bench.accept())
            unaccepted -= 1
        elif sock is None:
            continue
        elif what == "watch":
            bench.reading ^= {sock.fileno()}
        elif what == "close":
            bench.reading.discard(sock.fileno())
            open_socks.remove(sock)
            sock.close()
        else:
            try:
                if what == "send":
                    sock.send(b"x" * chance.randint(1, 50))
                elif what == "recv":
                    sock.recv(chance.randint(1, 60))
                else:
                    sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        assert bench.ledger.waiting_for() == bench.walked()
        assert bench.ledger.busy() == bool(bench.walked())
        seen_busy += bench.ledger.busy()
    assert 100 < seen_busy < 1500
    for sock in open_socks:
        sock.close()
    bench.listener.close()
    assert not bench.ledger.busy()
    assert not bench.ledger._flying  # nothing is kept of what is gone
    assert not bench.ledger._connecting


def test_a_connect_that_nobody_will_accept_is_not_waited_for():
    bench = Bench()
    client = bench.connect()
    assert bench.ledger.busy()
    bench.listener.close()
    assert not bench.ledger.busy()
    client.close()
    assert not bench.ledger.busy()


def test_a_port_that_is_taken_again_before_its_connect_is_accepted():
    bench = Bench()

    class Fake:
        ends = None

        def getsockname(self) -> tuple[str, int]:
            return "127.0.0.1", 5

        def fileno(self) -> int:
            return 99

    at = bench.listener.getsockname()
    first, second = Fake(), Fake()
    bench.ledger.connects(first, at)
    bench.ledger.closes(first)
    bench.ledger.connects(second, at)
    assert len(bench.ledger.waiting_for()) == 1
    bench.listener.close()
    assert bench.ledger.waiting_for() == []


def test_a_librarys_own_socket_is_accounted_for():
    """Plain send and recv on a socket of the loop's, watched by add_reader; closed by the server."""

    async def main() -> None:
        loop = lockstep()
        done = asyncio.Event()
        heard: list[tuple[float, bytes]] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(100):
                await asyncio.to_thread(lambda: None)  # from elsewhere, so that nothing but the account holds the clock
                writer.write(data.upper())
                if data == b"bye":
                    break
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        sock = loop.stream_socket()
        await loop.sock_connect(sock, address)

        def readable() -> None:
            heard.append((now(), sock.recv(100)))
            if not heard[-1][1]:
                loop.remove_reader(sock.fileno())
                done.set()

        loop.add_reader(sock.fileno(), readable)
        await asyncio.sleep(1.0)
        assert loop.ledger.waiting_for() == []
        sock.send(b"hello")
        assert loop.ledger.waiting_for() == [f"5 bytes for 127.0.0.1:{address[1]} from 127.0.0.1:{sock.getsockname()[1]}"]
        await asyncio.sleep(1.0)
        sock.send(b"bye")
        await done.wait()
        assert heard == [(1.0, b"HELLO"), (2.0, b"BYE"), (2.0, b"")]
        assert loop.ledger.waiting_for() == []
        sock.close()
        server.close()
        await server.wait_closed()

    in_lockstep(main)


def test_a_librarys_own_socket_that_it_closes_or_does_not_watch():
    async def main() -> None:
        loop = lockstep()
        ended: list[float] = []
        writers: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            await reader.read(100)
            ended.append(now())
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        sock = loop.stream_socket(socket.AF_INET)
        await loop.sock_connect(sock, server.sockets[0].getsockname())
        await asyncio.sleep(0.5)
        writers[0].write(b"news")
        assert loop.ledger.waiting_for() == []  # nobody watches: time goes on
        await asyncio.sleep(0.5)
        with pytest.raises(BlockingIOError):
            sock.recv(4) and sock.recv(4)
        sock.close()
        assert [name.split(" for ")[0].split(" by ")[0] for name in loop.ledger.waiting_for()] == ["close seen"]
        await asyncio.sleep(0.5)
        assert ended == [1.0]
        assert loop.ledger.waiting_for() == []
        server.close()
        await server.wait_closed()

    in_lockstep(main)


def test_a_librarys_own_socket_under_back_pressure():
    """What a full socket does not take is sent from add_writer; scenario time stands still to the last byte."""
    total = 8_000_000

    async def main() -> None:
        loop = lockstep()
        received = 0
        done = asyncio.Event()

        async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal received
            while data := await reader.read(65_536):
                received += len(data)
            done.set()
            writer.close()

        async def ticking() -> None:
            while True:
                await asyncio.sleep(0.001)

        server = await asyncio.start_server(sink, "127.0.0.1", 0)
        sock = loop.stream_socket()
        await loop.sock_connect(sock, server.sockets[0].getsockname())
        others = asyncio.create_task(ticking())
        left = total
        blocked = 0

        def writable() -> None:
            nonlocal left, blocked
            try:
                while left:
                    left -= sock.send(b"x" * min(left, 1_000_000))
            except BlockingIOError:
                blocked += 1
                return
            loop.remove_writer(sock.fileno())
            sock.shutdown(socket.SHUT_WR)

        loop.add_writer(sock.fileno(), writable)
        await done.wait()
        assert (received, now()) == (total, 0.0)
        assert blocked > 0
        others.cancel()
        sock.close()
        server.close()
        await server.wait_closed()

    in_lockstep(main)
