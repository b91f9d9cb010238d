"""Lock-step virtual time: an asyncio loop whose `time()` is scenario time, over real sockets.

While callbacks are ready or anything is in flight, scenario time stands still. When all is quiet the plant runs to the next
timer, rounded up to a tick, and that timer alone is released; timers of one instant go one at a time in the order (tick,
participant, creation), each followed until all is quiet again. So third-party time-outs and reconnects run in scenario time,
and what happens does not depend on how fast the machine is.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from hil.clock.ledger import AccountedSocket, Ledger
from hil.clock.scenario_loop import ScenarioLoop, ScenarioSelector, in_our_order
from hil.errors import LockstepStall

_SETTLE_S = 0.5  # wall-clock time; what needs longer is not on its way
_MOST_PASSED = 16  # polls left out in a row while callbacks are ready, so that a callback may wait for a socket by spinning


class Advances(Protocol):
    """What the clock moves: a plant with integer ticks."""

    @property
    def tick(self) -> int:
        """Ticks run so far."""

    @property
    def period_ns(self) -> int:
        """Length of a tick."""

    def advance(self, until_tick: int) -> None:
        """Run up to a tick."""


class LockstepLoop(ScenarioLoop):
    """The loop. `accounting = False` leaves out what is in flight: only to show what that does.

    patience_s: wall-clock time that something in flight may stay silent before the run is given up (LockstepStall).
    """

    def __init__(self, plant: Advances, *, accounting: bool = True, patience_s: float = 5.0) -> None:
        self._plant = plant
        self._accounting = accounting
        self._patience_s = patience_s
        selector = _VirtualSelector(self._idle)
        self.ledger = Ledger(selector.reads)
        if accounting:
            selector.ledger = self.ledger
        self.jumps = 0
        super().__init__(selector, plant.tick, plant.period_ns)

    @contextmanager
    def hold(self, reason: str) -> Iterator[None]:
        """Scenario time stands still inside."""
        with self.ledger.hold(reason):
            yield

    def hold_open(self, reason: str) -> Callable[[], None]:
        """Hold scenario time until the returned function is called."""
        return self.ledger.hold_open(reason)

    def _idle(self, wait: Callable[[float | None], Any]) -> Any:
        """Nothing is ready: wait for what is in flight, else release the next timer, else wait for the outside."""
        if self._accounting and self.ledger.busy():
            events = wait(self._patience_s)
            if not events and self.ledger.busy() and not self._ready:  # type: ignore[attr-defined]
                waiting_for = self.ledger.waiting_for()
                self._accounting = False  # so that cleaning up does not stall again
                raise LockstepStall(self._patience_s, waiting_for)
            return events
        for _ in range(_MOST_PASSED if self._accounting else 1):
            tick = self._next_timer()
            if tick is None:
                return wait(None)
            if tick > self._tick:
                self._plant.advance(tick)
                self._moved_to(tick)
                self.jumps += 1
            self._take()._run()  # noqa: SLF001  # as asyncio would in its next turn, if there were anything else to do in it
            if self._ready or self.ledger.busy():  # type: ignore[attr-defined]
                break
        return []

    # Sockets and jobs of this loop report to the ledger.

    def run_in_executor(  # type: ignore[override]  # likewise
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """As asyncio's; scenario time stands still until the job is done."""
        release = self.ledger.hold_open(f"executor job {getattr(func, '__qualname__', func)!s}")
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(lambda _: release())
        return future

    async def shutdown_default_executor(self, *args: Any, **options: Any) -> None:
        """As asyncio's, whose time-out (since Python 3.12) must not run out in scenario time."""
        self._accounting = True
        with self.ledger.hold("the end of executor jobs"):
            await super().shutdown_default_executor(*args, **options)

    def stream_socket(self, family: int = socket.AF_INET) -> socket.socket:
        """A non-blocking stream socket that is accounted for, for a library that does its own sending and receiving.

        Connect it with `await loop.sock_connect(sock, address)`, and watch it with `loop.add_reader`.
        """
        return AccountedSocket.open(self.ledger, family)

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        """As asyncio's; a connection to a server of this loop is accounted for."""
        if host is None or options.get("sock") is not None:
            return await super().create_connection(protocol_factory, host, port, **options)
        local = options.pop("local_addr", None)
        if options.get("ssl") and options.get("server_hostname") is None:
            options["server_hostname"] = host
        errors: list[OSError] = []
        found = await self.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=options.pop("family", 0))
        for family, _, _, _, address in found:
            sock = AccountedSocket.open(self.ledger, family)
            try:
                if local is not None:
                    sock.bind(local)
                await self.sock_connect(sock, address)
            except OSError as error:
                sock.close()
                errors.append(error)
                continue
            except BaseException:
                sock.close()
                raise
            return await super().create_connection(protocol_factory, sock=sock, **options)
        raise errors[0] if errors else OSError(f"no address for {host}")

    async def create_server(self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        """As asyncio's; connections from this loop are accounted for. `host` is one numeric address."""
        if options.get("sock") is not None or not isinstance(host, str):
            return await super().create_server(protocol_factory, host, port, **options)
        options.pop("reuse_address", None)
        sock = AccountedSocket.open(self.ledger, socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            return await super().create_server(protocol_factory, sock=sock, **options)
        except BaseException:
            sock.close()
            raise

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """As asyncio's, at once for numeric addresses."""
        try:
            return socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV, **options)
        except socket.gaierror:
            return await super().getaddrinfo(host, port, **options)


class _VirtualSelector(ScenarioSelector):
    """The platform's selector; when asyncio would sleep, the loop decides what happens instead."""

    def __init__(self, idle: Callable[[Callable[[float | None], Any]], Any]) -> None:
        super().__init__()
        self._idle = idle
        self._passed = 0
        self.ledger: Ledger | None = None

    def select(self, timeout: float | None = None) -> Any:
        if self._passed < _MOST_PASSED:
            if timeout is not None:
                # Callbacks are ready: run them first. Sockets keep, and asking costs a system call.
                self._passed += 1
                return []
            if len(self._events) == 1:
                # All that is watched is the loop's own pipe, by which signals and other threads wake it.
                self._passed += 1
                return self._idle(self._real.select)
        self._passed = 0
        events = self._real.select(0)
        if not events and timeout is None:
            events = self._idle(self._real.select)
        if events and self.ledger is not None and self.ledger.several:
            events = self._complete(events, self.ledger)
        return in_our_order(events)

    def _complete(self, events: list[Any], ledger: Ledger) -> list[Any]:
        """The events once all that is in flight has arrived: how busy the machine is must not decide their order."""
        give_up_s = time.monotonic() + _SETTLE_S
        while not ledger.arrived({key.fd for key, _ in events}) and time.monotonic() < give_up_s:
            time.sleep(0.0)
            events = self._real.select(0)
        return events
