"""The streams of a record: fewer rows than ticks, ticks around moments, channels of the loop, memory."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from report_support import SMALL
from rig import document

import hil
from hil.kernel.engine import MARKS
from hil.record.around import AroundMoments
from hil.record.events import EventLog
from hil.record.recorder import Recorder
from hil.record.reduce import Buckets, Sampled
from hil.record.streams import Around
from hil.record.writing import ArrowSink
from hil.scenario.files import from_document
from hil.site.build import build_engine
from hil.site.record import streams

ALSO = [
    "record.rate='1 kHz'",
    "record.also.third={rate='31.25 Hz', decimation='mean', channels=['pcc.*']}",
    "record.also.wide={rate='8 Hz', decimation='min_max_mean', channels=['bess.*', 'load.power_w'], compression='none'}",
    "record.also.lone={rate='100 Hz', decimation='min_max_mean', channels=['pcc.voltage_pu']}",
]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """4.01 s, so that the last bucket of every stream but one is cut short."""
    folder = tmp_path_factory.mktemp("runs") / "one"
    settings = [
        *SMALL,
        *ALSO,
        "duration='4.01 s'",
        "transport='direct'",
        "record.also.loop={rate='1 Hz', channels=['loop.*']}",
    ]
    return hil.run(hil.load("training_job", settings), folder=folder)


def table(result: hil.Result, stream: str) -> pa.Table:
    with pa.ipc.open_stream((result.folder / f"record-{stream}.arrow").read_bytes()) as reader:
        return reader.read_all()


@pytest.mark.parametrize(
    ("stream", "every", "channel"),
    [
        ("third", 32, "pcc.power_w"),
        ("wide", 125, "bess.main.soc"),
        ("wide", 125, "load.power_w"),
        ("lone", 10, "pcc.voltage_pu"),
    ],
)
def test_a_decimated_stream_is_what_numpy_makes_of_every_tick(recorded, stream, every, channel):
    time_ns, values = recorded.record.column(channel)
    assert time_ns.size == 4010
    buckets = [values[begin : begin + every] for begin in range(0, values.size, every)]
    ends = [min(begin + every, values.size) for begin in range(0, values.size, every)]
    found = table(recorded, stream)
    assert found["time_ns"].to_pylist() == [end * 1_000_000 for end in ends]
    means = np.array([np.cumsum(bucket, dtype=np.float64)[-1] / bucket.size for bucket in buckets]).astype(np.float32)
    assert np.array_equal(found[channel].to_numpy(), means)
    if stream != "third":
        assert found[f"{channel}.min"].to_pylist() == [bucket.min() for bucket in buckets]
        assert found[f"{channel}.max"].to_pylist() == [bucket.max() for bucket in buckets]


def test_a_channel_is_that_of_the_first_stream_which_has_it(recorded):
    assert recorded.signal("pcc.power_w")[0].size == 4010
    time_s, least = recorded.signal("bess.main.soc.min")
    assert time_s.size == 33
    assert np.array_equal(least, table(recorded, "wide")["bess.main.soc.min"].to_numpy())
    assert recorded.channels[-2:] == ["loop.lateness_us", "loop.execution_us"]
    assert not recorded.signal("loop.lateness_us")[1].any()


def test_streams_in_memory_and_in_a_folder_are_the_same_and_change_no_waveform(recorded):
    other = hil.run(recorded.scenario)
    again = hil.open_run(recorded.folder)
    assert other.channels == recorded.channels == again.channels
    for channel in other.channels:
        for one, two, three in zip(*(run.record.column(channel) for run in (other, recorded, again)), strict=True):
            assert np.array_equal(one, two)
            assert np.array_equal(one, three)
    plain = hil.run(hil.load("training_job", [*SMALL, "duration='4.01 s'", "transport='direct'"]))
    assert plain.waveform_hash == recorded.waveform_hash


def test_a_file_says_what_it_holds_and_has_a_parquet_file_beside_it(recorded):
    found = table(recorded, "wide")
    told = {key.decode(): value.decode() for key, value in found.schema.metadata.items()}
    assert json.loads(told.pop("provenance"))["scenario"] == "training_job"
    assert told == {"stream": "wide", "period_ns": "1000000", "decimation": "min_max_mean", "every": "125"}
    assert found.schema.field("bess.main.power_w.max").metadata == {b"unit": b"W"}
    for arrow in recorded.folder.glob("record*.arrow"):
        with pa.ipc.open_stream(arrow.read_bytes()) as reader:
            assert pq.read_table(arrow.with_suffix(".parquet")).equals(reader.read_all(), check_metadata=True)
    assert not list(recorded.folder.glob("*.part"))


def cut(total: int, seed: int) -> list[slice]:
    """Pieces in which rows may come."""
    at = np.sort(np.random.default_rng(seed).integers(0, total + 1, 9)).tolist()
    return [slice(begin, end) for begin, end in zip([0, *at], [*at, total], strict=True)]


def fed(reducer, ticks, values, marks, pieces):
    """What a reducer gives for rows that come in pieces."""
    given = [reducer.take(ticks[piece], values[piece], marks[piece]) for piece in pieces] + [reducer.end()]
    given = [rows for rows in given if rows[0].size]
    return np.concatenate([rows[0] for rows in given]), np.concatenate([rows[1] for rows in given])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", range(8))
def test_how_rows_come_does_not_matter_and_lost_ones_are_left_out(channels, seed):
    dice = np.random.default_rng(seed)
    ticks = np.arange(1, 1001)[dice.random(1000) > 0.01 * (seed % 3)]
    values = (1e7 * dice.normal(size=(ticks.size, channels))).astype(np.float32)
    marks = np.zeros(ticks.size, np.int64)
    for make in (
        lambda: Buckets(7, channels, extremes=True),
        lambda: Buckets(400, channels, extremes=False),
        lambda: Sampled(8),
    ):
        at_once = fed(make(), ticks, values, marks, [slice(0, ticks.size)])
        in_pieces = fed(make(), ticks, values, marks, cut(ticks.size, seed))
        assert np.array_equal(at_once[0], in_pieces[0])
        assert np.array_equal(at_once[1], in_pieces[1])
    found, rows = fed(Buckets(7, channels, extremes=True), ticks, values, marks, cut(ticks.size, seed))
    bucket = -(-ticks // 7)
    assert found.tolist() == [min(7 * int(end), int(ticks[-1])) for end in np.unique(bucket)]
    assert np.array_equal(rows[:, 1::3], [values[bucket == end].min(axis=0) for end in np.unique(bucket)])
    assert np.allclose(rows[:, 0::3], [values[bucket == end].mean(axis=0, dtype=np.float64) for end in np.unique(bucket)])


@pytest.mark.parametrize("seed", range(12))
def test_around_moments_every_tick_is_kept_once(seed):
    dice = np.random.default_rng(seed)
    ticks = np.arange(1, 2001)
    values = ticks.astype(np.float32)[:, None]
    marks = np.where(dice.random(2000) < 0.003, 2, 1) * (dice.random(2000) < 0.5)  # a 1 that nobody asked for
    scripted = (1, 700, 720, 2000) if seed % 2 else ()
    around = Around(marks=2, ticks=scripted, before=int(dice.integers(0, 60)), after=int(dice.integers(0, 60)))
    moments = sorted({*ticks[marks & 2 > 0].tolist(), *scripted})
    kept = [tick for tick in ticks.tolist() if any(-around.before <= tick - moment <= around.after for moment in moments)]
    found, rows = fed(AroundMoments(around), ticks, values, marks, cut(2000, seed))
    assert found.tolist() == kept
    assert rows[:, 0].tolist() == kept


def test_a_moment_whose_row_was_lost_still_has_its_surroundings():
    around = AroundMoments(Around(marks=0, ticks=(500,), before=10, after=10))
    ticks = np.array([*range(480, 498), *range(503, 530)])
    found, _ = fed(
        around, ticks, ticks.astype(np.float32)[:, None], np.zeros(ticks.size, np.int64), [slice(0, 18), slice(18, 45)]
    )
    assert found.tolist() == [*range(490, 498), *range(503, 511)]


def test_windows_lie_around_what_the_run_tells_of():
    """A dip at 1 s for 0.1 s, a limit that is violated, a battery whose driver goes silent, a UPS that goes to battery."""
    settings = [
        "duration='3 s'", "events=[{at='1 s', kind='grid_dip', residual=0.4, duration='100 ms', judged=true}]",
        "record.also.event={around=['event'], before='5 ms', after='10 ms', channels=['pcc.voltage_pu']}",
        "record.also.ups={around=['ups'], before='0 s', after='0 s', channels=['pcc.power_w']}",
        "record.also.limit={around=['limit'], before='1 ms', after='0 s', channels=['pcc.frequency_hz']}",
        "record.channels=['load.*']", "limits=[{name='27', kind='undervoltage', min=0.9, delay='20 ms'}]",
    ]  # fmt: skip
    result = hil.run(hil.load("hall", settings))
    assert np.allclose(
        result.signal("pcc.voltage_pu")[0], [*np.arange(0.996, 1.0115, 0.001), *np.arange(1.096, 1.1115, 0.001)]
    )
    logged = {round(event["time_s"] + 0.001, 9) for event in result.events if event["event"].startswith("ups_")}
    assert logged
    assert set(result.signal("pcc.power_w")[0].tolist()) == logged
    violated = {event["time_s"] for event in result.events if event["event"] == "limit_violated"}
    assert violated
    around = {round(time_s + offset, 9) for time_s in violated for offset in (-0.001, 0.0)}
    assert set(result.signal("pcc.frequency_hz")[0].tolist()) == around


def test_a_reversion_is_marked_in_its_tick():
    scenario = from_document(
        document(
            bess={"main": {"rating": "10 MVA", "energy": "1 MWh", "setpoint_ramp": "40 MW/s"}},
            record={"also": {"back": {"around": ["reversion"], "before": "2 ms", "after": "0 s"}}},
        )
    )
    engine = build_engine(scenario, 1e7)
    engine.feed(np.full(8192, 1e7))
    for point, value in ((4, 2.0), (0, 1e6), (1, 1.0)):  # reversion timer, set-point, enable
        engine.command(0, point, value)
    engine.advance(3000)
    ticks, _, marks = engine.take_rows()
    reverted = int(engine.states["pcs"][0]["reverted_at"])
    assert ticks[marks & MARKS["reversion"] > 0].tolist() == [reverted + 1]
    assert not (marks & MARKS["ups"]).any()


def test_memory_does_not_grow_with_the_run(tmp_path):
    also = {
        "mean": {"rate": "1 Hz", "decimation": "mean"},
        "wide": {"rate": "10 Hz", "decimation": "min_max_mean", "channels": ["pcc.*"]},
        "close": {"around": ["limit", "event"], "before": "2 s", "channels": ["pcc.*"]},
    }
    dips = [{"kind": "grid_dip", "at": f"{at} s", "duration": "100 ms", "residual": 0.5} for at in (50, 400)]
    scenario = from_document(document(duration="900 s", record={"rate": "100 Hz", "also": also}, events=dips))
    engine = build_engine(scenario, 1e7)

    def sink(stream):
        return ArrowSink(tmp_path, stream, engine.period_ns, {})

    peaks = []
    block = np.full(8192, 1e7)
    tracemalloc.start()
    try:
        with Recorder(engine, streams(scenario, engine.channels), sink) as recorder:
            for _ in range(2):
                tracemalloc.reset_peak()
                for _ in range(50):
                    engine.feed(block)
                    engine.advance(engine.tick + block.size)
                    recorder.drain()
                peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert recorder.column("pcc.power_w")[0].size == engine.tick // 10
    assert peaks[1] < 1.1 * peaks[0]
    assert engine.dropped_rows == 0


def test_of_very_many_events_the_first_and_the_newest_stay_in_memory(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    for number in range(25_000):
        log.add(number / 1e3, "ups_transfer", {"number": number})
        if number % 1000 == 0:
            log.drain()
    log.close()
    told = log.events
    assert [event.get("number") for event in told] == [*range(10_000), None, *range(15_000, 25_000)]
    assert told[10_000] == {"time_s": 9.999, "event": "events_left_out", "count": 5000}
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(25_000))
    assert log.reasons() == []
