"""Our MQTT broker in lock-step: times to the tick, death and restart, events, and what the contract leaves to a server."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path

import pytest
from broker_bench import TICK_S, now, on_bench, settle
from mqtt_wire import DISCONNECT, PINGREQ, Message, connect, packet, publish, subscribe

from hil.broker import Broker

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


@on_bench()
async def test_the_script_of_the_brokers_page_runs(bench):
    page = (Path(__file__).parents[1] / "docs" / "mqtt.md").read_text()
    script = re.search(r"```python\n(from hil.broker .*?)```", page, re.DOTALL)
    names: dict[str, object] = {}
    exec("async def main():\n" + "".join(f"    {line}\n" for line in script[1].splitlines()) + "    return broker\n", names)
    broker = await names["main"]()
    assert isinstance(broker, Broker)
    await broker.stop()
