"""What a disk does to a run on the wall clock: a full one, one that hangs, and a record that is left by a kill."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from test_wall_clock import SHORT, no_thread_is_left

import hil
from hil.record.appending import AppendedFile
from hil.record.clocks import ClockPairs
from hil.record.reading import ArrowRecord
from hil.session import paced
from hil.verdict.outcome import Outcome

FOUR_S = [*SHORT, "duration='4 s'", "record.rate='1 kHz'", "limits.grid ramp.required=false"]
KILLS = 3


def before_append(monkeypatch, trouble) -> None:
    """Calls trouble with the number of each batch that is about to be written to the record, in the thread that writes it."""
    append = AppendedFile.append
    numbers = iter(range(1, 1_000_000))

    def append_after(self, piece, items):
        if self._path.name == "record.arrow" and items:
            trouble(next(numbers))
        return append(self, piece, items)

    monkeypatch.setattr(AppendedFile, "append", append_after)


def went_on_to_its_end(result) -> None:
    assert (result.timing.ticks, result.duration_s) == (4000, 4.0)
    assert not any("under-run" in reason or "dropped" in reason for reason in result.reasons)
    assert result.events[-1]["event"] == "made_safe"
    assert result.verdict is Outcome.INCONCLUSIVE
    assert no_thread_is_left()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk]).returncode:
        pytest.skip("needs to mount a tmpfs")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.slow
@pytest.mark.realtime
def test_a_full_disk_stops_nothing_and_a_freed_one_takes_rows_again(small_disk, monkeypatch):
    other = small_disk / "other"

    def trouble(number: int) -> None:
        if number == 4:
            try:
                with other.open("wb", buffering=0) as file:
                    while file.write(bytes(4096)):
                        pass
            except OSError as error:
                assert error.errno == errno.ENOSPC
        elif number == 8:
            other.unlink()

    before_append(monkeypatch, trouble)
    result = hil.run(hil.load("training_job", FOUR_S), folder=small_disk / "run", clock="wall")
    went_on_to_its_end(result)
    (told,) = [reason for reason in result.reasons if reason.startswith("record: ")]
    assert told.endswith(" rows lost (No space left on device)")
    lost = int(told.split()[1].replace(",", ""))
    time_ns, _ = ArrowRecord(small_disk / "run" / "record.arrow", whole=False).column("pcc.power_w")
    assert 0 < lost == 4000 - time_ns.size
    assert np.all(np.diff(time_ns) > 0)
    assert time_ns[-1] == 4_000_000_000


@pytest.mark.slow
@pytest.mark.realtime
def test_a_disk_that_hangs_stops_nothing_and_is_left_behind(tmp_path, monkeypatch):
    """A pipe that nobody reads lies where the record was: whoever opens it waits."""
    monkeypatch.setattr(paced, "_DISK_PATIENCE_S", 0.2)
    record = tmp_path / "record.arrow"

    def trouble(number: int) -> None:
        if number == 4:
            record.unlink()
            os.mkfifo(record)

    before_append(monkeypatch, trouble)
    try:
        result = hil.run(hil.load("training_job", FOUR_S), folder=tmp_path, clock="wall")
    finally:
        os.close(os.open(record, os.O_RDONLY | os.O_NONBLOCK))  # and now it goes on
    went_on_to_its_end(result)
    assert any(reason.endswith(" rows or more lost (the disk does not answer)") for reason in result.reasons)
    assert any(reason.startswith("events.jsonl: ") for reason in result.reasons)
    assert not (tmp_path / "summary.json").exists()


@pytest.mark.slow
@pytest.mark.draws
@pytest.mark.realtime
def test_what_a_kill_leaves_is_whole_and_can_be_read(tmp_path, monkeypatch):
    """By how much it is too short scripts/kills.py judges, on a machine that has time for it."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "scripts")
    import kills

    moments = random.Random(6)
    killed = kills.kill_all(
        [tmp_path / f"{number}" for number in range(KILLS)],
        [moments.uniform(kills.EARLIEST_S, kills.LATEST_S) for _ in range(KILLS)],
    )
    assert len(killed) == KILLS
    for one in killed:
        assert one.problems == []
        assert one.rows > 0


def test_pairs_of_clocks_that_cannot_be_written_are_told(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    pairs = ClockPairs(folder / "clocks.csv")
    pairs.tend(0, 1.0)
    assert pairs.problem is None
    assert len((folder / "clocks.csv").read_text().splitlines()) == 2
    shutil.rmtree(folder)
    pairs._next_ns = 0
    pairs.tend(0, 1.0)
    pairs.close()
    assert pairs.problem == "No such file or directory"
