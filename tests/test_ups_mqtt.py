"""One emulated UPS on a broker, byte by byte: the layout of docs/mqtt.md, and its commands."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mqtt_wire import Message
from ups_bench import ROOT, UpsBench, answers, came, now, on_bench, order
from ups_messages import ANYTHING, topics, values

TELE = ("input_power_w", "output_power_w", "battery_power_w", "soc", "mode", "input_frequency_hz")
COMMANDS = {
    "recharge_w": ("W", 0.0, 6e5), "walk_in_s": ("s", 0.0, 3600.0), "walk_in_delay_s": ("s", 0.0, 3600.0),
    "support_w": ("W", 0.0, 6e6), "support_s": ("s", 0.0, 3600.0), "operation": ("", 0, 1), "bypass": ("", 0, 1),
    "counter": ("", 0, 1), "reset_disturbances": ("", 1, 1),
}  # fmt: skip


@on_bench()
async def test_birth_tells_what_it_is_then_how_then_that_it_is(bench):
    watch = await bench.client("watch", "#")
    await bench.start()
    born = await came(watch)
    assert topics(born) == ["meta", "state", "status"]
    assert [(message.qos, message.retain) for message in born] == [(1, False), (0, False), (1, False)]  # to who listened
    meta, state, status = born
    assert status.payload == b"online"
    assert values(meta)["kind"] == "ups"
    assert values(meta)["rating_w"] == 6e6
    assert values(meta)["modes"] == ["off", "bypass", "normal", "battery", "eco", "test"]
    assert {name: (c["unit"], c["min"], c["max"]) for name, c in values(meta)["commands"].items()} == COMMANDS
    assert set(TELE) < set(values(meta)["signals"])
    assert values(state)["ts"] == 0
    assert {*TELE, *values(meta)["signals"], "recharge_w", "walk_in_s", "latched", "line_ok"} < values(state).keys()
    late = await bench.client("late", "#")
    kept = [message for message in await came(late) if message.retain]
    assert {(m.topic, m.payload, m.qos) for m in kept} == {(m.topic, m.payload, m.qos) for m in born}


@on_bench()
async def test_telemetry_is_punctual_and_state_comes_once_a_second(bench):
    watch = await bench.client("watch", "tele/+", "state")
    await bench.start(rate_hz=8.0)
    await watch.got()
    await asyncio.sleep(4.05)
    heard = await watch.got()
    stamps = {name: [values(m)["ts"] for m in heard if m.topic.endswith(f"tele/{name}")] for name in TELE}
    assert all(times == [125 * n for n in range(1, 33)] for times in stamps.values()), stamps
    assert {(m.qos, m.retain) for m in heard} == {(0, False)}
    states = [values(m) for m in heard if m.topic.endswith("/state")]
    assert [state["ts"] for state in states] == [1000, 2000, 3000, 4000]
    assert values([m for m in heard if m.topic.endswith("tele/mode")][-1])["value"] == 2
    assert states[-1]["mode"] == "normal"
    power = [values(m)["value"] for m in heard if m.topic.endswith("output_power_w")][-1]
    assert power == states[-1]["output_power_w"]
    keeper = await bench.client("keeper", "state", "tele/+")
    assert [(m.topic, m.qos, m.retain) for m in await came(keeper)] == [(f"{ROOT}/state", 0, True)]


@on_bench()
async def test_farewell_says_offline_as_the_layout_has_it(bench):
    wire = await bench.start()
    watch = await bench.client("watch", "status")
    assert await came(watch) == [Message(f"{ROOT}/status", b"online", 1, retain=True)]
    await asyncio.sleep(0.5)
    await wire.stop()
    assert await came(watch) == [Message(f"{ROOT}/status", b"offline", 1)]
    assert bench.broker.clients == ["watch"]


@pytest.mark.parametrize("how", ["power", "network"])
@on_bench()
async def test_death_is_told_by_the_will(bench, how):
    wire = await bench.start()
    watch = await bench.client("watch", "status")
    await came(watch)
    await asyncio.sleep(0.5)
    if how == "power":
        await wire.die()
    else:
        assert bench.broker.drop("hall:ups.a")
    assert await came(watch) == [Message(f"{ROOT}/status", b"offline", 1)]
    await asyncio.sleep(1.0)
    back = [] if how == "power" else [Message(f"{ROOT}/status", b"online", 1)]
    assert await came(watch) == back


@on_bench()
async def test_state_stays_rare_through_a_reconnect(bench):
    await bench.start()
    watch = await bench.client("watch", "state")
    await came(watch)
    for at_s in (1.9, 2.7, 3.3, 4.85):
        await asyncio.sleep(at_s - now())
        bench.broker.drop("hall:ups.a")
    await asyncio.sleep(3.0)
    stamps = [values(m)["ts"] for m in await came(watch)]
    births = [2000, 2800, 3400, 4950]  # a birth tells the state, whenever it is
    assert [stamp for stamp in births if stamp not in stamps] == []
    assert all(later - earlier >= 1000 for earlier, later in pairwise(stamps) if later not in births)


@on_bench()
async def test_a_command_is_carried_out_at_the_next_tick(bench):
    await bench.start()
    desk = await bench.client("desk", "ack/+")
    await asyncio.sleep(0.5)
    await desk.published(f"{ROOT}/cmd/recharge_w", order("one", 123456.0))
    (answer,) = await desk.got()
    assert answer == Message(f"{ROOT}/ack/one", answer.payload, 1)
    assert values(answer) == {"id": "one", "ok": True, "ts": 500, "command": "recharge_w", "value": 123456.0}
    assert bench.firmware["recharge_w"] == 6e5
    await asyncio.sleep(0.001)
    assert bench.firmware["recharge_w"] == 123456.0


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("recharge_w", 6.1e5, "610000: must be between 0 and 600000 W"),
        ("recharge_w", -1, "-1: must be between"),
        ("operation", 0.5, "0.5: must be between 0 and 1"),
        ("reset_disturbances", 0, "0: must be between 1 and 1"),
        ("fire", 1, "fire: no such command"),
        ("recharge_w/more", 1, "recharge_w/more: no such command"),
        ("", 1, ": no such command"),
        ("walk_in_s", True, None),
        ("counter", 1.0, None),
    ],
)
@on_bench()
async def test_a_command_is_refused_with_a_reason(bench, name, value, reason):
    await bench.start()
    desk = await bench.client("desk", "ack/+")
    before = {key: bench.firmware[key].item() for key in ("recharge_w", "operation", "walk_in_s", "counter")}
    await desk.published(f"{ROOT}/cmd/{name}", order("x", value))
    (answer,) = await answers(desk)
    assert answer["command"] == name
    assert answer["ok"] is (reason is None)
    await asyncio.sleep(0.001)
    if reason is not None:
        assert answer["reason"].startswith(reason)
        assert bench.told("command_refused") == [(0.0, {"command": name, "reason": answer["reason"]})]
        assert {key: bench.firmware[key].item() for key in before} == before
    else:
        assert bench.firmware[name] == float(value)


@pytest.mark.parametrize(
    ("ts", "ttl_ms", "reason"),
    [
        (3000, 1000, None), (3999, 0, "stale by 1 ms"), (2900, 1000, "stale by 100 ms"), (2999, 1000, "stale by 1 ms"),
        (5000, 0, None), (5001, 1000, "dated 1001 ms ahead"), (2**53 - 1, 0, "dated"), (0, 2**53 - 1, None),
    ],
)  # fmt: skip
@on_bench()
async def test_an_order_is_for_its_time(bench, ts, ttl_ms, reason):
    await bench.start()
    desk = await bench.client("desk", "ack/+")
    await asyncio.sleep(4.0)
    await desk.published(f"{ROOT}/cmd/recharge_w", order("x", 1000.0, ts=ts, ttl_ms=ttl_ms))
    (answer,) = await answers(desk)
    assert answer["ok"] is (reason is None)
    assert answer.get("reason", "").startswith(reason or "")
    await asyncio.sleep(0.001)
    assert bench.firmware["recharge_w"] == (1000.0 if reason is None else 6e5)


@on_bench()
async def test_a_command_that_lies_at_the_broker_is_refused(bench):
    desk = await bench.client("desk", "ack/+")
    await desk.published(f"{ROOT}/cmd/recharge_w", order("old", 1000.0), retain=True)
    await bench.start()
    (answer,) = await answers(desk)
    assert (answer["id"], answer["ok"]) == ("old", False)
    assert answer["reason"] == "retained: a command is an order for now"
    await asyncio.sleep(0.001)
    assert bench.firmware["recharge_w"] == 6e5


@on_bench()
async def test_a_command_that_is_to_be_retained_reaches_who_listens_as_an_order_for_now_and_nobody_later(bench):
    """MQTT 3.1.1, section 3.3.1.3: to who has subscribed already it comes without the flag."""
    wire = await bench.start()
    desk = await bench.client("desk", "ack/+")
    await desk.published(f"{ROOT}/cmd/recharge_w", order("now", 1000.0), retain=True)
    (answer,) = await answers(desk)
    assert (answer["id"], answer["ok"]) == ("now", True)
    await asyncio.sleep(0.01)
    await desk.published(f"{ROOT}/cmd/recharge_w", order("then", 2000.0))
    assert [answer["ok"] for answer in await answers(desk)] == [True]
    await wire.die()
    await bench.start()
    (again,) = await answers(desk)
    assert (again["id"], again["ok"]) == ("now", False)
    await asyncio.sleep(0.001)
    assert bench.firmware["recharge_w"] == 2000.0


@on_bench()
async def test_a_duplicate_is_carried_out_once_and_answered_twice(bench):
    await bench.start()
    desk = await bench.client("desk", "ack/+")
    command = order("same", 1000.0)
    await desk.published(f"{ROOT}/cmd/recharge_w", command)
    await asyncio.sleep(0.5)
    await desk.published(f"{ROOT}/cmd/recharge_w", order("other", 2000.0))
    await asyncio.sleep(30.0)
    await desk.published(f"{ROOT}/cmd/recharge_w", command)  # long stale by now: the answer is that of the first
    first, other, again = await answers(desk)
    assert first == again
    assert other["ok"] is True
    await asyncio.sleep(0.001)
    assert bench.firmware["recharge_w"] == 2000.0


@on_bench()
async def test_an_id_that_stands_for_another_command_is_refused(bench):
    await bench.start()
    desk = await bench.client("desk", "ack/+")
    await desk.published(f"{ROOT}/cmd/recharge_w", order("1", 1000.0))
    await desk.published(f"{ROOT}/cmd/walk_in_s", order("1", 30.0))
    await desk.published(f"{ROOT}/cmd/recharge_w", order("1", 2000.0))
    heard = await answers(desk)
    assert [(answer["command"], answer["value"], answer["ok"]) for answer in heard] == [
        ("recharge_w", 1000.0, True), ("walk_in_s", 30.0, False), ("recharge_w", 2000.0, False),
    ]  # fmt: skip
    assert heard[1]["reason"] == "its id stands for another command"
    await asyncio.sleep(0.001)
    assert bench.firmware["recharge_w"] == 1000.0
    assert bench.firmware["walk_in_s"] == 2.0


NO_COMMANDS = [
    b"", b"\x00", b"5", b"[]", b"{}", b"null", b"{", b"\xff\xfe", b'{"id": "x"}',
    b'{"id": "", "value": 1, "ts": 0, "ttl_ms": 1}',
    b'{"id": "a/b", "value": 1, "ts": 0, "ttl_ms": 9}', b'{"id": "x", "value": NaN, "ts": 0, "ttl_ms": 9}',
    b'{"id": "x", "value": 1' + b"0" * 400 + b', "ts": 0, "ttl_ms": 9}', b'{"id": "x", "value": 1e999, "ts": 0, "ttl_ms": 9}',
    b'{"id": "x", "value": 1, "ts": 1' + b"0" * 400 + b', "ttl_ms": 9}', b'{"id": "x", "value": 1, "ts": 0.5, "ttl_ms": 9}',
    b'{"id": "x", "value": 1, "ts": -1, "ttl_ms": 9}', b'{"id": "x", "value": 1, "ts": 0, "ttl_ms": true}',
    b'{"id": "\\ud800", "value": 1, "ts": 0, "ttl_ms": 9}', b'{"id": "\\u0000", "value": 1, "ts": 0, "ttl_ms": 9}',
    b'{"id": "' + b"x" * 65 + b'", "value": 1, "ts": 0, "ttl_ms": 9}', b"[" * 100_000, b"1" * 10_000, b'{"id": 1}',
]  # fmt: skip


@on_bench()
async def test_what_is_no_command_is_logged_and_does_no_harm(bench):
    await bench.start()
    watch = await bench.client("watch", "ack/+", "status")
    await came(watch)
    for payload in NO_COMMANDS:
        await watch.published(f"{ROOT}/cmd/recharge_w", payload)
    assert await came(watch) == []
    assert len(bench.told("command_refused")) == len(NO_COMMANDS)
    assert bench.told("broker_lost") == []
    await watch.published(f"{ROOT}/cmd/recharge_w", order("x", 7.0))
    assert [answer["ok"] for answer in await answers(watch)] == [True]


LEVELS = st.lists(
    st.sampled_from(["recharge_w", "operation", "x", "", " ", "$SYS", "é", "support_w"]) | st.text(
        st.characters(codec="utf-8", exclude_characters="+#/\0", exclude_categories=["Cc", "Cs"]), max_size=6
    ),
    max_size=3,
)  # fmt: skip


@given(st.lists(st.tuples(LEVELS, ANYTHING, st.booleans(), st.sampled_from([0, 1])), min_size=1, max_size=25))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_that_is_published_to_it_kills_a_device(commands):
    async def talk(bench: UpsBench) -> None:
        await bench.start()
        watch = await bench.client("watch", "ack/+", "status")
        await came(watch)
        for levels, payload, retain, qos in commands:
            await watch.published("/".join((ROOT, "cmd", *levels)), payload, qos=qos, retain=retain)
        await asyncio.sleep(0.25)
        messages = await came(watch)
        assert {message.topic for message in messages} <= {m.topic for m in messages if "/ack/" in m.topic}
        assert bench.told("broker_lost") == []
        await watch.published(f"{ROOT}/cmd/recharge_w", order("at the end", 7.0))
        assert (await answers(watch))[-1]["ok"] is True
        await asyncio.sleep(0.001)
        assert bench.firmware["recharge_w"] == 7.0

    UpsBench().serve(talk)
