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
from recording_support import TABLE, made, save

from hil import recordings
from hil.errors import HilError, RecordingError
from hil.recordings import Column, Text, TimeColumn


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
        ("t_s,p,,\n0,1.5,,\n1.5,2,,\n", None),
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


# --- Parquet, Arrow, runs ---


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
        assert (
            cut.notes[0]
            == f"read to byte {max(place for place in places if place <= size)} of {size}: its end is missing, or damaged"
        )
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


def test_heavy_libraries_are_imported_where_a_file_needs_them(tmp_path):
    """pandas never, which Arrow's own conversions would import."""
    made(tmp_path, "t,p\n2026-11-29T12:00:00Z,1\n2026-11-29T12:00:01Z,n/a\n")
    code = """
import sys, hil.recordings as recordings
print([name for name in ("pyarrow", "pydantic", "hil.scenario") if name in sys.modules])
recordings.read("site.csv")
print([name for name in ("pandas", "pydantic", "hil.scenario") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert run.stdout == "[]\n[]\n"
