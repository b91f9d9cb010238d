"""Topics and payloads of a site."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.mqtt.layout import Command, DeviceTopics, command_of, milliseconds


def test_topics_are_those_of_the_layout():
    topics = DeviceTopics("hall", "ups.a")
    assert topics.of("status") == "hil/v1/hall/ups.a/status"
    assert topics.of("tele", "soc") == "hil/v1/hall/ups.a/tele/soc"


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "a\0"])
def test_a_name_that_cannot_be_a_level_is_refused(name):
    with pytest.raises(ValueError, match="level of a topic"):
        DeviceTopics("hall", name)


@given(
    identifier=st.text(
        st.characters(min_codepoint=48, max_codepoint=122, categories=("Lu", "Ll", "Nd")), min_size=1, max_size=64
    ),
    value=st.floats(allow_nan=False, allow_infinity=False),
    ts_ms=st.integers(0, 2**53 - 1),
    ttl_ms=st.integers(0, 2**53 - 1),
)
def test_a_command_survives_the_wire_to_the_bit(identifier, value, ts_ms, ttl_ms):
    command = Command(identifier, value, ts_ms, ttl_ms)
    assert command_of(command.payload().encode()) == command


@given(st.binary(max_size=200))
def test_any_bytes_are_a_command_or_a_clear_refusal(payload):
    try:
        command_of(payload)
    except ValueError as problem:
        assert "\n" not in str(problem)


GOOD = {"id": "1", "value": 1.5, "ts": 0, "ttl_ms": 100}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"id": ""}, "id"), ({"id": "a/b"}, "id"), ({"id": "x" * 65}, "id"), ({"id": 7}, "id"), ({"id": "+"}, "id"),
        ({"value": None}, "value"), ({"value": "5"}, "value"), ({"value": float("nan")}, "value"),
        ({"value": float("inf")}, "value"), ({"ts": -1}, "ts"), ({"ts": 1.5}, "ts"), ({"ts": True}, "ts"),
        ({"ttl_ms": None}, "ttl_ms"), ({"ttl_ms": 2**53}, "ttl_ms"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_command_is_told_by_key(changed, why):
    with pytest.raises(ValueError, match=f"^{why}: must be"):
        command_of(json.dumps(GOOD | changed).encode())


@pytest.mark.parametrize("payload", [b"", b"1", b"[]", b"{", b'"x"', b"[" * 100_000])
def test_what_is_no_object_is_refused(payload):
    with pytest.raises(ValueError, match="not"):
        command_of(payload)


def test_a_command_is_stale_after_its_time():
    command = Command("1", 1.0, milliseconds(10.0), 500)
    assert not command.stale(10_500)
    assert command.stale(10_501)
