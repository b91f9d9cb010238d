"""What a disk does to a record: it is counted, told in the verdict, and never ends or stops a run."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pytest
from report_support import SMALL

import hil
from hil.record.appending import AppendedFile
from hil.record.events import EventLog
from hil.record.recorder import Recorder
from hil.record.streams import Stream
from hil.record.writing import ArrowSink

pytestmark = pytest.mark.draws

QUICK = [*SMALL, "transport='direct'"]
# What is shorter than the windows of these can pass without them.
WITHIN = [*QUICK, "limits.grid ramp.required=false", "limits.peak-to-peak, 5 s.required=false"]


@contextmanager
def largest_file(size):
    """No file may become larger than this: what a full disk is, without a disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def fill(sink: ArrowSink, first: int, rows: int) -> None:
    ticks = np.arange(first, first + rows)
    sink.rows(ticks, np.random.default_rng(first).normal(size=(rows, 4)).astype(np.float32))
    sink.flush()


def sink_in(folder) -> ArrowSink:
    return ArrowSink(folder, Stream("main", ("a_w", "b_pu", "c_hz", "d")), 1_000_000, {})


def rows_of(folder) -> list[int]:
    with pa.ipc.open_stream((folder / "record.arrow").read_bytes()) as reader:
        return [time_ns // 1_000_000 for time_ns in reader.read_all()["time_ns"].to_pylist()]


def test_a_disk_that_was_full_for_a_while_leaves_a_gap(tmp_path):
    sink = sink_in(tmp_path)
    fill(sink, 1, 1000)
    with largest_file((tmp_path / "record.arrow").stat().st_size + 2000):
        fill(sink, 1001, 1000)
        assert sink.reasons() == ["record: 1,000 rows lost (File too large)"]
    fill(sink, 2001, 500)
    sink.close()
    assert rows_of(tmp_path) == [*range(1, 1001), *range(2001, 2501)]
    assert sink.column("a_w")[0].size == 1500
    assert sink.reasons() == ["record: 1,000 rows lost (File too large)"]


def test_a_small_disk_fills_and_is_freed_again(tmp_path):
    """A real one: ENOSPC also where the last piece fits in part."""
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "none", tmp_path]).returncode:
        pytest.skip("needs to mount a tmpfs")
    try:
        (tmp_path / "other").write_bytes(bytes(64 << 10))
        sink, log = sink_in(tmp_path), EventLog(tmp_path / "events.jsonl")
        for first in range(0, 20_000, 500):
            fill(sink, first, 500)
            log.add(first / 1e3, "overrun", {"text": "x" * 1000})
            log.drain()
            if first == 10_000:
                (tmp_path / "other").unlink()
        sink.close()
        log.close()
        (lost,) = sink.reasons()
        assert lost.startswith("record: ")
        assert lost.endswith(" rows lost (No space left on device)")
        kept = rows_of(tmp_path)
        assert len(kept) == 20_000 - int(lost.split()[1].replace(",", ""))
        assert max(kept) > 10_000
        assert sorted(set(kept)) == kept
        lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
        assert log.reasons() == [f"events.jsonl: {40 - len(lines)} lines lost (No space left on device)"]
        assert len(log.events) == 40
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.parametrize("what", ["deleted", "moved", "replaced", "cut"])
def test_what_was_in_a_file_that_is_gone_counts_as_lost_and_it_is_begun_anew(tmp_path, what):
    sink, path = sink_in(tmp_path), tmp_path / "record.arrow"
    fill(sink, 1, 300)
    if what == "deleted":
        path.unlink()
    elif what == "cut":
        os.truncate(path, 100)
    else:
        path.rename(tmp_path / "elsewhere")
        if what == "replaced":
            path.write_bytes(b"somebody else's")
    fill(sink, 301, 100)
    sink.close()
    assert rows_of(tmp_path) == [*range(301, 401)]
    assert sink.reasons() == ["record: 300 rows lost (it was deleted, moved or cut)"]


def test_a_descriptor_that_somebody_closed_is_opened_again(tmp_path):
    file = AppendedFile(tmp_path / "file")
    file.append(b"one ", 1)
    os.close(file._fd)
    assert file.append(b"two", 1)
    file.close()
    assert (tmp_path / "file").read_bytes() == b"one two"
    assert file.lost == 0


def test_a_folder_that_is_gone_is_told_once_and_may_come_back(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    sink = sink_in(folder)
    fill(sink, 1, 100)
    shutil.rmtree(folder)
    fill(sink, 101, 100)
    assert sink.reasons() == ["record: 200 rows lost (No such file or directory)"]
    folder.mkdir()
    fill(sink, 201, 100)
    sink.close()
    assert rows_of(folder) == [*range(201, 301)]
    assert sink.reasons() == ["record: 200 rows lost (No such file or directory)"]


@pytest.fixture
def at_2_s(monkeypatch):
    """Has something happen once a run has come to 2 s."""

    def arrange(trouble):
        from hil.session.plant import SitePlant

        tend = SitePlant.tend
        done = []

        def tend_and_trouble(self):
            tend(self)
            if self.time_s >= 2.0 and not done:
                self._recorder._flush_at = 0.0  # write what there is, then
                tend(self)
                done.append(trouble())

        monkeypatch.setattr(SitePlant, "tend", tend_and_trouble)

    return arrange


def test_a_run_whose_folder_is_deleted_goes_on_and_cannot_pass(tmp_path, at_2_s):
    folder = tmp_path / "run"
    assert hil.run(hil.load("training_job", WITHIN)).verdict == "PASS"
    at_2_s(lambda: shutil.rmtree(folder))
    result = hil.run(hil.load("training_job", WITHIN), folder=folder)
    assert result.duration_s == 4.0
    assert result.verdict == "INCONCLUSIVE"
    assert result.exit_code == 3
    assert [reason for reason in result.reasons if not reason.startswith("picture.png")] == [
        "record: 400 rows lost (No such file or directory)",
        f"events.jsonl: {len(result.events)} lines lost (No such file or directory)",
        "summary.json: No such file or directory",
    ]
    assert not folder.exists()


def test_a_violation_outranks_what_a_disk_did(tmp_path, at_2_s):
    at_2_s((tmp_path / "run" / "record.arrow").unlink)
    result = hil.run(hil.load("training_job", [*QUICK, "absorber.main.kind=none"]), folder=tmp_path / "run")
    assert result.verdict == "FAIL"
    assert any(reason.startswith("record: ") for reason in result.reasons)


def test_a_summary_that_does_not_fit_makes_a_pass_inconclusive(tmp_path, monkeypatch, capsys):
    from hil.session.folder import RunFolder

    def fit(self, result):
        with largest_file(1000):
            summarize(self, result)

    summarize = RunFolder._summarize
    monkeypatch.setattr(RunFolder, "_summarize", fit)
    result = hil.run(hil.load("training_job", WITHIN), folder=tmp_path / "run")
    assert result.verdict == "INCONCLUSIVE"
    assert result.reasons == ["summary.json: File too large"]
    assert not list((tmp_path / "run").glob("summary*"))


def test_rows_left_to_a_disk_that_does_not_answer_are_told(tmp_path, engines):
    folder = tmp_path / "run"

    class Hangs(Recorder):
        def close(self, *, clean=True):
            self.abandon()
            super().close(clean=clean)

    import hil.session.run as session

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "Recorder", Hangs)
        result = hil.run(hil.load("training_job", WITHIN), folder=folder)
    assert result.verdict == "INCONCLUSIVE"
    assert result.reasons[0].startswith("record: ")
    assert result.reasons[0].endswith(" rows or more lost (the disk does not answer)")
    assert not (folder / "summary.json").exists()


def test_a_folder_is_used_again_without_what_an_earlier_run_left(tmp_path):
    also = ["record.also.close={rate='1 kHz', channels=['pcc.*']}"]
    hil.run(hil.load("training_job", [*QUICK, *also]), folder=tmp_path)
    assert {path.name for path in tmp_path.glob("record*")} == {
        "record.arrow", "record.parquet", "record-close.arrow", "record-close.parquet",
    }  # fmt: skip
    hil.run(hil.load("training_job", QUICK), folder=tmp_path)
    assert {path.name for path in tmp_path.glob("record*")} == {"record.arrow", "record.parquet"}
