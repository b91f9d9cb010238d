"""Streams of broken frames to our Modbus server, against an oracle that is held to the cases of conformance."""

from __future__ import annotations

import asyncio
import importlib
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1] / "validation"))
cases, device, fuzz, mutants = (importlib.import_module(f"modbus_{name}") for name in ("cases", "device", "fuzz", "mutants"))
OF_REQUESTS = (*cases.READS, *cases.WRITES, *cases.IDENTIFICATION, *cases.FUNCTIONS)


@pytest.mark.parametrize("case", OF_REQUESTS, ids=[case.name for case in OF_REQUESTS])
def test_the_oracle_answers_as_the_cases_have_it(case):
    oracle = fuzz.Oracle()
    for sent, received in zip(case.steps[::2], case.steps[1::2], strict=True):
        (answer,), closed = oracle.stream(sent.data)
        assert not closed
        assert answer[1] == {received.data[7:]}


@pytest.fixture(scope="module")
def runner():
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def run(runner):
    run = fuzz.Fuzz()
    runner.run(run.__aenter__())
    yield run
    runner.run(run.__aexit__())


WORD = st.integers(0, 0xFFFF)
PLACE = st.sampled_from(mutants.EDGES) | st.integers(0, 1100)
PDUS = st.one_of(
    st.builds(lambda function, rest: bytes((function,)) + rest, st.sampled_from(mutants.FUNCTIONS), st.binary(max_size=252)),
    st.builds(struct.pack, st.just(">BHH"), st.sampled_from((1, 2, 3, 4, 5, 6)), PLACE, PLACE),
    st.builds(struct.pack, st.just(">BHHH"), st.just(22), PLACE, WORD, WORD),
    st.builds(lambda at, data: struct.pack(">BHHB", 15, at, 8 * len(data), len(data)) + data, PLACE, st.binary(max_size=246)),
    st.builds(lambda at, data: struct.pack(">BHHB", 16, at, len(data) // 2, len(data)) + data, PLACE, st.binary(max_size=246)),
    st.builds(
        lambda read_at, count, at, data: struct.pack(">BHHHHB", 23, read_at, count, at, len(data) // 2, len(data)) + data,
        PLACE, st.integers(0, 126), PLACE, st.binary(max_size=242),
    ),
    st.builds(lambda code, number: bytes((43, 14, code, number)), st.integers(0, 5), st.integers(0, 255)),
    st.binary(min_size=1, max_size=253),
)  # fmt: skip
FRAMES = st.builds(
    device.frame,
    WORD,
    PDUS,
    st.sampled_from((1, 1, 1, 0, 2, 255)),
    st.sampled_from((0,) * 9 + (1,)),
    st.none() | st.none() | WORD,
)


@given(stream=st.lists(FRAMES, max_size=8).map(b"".join), cuts=st.lists(st.integers(0, 2100), max_size=4))
@settings(max_examples=300, deadline=None)
def test_a_stream_is_answered_and_writes_as_the_oracle_has_it(runner, run, stream, cuts):
    ends = sorted({*(cut for cut in cuts if cut < len(stream)), len(stream)})
    pieces = [stream[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    assert runner.run(run.stream(pieces)) == ""


def test_other_clients_were_served_all_the_while(runner, run):
    assert runner.run(run.another_is_served())


class Leaky(fuzz.CountingBank):
    """Writes what comes before a value that it refuses."""

    def write(self, table, address, values):
        if address < device.REFUSES_7 < address + len(values):
            self.tables[table][address] = values[0]
        super().write(table, address, values)


def test_a_register_written_by_a_refused_request_is_seen():
    async def stream() -> str:
        async with fuzz.Fuzz(Leaky()) as run:
            return await run.stream([device.frame(1, bytes.fromhex("10 01F3 0002 04 0001 0007"))])

    assert asyncio.run(stream()) == "registers changed without a write"
