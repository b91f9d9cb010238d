"""Messages of a UPS as tests read them, and what else may stand in one."""

from __future__ import annotations

import json

from hypothesis import strategies as st
from mqtt_wire import Message
from ups_bench import ROOT

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=70) | JSON, "value": JSON | st.integers(-(10**400), 10**400) | st.sampled_from([0, 1, 1e5]),
        "ts": st.integers() | JSON, "ttl_ms": st.integers() | JSON,
    },
)  # fmt: skip
ANYTHING = (
    st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value).encode())
    | NEARLY.map(lambda value: json.dumps(value).encode())
)


def topics(messages: list[Message]) -> list[str]:
    return [message.topic.removeprefix(f"{ROOT}/") for message in messages]


def values(message: Message) -> dict:
    return json.loads(message.payload)
