"""Recordings of sites from CSV, Parquet, Arrow and runs: signals, times, what counts, and an even grid on demand."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from record_support import CHANNELS, ends, rows, sink_of, written
from scipy.interpolate import interp1d

from hil import recordings
from hil.errors import HilError, RecordingError
from hil.recordings import Column, Text, TimeColumn


def made(folder, text, name="site.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_columns_become_signals_in_si_by_scale_unit_or_as_they_stand(tmp_path):
    path = made(tmp_path, "time_s,P_total_kW,f,U\n0.0,1.5,49.9,0.98\n0.1,2,50,0.99\n0.2,-3e1,50.1,1\n")
    read = recordings.read(
        path,
        {
            "pcc.power_w": Column("P_total_kW", scale=1e3, kind="rms"),
            "pcc.again_w": Column("P_total_kW", unit="kW"),
            "pcc.frequency_hz": "f",
            "deviation": Column("f", scale=1e3, offset=-50e3),
        },
    )
    assert list(read.signals) == ["pcc.power_w", "pcc.again_w", "pcc.frequency_hz", "deviation"]
    assert read.signals["pcc.power_w"].tolist() == read.signals["pcc.again_w"].tolist() == [1500.0, 2000.0, -30000.0]
    assert read.signals["deviation"] == pytest.approx([-100, 0, 100])
    assert read.units == {"pcc.power_w": "W", "pcc.again_w": "W", "pcc.frequency_hz": "Hz"}
    assert read.about["pcc.power_w"].kind == "rms"
    assert read.about["pcc.power_w"].column == "P_total_kW"
    assert read.about["pcc.frequency_hz"].kind is None
    assert read.time_s.tolist() == [0.0, 0.1, 0.2]
    assert read.duration_s == 0.2
    assert read.rate_hz == pytest.approx(10)
    assert read.is_uniform
    assert read.start is None
    assert read.notes == ()
    assert read.step("pcc.power_w") == 500.0
    assert list(recordings.read(path).signals) == ["P_total_kW", "f", "U"]


def test_units_of_other_kinds_are_refused(tmp_path):
    path = made(tmp_path, "time_s,a\n0,1\n")
    for signal, unit, factor, base in [
        ("x_v", "kV", 1e3, "V"), ("x_a", "kA", 1e3, "A"), ("x_w_per_s", "MW/min", 1e6 / 60, "W/s"), ("x_pu", "%", 0.01, "pu"),
        ("x", "Mvar", 1e6, "var"), ("x_degc", "C", 1.0, "degC"), ("x_va", "MVA", 1e6, "VA"), ("x", "bar", 1.0, "bar"),
    ]:  # fmt: skip
        read = recordings.read(path, {signal: Column("a", unit=unit)})
        assert read.signals[signal][0] == pytest.approx(factor)
        assert read.units == {signal: base}
    with pytest.raises(RecordingError, match="column 'a' for x_w: is in 'kV', and not in a unit of W"):
        recordings.read(path, {"x_w": Column("a", unit="kV")})
    with pytest.raises(
        RecordingError, match="column 'a' for x_w: is in 'hp', which is no unit that is known here; say its scale to W"
    ):
        recordings.read(path, {"x_w": Column("a", unit="hp")})


@pytest.mark.parametrize(
    ("name", "asked", "cells", "unit_s"),
    [
        ("time_s", None, ["5.25", "5.5", "7"], 1.0),
        ("t [ms]", None, ["5000", "5001", "5003"], 1e-3),
        ("Time (µs)", None, ["7", "9", "11"], 1e-6),
        ("stamp_ns", None, ["1700000000000000001", "1700000000000000003", "1700000000000000004"], 1e-9),
        ("t", TimeColumn(unit="ms"), ["-5", "0", "2.5"], 1e-3),
    ],
)
def test_times_in_numbers_begin_with_zero(tmp_path, name, asked, cells, unit_s):
    path = made(tmp_path, f"v,{name}\n" + "".join(f"1,{cell}\n" for cell in cells))
    read = recordings.read(path, time=TimeColumn(name, asked.unit if asked else None))
    exact = [float(Fraction(cell) - Fraction(cells[0])) for cell in cells]
    assert read.time_s == pytest.approx([number * unit_s for number in exact], rel=1e-12)
    assert read.first_s == pytest.approx(float(cells[0]) * unit_s)
    assert read.start is None


def test_numbers_may_count_from_1970(tmp_path):
    path = made(tmp_path, "ts_ms,v\n1764417600250,1\n1764417600350,2\n")
    read = recordings.read(path, time=TimeColumn(unix=True))
    assert read.start == datetime(2025, 11, 29, 12, 0, 0, 250000, tzinfo=UTC)
    assert read.time_s == pytest.approx([0, 0.1])


STAMPS = [
    "2026-10-25T02:59:59.5+02:00",
    "2026-10-25T01:00:00Z",  # half a second later
    "2026-10-25 02:00:01.123456789+01:00",  # the hour that came twice
    "2026-10-25T02:00:02+0100",
]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_timestamps_carry_their_zones(tmp_path, form):
    if form == "csv":
        path = made(tmp_path, "when,v\n" + "".join(f"{stamp},1\n" for stamp in STAMPS))
    else:
        path = tmp_path / "a.parquet"
        pq.write_table(pa.table({"when": STAMPS, "v": [1] * 4}), path)
    read = recordings.read(path)
    moments = [datetime.fromisoformat(stamp.replace("123456789", "123456")) for stamp in STAMPS]
    assert read.start == moments[0]
    assert read.time_s == pytest.approx([(moment - moments[0]).total_seconds() for moment in moments], abs=1e-6)
    assert read.time_s[2] == pytest.approx(1.623456789, abs=1e-12)


def test_a_zone_may_be_said_for_timestamps_that_carry_none(tmp_path):
    path = made(tmp_path, "when,v\n2026-11-29 12:00:00,1\n2026-11-29 12:00:01.5,2\n")
    with pytest.raises(
        RecordingError, match="line 2, column 'when': is '2026-11-29 12:00:00'; must be an ISO 8601 timestamp with its zone"
    ):
        recordings.read(path)
    read = recordings.read(path, time=TimeColumn(zone="-03:30"))
    assert read.start == datetime(2026, 11, 29, 12, tzinfo=timezone(-timedelta(hours=3, minutes=30)))
    assert read.time_s.tolist() == [0, 1.5]
    naive = pa.array([datetime(2026, 11, 29, 12)], pa.timestamp("ms"))  # noqa: DTZ001  # that is the point
    pq.write_table(pa.table({"when": naive, "v": [1]}), tmp_path / "a.parquet")
    with pytest.raises(RecordingError, match="column 'when': its timestamps carry no zone; say the zone of all"):
        recordings.read(tmp_path / "a.parquet")
    assert recordings.read(tmp_path / "a.parquet", time=TimeColumn(zone="-03:30")).start == read.start


@pytest.mark.shared
def test_a_log_of_requests_is_read_as_the_csv_module_reads_it(code_trace):
    """Uneven, with two requests in the same moment here and there."""
    with code_trace.open() as file:
        lines = list(csv.DictReader(file))
    read = recordings.read(code_trace, {"context": "ContextTokens"}, time=TimeColumn("TIMESTAMP", zone="Z"))
    assert read.signals["context"].tolist() == [float(line["ContextTokens"]) for line in lines]
    moments = np.array([line["TIMESTAMP"] for line in lines], "datetime64[ns]")
    assert read.time_s == pytest.approx((moments - moments[0]).astype(np.int64) / 1e9, abs=1e-9)
    later = np.maximum.accumulate(moments[:-1].astype(np.int64))
    assert read.ordered[1:].tolist() == (moments[1:].astype(np.int64) > later).tolist()
    assert not read.is_uniform


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("t_s;p\n0;1,5\n1,5;2\n", Text(decimal=",")),
        ("t_s\tp\n0\t1.5\n1.5\t2\n", None),
        ('"t_s","p"\r\n"0","1.5"\r\n"1.5","2"\r\n', None),
        ("\ufefft_s,p\n0,1.5\n1.5,2\n", None),
        ("t_s|p\n0| 1.5\n1.5 |+2.0e0", Text(delimiter="|")),
        ("t_s,p\n0,1.5\n\n1.5,2\n\n\n\x1a", None),
    ],
)
def test_ways_to_write_a_table(tmp_path, text, how):
    read = recordings.read(made(tmp_path, text), text=how)
    assert read.time_s.tolist() == [0, 1.5]
    assert read.signals["p"].tolist() == [1.5, 2.0]
    assert read.notes == ()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8"])
def test_a_table_may_be_in_another_encoding(tmp_path, encoding):
    path = made(tmp_path, "t_s,Temp °C\n0,1\n1,2\n".encode(encoding))
    assert recordings.read(path, {"x_degc": "Temp °C"}, text=Text(encoding=encoding)).signals["x_degc"].tolist() == [1, 2]


def test_what_is_missing_or_out_of_order_is_told_and_stays(tmp_path):
    cells = ["1", "", "NaN", "n/a", "5", "6", "7", "inf", "9"]
    times = ["0", "1", "2", "3", "3", "2.5", "4", "5", ""]
    path = made(tmp_path, "t_s,p\n" + "".join(f"{time},{cell}\n" for time, cell in zip(times, cells, strict=True)))
    read = recordings.read(path)
    assert read.time_s.tolist() == [0, 1, 2, 3, 3, 2.5, 4, 5]
    assert read.ordered.tolist() == [True, True, True, True, False, False, True, True]
    assert read.signals["p"][4:6].tolist() == [5, 6]
    assert read.valid["p"].tolist() == [True, False, False, False, False, False, True, False]
    assert read.notes == (
        "1 of 9 rows have no time and are left out",
        "2 of 8 samples are not later than those before: the first is number 5, at 3 s",
        "p: 4 of 8 samples are missing or not finite",
    )
    assert not read.is_uniform


@pytest.mark.parametrize(
    ("times", "rate_hz", "uniform"),
    [
        ([0], 0, False),
        (np.arange(101) / 60, 60, True),
        (np.round(np.arange(1001) / 60, 3), 60, True),  # written in ms
        (np.delete(np.arange(1000) / 50, slice(400, 420)), 50, False),  # a gap
        (
            np.concatenate([np.arange(900) * 1e-3, 0.9 + np.arange(100)]),
            1,
            False,
        ),  # quick, then slow: a tenth of the intervals
        ([0, 0.1, 0.2, 0.2, 0.3], 10, False),
    ],
)
def test_the_rate_is_one_that_nearly_all_of_a_recording_keeps(tmp_path, times, rate_hz, uniform):
    read = recordings.read(made(tmp_path, "t_s,p\n" + "".join(f"{time!r},1\n" for time in map(float, times))))
    assert read.rate_hz == pytest.approx(rate_hz, rel=1e-3)
    assert read.is_uniform == uniform


def test_a_signal_has_the_rate_of_its_own_samples(tmp_path):
    text = "t_s,quick,slow\n" + "".join(f"{place / 100},{place},{place if place % 10 == 0 else ''}\n" for place in range(500))
    read = recordings.read(made(tmp_path, text))
    assert read.about["quick"].rate_hz == pytest.approx(100)
    assert read.about["slow"].rate_hz == pytest.approx(10)
    assert read.step("quick") == 1
    assert read.step("slow") == 10
    assert recordings.read(made(tmp_path, "t_s,p\n0,1\n1,1\n")).step("p") is None


# --- on a grid ---


@pytest.fixture
def uneven(tmp_path):
    """Ten samples a second, jittered, with a hole from 2 to 3 s, and the times and values that count."""
    draw = np.random.default_rng(3)
    time_s = np.arange(0, 50) / 10 + np.concatenate([[0], draw.uniform(-0.02, 0.02, 49)])
    value = draw.normal(size=50)
    hole = (time_s > 2) & (time_s < 3)
    cells = ["" if gone else repr(float(v)) for v, gone in zip(value, hole, strict=True)]
    text = "t_s,p\n" + "".join(f"{float(t)!r},{cell}\n" for t, cell in zip(time_s, cells, strict=True))
    return recordings.read(made(tmp_path, text)), time_s[~hole], value[~hole]


@pytest.mark.parametrize(("by", "kind"), [("hold", "previous"), ("linear", "linear")])
def test_a_grid_is_that_of_scipy_and_says_where_it_invents(uneven, by, kind):
    read, time_s, value = uneven
    grid = read.uniform(0.013, by)
    assert grid.time_s == pytest.approx(np.arange(int(time_s[-1] / 0.013) + 1) * 0.013)
    assert grid.signals["p"] == pytest.approx(interp1d(time_s, value, kind)(grid.time_s))
    before, after = time_s[time_s < 2.5].max(), time_s[time_s > 2.5].min()
    assert grid.invented["p"].tolist() == ((grid.time_s > before) & (grid.time_s < after)).tolist()
    patient = read.uniform(0.013, by, gap_periods=20)
    assert not patient.invented["p"].any()


def test_a_grid_begins_and_ends_with_what_there_is(tmp_path):
    read = recordings.read(made(tmp_path, "t_s,a,b,c\n0,,5,\n1,1,6,\n2,2,,\n3,3,,\n4,4,,\n"))
    held, line = read.uniform(0.5), read.uniform(0.5, "linear")
    assert np.isnan(held.signals["a"][:2]).all()
    assert held.signals["a"][2:].tolist() == [1, 1, 2, 2, 3, 3, 4]
    assert held.invented["a"].tolist() == [True, True] + [False] * 7
    assert held.signals["b"].tolist() == [5, 5] + [6] * 7
    assert held.invented["b"].tolist() == [False] * 5 + [True] * 4  # a sample stands for one period of its own
    assert line.signals["b"][:3].tolist() == [5, 5.5, 6]
    assert np.isnan(line.signals["b"][3:]).all()
    assert line.invented["b"].tolist() == [False] * 3 + [True] * 6
    assert held.invented["c"].all()
    assert np.isnan(held.signals["c"]).all()


def test_samples_out_of_order_do_not_come_onto_a_grid(tmp_path):
    read = recordings.read(made(tmp_path, "t_s,p\n0,1\n1,2\n1,7\n0.5,8\n2,3\n"))
    assert read.uniform(1.0).signals["p"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(("period_s", "gaps"), [(0.0, 2.0), (-1.0, 2.0), (float("nan"), 2.0), (1.0, 0.5), (1e-12, 2.0)])
def test_a_grid_must_be_one(tmp_path, period_s, gaps):
    read = recordings.read(made(tmp_path, "t_s,p\n0,1\n1,2\n"))
    with pytest.raises(RecordingError, match=r"site\.csv: a grid of "):
        read.uniform(period_s, gap_periods=gaps)


# --- Parquet, Arrow, runs ---

TABLE = pa.table(
    {
        "time_ms": pa.array([0, 20, 40, 60], pa.int32()),
        "P": pa.array([1.5, None, 2.5, float("nan")], pa.float32()),
        "n": pa.array([1, 2, 3, 2**60], pa.int64()),
        "on": pa.array([True, False, None, True]),
        "text": ["a", "b", "c", "d"],
    },
    schema=pa.schema(
        [
            pa.field("time_ms", pa.int32()),
            pa.field("P", pa.float32(), metadata={"unit": "kW"}),
            pa.field("n", pa.int64()),
            pa.field("on", pa.bool_()),
            pa.field("text", pa.string()),
        ]
    ),
)


def save(table, path, suffix):
    if suffix == "parquet":
        pq.write_table(table, path)
    elif suffix == "arrow":
        with pa.ipc.new_stream(path, table.schema) as stream:
            stream.write_table(table, max_chunksize=3)
    else:
        with pa.ipc.new_file(path, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as file:
            file.write_table(table, max_chunksize=3)


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "feather"])
def test_tables_of_arrow_are_read_with_the_same_mapping(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    save(TABLE, path, suffix)
    read = recordings.read(path, {"pcc.power_w": "P", "n": "n", "on": "on"})
    assert read.time_s == pytest.approx([0, 0.02, 0.04, 0.06])
    assert read.signals["pcc.power_w"][[0, 2]].tolist() == [1500.0, 2500.0]  # by the unit in the file
    assert read.valid["pcc.power_w"].tolist() == [True, False, True, False]
    assert read.valid["on"].tolist() == [True, True, False, True]
    assert read.signals["n"][3] == 2.0**60
    assert read.form == ("parquet" if suffix == "parquet" else "arrow")
    with pytest.raises(RecordingError, match="column 'text': must hold numbers, and holds string"):
        recordings.read(path)
    with pytest.raises(RecordingError, match="no column 'Q'; there is P, n, on, text"):
        recordings.read(path, {"q": "Q"})


def test_the_record_of_a_run_is_read_to_its_last_whole_batch(tmp_path):
    for name in ("record.arrow", "record-fast.arrow"):
        written(tmp_path / name, [3, 4])
    read = recordings.read(tmp_path)
    assert read.form == "run"
    assert list(read.signals) == CHANNELS
    assert read.signals["pcc.power_w"] == pytest.approx(rows(1, 7)[1][:, 1])
    assert read.units == {"load.power_w": "W", "pcc.power_w": "W"}
    assert read.first_s + read.time_s == pytest.approx(np.arange(1, 8) * 1e-3)
    assert read.notes == ()
    whole = (tmp_path / "record.arrow").read_bytes()
    places = ends(tmp_path / "record.arrow")
    for size, count in ((len(whole) - 1, 7), (places[-1], 7), (places[-1] - 1, 3), (places[1], 3)):
        (tmp_path / "record.arrow").write_bytes(whole[:size])
        cut = recordings.read(tmp_path / "record.arrow", {"p": "pcc.power_w"})
        assert cut.time_s.size == count
        assert len(cut.notes) == 1
        assert cut.notes[0].startswith("its end is missing; read to byte ")
    assert recordings.read(tmp_path, stream="fast").time_s.size == 7
    with pytest.raises(RecordingError, match="no stream 'slow' in it; there is main, fast"):
        recordings.read(tmp_path, stream="slow")


def test_what_a_run_writes_is_the_same_in_each_of_its_files(tmp_path):
    """As Arrow, as the Parquet beside it, as CSV and Feather of `hil convert`."""
    from hil.record.conversion import convert
    from hil.record.reading import ArrowRecord

    sink = sink_of(tmp_path)
    sink.rows(*rows(1, 500))
    sink.close()
    record = ArrowRecord(tmp_path / "record.arrow")
    convert(record, tmp_path / "record.csv", "csv")
    convert(record, tmp_path / "record.feather", "arrow")
    first = recordings.read(tmp_path)
    for name in ("record.parquet", "record.csv", "record.feather"):
        other = recordings.read(tmp_path / name)
        assert other.time_s == pytest.approx(first.time_s)
        assert other.units == first.units
        for channel in CHANNELS:
            assert np.array_equal(other.signals[channel], first.signals[channel])


# --- errors in general ---


def test_columns_that_are_not_asked_for_are_not_read(tmp_path):
    """What stands in them does not matter."""
    path = made(tmp_path, "t_s,a,b\n0,1,x\n1,2,\n")
    assert recordings.read(path, {"a": "a"}).signals["a"].tolist() == [1, 2]
    with pytest.raises(RecordingError, match="line 2, column 'b': is 'x'; must be a number"):
        recordings.read(path)


def test_the_error_is_one_of_the_projects(tmp_path):
    with pytest.raises(HilError):
        recordings.read(tmp_path / "none.csv")
    assert issubclass(RecordingError, ValueError)


def test_the_room_costs_nothing_until_a_file_is_read():
    heavy = "{'pyarrow', 'pydantic', 'hil.scenario'}"
    code = f"import sys, hil.recordings; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
