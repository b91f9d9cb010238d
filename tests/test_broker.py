"""Our MQTT broker in lock-step: times to the tick, bounds, death and restart, and what the contract leaves to a server.

When scenario time moves, everything that was sent has arrived: a test that sleeps has seen all there is.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from inspect import Signature, signature
from unittest.mock import Mock

import pytest
from mqtt_wire import DISCONNECT, PINGREQ, Client, Message, connect, packet, puback, publish, subscribe

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


def on_bench(**limits: float) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., None]]:
    """A test in lock-step, on a broker that has started."""

    def decorate(talk: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        @wraps(talk)
        def test(**arguments: object) -> None:
            async def main() -> None:
                problems: list[dict[str, object]] = []
                asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
                bench = Bench(Limits(**limits))
                await bench.start()
                try:
                    await talk(bench, **arguments)
                finally:
                    for client in bench.clients:
                        await client.close()
                    await bench.broker.stop()
                assert problems == []

            with asyncio.Runner(loop_factory=lambda: LockstepLoop(Mock(tick=0, period_ns=1_000_000))) as runner:
                runner.run(main())

        test.__signature__ = Signature([p.replace(kind=p.KEYWORD_ONLY) for p in list(signature(talk).parameters.values())[1:]])
        return test

    return decorate


WILL = ("status", b"offline", 1, True)


# Time


@on_bench()
async def test_the_keep_alive_runs_out_at_one_and_a_half_times_to_the_tick(bench):
    watcher = await bench.reader("status")
    mortal = await bench.client("mortal", keep_alive=10, will=WILL)
    await asyncio.sleep(3.0)
    mortal.send(PINGREQ)
    await asyncio.sleep(14.0)
    mortal.send(publish("t", b"counts as well as a ping"))
    await asyncio.sleep(7.0)
    assert bench.broker.clients == ["reader", "mortal"]
    assert await watcher.message() == Message("status", b"offline", 1)
    assert now() == pytest.approx(17.0 + 15.0, abs=TICK_S / 10)
    assert bench.told("client_lost") == [(now(), {"client": "mortal", "reason": "keep-alive exceeded"})]
    await mortal.ended()


@on_bench()
async def test_half_a_packet_is_no_sign_of_life(bench):
    mortal = await bench.client("mortal", keep_alive=2)
    for _ in range(10):
        await asyncio.sleep(0.5)
        mortal.send(b"\x30" if now() < 0.6 else b"\xff" if now() < 1.1 else b"\x01" if now() < 1.6 else b"x")
    assert [time for time, _ in bench.told("client_lost")] == [3.0]


@on_bench()
async def test_without_keep_alive_a_client_may_be_silent(bench):
    await bench.client("quiet", keep_alive=0)
    await asyncio.sleep(1e6)
    assert bench.broker.clients == ["quiet"]


@pytest.mark.parametrize("said", [b"", b"\x10", connect("a")[:-1]])
@on_bench(connect_within_s=4.0)
async def test_who_does_not_connect_in_time_is_closed(bench, said):
    client = await bench.raw(said)
    await client.ended()
    assert now() == 4.0
    assert bench.told("client_refused") == [(4.0, {"reason": "no CONNECT in time"})]


# Death and restart


@on_bench()
async def test_a_broker_that_dies_cuts_everybody_and_publishes_no_will(bench):
    watcher = await bench.reader("#", clean=False)
    mortal = await bench.client("mortal", will=WILL)
    silent = await bench.raw()
    await settle()
    await bench.broker.stop()
    for client in (watcher, mortal, silent):
        await client.ended()
    assert bench.broker.clients == []
    assert not watcher.messages
    with pytest.raises(ConnectionRefusedError):
        await bench.raw()
    assert bench.told("client_lost") == bench.told("client_refused") == []


@on_bench()
async def test_wills_of_those_who_died_with_it_are_published_at_the_restart(bench):
    await bench.reader("status/+", name="watcher", clean=False)
    for name in ("a", "b", "c"):
        await bench.client(name, will=(f"status/{name}", b"offline", 1, True))
    bench.clients[-1].send(DISCONNECT)
    await settle()
    await bench.broker.stop()
    await asyncio.sleep(5.0)
    await bench.start()
    watcher = await bench.client("watcher", clean=False, session_present=True)
    assert [(m.topic, m.payload) for m in await watcher.got()] == [("status/a", b"offline"), ("status/b", b"offline")]
    await bench.broker.stop()
    await bench.start()
    watcher = await bench.client("watcher", clean=False, session_present=True)
    assert await watcher.got() == []  # once


@on_bench()
async def test_who_comes_back_at_the_restart_is_not_declared_dead_after_it(bench):
    await bench.client("device", will=WILL)
    await bench.broker.stop()

    async def comes_back() -> None:
        while True:
            try:
                device = await bench.raw(connect("device", will=WILL), publish("status", b"online", retain=True))
            except ConnectionRefusedError:
                await asyncio.sleep(0)
            else:
                return await device.pinged() if await device.answer(0x20) == b"\0\0" else None

    task = asyncio.create_task(comes_back())
    await asyncio.sleep(0)
    await bench.start()
    await task
    reader = await bench.reader("status")
    assert await reader.got() == [Message("status", b"online", 0, retain=True)]


@on_bench()
async def test_retained_messages_and_lasting_sessions_survive(bench):
    reader = await bench.reader("t", clean=False)
    passing = await bench.reader("t", name="passing")
    reader.acknowledges = False
    await passing.published("t", b"1", retain=True)
    assert [m.payload for m in await reader.got()] == [b"1"]
    await bench.broker.stop()
    await bench.start()
    reader = await bench.client("reader", clean=False, session_present=True)
    assert await reader.got() == [Message("t", b"1", 1, dup=True)]
    passing = await bench.client("passing")
    await passing.published("t", b"2")
    assert [m.payload for m in await reader.got()] == [b"2"]
    assert await passing.got() == []
    await passing.subscribed(("t", 0))
    assert await passing.got() == [Message("t", b"1", 0, retain=True)]


@on_bench()
async def test_a_start_that_fails_keeps_what_it_would_have_published(bench):
    await bench.client("device", will=WILL)
    await bench.broker.stop()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            await bench.broker.start(*taken.getsockname())
    await bench.start()
    with pytest.raises(RuntimeError, match="already"):
        await bench.start()
    reader = await bench.reader("status")
    assert await reader.got() == [Message("status", b"offline", 1, retain=True)]


@on_bench()
async def test_stopping_twice_is_stopping_once(bench):
    await bench.broker.stop()
    await bench.broker.stop()


# Cuts, take-over, events, counts


@on_bench()
async def test_a_dropped_client_is_lost_as_by_a_failure_of_the_network(bench):
    watcher = await bench.reader("status")
    mortal = await bench.client("mortal", will=WILL)
    assert bench.broker.drop("mortal")
    assert bench.broker.clients == ["reader"]
    await mortal.ended()
    assert await watcher.got() == [Message("status", b"offline", 1)]
    assert bench.told("client_lost") == [(0.0, {"client": "mortal", "reason": "dropped"})]
    assert not bench.broker.drop("mortal")


@on_bench()
async def test_events_tell_the_story(bench):
    await bench.client("a", clean=False, will=WILL)
    await bench.client("a", clean=False, session_present=True)
    bench.clients[-1].send(DISCONNECT)
    await settle()
    (await bench.client("b")).send(subscribe(1, ("a#", 0)))
    await (await bench.client("c")).close()
    await bench.raw(connect("d", protocol="MQIsdp", level=3))
    await bench.raw(connect("", clean=False))
    await bench.raw(PINGREQ)
    await settle()
    assert [(what, tuple(details.values())) for _, what, details in bench.events] == [
        ("client_connected", ("a", False)),
        ("client_taken_over", ("a",)),
        ("client_connected", ("a", True)),
        ("client_disconnected", ("a",)),
        ("client_connected", ("b", False)),
        ("client_lost", ("b", "topic filter")),
        ("client_connected", ("c", False)),
        ("client_lost", ("c", "connection closed")),
        ("client_refused", ("MQIsdp level 3, MQTT 3.1.1 is level 4",)),
        ("client_refused", ("no client identifier for a session that is to last",)),
        ("client_refused", ("the first packet is not CONNECT",)),
    ]


@on_bench()
async def test_invented_identifiers_avoid_those_in_use(bench):
    await bench.client("auto-1", clean=False)
    for _ in range(2):
        await bench.client("")
    assert bench.broker.clients == ["auto-1", "auto-2", "auto-3"]


@on_bench()
async def test_messages_are_counted_and_overlapping_filters_deliver_once(bench):
    reader = await bench.reader("#", "a/+", "a/b", qos=0)
    await reader.subscribed(("a/+", 1), ("+/b", 0))
    for _ in range(3):
        await reader.published("a/b", b"")
    await reader.published("b", b"")
    assert await reader.got() == [Message("a/b", b"", 1)] * 3 + [Message("b", b"", 0)]
    counts = bench.broker.counts
    assert (counts.messages_in, counts.messages_out, counts.messages_dropped) == (4, 4, 0)


# What is not had, and what mosquitto lets pass


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (publish("t", b"", qos=2, packet_id=1), "quality of service 2 is not supported"),
        (packet(0x50, b"\0\1"), "packet of type 5"),
        (packet(0x62, b"\0\1"), "packet of type 6"),
        (packet(0x90, b"\0\1\0"), "packet of type 9"),
        (packet(0xB0, b"\0\1"), "packet of type 11"),
        (packet(0xD0), "packet of type 13"),
        (connect("mortal"), "a second CONNECT"),
        (packet(0x42, b"\0\1"), "flags 0x2 of the fixed header"),
        (packet(0x40, b"\0\1\0"), "packet too long"),
        (packet(0xC0, b"x"), "packet too long"),
        (packet(0xE0, b"x"), "packet too long"),
        (publish("t", b"", dup=True), "DUP without quality of service"),
        (publish("/" * 200, b""), "topic name"),
        (subscribe(1, ("/" * 200, 0)), "topic filter"),
        (publish("t", bytes(500)), "packet of 506 bytes, allowed are 505"),
        (b"\x30\xff\xff\xff\x7f", "packet of 268435460 bytes, allowed are 505"),  # before the rest is there
    ],
)
@on_bench(most_packet_bytes=505)
async def test_what_is_not_accepted_closes_the_connection_and_says_why(bench, bad, reason):
    watcher = await bench.reader("status")
    mortal = await bench.client("mortal", will=WILL)
    mortal.send(publish("t", bytes(499)), publish("/" * 199, b""), subscribe(1, ("/" * 199, 2)))  # as much as is allowed
    assert await mortal.answer(0x90) == b"\0\1\1"
    mortal.send(bad)
    await mortal.ended()
    assert await watcher.got() == [Message("status", b"offline", 1)]
    assert [details["reason"] for _, details in bench.told("client_lost")] == [reason]
    assert bench.broker.clients == ["reader"]


@pytest.mark.parametrize(("protocol", "level"), [("MQIsdp", 3), ("MQTT", 3), ("MQTT", 5), ("MQIsdp", 4)])
@on_bench()
async def test_other_versions_are_refused_with_code_1(bench, protocol, level):
    client = await bench.raw(connect("a", protocol=protocol, level=level))
    assert await client.packet() == (0x20, b"\0\1")
    await client.ended()
    assert bench.broker.clients == []


# Bounds


@on_bench(most_in_flight=4, most_queued=6)
async def test_window_and_queue_are_bounded_and_the_newest_are_dropped(bench):
    reader, writer = await bench.reader("t"), await bench.client("writer")
    reader.acknowledges = False
    for number in range(15):
        await writer.published("t", b"%d" % number)
    await writer.published("t", b"at 0", qos=0)
    assert [int(m.payload) for m in await reader.got()] == [0, 1, 2, 3]
    assert bench.broker.counts.messages_dropped == 6
    reader.acknowledges = True
    reader.send(puback(reader.packet_ids[2]))  # out of order opens the window as well
    assert [int(m.payload) for m in await reader.got()] == [4]
    reader.send(*(puback(reader.packet_ids[index]) for index in (0, 1, 3)))
    assert [int(m.payload) for m in await reader.got_all()] == [5, 6, 7, 8, 9]
    await writer.published("t", b"again")
    assert [m.payload for m in await reader.got()] == [b"again"]


@on_bench(most_in_flight=4, most_queued=6)
async def test_the_queue_of_who_is_away_is_bounded_too(bench):
    reader, writer = await bench.reader("t", clean=False), await bench.client("writer")
    await reader.close()
    await settle()
    for number in range(15):
        await writer.published("t", b"%d" % number, qos=number % 5 and 1)
    reader = await bench.client("reader", clean=False, session_present=True)
    assert [int(m.payload) for m in await reader.got_all()] == [1, 2, 3, 4, 6, 7]
    assert bench.broker.counts.messages_dropped == 6  # quality of service 0 is not owed to who is away


@on_bench(most_unsent_bytes=10_000)
async def test_a_subscriber_that_does_not_read_loses_messages_and_disturbs_nobody(bench):
    slow, other, writer = await bench.reader("t", name="slow"), await bench.reader("t"), await bench.client("writer")
    slow.writer.transport.pause_reading()
    seen = 0
    for number in range(1000):
        await writer.published("t", number.to_bytes(4) + bytes(10_000), qos=0)
        seen += len(await other.got())
    assert seen == 1000
    dropped = bench.broker.counts.messages_dropped
    assert 0 < dropped < 1000
    (transport,) = (
        transport for connection, transport in bench.broker._open.items() if connection is bench.broker._clients["slow"]
    )
    assert transport.get_write_buffer_size() < 30_000
    slow.writer.transport.resume_reading()
    got = await slow.got()
    assert len(got) == 1000 - dropped
    assert [int.from_bytes(m.payload[:4]) for m in got] == list(range(1000 - dropped))  # the newest are those that are lost
    await writer.published("t", b"again", qos=0)
    assert [m.payload for m in await slow.got()] == [b"again"]


@on_bench(most_unsent_bytes=10_000, most_in_flight=1000, most_queued=1000)
async def test_quality_of_service_1_waits_for_a_reader_that_is_slow(bench):
    slow, writer = await bench.reader("t"), await bench.client("writer")
    slow.writer.transport.pause_reading()
    for number in range(900):
        await writer.published("t", number.to_bytes(4) + bytes(10_000))
    assert len(bench.broker._sessions["reader"]._waiting) > 0
    await asyncio.sleep(60.0)
    slow.writer.transport.resume_reading()
    got = [await slow.message() for _ in range(900)]
    assert [int.from_bytes(m.payload[:4]) for m in got] == list(range(900))
    assert bench.broker.counts.messages_dropped == 0


@on_bench(most_unsent_bytes=1000)
async def test_what_waits_for_a_slow_reader_needs_no_acknowledgement_to_go_on(bench):
    slow, writer = await bench.reader("#"), await bench.client("writer")
    slow.writer.transport.pause_reading()
    while not bench.broker.counts.messages_dropped:
        await writer.published("t", bytes(100_000), qos=0)
    await writer.published("t", b"waits")
    slow.writer.transport.resume_reading()
    await settle()
    assert (await slow.got())[-1] == Message("t", b"waits", 1)


@on_bench(most_unsent_bytes=1000)
async def test_who_does_not_take_its_answers_is_not_read_any_further(bench):
    client, other = await bench.client("client"), await bench.client("other")
    await other.published("t", bytes(100_000), retain=True)
    client.writer.transport.pause_reading()
    client.send(*(subscribe(1 + number, ("t", 0)) for number in range(300)), *[publish("u", bytes(900_000))] * 20)
    await asyncio.sleep(1.0)
    await other.pinged()
    assert bench.broker.counts.messages_out < 200  # what the sockets hold
    assert client.writer.transport.get_write_buffer_size() > 0
    assert len(bench.broker._clients["client"]._rest) < 1_000_000
    client.writer.transport.resume_reading()
    for number in range(300):
        assert await client.answer(0x90) == (1 + number).to_bytes(2) + b"\0"
    assert len(await client.got()) == 300


@on_bench(most_unsent_bytes=1000)
async def test_a_client_that_does_not_read_at_its_end_is_not_waited_for(bench):
    client = await bench.reader("t", qos=0)
    writer = await bench.client("writer")
    client.writer.transport.pause_reading()
    while not bench.broker.counts.messages_dropped:
        await writer.published("t", bytes(100_000), qos=0)
    client.send(DISCONNECT)
    await settle()
    await bench.broker.stop()  # would hang, if it waited for what cannot be sent
    await settle()
    assert bench.broker._open == {}


@on_bench()
async def test_accepted_sockets_do_not_wait_to_fill_a_segment(bench):
    await bench.client("a")
    (transport,) = bench.broker._open.values()
    assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@on_bench()
async def test_a_connection_accepted_by_a_server_that_has_died_is_closed(bench):
    accepted = asyncio.get_running_loop().create_task(bench.raw())
    while not bench.broker._server.sockets or not accepted.done():
        await asyncio.sleep(0)
    await bench.broker.stop()
    await (await accepted).ended()
    await settle()
    assert bench.broker._open == {}


# Order


_STORY = """
import asyncio, hashlib
from unittest.mock import Mock
from mqtt_wire import Client, publish
from hil.broker import Broker
from hil.clock.lockstep import LockstepLoop

async def main():
    heard = hashlib.sha256()
    broker = Broker(event=lambda name, details: heard.update(repr((name, details)).encode()))
    address = await broker.start("127.0.0.1", 0)
    clients = []
    for number in range(20):
        client = await Client.open(address)
        await client.connected(f"client {number}", clean=number % 2 == 0, will=(f"will/{number}", b"gone", 1, True))
        await client.subscribed((f"t/{number % 3}/+", 1), ("will/#", number % 2), (f"{number}", 0))
        clients.append(client)
    for number, client in enumerate(clients):
        for other in range(20):
            qos, retain = other % 2, other % 7 == 0
            client.send(publish(f"t/{other % 3}/{number}", b"%d" % other, qos=qos, packet_id=1 + other, retain=retain))
        await asyncio.sleep(0.001)  # in what order the kernel brings what several send at once is its own affair
    for number in range(0, 20, 3):
        broker.drop(f"client {number}")
    late = await Client.open(address)
    await late.connected("late")
    await late.subscribed(("#", 1))
    await asyncio.sleep(0.001)
    await broker.stop()
    for client in [*clients, late]:
        await client.ended()
        heard.update(repr(list(client.messages)).encode())
        await client.close()
    print(heard.hexdigest(), broker.counts)

with asyncio.Runner(loop_factory=lambda: LockstepLoop(Mock(tick=0, period_ns=1_000_000))) as runner:
    runner.run(main())
"""


def test_nothing_depends_on_how_strings_are_hashed():
    told = []
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", _STORY], capture_output=True, text=True, timeout=60,
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
        )  # fmt: skip
        assert run.stderr == ""
        told.append(run.stdout)
    assert told[0] == told[1] != ""
