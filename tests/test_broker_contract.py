"""What MQTT 3.1.1 asks of a broker about messages, byte by byte on real sockets: every case on ours and on mosquitto.

Sections are those of the OASIS standard. That nothing comes is seen by a ping: whatever a broker owed a client comes before
the answer. Sessions, wills and errors are in test_broker_contract_ends.py.
"""

from __future__ import annotations

import asyncio

import pytest
from broker_place import contract
from mqtt_wire import DISCONNECT, PINGREQ, Message, connect, publish, subscribe

# Section 3.1, CONNECT


@contract
async def test_a_clean_session_is_accepted_and_is_new_each_time(place):
    first = await place.client("a", session_present=False)
    first.send(DISCONNECT)
    await first.ended()
    await place.client("a", session_present=False)


@contract
async def test_a_client_without_an_identifier_gets_one_of_its_own(place):
    one, other = await place.raw(), await place.raw()
    assert await one.connected("") is False
    assert await other.connected("") is False
    await one.pinged()  # the second did not take over from the first


@contract
async def test_a_lasting_session_needs_an_identifier(place):
    client = await place.raw(connect("", clean=False))
    assert await client.packet() == (0x20, b"\x00\x02")
    await client.ended()


@contract
async def test_another_version_is_refused_with_its_code(place):
    client = await place.raw(connect("x", level=6))
    assert await client.packet() == (0x20, b"\x00\x01")
    await client.ended()


@contract
async def test_a_login_is_read_over(place):
    await place.client("a", login=("user", b"\x00\xff"))


# Sections 3.3, 3.8 and 4.3: publish and subscribe


@pytest.mark.parametrize("subscribed", [0, 1, 2])
@pytest.mark.parametrize("published", [0, 1])
@contract
async def test_the_lower_quality_of_service_counts(place, published, subscribed):
    reader, writer = await place.client("reader"), await place.client("writer")
    (granted,) = await reader.subscribed((place.topic("t"), subscribed))
    assert granted in (subscribed, min(subscribed, 1))  # a server may grant less
    await writer.published(place.topic("t"), b"\x00payload\xff", qos=published)
    assert await reader.got() == [Message(place.topic("t"), b"\x00payload\xff", min(published, subscribed))]


@contract
async def test_a_publisher_hears_itself(place):
    client = await place.client("a")
    await client.subscribed((place.topic("t"), 1))
    await client.published(place.topic("t"), b"1")
    assert await client.got() == [Message(place.topic("t"), b"1", 1)]


@contract
async def test_one_suback_answers_each_filter_in_order(place):
    client = await place.client("a")
    assert await client.subscribed((place.topic("x"), 1), (place.topic("y"), 0), (place.topic("z"), 1)) == [1, 0, 1]


@contract
async def test_messages_keep_their_order(place):
    reader, writer = await place.client("reader"), await place.client("writer")
    await reader.subscribed((place.topic("+"), 1))
    for number in range(200):
        writer.send(publish(place.topic(f"{number % 3}"), b"%d" % number, qos=1, packet_id=number + 1))
    got = [await reader.message() for _ in range(200)]
    assert [int(message.payload) for message in got] == list(range(200))


@contract
async def test_acknowledgements_carry_the_identifier_of_their_message(place):
    client = await place.client("a")
    for packet_id in (1, 7, 0xFFFF, 7):
        client.send(publish(place.topic("t"), b"", qos=1, packet_id=packet_id))
        assert await client.answer(0x40) == packet_id.to_bytes(2, "big")


@contract
async def test_a_message_sent_again_by_its_publisher_is_delivered_and_acknowledged_again(place):
    reader, writer = await place.client("reader"), await place.client("writer")
    await reader.subscribed((place.topic("t"), 1))
    for dup in (False, True):
        writer.send(publish(place.topic("t"), b"1", qos=1, packet_id=5, dup=dup))
        assert await writer.answer(0x40) == b"\x00\x05"
    assert await reader.got() == [Message(place.topic("t"), b"1", 1)] * 2  # the flag is not passed on


@contract
async def test_packets_may_come_in_pieces_and_several_at_once(place):
    client = await place.raw()
    whole = place.connect("a") + subscribe(1, (place.topic("t"), 0)) + publish(place.topic("t"), b"p" * 300) + PINGREQ
    for sign in whole[:-2]:
        client.send(bytes([sign]))
        await asyncio.sleep(0)
    assert await client.answer(0x20) == b"\x00\x00"
    assert await client.answer(0x90) == b"\x00\x01\x00"
    assert await client.message() == Message(place.topic("t"), b"p" * 300)
    again = await place.raw(whole)
    assert await again.answer(0x20) == b"\x00\x00"
    assert await again.answer(0x90) == b"\x00\x01\x00"
    assert await again.answer(0xD0) == b""
    assert list(again.messages) == [Message(place.topic("t"), b"p" * 300)]


@pytest.mark.parametrize("size", [0, 127, 128, 16383, 16384, 300_000])
@contract
async def test_payloads_of_any_length(place, size):
    client = await place.client("a")
    await client.subscribed((place.topic("t"), 1))
    payload = bytes(index % 251 for index in range(size))
    for qos in (0, 1):
        await client.published(place.topic("t"), payload, qos=qos)
        assert await client.message() == Message(place.topic("t"), payload, qos)


@contract
async def test_unsubscribing_ends_the_filters_that_are_named(place):
    reader, writer = await place.client("reader"), await place.client("writer")
    await reader.subscribed((place.topic("x"), 1), (place.topic("y"), 1))
    await reader.unsubscribed(place.topic("x"), place.topic("was/never/there"))
    await writer.published(place.topic("x"), b"1")
    await writer.published(place.topic("y"), b"2")
    assert await reader.got() == [Message(place.topic("y"), b"2", 1)]


@contract
async def test_subscribing_again_replaces_the_quality_of_service(place):
    reader, writer = await place.client("reader"), await place.client("writer")
    await reader.subscribed((place.topic("t"), 1))
    await reader.subscribed((place.topic("t"), 0))
    await writer.published(place.topic("t"), b"1")
    assert await reader.got() == [Message(place.topic("t"), b"1", 0)]


# Section 4.7, topic names and filters: `@` stands for the corner.


@pytest.mark.parametrize(
    ("topic_filter", "matched", "others"),
    [
        ("@/a/b", ["@/a/b"], ["@/a", "@/a/b/c", "@/a/B", "@/a/b/"]),
        ("@/a/#", ["@/a", "@/a/", "@/a/b", "@/a/b/c"], ["@/ab", "@"]),
        ("@/#", ["@", "@/", "@//", "@/a/b"], ["@x"]),
        ("@/+", ["@/", "@/a", "@/$a"], ["@", "@/a/b", "@/a/"]),
        ("@/+/b", ["@/a/b", "@//b"], ["@/b", "@/a/c", "@/a/b/c"]),
        ("@/+/+/#", ["@/a/b", "@/a/b/c", "@//"], ["@/a"]),
        ("+/@/x", ["a/@/x", "/@/x"], ["@/x", "$a/@/x"]),
        ("$a/@/+", ["$a/@/x"], ["a/@/x"]),
        ("@/ a b", ["@/ a b"], ["@/a b"]),
        ("@/é/\U0001f50b", ["@/é/\U0001f50b"], ["@/é/x"]),
    ],
)
@contract
async def test_filters_match_as_the_standard_says(place, topic_filter, matched, others):
    reader, writer = await place.client("reader"), await place.client("writer")
    await reader.subscribed((topic_filter.replace("@", place.corner), 0))
    for name in [*others, *matched]:
        await writer.published(name.replace("@", place.corner), name.encode())
    assert [message.payload.decode() for message in await reader.got()] == matched


@contract
async def test_a_leading_wildcard_does_not_see_reserved_topics(place):
    reader, writer = await place.client("reader"), await place.client("writer")
    await reader.subscribed(("#", 0), ("+/" + place.topic("x"), 0))
    await writer.published("$reserved/" + place.topic("x"), b"1")
    await writer.published("plain/" + place.topic("x"), b"2")
    got = [message for message in await reader.got() if place.corner in message.topic]
    assert got == [Message("plain/" + place.topic("x"), b"2", 0)]


# Section 3.3.1.3, retained messages


@contract
async def test_the_last_retained_message_greets_a_subscription_and_live_ones_are_not_marked(place):
    writer, early, late = await place.client("writer"), await place.client("early"), await place.client("late")
    await early.subscribed((place.topic("t"), 1))
    for payload in (b"1", b"2"):
        await writer.published(place.topic("t"), payload, retain=True)
    await writer.published(place.topic("t"), b"not kept")
    await late.subscribed((place.topic("t"), 1))
    assert [(m.payload, m.retain) for m in await early.got()] == [(b"1", False), (b"2", False), (b"not kept", False)]
    assert await late.got() == [Message(place.topic("t"), b"2", 1, retain=True)]


@pytest.mark.parametrize("topic_filter", ["#", "+/+", "a/#", "a/+", "a/b", "+/b", "a/b/#"])
@contract
async def test_retained_messages_are_found_by_wildcards(place, topic_filter):
    writer, reader = await place.client("writer"), await place.client("reader")
    for name in ("a/b", "c", "a/c/d"):
        await writer.published(place.topic(name), b"1", retain=True, qos=0)
    await reader.subscribed((place.topic(topic_filter), 1))
    expected = {"#": {"a/b", "c", "a/c/d"}, "a/#": {"a/b", "a/c/d"}}.get(topic_filter, {"a/b"})
    got = await reader.got()
    assert sorted(got) == sorted(Message(place.topic(name), b"1", 0, retain=True) for name in expected)


@contract
async def test_retained_reserved_topics_are_not_found_by_a_leading_wildcard(place):
    writer, reader = await place.client("writer"), await place.client("reader")
    await writer.published(f"$x/{place.corner}", b"1", retain=True)
    await reader.subscribed((f"+/{place.corner}", 1), ("#", 0))
    assert [message for message in await reader.got() if place.corner in message.topic] == []
    await reader.subscribed((f"$x/{place.corner}", 1))
    assert await reader.got() == [Message(f"$x/{place.corner}", b"1", 1, retain=True)]
    await writer.published(f"$x/{place.corner}", b"", retain=True)


@contract
async def test_an_empty_retained_message_clears_and_is_delivered(place):
    writer, early, late = await place.client("writer"), await place.client("early"), await place.client("late")
    await early.subscribed((place.topic("#"), 1))
    await writer.published(place.topic("t"), b"1", retain=True)
    await writer.published(place.topic("t"), b"", retain=True)
    await late.subscribed((place.topic("#"), 1))
    assert [(m.payload, m.retain) for m in await early.got()] == [(b"1", False), (b"", False)]
    assert await late.got() == []


@contract
async def test_subscribing_again_brings_the_retained_message_again(place):
    client = await place.client("a")
    await client.published(place.topic("t"), b"1", retain=True)
    for _ in range(2):
        await client.subscribed((place.topic("t"), 0))
        assert await client.got() == [Message(place.topic("t"), b"1", 0, retain=True)]


@contract
async def test_a_retained_message_reaches_nobody_but_its_subscribers(place):
    writer, other = await place.client("writer"), await place.client("other")
    await other.subscribed((place.topic("other"), 1))
    await writer.published(place.topic("t"), b"1", retain=True)
    third = await place.client("third")
    await third.subscribed((place.topic("third"), 1))
    assert await other.got() == await third.got() == []
