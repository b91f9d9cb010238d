"""What stands between paho and its socket: nothing is lost, nothing overtakes, however the bytes are cut."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mqtt_support import in_lockstep
from mqtt_wire import packet, puback, publish

from hil.broker import Broker
from hil.errors import BrokerLost
from hil.mqtt.address import BrokerAddress
from hil.mqtt.client import Message, MqttPort, PortSettings
from hil.mqtt.packets import MalformedPacket
from hil.mqtt.pipe import Pipe, Publication


@contextmanager
def piped():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    pipe = Pipe(ours)
    try:
        yield pipe, theirs
    finally:
        pipe.close()
        theirs.close()


def next_piece(pipe: Pipe) -> bytes:
    """Empty where paho would come back later."""
    try:
        piece = pipe.recv(3)
    except BlockingIOError:
        return b""
    assert 1 <= len(piece) <= 3
    return piece


def read_as_paho_does(pipe: Pipe) -> list[object]:
    """Everything that is there: messages, and the bytes of each packet that is paho's."""
    seen: list[object] = []
    for publication in pipe.packets():
        if publication is not None:
            seen.append(publication)
            continue
        whole = pipe.recv(1)
        while piece := next_piece(pipe):
            whole += piece
        seen.append(whole)
    return seen


PACKETS = st.one_of(
    st.tuples(st.sampled_from(["a", "a/b", "tele/ü"]), st.binary(max_size=300), st.booleans()).map(
        lambda m: (publish(m[0], m[1], retain=m[2]), Publication(m[0], m[1], m[2]))
    ),
    st.binary(max_size=200).map(lambda payload: (whole := publish("q", payload, qos=1, packet_id=7), whole)),
    st.sampled_from([puback(9), b"\xd0\x00", packet(0x90, b"\x00\x01\x01"), packet(0x20, b"\x00\x00")]).map(lambda p: (p, p)),
)


@given(st.lists(PACKETS, max_size=12), st.lists(st.integers(1, 400), max_size=30))
def test_packets_come_in_their_order_however_they_are_cut(sent, cuts):
    with piped() as (pipe, theirs):
        stream = b"".join(whole for whole, _ in sent)
        seen: list[object] = []
        for cut in [*cuts, len(stream) + 1]:
            theirs.send(stream[:cut])
            stream = stream[cut:]
            seen += read_as_paho_does(pipe)
        assert seen == [what for _, what in sent]
        assert not pipe.ended


def test_the_end_comes_after_what_was_said_before_it():
    with piped() as (pipe, theirs):
        theirs.send(publish("a", b"1"))
        theirs.close()
        assert read_as_paho_does(pipe) == [Publication("a", b"1", retained=False)]
        assert not pipe.ended
        assert read_as_paho_does(pipe) == []
        assert pipe.ended
        assert pipe.recv(1) == b""


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"\x30\x01\x00", id="too short for a length"),
        pytest.param(b"\x30\x03\x00\x05a", id="topic beyond its end"),
        pytest.param(b"\x30\x04\x00\x02\xff\xfe", id="topic that is not UTF-8"),
        pytest.param(b"\x30\xff\xff\xff\xff\x01", id="length of five bytes"),
    ],
)
def test_what_cannot_be_a_packet_is_told(broken):
    with piped() as (pipe, theirs):
        theirs.send(broken)
        with pytest.raises(MalformedPacket):
            list(pipe.packets())


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=50), st.text(max_size=50)), max_size=20))
def test_what_is_written_keeps_its_order(written):
    """Bytes are paho's packets, text is a message at QoS 0."""
    with piped() as (pipe, theirs):
        for what in written:
            if isinstance(what, bytes):
                assert pipe.send(what) == len(what)
            else:
                assert pipe.publish("t", what, retain=False)
        with pytest.raises(BlockingIOError):
            theirs.recv(1)
        assert pipe.flush()
        expected = b"".join(what if isinstance(what, bytes) else publish("t", what.encode()) for what in written)
        got = b""
        while len(got) < len(expected):
            got += theirs.recv(65_536)
        assert got == expected


def test_a_peer_that_takes_nothing_costs_no_more_than_a_bound():
    with piped() as (pipe, theirs):
        message = "x" * 100_000
        given_ = 0
        while pipe.publish("t", message, retain=False):
            given_ += 1
            pipe.flush()
            assert given_ < 100
        assert not pipe.flush()
        got = b""
        while not pipe.flush():
            got += theirs.recv(1 << 20)
        while len(got) < given_ * len(publish("t", message.encode())):
            got += theirs.recv(1 << 20)
        assert got == given_ * publish("t", message.encode())
        assert pipe.publish("t", message, retain=False)


def test_what_a_broken_connection_does_not_take_is_lost_without_a_word():
    with piped() as (pipe, theirs):
        theirs.close()
        assert pipe.publish("t", "1", retain=False)
        assert pipe.flush()


def test_a_message_does_not_overtake_one_that_waits_for_its_acknowledgement():
    """At QoS 1 it goes through paho, at QoS 0 it does not."""

    async def main() -> None:
        seen: list[bytes] = []
        broker = Broker()
        address = BrokerAddress(*await broker.start("127.0.0.1", 0))
        async with (
            MqttPort("to", address, subscriptions=["#"], received=lambda message: seen.append(message.payload)),
            MqttPort("from", address) as sender,
        ):
            first = asyncio.create_task(sender.publish("a", "1"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert sender._client is not None
            assert sender._client._client.want_write()  # it waits in paho
            assert sender.send("a", "2")
            assert sender.send("b", "3")
            await first
            await asyncio.sleep(0.1)
        assert seen == [b"1", b"2", b"3"]
        await broker.stop()
        await asyncio.sleep(0.01)

    in_lockstep(main)


def test_a_broker_that_talks_nonsense_is_left():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(b"\x20\x02\x00\x00" + publish("ok", b"1") + b"\x30\x03\x00\x05a")
        await reader.read()
        writer.close()

    async def main() -> None:
        seen: list[Message] = []
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = MqttPort("c", BrokerAddress(*server.sockets[0].getsockname()[:2]), received=seen.append)
        with pytest.raises(BrokerLost, match="too short"):
            await port.__aenter__()
        assert seen == [Message("ok", b"1", retained=False)]
        server.close()
        await asyncio.sleep(0.01)

    in_lockstep(main)


def test_a_connection_is_kept_alive_although_paho_sees_no_message():
    """Messages at QoS 0 pass it by, in both directions; it goes by its own packets, and pings."""

    async def main() -> None:
        lost: list[str] = []
        seen: list[Message] = []
        broker = Broker()
        address = BrokerAddress(*await broker.start("127.0.0.1", 0))
        settings = PortSettings(keepalive_s=5)
        port = MqttPort("c", address, subscriptions=["#"], received=seen.append, lost=lost.append, settings=settings)
        async with port:
            for _ in range(60):
                assert port.send("a", "1")
                await asyncio.sleep(1.0)
        assert lost == []
        assert len(seen) == 60
        await broker.stop()
        await asyncio.sleep(0.01)

    in_lockstep(main)
