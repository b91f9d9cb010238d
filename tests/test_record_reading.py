"""A record read while it grows, cut at any byte, followed, converted."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from record_support import CHANNELS, PERIOD_NS, ends, put, rows, sink_of, written

from hil.record.composite import Streams, batches, stream_files
from hil.record.conversion import FORMATS, convert
from hil.record.following import Follower
from hil.record.framing import frames
from hil.record.memory import MemorySink
from hil.record.reading import ArrowRecord
from hil.record.selection import chosen
from hil.record.units import handy_unit


def test_a_record_cut_at_any_byte_is_read_to_its_last_whole_batch(tmp_path):
    """So that whatever a kill leaves can be read; and none but the uncut one counts as ended."""
    path = written(tmp_path / "record.arrow", [3, 1, 5])
    data, places = path.read_bytes(), ends(path)
    assert len(places) == 4
    assert places[-1] == len(data) - 8
    cut = tmp_path / "cut.arrow"
    for size in range(len(data) + 1):
        cut.write_bytes(data[:size])
        record = ArrowRecord(cut, whole=False)
        whole = [3, 4, 9][: sum(place <= size for place in places[1:])]
        assert record.channels == (CHANNELS if size >= places[0] else [])
        assert record.ended == (size == len(data))
        with cut.open("rb", buffering=0) as file:
            assert [frame.rows for frame in frames(file, size)] == [0, 3, 1, 5][: sum(place <= size for place in places)]
        if size in places or size % 50 == 0:
            assert record.last_ns() == (whole[-1] * PERIOD_NS if whole else None)
            assert [time_ns.size for time_ns, _ in record.batches(CHANNELS)] == whole[-1:]
            with pytest.raises(OSError, match=r"cut short|not an Arrow stream"):
                ArrowRecord(cut)


@pytest.mark.parametrize("data", [b"PAR1" + bytes(99), bytes(500), b"time_ns,pcc.power_w\n"])
def test_what_is_no_stream_is_not_taken_for_one_that_has_just_begun(tmp_path, data):
    (tmp_path / "record.arrow").write_bytes(data)
    with pytest.raises(OSError, match="not an Arrow stream"):
        ArrowRecord(tmp_path / "record.arrow", whole=False)


def test_a_whole_record_damaged_between_batches_says_so(tmp_path):
    path = written(tmp_path / "record.arrow", [3, 3])
    data = bytearray(path.read_bytes())
    data[ends(path)[1]] = 0
    path.write_bytes(data)
    with pytest.raises(OSError, match="what follows byte"):
        ArrowRecord(path).column("pcc.power_w")
    assert ArrowRecord(path, whole=False).column("pcc.power_w")[0].size == 3


def test_batches_are_gathered_and_reading_stops_after_the_time_asked_for(tmp_path):
    record = ArrowRecord(written(tmp_path / "record.arrow", [10] * 20))
    assert [time_ns.size for time_ns, _ in record.batches(CHANNELS)] == [200]
    assert [time_ns.size for time_ns, _ in record.batches(CHANNELS, until_ns=35 * PERIOD_NS)] == [40]
    assert list(record.batches(["no.such"])) == []


def test_streams_are_one_record(tmp_path):
    """A channel is that of the first stream that has it."""
    written(tmp_path / "record.arrow", [4])
    written(tmp_path / "record-fast.arrow", [9], ["bess.a.soc", "pcc.power_w"])
    files = stream_files(tmp_path)
    assert list(files) == ["main", "fast"]
    record = Streams([ArrowRecord(file) for file in files.values()])
    assert record.channels == [*CHANNELS, "bess.a.soc"]
    assert record.column("pcc.power_w")[0].size == 4
    assert record.column("bess.a.soc")[0].size == 9
    assert [(time_ns.size, list(values)) for time_ns, values in batches(record, record.channels)] == [
        (4, CHANNELS),
        (9, ["bess.a.soc"]),
    ]
    with pytest.raises(KeyError):
        record.column("no.such")


def test_a_record_in_memory_gives_its_rows_in_one_batch():
    sink = MemorySink(CHANNELS, PERIOD_NS)
    put(sink, rows(1, 5))
    sink.close()
    ((time_ns, values),) = batches(sink, CHANNELS)
    assert time_ns.size == 5
    assert list(values) == CHANNELS


# --- following ---


def given(found) -> list[int]:
    return [time_ns // PERIOD_NS for batch in found for time_ns in batch.column(0).to_pylist()]


def test_a_follower_gives_each_row_once(tmp_path):
    sink = sink_of(tmp_path)
    put(sink, rows(1, 6))
    put(sink, rows(7, 3))
    with Follower(tmp_path / "record.arrow") as follower:
        assert follower.channels == CHANNELS
        assert given(follower.newest(5)) == [5, 6, 7, 8, 9]
        assert given(follower.more()) == []
        put(sink, rows(10, 2))
        put(sink, rows(12, 1))
        assert given(follower.more()) == [10, 11, 12]
        sink.close()
        assert given(follower.more()) == []


@pytest.mark.parametrize(("count", "first"), [(0, 10), (1, 9), (3, 7), (100, 1)])
def test_a_follower_begins_with_as_many_rows_as_it_is_asked_for(tmp_path, count, first):
    with Follower(written(tmp_path / "record.arrow", [2, 3, 4])) as follower:
        assert given(follower.newest(count)) == list(range(first, 10))


def test_a_follower_waits_for_a_message_to_be_whole_whatever_byte_it_stops_at(tmp_path):
    whole = written(tmp_path / "whole.arrow", [2, 3]).read_bytes()
    path = tmp_path / "record.arrow"
    path.touch()
    seen = []
    with Follower(path) as follower, path.open("ab", buffering=0) as file:
        for place in range(len(whole)):
            file.write(whole[place : place + 1])
            seen += given(follower.more())
        assert follower.channels == CHANNELS
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("kept", [1, 2])
def test_a_follower_survives_a_record_that_is_cut_back_and_written_anew(tmp_path, kept):
    """The last batches are replaced by one that holds their rows and more; no row is given twice."""
    path = written(tmp_path / "record.arrow", [4, 2, 2])
    with Follower(path) as follower:
        assert given(follower.newest(100)) == list(range(1, 9))
        places = ends(path)
        other = written(tmp_path / "other.arrow", [4, 300] if kept == 1 else [4, 2, 300])
        with path.open("r+b") as file:
            file.truncate(places[kept])
        assert given(follower.more()) == []
        with path.open("ab") as file:
            file.write(other.read_bytes()[places[kept] :])
        assert given(follower.more()) == list(range(9, 305 if kept == 1 else 307))


def test_a_follower_says_that_its_file_is_gone_or_damaged(tmp_path):
    path = written(tmp_path / "record.arrow", [4])
    with Follower(path) as follower:
        given(follower.newest(9))
        data = path.read_bytes()
        path.write_bytes(data[:-8] + b"no message here")
        with pytest.raises(OSError, match="damaged"):
            given(follower.more())
        path.write_bytes(b"")
        with pytest.raises(OSError, match="its beginning is gone"):
            given(follower.more())
        path.unlink()
        with pytest.raises(FileNotFoundError):
            given(follower.more())
        path.write_bytes(data)
        with pytest.raises(OSError, match="another file"):
            given(follower.more())


# --- conversion ---


@pytest.fixture
def record(tmp_path) -> ArrowRecord:
    path = written(tmp_path / "record.arrow", [4, 1, 5])
    path.write_bytes(path.read_bytes()[:-9])  # as a kill leaves it: the last batch is torn
    return ArrowRecord(path, whole=False)


def test_parquet_holds_the_same(record, tmp_path):
    assert convert(record, tmp_path / "a.parquet", "parquet") == 5
    file = pq.ParquetFile(tmp_path / "a.parquet")
    assert file.schema_arrow.equals(record.schema, check_metadata=True)
    column = file.metadata.row_group(0).column(1)
    assert column.compression == "ZSTD"
    assert "BYTE_STREAM_SPLIT" in column.encodings
    for channel in CHANNELS:
        assert np.array_equal(file.read().column(channel).to_numpy(), record.column(channel)[1])


def test_an_arrow_file_holds_the_same(record, tmp_path):
    assert convert(record, tmp_path / "a.feather", "arrow", channels=["pcc.power_w"]) == 5
    with pa.ipc.open_file(tmp_path / "a.feather") as file:
        table = file.read_all()
    assert table.column_names == ["time_ns", "pcc.power_w"]
    assert np.array_equal(table.column(1).to_numpy(), record.column("pcc.power_w")[1])


def test_text_gives_back_every_float32(tmp_path):
    values = np.array([[0.1, -1.5e-38], [16777216, np.nan], [np.float32(1) / 3, 3e38]], np.float32)
    sink = sink_of(tmp_path, period_ns=7)
    sink.rows(np.array([1, 10**12, 86_400 * 10**9], np.int64), values)
    sink.close()
    convert(ArrowRecord(tmp_path / "record.arrow"), tmp_path / "a.csv", "csv")
    head, *lines = csv.reader((tmp_path / "a.csv").read_text().splitlines())
    assert head == ["time_s", *CHANNELS]
    assert [round(float(line[0]) * 1e9) for line in lines] == [7, 7 * 10**12, 7 * 86_400 * 10**9]
    assert lines[0][1] == "0.1"
    assert np.array_equal(np.array([line[1:] for line in lines]).astype(np.float32), values, equal_nan=True)


@pytest.mark.parametrize("form", FORMATS)
def test_a_part_is_converted(form, tmp_path):
    record = ArrowRecord(written(tmp_path / "record.arrow", [4, 4]))
    bounds = {"from_ns": 3 * PERIOD_NS, "to_ns": 6 * PERIOD_NS}
    assert convert(record, tmp_path / "a", form, **bounds) == 4
    assert convert(record, tmp_path / "a", form, from_ns=9 * PERIOD_NS) == 0
    assert convert(record, tmp_path / "a", form, to_ns=0) == 0


def test_nothing_is_left_of_a_conversion_that_failed(tmp_path):
    path = written(tmp_path / "record.arrow", [3, 3])
    data = bytearray(path.read_bytes())
    data[ends(path)[1]] = 0
    path.write_bytes(data)
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(OSError, match="what follows byte"):
        convert(ArrowRecord(path), tmp_path / "a.csv", "csv")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "record.arrow"]
    assert (tmp_path / "a.csv").read_text() == "old"


@pytest.mark.parametrize("form", FORMATS)
def test_a_long_record_is_converted_in_little_memory(form, tmp_path, monkeypatch):
    """16 MB of values, a MB at a time: what Arrow held at the most is a part of them."""
    monkeypatch.setattr("hil.record.conversion.CHUNK_BYTES", 1 << 20)
    channels = [f"c{number}" for number in range(16)]
    record = ArrowRecord(written(tmp_path / "record.arrow", [4096] * 60, channels))
    pool = pa.proxy_memory_pool(pa.default_memory_pool())
    before = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        assert convert(record, tmp_path / "a", form) == 245_760
    finally:
        pa.set_memory_pool(before)
    assert 1e6 < pool.max_memory() < 8e6


# --- selection ---


def test_patterns_choose_channels_in_the_records_order():
    assert chosen([*CHANNELS, "bess.a.soc"], ["bess.*", "load.*"]) == ["load.power_w", "bess.a.soc"]
    with pytest.raises(KeyError, match=r"'grid\.\*': no such channel; recorded: load.power_w, pcc.power_w"):
        chosen(CHANNELS, ["grid.*"])


@pytest.mark.parametrize(
    ("channel", "unit"),
    [
        ("pcc.power_w", ("MW", 1e-6)),
        ("pcc.reactive_var.max", ("Mvar", 1e-6)),
        ("bess.a.soc", ("%", 100.0)),
        ("loop.lateness_us", ("µs", 1.0)),
        ("ups.a.mode", ("", 1.0)),
    ],
)
def test_channels_are_read_in_a_handy_unit(channel, unit):
    assert handy_unit(channel) == unit
