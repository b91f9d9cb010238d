"""Our broker under arbitrary bytes and arbitrary conversations, against a model that is naive where the broker is quick."""

from __future__ import annotations

import asyncio

from broker_bench import Bench, on_a_bench, settle
from hypothesis import given, settings
from hypothesis import strategies as st
from mqtt_wire import DISCONNECT, PINGREQ, Client, Message, connect, packet, puback, publish, subscribe, unsubscribe

from hil.broker import Limits
from hil.broker.packets import Message as Delivered
from hil.broker.session import Counts, Session
from hil.broker.topics import Retained, Subscriptions, is_filter

LEVELS = st.lists(st.sampled_from(["", "a", "b", "$s"]), min_size=1, max_size=4)
TOPICS = LEVELS.map("/".join).filter(bool)
FILTERS = st.lists(st.sampled_from(["", "a", "b", "$s", "+"]), min_size=1, max_size=4).flatmap(
    lambda levels: st.sampled_from(["/".join(levels), "/".join([*levels, "#"]), "#"]).filter(bool)
)


def matches(topic_filter: str, topic: str) -> bool:
    """Section 4.7, by recursion."""
    if topic.startswith("$") and topic_filter[0] in "+#":
        return False

    def from_here(wanted: list[str], levels: list[str]) -> bool:
        if wanted == ["#"]:
            return True
        if not wanted or not levels:
            return wanted == levels
        return wanted[0] in ("+", levels[0]) and (
            from_here(wanted[1:], levels[1:]) or (wanted[1:] == ["#"] and len(levels) == 1)
        )

    return from_here(topic_filter.split("/"), topic.split("/"))


@given(st.lists(st.tuples(FILTERS, st.sampled_from("xyz"), st.integers(0, 1), st.booleans()), max_size=12), st.lists(TOPICS))
def test_the_tree_of_subscriptions_agrees_with_the_definition(steps, topics):
    tree: Subscriptions[str] = Subscriptions()
    held: dict[tuple[str, str], int] = {}
    for topic_filter, subscriber, qos, removes in steps:
        if not removes:
            tree.add(topic_filter, subscriber, qos)
            held[topic_filter, subscriber] = qos
        elif held.pop((topic_filter, subscriber), None) is not None:
            tree.remove(topic_filter, subscriber)
        for topic in topics:
            expected: dict[str, int] = {}
            for (wanted, who), granted in held.items():
                if matches(wanted, topic):
                    expected[who] = max(granted, expected.get(who, 0))
            assert dict(tree.match(topic)) == expected
    for topic_filter, subscriber in held:
        tree.remove(topic_filter, subscriber)
    assert tree._root.below == {}  # nothing is left of what has gone


@given(st.lists(st.tuples(TOPICS, st.booleans()), max_size=12), st.lists(FILTERS))
def test_the_tree_of_retained_messages_agrees_with_the_definition(steps, filters):
    tree: Retained[str] = Retained()
    held: dict[str, None] = {}
    for topic, removes in steps:
        if removes:
            tree.remove(topic)
            held.pop(topic, None)
        else:
            tree.put(topic, topic)
            held[topic] = None
        for topic_filter in filters:
            assert sorted(tree.match(topic_filter)) == sorted(kept for kept in held if matches(topic_filter, kept))
    for topic in held:
        tree.remove(topic)
    assert tree._root.below == {}


@given(st.text(alphabet="a+#/$", max_size=6))
def test_filters_are_valid_where_each_wildcard_has_a_level_of_its_own(topic_filter):
    levels = topic_filter.split("/")
    sound = all(level in ("+", "#") or not set(level) & set("+#") for level in levels) and "#" not in levels[:-1]
    assert is_filter(topic_filter) == (sound and topic_filter != "")


def test_packet_identifiers_go_round_and_spare_those_in_flight():
    class Wire:
        slow = False

        def __init__(self) -> None:
            self.ids: list[int] = []

        def send(self, sent: bytes) -> None:
            self.ids.append(int.from_bytes(sent[5:7]))

    wire = Wire()
    session = Session("a", Limits(), Counts(), clean=True)
    session.resume(wire)
    message = Delivered("t", b"", qos=1)
    for number in range(70_000):
        session.deliver(message, 1)
        if number != 2:
            session.acknowledge(wire.ids[-1])
    assert wire.ids == [*range(1, 65536), 1, 2, *range(4, 4 + 70_000 - 65537)]


JUNK = st.one_of(
    st.binary(max_size=60),
    st.builds(packet, st.integers(0, 255), st.binary(max_size=20)),  # a sound frame around anything
    st.builds(publish, TOPICS, st.binary(max_size=8), qos=st.integers(0, 3), packet_id=st.integers(0, 3)),
    st.builds(lambda topic_filter, qos: subscribe(1, (topic_filter, qos)), st.text(max_size=5) | FILTERS, st.integers(0, 3)),
    st.builds(lambda topic_filter: unsubscribe(1, topic_filter), st.text(max_size=5) | FILTERS),
    st.builds(puback, st.integers(0, 3)),
    st.sampled_from([PINGREQ, DISCONNECT, connect("fuzz")]),
)


@settings(max_examples=100, deadline=None)
@given(st.booleans(), st.lists(JUNK, max_size=8), st.lists(st.integers(0, 300), max_size=3))
def test_arbitrary_bytes_harm_nobody_else_and_leave_nothing_behind(connects, junk, cuts):
    async def talk(bench: Bench) -> None:
        witness, writer = await bench.reader("witness/only", name="witness"), await bench.client("writer")
        client = await bench.raw(*([connect("fuzz")] if connects else []))
        whole = b"".join(junk)
        for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(whole)], strict=True):
            if not client.writer.is_closing():
                client.send(whole[begin:end])
            await asyncio.sleep(0)
        await settle()
        await writer.published("witness/only", b"heard")
        assert [message.payload for message in await witness.got()] == [b"heard"]
        await client.close()
        await settle()
        assert bench.broker.clients == ["witness", "writer"]
        assert list(bench.broker._sessions) == ["witness", "writer"]
        assert len(bench.broker._open) == 2
        await witness.close()
        await settle()
        assert bench.broker._subscriptions._root.below == {}

    on_a_bench(talk, most_packet_bytes=200)


class Model:
    """What each client has to receive, by the definitions."""

    def __init__(self) -> None:
        self.online: dict[str, bool] = {}  # name → clean
        self.filters: dict[str, dict[str, int]] = {}  # name → filter → granted
        self.owed: dict[str, list[Message]] = {}
        self.retained: dict[str, tuple[bytes, int]] = {}
        self.wills: dict[str, tuple[str, bytes, int, bool]] = {}

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        if retain:
            self.retained.pop(topic, None)
            if payload:
                self.retained[topic] = (payload, qos)
        for name, filters in self.filters.items():
            granted = [qos_of for wanted, qos_of in filters.items() if matches(wanted, topic)]
            if granted:
                at = min(qos, *granted) if len(granted) == 1 else min(qos, max(granted))
                if at or name in self.online:
                    self.owed[name].append(Message(topic, payload, at))

    def ends(self, name: str, *, will: bool) -> None:
        clean = self.online.pop(name)
        last = self.wills.pop(name, None)
        if clean:
            del self.filters[name]
        if last is not None and will:
            self.publish(*last)

    def connects(self, name: str, clean: bool, will: tuple[str, bytes, int, bool] | None) -> bool:
        if name in self.online:
            self.ends(name, will=True)
        present = name in self.filters and not clean
        if not present:
            self.filters[name], self.owed[name] = {}, []
        self.online[name] = clean
        if will is not None:
            self.wills[name] = will
        return present


NAMES = st.sampled_from(["one", "two", "three"])
WILLS = st.none() | st.tuples(TOPICS, st.binary(max_size=2), st.integers(0, 1), st.booleans())
STEPS = st.one_of(
    st.tuples(st.just("connect"), NAMES, st.booleans(), WILLS),
    st.tuples(st.just("publish"), NAMES, TOPICS, st.binary(max_size=2), st.integers(0, 1), st.booleans()),
    st.tuples(st.just("subscribe"), NAMES, FILTERS, st.integers(0, 2)),
    st.tuples(st.just("unsubscribe"), NAMES, FILTERS),
    st.tuples(st.sampled_from(["disconnect", "drop", "close", "break"]), NAMES),
    st.just(("restart", "")),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, min_size=5, max_size=40))
def test_any_conversation_delivers_what_the_model_says(steps):
    async def talk(bench: Bench) -> None:
        model, clients = Model(), {}
        for what, name, *details in steps:
            client: Client | None = clients.get(name)
            if what == "connect":
                clean, will = details
                present = model.connects(name, clean, will)
                clients[name] = await bench.client(name, clean=clean, will=will, session_present=present)
            elif what == "restart":
                wills = [model.wills[who] for who in model.online if who in model.wills]
                for who in list(model.online):
                    model.ends(who, will=False)
                clients.clear()
                await bench.broker.stop()
                await bench.start()
                for will in wills:
                    model.publish(*will)
            elif client is None:
                continue
            elif what == "publish":
                topic, payload, qos, retain = details
                model.publish(topic, payload, qos, retain)
                await client.published(topic, payload, qos=qos, retain=retain)
            elif what == "subscribe":
                topic_filter, qos = details
                model.filters[name][topic_filter] = min(qos, 1)
                kept = [
                    Message(topic, payload, min(qos, at), retain=True)
                    for topic, (payload, at) in model.retained.items()
                    if matches(topic_filter, topic)
                ]
                assert await client.subscribed((topic_filter, qos)) == [min(qos, 1)]
                await settle()
                got = await client.got()
                assert got[: len(model.owed[name])] == model.owed[name]
                assert sorted(got[len(model.owed[name]) :]) == sorted(kept)
                model.owed[name] = []
            elif what == "unsubscribe":
                model.filters[name].pop(details[0], None)
                await client.unsubscribed(details[0])
            else:
                model.ends(name, will=what != "disconnect")
                if what == "drop":
                    assert bench.broker.drop(name)
                elif what == "close":
                    await client.close()
                else:
                    client.send(DISCONNECT if what == "disconnect" else packet(0xF0))
                del clients[name]
            await settle()
            assert sorted(bench.broker.clients) == sorted(model.online)
            assert sorted(bench.broker._sessions) == sorted(model.filters)
            for who, other in clients.items():
                assert await other.got() == model.owed[who]
                model.owed[who] = []
                await settle()

    on_a_bench(talk)
