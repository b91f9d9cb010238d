"""How connections through a link end, hang and are refused; and whatever else may happen to them."""

from __future__ import annotations

import asyncio
import random
import socket
import threading

import pytest
from link_rig import LATENCY, Far, frame, linger_and_abort, through
from test_lockstep import in_lockstep

from hil.links import Link, LinkModel


def test_an_end_of_stream_comes_behind_the_data_and_leaves_the_other_way_open():
    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        client.transport.write(frame(1) + b"\x00")  # the rest of a frame goes too
        client.transport.write_eof()
        await asyncio.sleep(0.1)
        assert ends[0].heard == [(pytest.approx(LATENCY, abs=1e-12), frame(1) + b"\x00")]
        assert ends[0].ended == [(pytest.approx(LATENCY, abs=1e-12), "eof")]
        ends[0].transport.write(frame(2))
        ends[0].transport.close()
        await asyncio.sleep(0.1)
        assert client.heard == [(pytest.approx(0.1 + LATENCY, abs=1e-12), frame(2))]
        assert client.ended == [(pytest.approx(0.1 + LATENCY, abs=1e-12), "eof")]
        assert link._pairs == {}  # both ways have ended

    through(LinkModel(LATENCY), talk)


@pytest.mark.parametrize("who", ["client", "device"])
def test_a_reset_travels(who):
    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        await asyncio.sleep(0.0)
        client.transport.write(frame(1))
        await asyncio.sleep(1.0)
        breaks, hears = (client, ends[0]) if who == "client" else (ends[0], client)
        linger_and_abort(breaks)
        await asyncio.sleep(1.0)
        assert hears.ended == [(pytest.approx(1.0 + LATENCY, abs=1e-12), "ConnectionResetError")]
        assert link._pairs == {}

    through(LinkModel(LATENCY), talk)


def test_a_reset_after_the_end_of_the_stream_travels_too():
    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        client.transport.write_eof()
        await asyncio.sleep(1.0)
        linger_and_abort(client)
        for _ in range(2):  # who has read the end of a stream hears of a reset when it writes, as ever with TCP
            await asyncio.sleep(1.0)
            ends[0].transport.write(frame(1))
        await asyncio.sleep(1.0)
        assert ends[0].ended == [(pytest.approx(LATENCY, abs=1e-12), "eof"), (3.0, "BrokenPipeError")]
        assert link._pairs == {}

    through(LinkModel(LATENCY), talk)


def test_a_connect_that_takes_its_time_takes_no_scenario_time():
    """As one to another process may; nothing of this loop tells of it."""

    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        loop = asyncio.get_running_loop()
        connect = loop.create_connection
        connected = loop.create_future()

        async def slow(factory: object, host: str, port: int) -> object:
            if (host, port) == link.endpoint:
                threading.Timer(0.05, loop.call_soon_threadsafe, (connected.set_result, None)).start()
                await connected
            return await connect(factory, host, port)

        loop.create_connection = slow  # type: ignore[method-assign]
        _, other = await loop.create_connection(lambda: Far([]), *link.address)
        other.transport.write(frame(1))
        await asyncio.sleep(LATENCY)
        assert connected.done()
        del loop.create_connection
        await asyncio.sleep(0.01)
        assert ends[1].heard == [(pytest.approx(LATENCY, abs=1e-12), frame(1))]
        other.transport.abort()

    through(LinkModel(LATENCY), talk)


def test_no_connection_goes_on_while_cut():
    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        await asyncio.sleep(0.1)
        link.cut()
        _, other = await asyncio.get_running_loop().create_connection(lambda: Far([]), *link.address)
        other.transport.write(frame(1))
        await asyncio.sleep(1.0)
        assert len(ends) == 1
        link.mend()
        await asyncio.sleep(1.0)
        assert ends[1].heard == [(pytest.approx(1.1 + LATENCY, abs=1e-12), frame(1))]
        other.transport.abort()

    through(LinkModel(LATENCY), talk)


@pytest.mark.parametrize("how", ["close", "write_eof", "break"])
def test_a_connection_given_up_while_cut_never_reaches_the_device(how):
    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        await asyncio.sleep(0.1)
        link.cut()
        _, other = await asyncio.get_running_loop().create_connection(lambda: Far([]), *link.address)
        other.transport.write(frame(1))
        await asyncio.sleep(1.0)
        linger_and_abort(other) if how == "break" else getattr(other.transport, how)()
        await asyncio.sleep(1.0)
        link.mend()
        await asyncio.sleep(1.0)
        assert len(ends) == 1
        assert len(link._pairs) == 1
        other.transport.abort()

    through(LinkModel(LATENCY), talk)


def test_a_reset_waits_for_the_data_ahead_of_it_and_for_a_cut():
    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        client.transport.write(frame(1))
        await asyncio.sleep(0.001)
        link.cut()
        link.cut()
        await asyncio.sleep(0.001)
        linger_and_abort(client)
        await asyncio.sleep(1.0)
        link.mend()
        await asyncio.sleep(1.0)
        assert (ends[0].heard, ends[0].ended) == ([], [])  # one of two cuts is still there
        link.mend()
        link.mend()
        await asyncio.sleep(1.0)
        then = pytest.approx(2.002 + LATENCY, abs=1e-12)
        assert ends[0].heard == [(then, frame(1))]
        assert ends[0].ended == [(then, "ConnectionResetError")]

    through(LinkModel(LATENCY), talk)


@pytest.mark.parametrize("cut_s", [0.0, 3.0])
def test_a_refused_endpoint_resets_the_client_after_a_round_trip(cut_s):
    async def main() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            async with Link(LinkModel(LATENCY), *unused.getsockname(), "modbus_tcp") as link:
                if cut_s:
                    link.cut()
                    asyncio.get_running_loop().call_later(cut_s, link.mend)
                _, client = await asyncio.get_running_loop().create_connection(lambda: Far([]), *link.address)
                client.transport.write(frame(1))
                await asyncio.sleep(5.0)
                assert client.ended == [(pytest.approx(cut_s + 2 * LATENCY, abs=1e-12), "ConnectionResetError")]
                assert link._pairs == {}

    in_lockstep(main)


@pytest.mark.parametrize("latency_s", [0.0, 0.010])
def test_back_pressure_bounds_what_is_held(latency_s):
    total = 40_000_000  # more than both connections' socket buffers hold

    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        client.transport.write(b"x" * total)
        client.transport.write_eof()
        await asyncio.sleep(1.0)
        pair = next(iter(link._pairs))
        held = pair.to_device._bytes + pair.device._transport.get_write_buffer_size()
        assert 0 < held < 2_000_000
        assert client.transport.get_write_buffer_size() > 1_000_000  # the sender feels it
        ends[0].transport.resume_reading()
        while not ends[0].ended:
            await asyncio.sleep(0.01)
        assert len(ends[0].bytes) == total

    through(LinkModel(latency_s), talk, protocol="stream", pauses=True)


def test_a_cut_bounds_what_is_held_too():
    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        link.cut()
        client.transport.write(b"x" * 8_000_000)
        await asyncio.sleep(1.0)
        assert next(iter(link._pairs)).to_device._bytes < 2_000_000
        link.mend()
        while len(ends[0].bytes if ends else b"") < 8_000_000:
            await asyncio.sleep(0.01)

    through(LinkModel(0.010), talk, protocol="stream")


def test_many_connections():
    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        loop = asyncio.get_running_loop()
        clients = [(await loop.create_connection(lambda: Far([]), *link.address))[1] for _ in range(100)]
        for number, one in enumerate(clients):
            one.transport.write(frame(number))
        await asyncio.sleep(1.0)
        for number, one in enumerate(clients):
            assert one.heard == [(pytest.approx(2 * LATENCY, abs=1e-12), frame(number))]
            one.transport.close()
        await asyncio.sleep(1.0)
        for end in ends[1:]:
            assert end.ended == [(pytest.approx(1.0 + LATENCY, abs=1e-12), "eof")]

    link = through(LinkModel(LATENCY), talk, echo=True)
    assert (link.connections, link.to_device.messages) == (101, 100)


def chaos(seed: int) -> list[object]:
    """What all ends of twelve connections hear, when they write, end, break and hang at random and the link is cut."""
    heard: list[object] = []

    async def talk(link: Link, client: Far, ends: list[Far]) -> None:
        chance = random.Random(seed)
        loop = asyncio.get_running_loop()
        clients = [client, *[(await loop.create_connection(lambda: Far([]), *link.address))[1] for _ in range(11)]]
        sent: dict[Far, bytes] = {}
        broken: set[Far] = set()
        cuts = 0
        for step in range(400):
            await asyncio.sleep(chance.choice([0.0, 0.001, 0.004]))
            one = chance.choice(clients + ends)
            what = chance.choices(
                ["write", "eof", "close", "break", "hang", "read", "cut", "mend"], [80, 1, 1, 1, 4, 8, 2, 3]
            )[0]
            if what == "cut":
                cuts += 1
                link.cut()
            elif what == "mend":
                cuts = max(0, cuts - 1)
                link.mend()
            elif one.transport.is_closing():
                continue
            elif what == "write" and one.transport._eof is False:
                data = frame(step, chance.randrange(2, 255)) * chance.choice([1, 1, 1, 2, 40])
                one.transport.write(data)
                sent[one] = sent.get(one, b"") + data
            elif what == "eof":
                one.transport.write_eof()
            elif what in ("close", "break"):
                broken.add(one)
                one.transport.close() if what == "close" else linger_and_abort(one)
            elif what == "hang":
                one.transport.pause_reading()
            elif what == "read" and not any(how == "eof" for _, how in one.ended):
                one.transport.resume_reading()
        for _ in range(cuts):
            link.mend()
        for one in clients + ends:
            if not one.transport.is_closing() and not any(how == "eof" for _, how in one.ended):
                one.transport.resume_reading()
        await asyncio.sleep(60.0)
        for near, far in zip(clients, ends, strict=True):
            assert sent.get(near, b"").startswith(far.bytes)
            assert sent.get(far, b"").startswith(near.bytes)
            if not {near, far} & broken:
                assert (sent.get(near, b""), sent.get(far, b"")) == (far.bytes, near.bytes)
            heard.extend((near.heard, near.ended, far.heard, far.ended))
        assert len(broken) < 12  # some pairs came through
        for one in clients[1:]:
            one.transport.abort()

    link = through(LinkModel(0.006, 0.006, loss=0.05, seed=seed), talk)
    heard.append((link.to_device, link.to_controller))
    return heard


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_ends_do_nothing_is_mixed_up_and_it_happens_again(seed):
    assert chaos(seed) == chaos(seed)
