"""Our MQTT broker in lock-step: windows, queues, clients that do not read, and that its order is its own."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

from broker_bench import on_bench, settle
from mqtt_wire import DISCONNECT, Message, puback, publish, subscribe


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
