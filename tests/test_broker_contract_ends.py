"""What MQTT 3.1.1 asks of a broker when connections end and come back, or go wrong: every case on ours and on mosquitto."""

from __future__ import annotations

import pytest
from broker_place import Place, contract
from mqtt_wire import (
    DISCONNECT,
    PINGREQ,
    Client,
    Closed,
    Message,
    connect,
    packet,
    puback,
    publish,
    subscribe,
    text,
    unsubscribe,
)

# Section 3.1.2.5, wills


async def _watched(place: Place, **options: object) -> tuple[Client, Client]:
    """Who sees wills, and a client that has one."""
    watcher = await place.client("watcher")
    await watcher.subscribed((place.topic("will"), 1))
    return watcher, await place.client("mortal", will=(place.topic("will"), b"gone", 1, False), **options)


@contract
async def test_disconnect_discards_the_will(place):
    watcher, mortal = await _watched(place)
    mortal.send(DISCONNECT)
    await mortal.ended()
    await watcher.published(place.topic("will"), b"nothing before this")
    assert (await watcher.message()).payload == b"nothing before this"


@contract
async def test_a_closed_socket_publishes_the_will(place):
    watcher, mortal = await _watched(place)
    await mortal.close()
    assert await watcher.message() == Message(place.topic("will"), b"gone", 1)


@contract
async def test_a_protocol_error_publishes_the_will(place):
    watcher, mortal = await _watched(place)
    mortal.send(packet(0xF0))
    assert await watcher.message() == Message(place.topic("will"), b"gone", 1)
    await mortal.ended()


@contract
async def test_a_take_over_publishes_the_will(place):
    watcher, mortal = await _watched(place)
    await place.client("mortal")
    assert await watcher.message() == Message(place.topic("will"), b"gone", 1)
    await mortal.ended()


@pytest.mark.realtime
@contract
async def test_silence_beyond_the_keep_alive_publishes_the_will(place):
    watcher, mortal = await _watched(place, keep_alive=1)
    assert await watcher.message() == Message(place.topic("will"), b"gone", 1)
    await mortal.ended()


@pytest.mark.parametrize("qos", [0, 1, 2])
@contract
async def test_a_will_may_be_retained_and_has_its_own_quality_of_service(place, qos):
    mortal = await place.client("mortal", will=(place.topic("status"), b"offline", qos, True))
    watcher = await place.client("watcher")
    await watcher.subscribed((place.topic("status"), 1))
    await mortal.close()
    assert await watcher.message() == Message(place.topic("status"), b"offline", min(qos, 1))
    late = await place.client("late")
    await late.subscribed((place.topic("status"), 1))
    assert await late.message() == Message(place.topic("status"), b"offline", min(qos, 1), retain=True)


@contract
async def test_the_will_is_that_of_the_last_connect(place):
    watcher, mortal = await _watched(place)
    mortal.send(DISCONNECT)
    await mortal.ended()
    await (await place.client("mortal")).close()  # with no will
    again = await place.client("mortal", will=(place.topic("will"), b"another", 0, False))
    await again.close()
    assert await watcher.message() == Message(place.topic("will"), b"another", 0)


# Section 4.1, sessions


async def _left(client: Client) -> None:
    client.send(DISCONNECT)
    await client.ended()


@contract
async def test_a_lasting_session_keeps_subscriptions_and_messages_of_quality_of_service_1(place):
    reader, writer = await place.client("reader", clean=False), await place.client("writer")
    await reader.subscribed((place.topic("t"), 1), (place.topic("at 0"), 0))
    await _left(reader)
    for number in range(5):
        await writer.published(place.topic("t"), b"%d" % number)
    await writer.published(place.topic("t"), b"at 0", qos=0)
    await writer.published(place.topic("at 0"), b"granted 0")
    reader = await place.client("reader", clean=False, session_present=True)
    assert await reader.got() == [Message(place.topic("t"), b"%d" % number, 1) for number in range(5)]
    await writer.published(place.topic("t"), b"live")
    assert [message.payload for message in await reader.got()] == [b"live"]


@contract
async def test_unacknowledged_messages_are_sent_again_in_order_and_marked(place):
    reader, writer = await place.client("reader", clean=False), await place.client("writer")
    await reader.subscribed((place.topic("t"), 1))
    reader.acknowledges = False
    for number in range(4):
        await writer.published(place.topic("t"), b"%d" % number)
    first = [await reader.message() for _ in range(4)]
    assert [(m.payload, m.dup) for m in first] == [(b"0", False), (b"1", False), (b"2", False), (b"3", False)]
    reader.send(puback(reader.packet_ids[1]))
    await reader.pinged()
    await reader.close()
    await writer.published(place.topic("t"), b"4")
    again = await place.client("reader", clean=False, session_present=True)
    assert [(m.payload, m.dup) for m in await again.got()] == [(b"0", True), (b"2", True), (b"3", True), (b"4", False)]
    assert again.packet_ids[:3] == [reader.packet_ids[index] for index in (0, 2, 3)]
    await again.pinged()  # so that what it acknowledged has been read
    await again.close()
    third = await place.client("reader", clean=False, session_present=True)
    assert await third.got() == []  # all acknowledged


@contract
async def test_a_retained_message_is_sent_again_as_one(place):
    reader, writer = await place.client("reader", clean=False), await place.client("writer")
    await writer.published(place.topic("t"), b"1", retain=True)
    reader.acknowledges = False
    await reader.subscribed((place.topic("t"), 1))
    assert await reader.message() == Message(place.topic("t"), b"1", 1, retain=True)
    await reader.close()
    again = await place.client("reader", clean=False, session_present=True)
    assert await again.message() == Message(place.topic("t"), b"1", 1, retain=True, dup=True)


@contract
async def test_a_clean_session_discards_the_one_before_and_leaves_none(place):
    reader, writer = await place.client("reader", clean=False), await place.client("writer")
    await reader.subscribed((place.topic("t"), 1))
    await _left(reader)
    await writer.published(place.topic("t"), b"1")
    reader = await place.client("reader", clean=True, session_present=False)
    await writer.published(place.topic("t"), b"2")
    assert await reader.got() == []
    await _left(reader)
    reader = await place.client("reader", clean=False, session_present=False)
    assert await reader.got() == []


@contract
async def test_a_will_waits_for_who_is_away(place):
    reader = await place.client("reader", clean=False)
    await reader.subscribed((place.topic("will"), 1))
    await _left(reader)
    mortal = await place.client("mortal", will=(place.topic("will"), b"gone", 1, False))
    mortal.send(packet(0xF0))
    await mortal.ended()
    reader = await place.client("reader", clean=False, session_present=True)
    assert await reader.got() == [Message(place.topic("will"), b"gone", 1)]


@pytest.mark.parametrize("clean", [False, True])
@contract
async def test_a_second_connection_takes_over(place, clean):
    first, writer = await place.client("a", clean=clean), await place.client("writer")
    await first.subscribed((place.topic("t"), 1))
    second = await place.client("a", clean=clean, session_present=not clean)
    await first.ended()
    await writer.published(place.topic("t"), b"1")
    assert [message.payload for message in await second.got()] == ([] if clean else [b"1"])
    await second.close()


# Sections 2 and 4.8: what cannot be closes the connection, and no other.

_TOPIC = b"\x00\x01t"
_BAD = {
    "type 0": packet(0x00),
    "type 15": packet(0xF0),
    "connack from a client": packet(0x20, b"\x00\x00"),
    "second connect": connect("other"),
    "remaining length of five bytes": b"\x30\xff\xff\xff\xff\x01",
    "quality of service 3": packet(0x36, _TOPIC, b"\x00\x01"),
    "publish without topic length": packet(0x30, b"\x00"),
    "topic longer than the packet": packet(0x30, b"\x00\x05ab"),
    "publish without identifier": packet(0x32, _TOPIC),
    "publish with identifier 0": packet(0x32, _TOPIC, b"\x00\x00"),
    "empty topic": publish("", b"x"),
    "wildcard + in a topic": publish("a/+/b", b"x"),
    "wildcard # in a topic": publish("a/#", b"x"),
    "NUL in a topic": publish("a\0b", b"x"),
    "surrogate in a topic": publish(b"a\xed\xa0\x80b", b"x"),
    "overlong UTF-8 in a topic": publish(b"a\xc0\xafb", b"x"),
    "half a character in a topic": publish(b"a\xe2\x82", b"x"),
    "subscribe flags": packet(0x80, b"\x00\x01", _TOPIC, b"\x00"),
    "subscribe identifier 0": subscribe(0, ("t", 0)),
    "subscribe to nothing": packet(0x82, b"\x00\x01"),
    "subscribe without quality of service": packet(0x82, b"\x00\x01", _TOPIC),
    "subscribe quality of service 3": subscribe(1, ("t", 3)),
    "subscribe reserved bits": subscribe(1, ("t", 0x81)),
    "subscribe to the empty filter": subscribe(1, ("", 0)),
    "filter a/#/b": subscribe(1, ("a/#/b", 0)),
    "filter a#": subscribe(1, ("a#", 0)),
    "filter a+/b": subscribe(1, ("a+/b", 0)),
    "filter #/": subscribe(1, ("#/", 0)),
    "filter with NUL": subscribe(1, ("a\0", 0)),
    "filter that is not UTF-8": subscribe(1, (b"\xff", 0)),
    "the second filter is bad": subscribe(1, ("t", 0), ("a#", 0)),
    "unsubscribe flags": packet(0xA0, b"\x00\x01", _TOPIC),
    "unsubscribe identifier 0": unsubscribe(0, "t"),
    "unsubscribe from nothing": packet(0xA2, b"\x00\x01"),
    "unsubscribe from a bad filter": unsubscribe(1, "a#"),
    "puback with identifier 0": puback(0),
    "puback too short": packet(0x40, b"\x00"),
    "disconnect flags": packet(0xE1),
}
_BAD_CONNECTS = {
    "no connect": PINGREQ,
    "publish first": publish("t", b"x"),
    "disconnect first": DISCONNECT,
    "connect flags of the fixed header": b"\x11" + connect("a")[1:],
    "another protocol": connect("a", protocol="MQTX"),
    "reserved connect flag": packet(0x10, text("MQTT"), b"\x04\x03\x00\x00", text("a")),
    "will quality of service 3": packet(0x10, text("MQTT"), b"\x04\x1e\x00\x00", text("a"), text("t"), text("")),
    "will quality of service without will": packet(0x10, text("MQTT"), b"\x04\x0a\x00\x00", text("a")),
    "will retain without will": packet(0x10, text("MQTT"), b"\x04\x22\x00\x00", text("a")),
    "password without user": packet(0x10, text("MQTT"), b"\x04\x42\x00\x00", text("a"), text("p")),
    "will without topic": packet(0x10, text("MQTT"), b"\x04\x06\x00\x00", text("a")),
    "will without message": packet(0x10, text("MQTT"), b"\x04\x06\x00\x00", text("a"), text("t")),
    "wildcard in the topic of the will": connect("a", will=("a/#", b"", 0, False)),
    "no user where one is announced": packet(0x10, text("MQTT"), b"\x04\x82\x00\x00", text("a")),
    "identifier longer than the packet": packet(0x10, text("MQTT"), b"\x04\x02\x00\x00", b"\x00\x09a"),
    "identifier that is not UTF-8": packet(0x10, text("MQTT"), b"\x04\x02\x00\x00", text(b"\xff")),
    "NUL in the identifier": connect("a\0b"),
    "no identifier": packet(0x10, text("MQTT"), b"\x04\x02\x00\x00"),
    "no keep-alive": packet(0x10, text("MQTT"), b"\x04\x02"),
}


@pytest.mark.parametrize("bad", _BAD.values(), ids=_BAD.keys())
@contract
async def test_what_cannot_be_closes_its_connection_and_no_other(place, bad):
    witness, client = await place.client("witness"), await place.client("client")
    await witness.subscribed((place.topic("t"), 1))
    client.send(publish(place.topic("t"), b"before", qos=0), bad, publish(place.topic("t"), b"after", qos=0))
    await client.ended()
    await witness.published(place.topic("t"), b"alive")
    assert [message.payload for message in await witness.got()] == [b"before", b"alive"]


@pytest.mark.parametrize("bad", _BAD_CONNECTS.values(), ids=_BAD_CONNECTS.keys())
@contract
async def test_what_cannot_be_a_connect_is_closed_without_acceptance(place, bad):
    witness = await place.client("witness")
    client = await place.raw(bad)
    try:
        first, body = await client.packet()
    except Closed:
        pass
    else:  # a return code before the end
        assert first == 0x20
        assert body[1] != 0
    await client.ended()
    await witness.pinged()
