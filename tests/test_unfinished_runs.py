"""A run that is under way or was killed: what `hil show`, `hil plot`, `hil tail` and `hil convert` make of it."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from command import hil_command
from damaged_runs import cut, gone, killed, written
from report_support import SMALL
from test_report import told
from test_report_picture import drawn, mark_pt, place_pt, texts

import hil
from hil.record.memory import MemorySink

pytestmark = pytest.mark.draws


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "finished"
    hil.run(hil.load("training_job", [*SMALL, "absorber.main.kind=none", "record.rate='1 kHz'"]), folder=folder)
    with pa.ipc.open_stream((folder / "record.arrow").read_bytes()) as reader:
        table = reader.read_all().combine_chunks()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(folder / "record.arrow", table.schema, options=options) as stream:
        stream.write_table(table, max_chunksize=500)  # of which a kill leaves seven
    return folder


@pytest.fixture
def run(tmp_path, finished) -> Path:
    """As a kill left it: the log ends within a line, the record within its only batch but one."""
    folder = shutil.copytree(finished, tmp_path / "run")
    killed(folder)
    return folder


def test_a_killed_run_has_a_recording_and_no_verdict(run, finished):
    whole = hil.open_run(finished)
    found = hil.open_recording(run)
    assert type(found) is hil.Recording
    assert not hasattr(found, "verdict")
    assert found.scenario.name == "training_job"
    assert found.channels == whole.channels
    assert found.events == whole.events[:-1]
    time_s, power_w = found.signal("load.power_w")
    assert found.duration_s == time_s[-1]
    assert time_s.size == 3500
    assert np.array_equal(power_w, whole.signal("load.power_w")[1][: power_w.size])
    with pytest.raises(hil.RunUnreadable, match="not finished"):
        hil.open_run(run)


def test_a_finished_run_has_a_recording_too(finished):
    found = hil.open_recording(finished)
    assert type(found) is hil.Recording
    assert found.duration_s == hil.open_run(finished).duration_s
    assert found.events == hil.open_run(finished).events


def test_a_run_that_has_written_nothing_yet_has_a_recording(run):
    written("record.arrow", b"")(run)
    gone("events.jsonl")(run)
    found = hil.open_recording(run)
    assert (found.channels, found.events, found.duration_s) == ([], [], 0.0)


@pytest.mark.parametrize(("age_s", "grew"), [(-60, "grew within the last 2 s"), (600, "has not grown for 10 min")])
def test_show_says_how_far_it_goes_and_what_reads_it(run, age_s, grew):
    last_s = hil.open_recording(run).duration_s
    os.utime(run / "record.arrow", (time.time() - age_s,) * 2)
    line = f"not finished: there is no summary.json; its record goes to {last_s:g} s and {grew}; hil plot and hil tail read it"
    assert hil_command("show", run) == (2, "", f"{run}: {line}\n")


DAMAGED = {
    "no record": (gone("record.arrow"), "incomplete: there is no record.arrow"),
    "no stream": (written("record.arrow", b"PAR1" + bytes(99)), "record.arrow: not an Arrow stream, or damaged (it has no schema)"),  # noqa: E501
    "events": (written("events.jsonl", "7\n"), "events.jsonl: line 1 is no event"),
    "scenario": (written("scenario.toml", "=\n"), "scenario.toml: not TOML: Invalid statement (at line 1, column 1)"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGED)
def test_what_is_wrong_with_it_is_told_in_one_line(what, run):
    spoil, line = DAMAGED[what]
    spoil(run)
    assert hil_command("plot", run) == (2, "", f"{run}: {line}\n")
    if "record" in line:
        for name in ("tail", "convert"):
            assert hil_command(name, run, *(["--no-follow"] if name == "tail" else [])) == (
                2,
                "",
                f"{run}: {line}\n",
            )


# --- hil plot ---


def test_a_killed_run_is_drawn_as_far_as_it_goes(run, tmp_path):
    found = hil.open_recording(run)
    first_s = next(event["time_s"] for event in found.events if event["event"] == "limit_violated")
    picture = drawn(found, tmp_path / "run.svg")
    shown = texts(picture)
    assert f"not finished: rows to {found.duration_s:g} s · seed 7" in shown
    assert not any(word in text for text in shown for word in ("PASS", "FAIL", "required limits held"))
    assert f"violated, first at {first_s:.3f} s · at most 10.00 MW" in shown
    assert any(text.startswith("no violation so far · ") for text in shown)
    for where in ("", "on-signal-"):
        at_pt = mark_pt(picture, f"{where}first-violation-peak-to-peak--5-s")
        assert at_pt == pytest.approx(place_pt(first_s, 0.0, found.duration_s), abs=0.01)
    assert hil_command("plot", run) == (0, f"{run}/picture.png\n", "")


def test_an_empty_recording_is_drawn(run, tmp_path):
    written("record.arrow", b"")(run)
    assert "not finished: rows to 0 s · seed 7" in texts(drawn(hil.open_recording(run), tmp_path / "run.svg"))


def path_of(picture, gid: str) -> str:
    return picture.find(f".//g[@id='{gid}']/path").get("d")


def test_missing_rows_are_a_gap(finished, tmp_path):
    """A line is begun twice: nothing is drawn across the second in which there are no rows."""
    whole = hil.open_run(finished)
    time_ns, values = whole.record.column("load.power_w")
    kept = (time_ns < 10**9) | (time_ns > 2 * 10**9)
    record = MemorySink(["load.power_w"], 10**6)
    record.rows(time_ns[kept] // 10**6, values[kept, None])
    record.close()
    part = replace(whole, record=record, channels=["load.power_w"])
    assert path_of(drawn(whole, tmp_path / "a.svg"), "signal-load.power_w").count("M") == 1
    assert path_of(drawn(part, tmp_path / "b.svg"), "signal-load.power_w").count("M") == 2


def test_buckets_are_a_band_about_their_mean(finished, tmp_path):
    whole = hil.open_run(finished)
    channels = ["load.power_w", "load.power_w.min", "load.power_w.max"]
    record = MemorySink(channels, 10**8)
    record.rows(np.arange(1, 41), np.tile(np.array([2e7, 1e7, 3e7], np.float32), (40, 1)))
    record.close()
    picture = drawn(replace(whole, record=record, channels=channels), tmp_path / "run.svg")
    line, band = (
        {float(y) for y in path_of(picture, gid).replace("M", " ").replace("L", " ").replace("z", " ").split()[1::2]}
        for gid in ("signal-load.power_w", "band-load.power_w")
    )
    assert len(line) == 1
    assert min(band) < min(line) < max(band)


# --- hil tail ---


def table(printed: str) -> list[list[float]]:
    return [[float(cell) for cell in line.split()] for line in printed.splitlines()[2:]]


def test_tail_prints_the_newest_rows_with_units(run, finished):
    code, printed, err = hil_command("tail", run, "--no-follow", "--rows", 3)
    assert (code, err) == (0, "")
    names, units, *_ = printed.splitlines()
    assert names.split() == ["time", "load.power_w", "pcc.power_w", "pcc.frequency_hz", "bess.main.power_w", "bess.main.soc"]
    assert units.split() == ["s", "MW", "MW", "Hz", "MW", "%"]
    found = hil.open_recording(run)
    time_s, power_w = found.signal("load.power_w")
    rows = table(printed)
    assert [row[0] for row in rows] == [round(at_s, 3) for at_s in time_s[-3:]]
    assert [row[1] for row in rows] == pytest.approx(power_w[-3:] / 1e6, abs=1e-4)


def test_tail_of_a_finished_run_says_how_it_ended(finished):
    held = "FAIL, 3 of 5 required limits held"
    code, printed, err = hil_command("tail", finished, "--rows", 2, "--channel", "pcc.v*", "--json")
    assert (code, err) == (0, f"{finished}: {held}\n")
    rows = [json.loads(line) for line in printed.splitlines()]
    assert [row.pop("time_s") for row in rows] == [3.999, 4.0]
    whole = hil.open_run(finished)
    assert list(rows[0]) == [channel for channel in whole.channels if channel.startswith("pcc.v")]
    assert rows[1] == {channel: whole.signal(channel)[1][-1] for channel in rows[1]}


def test_tail_follows_until_the_run_has_ended(run, finished):
    """Each row once as JSON, though they come in pieces that no batch ends with."""
    data = (finished / "record.arrow").read_bytes()
    there = (run / "record.arrow").stat().st_size

    def write() -> None:
        with (run / "record.arrow").open("ab", buffering=0) as file:
            for place in range(there, len(data), 20_000):
                file.write(data[place : place + 20_000])
        shutil.copy(finished / "summary.json", run / "summary.json")

    writer = threading.Timer(0.1, write)
    writer.start()
    try:
        code, printed, err = hil_command("tail", run, "--json", "--rows", 5000, "--channel", "load.power_w")
    finally:
        writer.join()
    assert (code, err.count("\n")) == (0, 1)
    times_s = hil.open_run(finished).signal("load.power_w")[0]
    assert [json.loads(line)["time_s"] for line in printed.splitlines()] == list(times_s)


def test_the_table_of_a_run_that_grows_takes_the_newest_of_what_has_come(run, finished, monkeypatch):
    def grow(_seconds: float) -> None:
        shutil.copy(finished / "summary.json", run / "summary.json")
        with (run / "record.arrow").open("r+b") as file:
            file.write((finished / "record.arrow").read_bytes())

    monkeypatch.setattr("hil.cli.tail.time.sleep", grow)
    code, printed, _ = hil_command("tail", run, "--rows", 1)
    assert code == 0
    assert [row[0] for row in table(printed)][1:] == [4.0]


def test_a_run_that_vanishes_while_it_is_followed_is_one_line(run, monkeypatch):
    monkeypatch.setattr("hil.cli.tail.time.sleep", lambda _seconds: shutil.rmtree(run))
    code, _, err = hil_command("tail", run, "--rows", 0)
    assert (code, err) == (2, f"{run}: incomplete: there is no record.arrow\n")


def test_a_record_cut_short_while_it_is_followed_is_one_line(run, monkeypatch):
    monkeypatch.setattr("hil.cli.tail.time.sleep", lambda _seconds: written("record.arrow", b"")(run))
    code, _, err = hil_command("tail", run, "--rows", 0)
    assert (code, err) == (2, f"{run}: record.arrow: cut short: its beginning is gone\n")


def test_tail_that_is_interrupted_leaves_as_a_signal_does(run, monkeypatch):
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hil.cli.tail.time.sleep", interrupt)
    assert hil_command("tail", run, "--rows", 0) == (130, "", "")


def test_tail_says_once_that_nothing_new_comes(run, monkeypatch):
    slept = []

    def sleep(_seconds: float) -> None:
        slept.append(1)
        if len(slept) == 60:
            raise KeyboardInterrupt

    monkeypatch.setattr("hil.cli.tail.time.sleep", sleep)
    assert hil_command("tail", run, "--rows", 0) == (130, "", f"{run}: nothing new for 5 s\n")


# --- hil convert ---


def test_convert_writes_into_the_folder_or_where_it_is_told(run, tmp_path):
    rows = hil.open_recording(run).signal("load.power_w")[0].size
    assert hil_command("convert", run, "--to", "csv") == (0, f"{run}/record.csv\n", "")
    assert len((run / "record.csv").read_text().splitlines()) == 1 + rows
    there = f"{run}/record.csv: is there already; --force replaces it\n"
    assert hil_command("convert", run, "--to", "csv") == (2, "", there)
    part = ["--from", "0.5 s", "--to-time", "600 ms", "--channel", "pcc.power_w", "--to", "csv"]
    assert hil_command("convert", run, *part)[1] == f"{run}/record-0.5s-600ms.csv\n"
    assert hil_command("convert", run, *part, "--force", "--out", run / "record.csv")[0] == 0
    lines = (run / "record.csv").read_text().splitlines()
    assert lines[0] == "time_s,pcc.power_w"
    assert len(lines) == 1 + 101
    out = tmp_path / "x.parquet"
    assert hil_command("convert", run, "--out", out) == (0, f"{out}\n", "")


def test_convert_takes_another_stream(run):
    shutil.copy(run / "record.arrow", run / "record-fast.arrow")
    assert hil_command("convert", run, "--stream", "fast")[1] == f"{run}/record-fast.parquet\n"
    assert hil_command("tail", run, "--stream", "fast", "--no-follow")[0] == 0
    line = f"{run}: no stream 'slow' in it; there is main, fast\n"
    assert hil_command("convert", run, "--stream", "slow") == (2, "", line)
    assert hil_command("tail", run, "--stream", "slow") == (2, "", line)


WRONG = {
    "--out nowhere/x.parquet": "nowhere/x.parquet: cannot be written (No such file or directory)\n",
    "--from 1": "--from '1': must be a time, such as '40 ms'; units: s, ms, us, ns, µs, min, h, d\n",
    "--from 2s --to-time 1s": "--from 2s: must be before --to-time 1s\n",
    "--out run/record.arrow --force": "run/record.arrow: is the record itself\n",
    "--channel grid.*": "--channel 'grid.*': no such channel; recorded: load.demand_w, …",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_what_cannot_be_converted_is_told_in_one_line(arguments, run, monkeypatch):
    monkeypatch.chdir(run.parent)
    before = sorted(run.parent.rglob("*"))
    code, out, err = hil_command("convert", "run", *arguments.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told(err, WRONG[arguments])
    assert sorted(run.parent.rglob("*")) == before


def test_a_finished_run_whose_record_lacks_its_end_is_damaged(finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "run")
    cut("record.arrow", -1)(folder)
    line = f"{folder}: record.arrow: cut short: its end is missing\n"
    assert hil_command("convert", folder) == (2, "", line)
