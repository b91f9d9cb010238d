"""COMTRADE read as the standard defines it, from files made by hand; written and read again; beside another reader."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from comtrade_support import ANALOG, STATUS, ascii_rows, binary, configuration, files

from hil import recordings
from hil.errors import RecordingError
from hil.recordings import Column
from hil.recordings.comtrade import write

ROWS = [(1, 0, [0], []), (2, 1000, [-32767], []), (3, 2000, [32767], []), (4, 3000, [100], [])]
START = datetime(2026, 11, 29, 12, 0, 0, 250000)  # noqa: DTZ001  # a configuration before 2013 has no zone
RAW = np.array([0, -32767, 32767, 100])


@pytest.mark.parametrize("form", ["BINARY", "BINARY32", "FLOAT32"])
def test_binary_samples_are_little_endian_and_scaled_to_the_primary_side(tmp_path, form):
    read = recordings.read(files(tmp_path, configuration(form=form), binary(form, ROWS)))
    assert read.form == "comtrade"
    assert read.time_s.tolist() == [0.0, 0.001, 0.002, 0.003]
    assert read.signals["IA"] == pytest.approx((0.5 * RAW + 10) * 2000 * 1000)
    assert read.units == {"IA": "A"}
    assert read.rate_hz == pytest.approx(1000)
    assert read.is_uniform
    assert read.start == START
    assert read.about["IA"].adc_step == (None if form == "FLOAT32" else 0.5 * 2000 * 1000)
    assert read.step("IA") == pytest.approx(0.5 * 2000 * 1000 * (1 if form != "FLOAT32" else 100))
    assert read.notes == ()


def test_ascii_samples_with_blanks_and_an_end_of_file_sign(tmp_path):
    data = ascii_rows(["1,0,0", " 2, 1000, -32767", "3,2000,32767", "", "4,3000,100"]) + b"\x1a"
    read = recordings.read(files(tmp_path, configuration() + "\x1a", data))
    assert read.signals["IA"] == pytest.approx((0.5 * RAW + 10) * 2e6)
    assert read.about["IA"].adc_step == 1e6


@pytest.mark.parametrize(("side", "factor"), [("primary", 1.0), ("secondary", 1 / 2000), ("recorded", 1.0)])
@pytest.mark.parametrize("recorded", ["P", "p", "S", "s"])
def test_values_are_brought_to_the_side_that_is_asked_for(tmp_path, recorded, side, factor):
    path = files(tmp_path, configuration(form="BINARY", analog=[f"{ANALOG[:-1]}{recorded}"]), binary("BINARY", ROWS))
    if recorded.upper() == "S":
        factor = {"primary": 2000.0, "secondary": 1.0, "recorded": 1.0}[side]
    read = recordings.read(path, side=side)
    assert read.signals["IA"] == pytest.approx((0.5 * RAW + 10) * 1000 * factor)
    assert read.about["IA"].adc_step == pytest.approx(0.5 * 1000 * factor)


def test_a_scale_of_the_caller_goes_before_the_unit_of_the_file(tmp_path):
    path = files(tmp_path, configuration(form="BINARY"), binary("BINARY", ROWS))
    columns = {"current_a": Column("IA", kind="waveform"), "mine": Column("IA", scale=2.0, offset=-1.0), "place": Column("A1")}
    read = recordings.read(path, columns)
    kilo = (0.5 * RAW + 10) * 2000
    assert read.signals["current_a"] == pytest.approx(kilo * 1000)
    assert read.signals["mine"] == pytest.approx(kilo * 2 - 1)
    assert read.signals["place"] == pytest.approx(kilo * 1000)
    assert read.about["current_a"].kind == "waveform"
    assert read.about["mine"].adc_step == 0.5 * 2000 * 2
    with pytest.raises(RecordingError, match=r"column 'IA' for pcc\.power_w: is in 'kA', and not in a unit of W"):
        recordings.read(path, {"pcc.power_w": "IA"})


def test_status_channels_are_bits_of_words_of_sixteen(tmp_path):
    status = [f"{place},S{place},,,0" for place in range(1, 19)]
    rows = [(sample, 0, [sample], [(sample >> bit % 4) & 1 for bit in range(18)]) for sample in range(1, 5)]
    for form, data in (
        ("BINARY", binary("BINARY", rows)),
        ("ASCII", ascii_rows([",".join(map(str, [n, t, *a, *d])) for n, t, a, d in rows])),
    ):
        read = recordings.read(files(tmp_path, configuration(form=form, status=status), data))
        for bit in range(18):
            assert read.signals[f"S{bit + 1}"].tolist() == [float((sample >> bit % 4) & 1) for sample in range(1, 5)]
            assert read.about[f"S{bit + 1}"].digital
        assert recordings.read(tmp_path / "fault.dat", {"trip": "D18"}).signals["trip"].tolist() == [0.0, 1.0, 1.0, 0.0]


def test_rates_follow_one_another_each_with_its_own_period(tmp_path):
    rows = [(sample, 0, [sample], []) for sample in range(1, 8)]
    settings = configuration(form="BINARY", rates=["3", "1000,3", "100,5", "1000,7"])
    read = recordings.read(files(tmp_path, settings, binary("BINARY", rows)))
    assert read.time_s == pytest.approx([0, 0.001, 0.002, 0.012, 0.022, 0.023, 0.024])
    assert not read.is_uniform
    assert read.rate_hz == pytest.approx(100)  # a third of the intervals has no more


@pytest.mark.parametrize(
    ("fraction", "multiplier", "unit_s"),
    [
        ("250000", "1", 1e-6),
        ("250000", "2.5", 2.5e-6),
        ("250", "1000", 1e-3),
        ("250000000", "1", 1e-9),
        ("1234567", "10", 1e-8),
    ],
)
@pytest.mark.parametrize("form", ["ASCII", "BINARY"])
def test_stamps_tell_the_time_where_there_are_no_rates(tmp_path, form, fraction, multiplier, unit_s):
    """In microseconds, or nanoseconds where the configuration's have more than six digits; times the multiplier."""
    stamps = [40, 50, 70, 1_000_000]
    rows = [(place + 1, stamp, [1], []) for place, stamp in enumerate(stamps)]
    data = binary("BINARY", rows) if form == "BINARY" else ascii_rows([f"{n},{stamp},1" for n, stamp, _, _ in rows])
    settings = configuration(form=form, rates=["0", "0,4"], start=f"29/11/2026,12:00:00.{fraction}", end=[multiplier])
    read = recordings.read(files(tmp_path, settings, data))
    assert read.time_s == pytest.approx([(stamp - 40) * unit_s for stamp in stamps])
    assert read.first_s == pytest.approx(40 * unit_s)


def test_a_sample_without_a_stamp_is_left_out_and_told(tmp_path):
    rows = [(1, 0, [1], []), (2, 0xFFFFFFFF, [2], []), (3, 2000, [3], []), (4, 2000, [4], [])]
    read = recordings.read(files(tmp_path, configuration(form="BINARY", rates=["0", "0,4"]), binary("BINARY", rows)))
    assert read.time_s == pytest.approx([0, 0.002, 0.002])
    assert read.ordered.tolist() == [True, True, False]
    assert read.valid["IA"].tolist() == [True, True, False]
    assert read.notes == (
        "1 of 4 samples have no time stamp and are left out",
        "1 of 3 samples are not later than those before: the first is number 3, at 0.002 s",
    )


def test_stamps_that_contradict_the_rates_are_told(tmp_path):
    rows = [(sample, 2000 * sample, [sample], []) for sample in range(1, 5)]
    read = recordings.read(files(tmp_path, configuration(form="BINARY"), binary("BINARY", rows)))
    assert read.time_s == pytest.approx([0, 0.001, 0.002, 0.003])
    assert read.notes == ("time stamps are up to 0.003 s off the rates; times go by the rates, as the standard prefers",)


def test_numbers_that_are_left_out_leave_a_gap(tmp_path):
    rows = [(1, 0, [1], []), (2, 0, [2], []), (5, 0, [5], []), (6, 0, [6], [])]
    read = recordings.read(files(tmp_path, configuration(form="BINARY"), binary("BINARY", rows)))
    assert read.time_s == pytest.approx([0, 0.001, 0.004, 0.005])
    assert not read.is_uniform
    assert read.notes == ("sample numbers do not follow one another in 1 places; times go by the numbers",)


LOW = struct.unpack("<f", b"\xff\xff\x7f\xff")[0]  # the largest negative


@pytest.mark.parametrize(
    ("revision", "form", "missing", "there"),
    [
        ("1991", "BINARY", [-1, -32768], [1, -2]),
        ("1999", "BINARY", [-32768], [-1, -32767]),
        ("2013", "BINARY", [-32768], [-1, -32767]),
        ("2013", "BINARY32", [-(2**31)], [-1, -32768]),
        ("2013", "FLOAT32", [LOW, float("nan"), float("inf")], [-32768, 99999]),
        ("1991", "ASCII", [""], [1, -2]),
        ("1999", "ASCII", ["99999", ""], [-1, 99998]),
        ("2013", "ASCII", ["", "99999"], [-1, 2.5]),
    ],
)
def test_values_that_are_missing_are_no_values(tmp_path, revision, form, missing, there):
    values = [*missing, *there]
    analog = ["1,IA,A,Line 1,A,1,0,0,-32767,32767" + ("" if revision == "1991" else ",1,1,P")]
    settings = configuration(
        form=form, revision=revision, analog=analog, rates=["1", f"1000,{len(values)}"], start="11/29/26,12:00:00.250000"
        if revision == "1991" else "29/11/2026,12:00:00.250000", end=[] if revision == "1991" else None,
    )  # fmt: skip
    if form == "ASCII":
        data = ascii_rows([f"{place + 1},0,{value}" for place, value in enumerate(values)])
    else:
        data = binary(form, [(place + 1, 0, [value], []) for place, value in enumerate(values)])
    read = recordings.read(files(tmp_path, settings, data))
    assert read.valid["IA"].tolist() == [False] * len(missing) + [True] * len(there)
    assert read.signals["IA"][len(missing) :].tolist() == there
    assert read.notes == (f"IA: {len(missing)} of {len(values)} samples are missing or not finite",)
    assert read.start == START


def test_a_number_of_99999_within_its_range_is_one_in_2013(tmp_path):
    analog = ["1,P,,,W,1,0,0,-99999,99999,1,1,P"]
    settings = configuration(revision="2013", analog=analog, rates=["1", "1,2"], end=["1", "0,0", "0,0"])
    read = recordings.read(files(tmp_path, settings, ascii_rows(["1,0,99999", "2,0,1"])))
    assert read.signals["P"].tolist() == [99999.0, 1.0]


@pytest.mark.parametrize(
    ("code", "zone"),
    [("0", UTC), ("-5h30", timezone(-timedelta(hours=5, minutes=30))), ("+2", timezone(timedelta(hours=2))), ("x", None)],
)
def test_the_start_has_the_zone_of_the_time_code(tmp_path, code, zone):
    settings = configuration(form="BINARY", revision="2013", end=["1", f"{code},x", "F,1"])
    read = recordings.read(files(tmp_path, settings, binary("BINARY", ROWS)))
    assert read.start == START.replace(tzinfo=zone)
    assert [note.split(" (")[0] for note in read.notes] == [
        "the recorder's clock had failed",
        "a leap second was added in the recording",
    ]


@pytest.mark.parametrize("start", [",", "00/00/0000,00:00:00.000000", ""])
def test_a_recording_may_have_no_date(tmp_path, start):
    read = recordings.read(files(tmp_path, configuration(form="BINARY", start=start), binary("BINARY", ROWS)))
    assert read.start is None


def test_the_skew_of_a_channel_moves_its_samples(tmp_path):
    analog = ["1,A,,,V,1,0,0,-9,9,1,1,P", "2,B,,,V,1,0,500,-9,9,1,1,P"]
    rows = [(place + 1, 0, [place, place], []) for place in range(4)]
    read = recordings.read(files(tmp_path, configuration(form="BINARY", analog=analog), binary("BINARY", rows)))
    assert read.about["B"].skew_s == pytest.approx(500e-6)
    grid = read.uniform(0.0005, "linear")
    assert grid.signals["A"] == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5, 3])
    assert np.isnan(grid.signals["B"][0])
    assert grid.signals["B"][1:] == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])


def test_names_that_occur_twice_or_never_are_places(tmp_path):
    analog = [f"{place},{name},,,V,1,0,0,-9,9,1,1,P" for place, name in enumerate(["U", "U", "", "W"], start=1)]
    path = files(
        tmp_path,
        configuration(form="BINARY", analog=analog),
        binary("BINARY", [(n, 0, [1, 2, 3, n], []) for n in range(1, 5)]),
    )
    assert list(recordings.read(path).signals) == ["A1", "A2", "A3", "W"]
    assert recordings.read(path, {"u_v": "A2"}).signals["u_v"].tolist() == [2.0] * 4


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_texts_may_be_utf_8_or_latin_1(tmp_path, encoding):
    settings = configuration(form="BINARY", analog=[ANALOG.replace("IA", "Übergabe")]).encode(encoding)
    assert list(recordings.read(files(tmp_path, settings, binary("BINARY", ROWS))).signals) == ["Übergabe"]


@pytest.mark.parametrize(("settings", "data"), [(".CFG", ".DAT"), (".cfg", ".DAT"), (".Cfg", ".dat")])
def test_the_other_file_may_have_another_case(tmp_path, settings, data):
    (tmp_path / f"a{settings}").write_text(configuration(form="BINARY"))
    (tmp_path / f"a{data}").write_bytes(binary("BINARY", ROWS))
    for suffix in (settings, data):
        assert recordings.read(tmp_path / f"a{suffix}").time_s.size == 4


@pytest.mark.parametrize(
    ("form", "heading", "end"),
    [
        ("ASCII", "DAT ASCII", b""),
        ("BINARY", "DAT BINARY: 40", b"\r\n"),
        ("BINARY32", "DAT BINARY: 48", b""),
        ("FLOAT32", "DAT FLOAT32:48", b"\x1a"),
        ("FLOAT32", "dat binary", b"\r\n"),
    ],
)
def test_sections_of_one_file(tmp_path, form, heading, end):
    data = binary(form, ROWS) if form != "ASCII" else ascii_rows([f"{n},{t},{a[0]}" for n, t, a, _ in ROWS])
    settings = configuration(form=form, revision="2013", end=["1", "0,0", "0,0"])
    others = "--- file type: INF ---\r\n[a]\r\n--- file type: HDR ---\r\n\r\n"
    text = f"--- file type: CFG ---\r\n{settings}{others}--- file type: {heading} ---\r\n"
    (tmp_path / "a.cff").write_bytes(text.encode() + data + end)
    read = recordings.read(tmp_path / "a.cff")
    assert read.signals["IA"] == pytest.approx((0.5 * RAW + 10) * 2e6)
    assert read.start == START.replace(tzinfo=UTC)


# --- written ---


@pytest.fixture
def recording(tmp_path):
    """Two analog signals, one with a hole, and 17 of status."""
    analog = ["1,pcc.power_w,,,W,1,0,0,-9,9,1,1,P", "2,bus.voltage_pu,,,pu,0.001,0,125,-9,9,1,1,P"]
    status = [STATUS.replace("1,TRIP", f"{place},D.{place}") for place in range(1, 18)]
    rows = [
        (n, 1000 * n, [3.7e7 * np.sin(n) if n != 3 else LOW, 1000 + n % 7], [n >> bit % 3 & 1 for bit in range(17)])
        for n in range(1, 301)
    ]
    settings = configuration(
        form="FLOAT32", revision="2013", analog=analog, status=status, rates=["1", "1000,300"], end=["1", "-5h30,-5h30", "0,0"]
    )
    return recordings.read(files(tmp_path, settings, binary("FLOAT32", rows), "made"))


@pytest.mark.parametrize("form", ["FLOAT32", "BINARY32", "ASCII"])
@pytest.mark.parametrize("name", ["out.cfg", "OUT.CFG", "out.cff"])
def test_what_is_written_is_read_again(tmp_path, recording, form, name):
    write(tmp_path / name, recording, form, station="North", device="R1", line_hz=60)
    read = recordings.read(tmp_path / name)
    assert np.array_equal(read.time_s, recording.time_s)
    assert read.start == recording.start
    assert read.start.utcoffset() == timedelta(hours=-5, minutes=-30)
    assert read.rate_hz == recording.rate_hz
    assert read.is_uniform
    assert read.units == recording.units == {"pcc.power_w": "W", "bus.voltage_pu": "pu"}
    assert read.notes == recording.notes
    for signal, values in recording.signals.items():
        assert np.array_equal(read.valid[signal], recording.valid[signal])
        assert read.about[signal].digital == recording.about[signal].digital
        assert read.about[signal].skew_s == pytest.approx(recording.about[signal].skew_s)
        away = np.nanmax(np.abs(read.signals[signal] - values))
        whole = np.nanmax(np.abs(values))
        if read.about[signal].digital:
            assert away == 0
        else:
            assert away <= {"FLOAT32": 2.0**-24, "BINARY32": 0.5 / (2**31 - 1), "ASCII": 1e-10}[form] * whole * (1 + 1e-9)


def test_uneven_times_are_written_as_stamps_of_as_many_microseconds_as_they_need(tmp_path):
    for last_s, resolution_s in ((100.0, 1e-6), (10_000.0, 3e-6)):
        (tmp_path / "a.csv").write_text(f"time_s,p\n0,1\n0.5,2\n{last_s},3\n")
        read = recordings.read(tmp_path / "a.csv")
        write(tmp_path / "a.cff", read)
        again = recordings.read(tmp_path / "a.cff")
        assert not again.is_uniform
        assert np.abs(again.time_s - read.time_s).max() <= resolution_s / 2
        assert again.signals["p"].tolist() == [1.0, 2.0, 3.0]
    assert b"\r\n3\r\nx,x\r\n" in (tmp_path / "a.cff").read_bytes()  # ceil(1e10 / (2^32 - 2))


@pytest.mark.parametrize(
    ("text", "name", "form", "line"),
    [
        ("time_s,p\n0,1\n0,2\n", "a.cff", "FLOAT32", "samples must come in order of time to be written"),
        ("time_s,p\n0,1\n1,2\n1.0000001,2\n", "a.cff", "FLOAT32", "samples closer together than stamps of 1 us can tell"),
        ('time_s,"p,q"\n0,1\n1,2\n', "a.cfg", "FLOAT32", "'p,q': must have no comma and at most 64 characters to be written"),
        ("time_s,p\n0,1\n1,1e39\n", "a.cfg", "FLOAT32", "p: values up to 1e+39 are beyond those of the format"),
        (
            "time_s,p\n0,1\n1,2\n",
            "a.csv2",
            "FLOAT32",
            "a COMTRADE recording is written to .cfg, with a .dat beside it, or to .cff",
        ),
        ("time_s,p\n0,1\n1,2\n", "a.cfg", "BINARY", "form: must be FLOAT32, BINARY32 or ASCII, and is 'BINARY'"),
    ],
)
def test_what_the_format_cannot_hold_is_not_written(tmp_path, text, name, form, line):
    (tmp_path / "a.csv").write_text(text)
    read = recordings.read(tmp_path / "a.csv")
    with pytest.raises(RecordingError) as caught:
        write(tmp_path / name, read, form)
    assert str(caught.value) == f"{tmp_path / name}: {line}"


# --- beside another reader ---


def theirs(path):
    comtrade = pytest.importorskip("comtrade")
    return comtrade.load(str(path), ignore_warnings=True, use_numpy_arrays=True, use_double_precision=True)


@pytest.mark.peer_package("comtrade")
@pytest.mark.parametrize("form", ["ASCII", "BINARY", "BINARY32", "FLOAT32"])
@pytest.mark.parametrize("revision", ["1999", "2013"])
@pytest.mark.parametrize("rates", [["1", "4800,40"], ["2", "4800,16", "960,40"], ["0", "0,40"]])
def test_another_reader_sees_the_same(tmp_path, form, revision, rates):
    draw = np.random.default_rng(5)
    analog = [f"{place},C{place},,,kV,{0.25 * place},{place},{place},-32767,32767,100,1,P" for place in range(1, 6)]
    status = [f"{place},T{place},,,0" for place in range(1, 20)]
    rows = [
        (n, 37 * n * n, draw.integers(-32767, 32767, 5).tolist(), draw.integers(0, 2, 19).tolist()) for n in range(1, 41)
    ]  # fmt: skip
    data = ascii_rows([",".join(map(str, [n, t, *a, *d])) for n, t, a, d in rows]) if form == "ASCII" else binary(form, rows)
    end = ["2"] if revision == "1999" else ["2", "-5h30,-5h30", "0,3"]
    path = files(
        tmp_path, configuration(form=form, revision=revision, analog=analog, status=status, rates=rates, end=end), data
    )
    ours, other = recordings.read(path), theirs(path)
    assert ours.time_s == pytest.approx(np.asarray(other.time) - other.time[0], abs=1e-12)
    for place in range(5):
        assert ours.signals[f"C{place + 1}"] == pytest.approx(1000 * np.asarray(other.analog[place]))
    for place in range(19):
        assert ours.signals[f"T{place + 1}"].tolist() == list(other.status[place])
    assert ours.start.replace(tzinfo=None) == other.start_timestamp


@pytest.mark.peer_package("comtrade")
@pytest.mark.parametrize("form", ["FLOAT32", "BINARY32", "ASCII"])
@pytest.mark.parametrize("name", ["out.cfg", "out.cff"])
def test_another_reader_reads_what_is_written(tmp_path, recording, form, name):
    whole = recordings.read(
        recording.path, {name: name for name in recording.signals if name != "pcc.power_w"}
    )  # without the hole
    write(tmp_path / name, whole, form, station="North", device="R1", line_hz=60)
    other = theirs(tmp_path / name)
    assert (other.station_name, other.rec_dev_id, other.rev_year, other.frequency) == ("North", "R1", "2013", 60.0)
    assert np.asarray(other.time) == pytest.approx(whole.time_s)
    assert other.analog_channel_ids == ["bus.voltage_pu"]
    assert np.asarray(other.analog[0]) == pytest.approx(whole.signals["bus.voltage_pu"], rel=1e-7)
    assert other.status_channel_ids == [f"D.{place}" for place in range(1, 18)]
    for place in range(17):
        assert list(other.status[place]) == whole.signals[f"D.{place + 1}"].tolist()
    assert other.start_timestamp == whole.start.replace(tzinfo=None)
