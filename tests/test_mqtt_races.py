"""One client's connection in trouble at every step of the loop: nothing hangs, nothing is left open, nothing goes unseen."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import pytest
from mqtt_support import in_lockstep

from hil.broker import Broker
from hil.errors import BrokerLost
from hil.mqtt.address import BrokerAddress
from hil.mqtt.client import MqttPort, Will

STEPS = range(45)  # of the loop; a connect takes some 25


class Place:
    """A broker, and what was said at it."""

    def __init__(self) -> None:
        self.broker = Broker()
        self.address = BrokerAddress("127.0.0.1", 0)
        self.wills: list[bytes] = []

    def port(self, **options: Any) -> MqttPort:
        return MqttPort("c", self.address, subscriptions=["a/#"], will=Will("s", "gone"), **options)

    async def step(self, count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(0)


def raced(talk: Callable[[Place], Awaitable[None]]) -> Callable[[], None]:
    """A test at a broker; afterwards no task, no connection, and no exception that nobody has seen may be left."""

    @wraps(talk)
    def test() -> None:
        problems: list[dict[str, Any]] = []

        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
            place = Place()
            place.address = BrokerAddress(*await place.broker.start("127.0.0.1", 0))
            await talk(place)
            await asyncio.sleep(1.0)
            assert place.broker.clients == []
            await place.broker.stop()
            await asyncio.sleep(0.01)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            gc.collect()

        in_lockstep(main)
        gc.collect()
        assert problems == []

    test.__wrapped__ = None
    del test.__wrapped__
    return test


@raced
async def test_connecting_is_cancelled(place):
    for steps in STEPS:
        port = place.port()
        task = asyncio.ensure_future(port.__aenter__())
        await place.step(steps)
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        if outcome is port:
            await port.__aexit__(None, None, None)
        else:
            assert isinstance(outcome, asyncio.CancelledError)
        await asyncio.sleep(0.001)
        assert place.broker.clients == [], steps


@raced
async def test_a_client_dies_while_it_connects(place):
    for steps in STEPS:
        port = place.port()
        task = asyncio.ensure_future(port.__aenter__())
        await place.step(steps)
        port.kill()
        (outcome,) = await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 5.0)
        assert outcome is port or isinstance(outcome, BrokerLost)
        await port.__aexit__(None, None, None)
        await asyncio.sleep(0.001)
        assert place.broker.clients == [], steps


@raced
async def test_the_broker_dies_while_a_client_comes_back(place):
    for steps in STEPS:
        async with place.port() as port:
            place.broker.drop("c")
            await asyncio.sleep(0.1)  # the next attempt begins
            await place.step(steps)
            await place.broker.stop()
            await place.broker.start(place.address.host, place.address.port)
            await asyncio.wait_for(asyncio.sleep(4.5), 10.0)
            assert port.connected, steps
            assert place.broker.clients == ["c"], steps


@raced
async def test_the_broker_dies_while_a_client_comes_for_the_first_time(place):
    for steps in STEPS:
        port = place.port()
        task = asyncio.ensure_future(port.__aenter__())
        await place.step(steps)
        await place.broker.stop()
        await place.broker.start(place.address.host, place.address.port)
        await asyncio.sleep(4.5)
        assert task.done(), steps
        if task.exception() is None:
            assert port.connected, steps
            await port.__aexit__(None, None, None)
        else:
            assert isinstance(task.exception(), BrokerLost)


@raced
async def test_a_connection_is_lost_while_something_is_published(place):
    for steps in range(12):
        for cancelled_after in (None, 0, 1, 2, 3, 4):
            async with place.port() as port:
                task = asyncio.ensure_future(port.publish("t", "x"))
                await place.step(steps)
                place.broker.drop("c")
                if cancelled_after is not None:
                    await place.step(cancelled_after)
                    task.cancel()
                (outcome,) = await asyncio.gather(task, return_exceptions=True)
                assert outcome is None or isinstance(outcome, BrokerLost | asyncio.CancelledError)
                assert outcome is None or cancelled_after is not None or isinstance(outcome, BrokerLost)


@pytest.mark.parametrize("when", ["first", "later"])
def test_a_defect_in_what_is_done_at_birth_is_told(when):
    @raced
    async def talk(place):
        births = 0

        async def born() -> None:
            nonlocal births
            births += 1
            if (births == 1) == (when == "first"):
                raise ZeroDivisionError("a mistake")

        if when == "first":
            with pytest.raises(ZeroDivisionError, match="a mistake"):
                await place.port(born=born).__aenter__()
            return
        port = await place.port(born=born).__aenter__()
        place.broker.drop("c")
        await asyncio.sleep(5.0)
        with pytest.raises(ZeroDivisionError, match="a mistake"):
            await port.__aexit__(None, None, None)
        assert births == 2

    talk()


@raced
async def test_a_defect_in_who_hears_is_told_and_not_taken_for_a_lost_connection(place):
    losses: list[str] = []

    def received(_message: object) -> None:
        raise ZeroDivisionError("a mistake")

    port = await place.port(received=received, lost=losses.append).__aenter__()
    async with MqttPort("d", place.address) as other:
        await other.publish("a/b", "x")
    await asyncio.sleep(5.0)
    assert place.broker.clients == []
    with pytest.raises(ZeroDivisionError, match="a mistake"):
        await port.__aexit__(None, None, None)
    assert losses == []


@raced
async def test_a_client_that_began_without_a_broker_finds_it(place):
    await place.broker.stop()
    port = place.port()
    port.begin()
    await asyncio.sleep(3.0)
    assert not port.connected
    await place.broker.start(place.address.host, place.address.port)
    await asyncio.sleep(1.0)
    assert port.connected
    await port.__aexit__(None, None, None)
