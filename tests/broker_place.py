"""The broker contract: a test that runs on our broker and on mosquitto, in a corner of its topics that is the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import Parameter, Signature, signature

import pytest
from mqtt_wire import Client, connect

from hil.broker import Broker

Address = tuple[str, int]


class Place:
    """A broker and a corner of its topics and client identifiers that no other test uses."""

    def __init__(self, address: Address, corner: str) -> None:
        self.address, self.corner = address, corner
        self.clients: list[Client] = []

    def topic(self, name: str) -> str:
        return f"{self.corner}/{name}"

    async def raw(self, *packets: bytes) -> Client:
        """A connection that has said nothing but this."""
        self.clients.append(await Client.open(self.address, *packets))
        return self.clients[-1]

    async def client(self, name: str, *, session_present: bool = False, **options: object) -> Client:
        client = await self.raw()
        assert await client.connected(f"{self.corner}-{name}", **options) is session_present
        return client

    def connect(self, name: str, **options: object) -> bytes:
        return connect(f"{self.corner}-{name}", **options)


def contract(talk: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """A test of what clients and a broker say to each other. Ours is made for each test, on its loop."""

    @pytest.mark.parametrize("broker", ["ours", pytest.param("mosquitto", marks=pytest.mark.peer("mosquitto"))])
    @wraps(talk)
    def test(broker: str, request: pytest.FixtureRequest, **arguments: object) -> None:
        elsewhere: Address | None = request.getfixturevalue("mosquitto") if broker == "mosquitto" else None

        async def main() -> None:
            problems: list[dict[str, object]] = []
            asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
            ours = Broker()
            address = elsewhere or await ours.start("127.0.0.1", 0)
            place = Place(address, "".join(sign if sign.isalnum() else "-" for sign in request.node.name))
            try:
                await talk(place, **arguments)
            finally:
                for client in place.clients:
                    await client.close()
                await ours.stop()
            assert problems == []

        asyncio.run(main())

    own = list(signature(talk).parameters.values())[1:]
    fixtures = [Parameter(name, Parameter.KEYWORD_ONLY) for name in ("broker", "request")]
    test.__signature__ = Signature([*(parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in own), *fixtures])
    return test
