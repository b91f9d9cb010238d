"""What cannot be read is told in one line, and nothing but that error is ever raised, whatever stands in a file."""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
import pytest
from bad_recordings import CONFIGURATIONS, DATA, GOOD, SINGLE, TABLES
from comtrade_support import STATUS, ascii_rows, binary, configuration, files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recording_support import TABLE, save

from hil import recordings
from hil.errors import RecordingError
from hil.recordings.comtrade import write


def line_of(path, **how) -> str:
    with pytest.raises(RecordingError) as caught:
        recordings.read(path, **how)
    line = str(caught.value)
    assert line.isprintable()
    return line


@pytest.mark.parametrize(("name", "data", "how", "line"), TABLES)
def test_tables(tmp_path, name, data, how, line):
    (tmp_path / name).write_bytes(data)
    assert line_of(tmp_path / name, **how) == f"{tmp_path}/{line}"


@pytest.mark.parametrize(("text", "how", "line"), CONFIGURATIONS)
def test_configurations(tmp_path, text, how, line):
    said = line_of(files(tmp_path, text, GOOD), **how)
    assert line is None or said == f"{tmp_path}/{line}"


@pytest.mark.parametrize(("text", "data", "line"), DATA)
def test_data(tmp_path, text, data, line):
    assert line_of(files(tmp_path, text, data)) == f"{tmp_path}/{line}"


@pytest.mark.parametrize(("data", "line"), SINGLE)
def test_single_files(tmp_path, data, line):
    (tmp_path / "a.cff").write_bytes(data)
    said = line_of(tmp_path / "a.cff")
    assert line is None or said == f"{tmp_path}/{line}"


def test_files_that_are_not_there_or_are_none(tmp_path):
    assert line_of(tmp_path / "a.csv") == f"{tmp_path}/a.csv: no such file"
    assert line_of(tmp_path) == f"{tmp_path}: not the folder of a run: there is no record.arrow"
    (tmp_path / "a.cfg").write_text(configuration())
    assert line_of(tmp_path / "a.cfg") == f"{tmp_path}/a.cfg: there is no a.dat beside it"
    (tmp_path / "b\n.csv").write_bytes(b"")
    assert line_of(tmp_path / "b\n.csv") == f"{tmp_path}/b\\n.csv: empty"


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_tables_of_arrow_that_are_cut_are_not_read(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    save(TABLE.drop_columns(["text"]), path, suffix)
    data = path.read_bytes()
    for size in range(0, len(data), 41):
        path.write_bytes(data[:size])
        assert line_of(path).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"t_s": [0.0]}, "must hold a time and a signal; there is t_s"),
        ({"t": [0.0], "p": [1.0]}, "column 't': the time is in numbers; say whether in s, ms, us, ns, or let its name end so"),
        ({"t": [True], "p": [1.0]}, "column 't': must hold times, and holds bool"),
        ({"t": ["now"], "p": [1.0]}, "column 't': must hold ISO 8601 timestamps with a zone, and holds 'now'"),
        ({"t_s": [0.0], "p": [[1.0]]}, "column 'p': must hold numbers, and holds list<element: double>"),
        ({"t_s": pa.array([], pa.float64()), "p": pa.array([], pa.float64())}, "no samples in it"),
    ],
)
def test_tables_of_arrow_that_hold_something_else(tmp_path, table, line):
    save(pa.table(table), tmp_path / "a.parquet", "parquet")
    assert line_of(tmp_path / "a.parquet") == f"{tmp_path}/a.parquet: {line}"


# --- whatever stands in a file ---


def seeds() -> dict[str, list[tuple[str, bytes]]]:
    """Files that can be read, by kind: the first is the one to read."""
    rows = [(n, 500 * n, [n, -n], [n & 1]) for n in range(1, 5)]
    analog = ["1,IA,,,kA,0.5,1,3,-9,9,2,1,S", "2,UA,,,V,1,0,0,-9,9,1,1,P"]
    kinds = {
        "csv": [("a.csv", b"time_s,p,q\n0,1,2\n0.5,2,\n1,NaN,4\n2,-1e3,7\n")],
        "iso": [("a.csv", b"t;p\n2026-11-29T12:00:00Z;1\n2026-11-29T12:00:00.5+01:00;2\n2026-11-29 12:00:01Z;3\n")],
    }
    for form, revision in (("ASCII", "1999"), ("BINARY", "1999"), ("FLOAT32", "2013")):
        end = ["1", "-5h30,0", "4,0"] if revision == "2013" else ["1"]
        text = configuration(form=form, revision=revision, analog=analog, status=[STATUS], end=end).encode()
        data = binary(form, rows) if form != "ASCII" else ascii_rows([f"{n},{t},{a[0]},{a[1]},{d[0]}" for n, t, a, d in rows])
        kinds[form] = [("a.cfg", text), ("a.dat", data)]
        if revision == "2013":
            kinds["single"] = [("a.cff", b"--- file type: CFG ---\r\n" + text + b"--- file type: DAT BINARY ---\r\n" + data)]
    return kinds


SEEDS = seeds()


def change(data: bytes, place: float, cut: int, piece: bytes) -> bytes:
    """Some bytes at a place in other ones."""
    first = int(place * len(data))
    return data[:first] + piece + data[first + cut :]


TOKENS = [
    b",",
    b"\n",
    b"\r\n",
    b"-",
    b"99999",
    b"1e999",
    b"nan",
    b'"',
    b"\xff\xff\xff\xff",
    b"--- file type: DAT ---",
    b"\x1a",
]
PIECES = st.one_of(st.binary(max_size=6), st.sampled_from(TOKENS))
CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), PIECES), min_size=1, max_size=3)


@pytest.mark.parametrize("kind", SEEDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, which=st.integers(0, 1), by=st.sampled_from(["hold", "linear"]))
def test_a_changed_file_is_read_or_refused(tmp_path, kind, changes, which, by):
    for place, (name, data) in enumerate(SEEDS[kind]):
        changed = data
        if place == which % len(SEEDS[kind]):
            for where, cut, piece in changes:
                changed = change(changed, where, cut, piece)
        (tmp_path / name).write_bytes(changed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            read = recordings.read(tmp_path / SEEDS[kind][0][0])
        except RecordingError as error:
            assert str(error).isprintable()
            return
        sound(read, by)
        if read.ordered.all():
            try:
                write(tmp_path / "again.cff", read)
            except RecordingError as error:
                assert str(error).isprintable()
            else:
                assert recordings.read(tmp_path / "again.cff").time_s.size == read.time_s.size


def sound(read, by) -> None:
    """What every recording keeps, whatever it was read from."""
    count = read.time_s.size
    assert count > 0
    assert read.time_s[0] == 0
    assert (np.diff(read.time_s[read.ordered]) > 0).all()
    for name, values in read.signals.items():
        assert values.dtype == np.float64
        assert values.size == read.valid[name].size == count
        assert np.isfinite(values[read.valid[name]]).all()
        assert not (read.valid[name] & ~read.ordered).any()
        assert read.step(name) is None or read.step(name) > 0
    if read.duration_s > 0:
        grid = read.uniform(read.duration_s / 50, by)
        for name, values in grid.signals.items():
            assert np.isfinite(values[~grid.invented[name]]).all()


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "feather"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_a_changed_table_of_arrow_is_read_or_refused(tmp_path, suffix, changes):
    path = tmp_path / f"a.{suffix}"
    save(TABLE.drop_columns(["text"]), path, suffix)
    data = path.read_bytes()
    for place, cut, piece in changes:
        data = change(data, place, cut, piece)
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            read = recordings.read(path)
        except RecordingError as error:
            assert str(error).isprintable()
            return
        sound(read, "linear")
