"""Our broker in lock-step, with its events and their times.

When scenario time moves, everything that was sent has arrived: a test that sleeps has seen all there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from inspect import Signature, signature

from mqtt_wire import Client

from hil.broker import Broker, Limits
from hil.clock.lockstep import LockstepLoop

TICK_S = 0.001


class Bench:
    """A broker, its events with their times, and clients."""

    def __init__(self, limits: Limits) -> None:
        self.broker = Broker(limits=limits, event=self._event)
        self.events: list[tuple[float, str, dict[str, object]]] = []
        self.address = ("127.0.0.1", 0)
        self.clients: list[Client] = []

    def _event(self, name: str, details: Mapping[str, object]) -> None:
        self.events.append((now(), name, dict(details)))

    def told(self, name: str) -> list[tuple[float, dict[str, object]]]:
        return [(time, details) for time, what, details in self.events if what == name]

    async def start(self) -> None:
        self.address = await self.broker.start(*self.address)

    async def raw(self, *packets: bytes) -> Client:
        self.clients.append(await Client.open(self.address, *packets))
        return self.clients[-1]

    async def client(self, name: str, *, session_present: bool = False, **options: object) -> Client:
        client = await self.raw()
        assert await client.connected(name, **options) is session_present
        return client

    async def reader(self, *filters: str, name: str = "reader", qos: int = 1, **options: object) -> Client:
        client = await self.client(name, **options)
        await client.subscribed(*((topic_filter, qos) for topic_filter in filters))
        return client


def now() -> float:
    return asyncio.get_running_loop().time()


async def settle() -> None:
    await asyncio.sleep(TICK_S)


class Still:
    """A plant that does nothing."""

    tick = 0
    period_ns = 1_000_000

    def advance(self, until_tick: int) -> None:
        self.tick = until_tick


def on_a_bench(talk: Callable[[Bench], Awaitable[None]], **limits: float) -> None:
    """Run what clients say to a broker that has started; nothing may have gone wrong inside it."""

    async def main() -> None:
        problems: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        bench = Bench(Limits(**limits))
        await bench.start()
        try:
            await talk(bench)
        finally:
            for client in bench.clients:
                await client.close()
            await settle()
            await bench.broker.stop()
        assert problems == []

    with asyncio.Runner(loop_factory=lambda: LockstepLoop(Still())) as runner:
        runner.run(main())


def on_bench(**limits: float) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., None]]:
    """A test in lock-step, on a broker that has started."""

    def decorate(talk: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        @wraps(talk)
        def test(**arguments: object) -> None:
            on_a_bench(lambda bench: talk(bench, **arguments), **limits)

        test.__signature__ = Signature([p.replace(kind=p.KEYWORD_ONLY) for p in list(signature(talk).parameters.values())[1:]])
        return test

    return decorate
