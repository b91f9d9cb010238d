"""`hil doctor` as one types it: what it prints, keeps and refuses, and that its load ends with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from machines import BENCH, made
from typer.testing import CliRunner

import hil
from hil.cli.app import app
from hil.cli.doctor import print_examination
from hil.doctor import work
from hil.doctor.advice import Advice
from hil.doctor.bands import Lateness, judged
from hil.doctor.examination import Examination
from hil.doctor.facts import read_facts
from hil.doctor.latency import Measured
from hil.doctor.stress import Stress
from hil.realtime.evidence import Timing
from hil.session.folder import provenance

OBTAINED = {
    "scheduler": "SCHED_FIFO", "priority": 80, "cpu": 3, "spin_us": 25.0, "memory_locked": True, "cpu_latency_held": True,
    "missing": [],
}  # fmt: skip


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "ridethrough" / "doctor.json"


def examination(root: Path, *, ticks: int = 30_000, missing: tuple[str, ...] = ()) -> Examination:
    late = Lateness(((30_000, ticks - 2), (400_000, 2)), 390_000)
    timing = Timing(
        1.0, ticks, ticks, 0, 0, {"p50": 0.4, "p99": 12.0, "p99.9": 30.0, "max": 390.0}, {"max": 3.0},
        stolen_share=0.0, obtained=OBTAINED | {"missing": list(missing)},
    )  # fmt: skip
    facts = replace(read_facts(made(root, BENCH)), system="Linux")
    advised = [Advice("swap", "memory may be [swapped] out", "sudo swapoff -a")]
    return Examination("2026-11-29T07:00:00+00:00", facts, False, Measured(1e3, 30.0, late, timing), judged(late), advised)


def test_what_it_prints(tmp_path, capsys):
    print_examination(examination(tmp_path))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "bench · Intel(R) Core(TM) i5-12400, 4 cores · Linux 6.12.48+deb13-rt-amd64 PREEMPT_RT",
        "30 s at 1 kHz, no load · SCHED_FIFO 80, core 3, memory locked, spin 25 µs",
        "lateness p50 0.4, p99 12.0, p99.9 30.0, max 390.0 µs; 0 of 30,000 ticks missed; stolen by the host 0 %",
        "good enough for a servo loop of 1 kHz, by LinuxCNC's bands, not for faster ones",
        "",
        "   rate    missed  at most  trust",
        " 100 Hz       0 %   0.01 %  good    none missed, and lateness is small against the period",
        " 200 Hz       0 %   0.01 %  good    none missed, and lateness is small against the period",
        " 500 Hz       0 %   0.01 %  good    none missed, and lateness is small against the period",
        "  1 kHz       0 %   0.01 %  good    none missed, and lateness is small against the period",
        "  2 kHz       0 %   0.01 %  good    none missed, and lateness is small against the period",
        "  5 kHz  0.0067 %  0.021 %  usable  at most one tick in a thousand missed",
        " 10 kHz  0.0067 %  0.021 %  usable  at most one tick in a thousand missed",
        "",
        "honest here up to 10 kHz",
        "with nothing beside it; hil doctor --load keeps the machine busy meanwhile",
        "",
        "what to change, most effective first",
        " swap: memory may be [swapped] out",
        "   sudo swapoff -a",
    ]


def test_what_the_loop_was_not_given_is_told(tmp_path, capsys):
    print_examination(
        examination(
            tmp_path, ticks=2000, missing=("SCHED_FIFO at priority 80: Operation not permitted (hil doctor says how)",)
        )
    )
    out = capsys.readouterr().out
    assert "not given: SCHED_FIFO at priority 80: Operation not permitted\n" in out
    assert "2,000 ticks are too few for more than doubtful: it takes 3,000\n" in out
    assert "no rate is honest here\n" in out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--rate", "1000"], "--rate '1000': must be a frequency, such as '20 Hz'; units: Hz, mHz, kHz"),
        (["--rate", "50 Hz"], "--rate '50 Hz': must be 100 Hz to 10 kHz"),
        (["--rate", "20 kHz"], "--rate '20 kHz': must be 100 Hz to 10 kHz"),
        (
            ["--rate", "300 Hz"],
            "--rate '300 Hz': a second must hold whole ticks of whole nanoseconds, as at 100, 250, 500, 1000, 2000, 5000 Hz",
        ),
    ],
)
def test_what_it_refuses(state, arguments, line):
    found = CliRunner().invoke(app, ["doctor", *arguments])
    assert (found.exit_code, found.stdout, found.stderr) == (2, "", f"{line}\n")
    assert not state.exists()


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "1e9"])
def test_it_measures_for_a_second_to_a_day(seconds):
    assert CliRunner().invoke(app, ["doctor", "--seconds", seconds]).exit_code == 2


@pytest.mark.realtime
def test_it_measures_and_keeps_what_it_found_for_every_run(state):
    scenario = hil.load("training_job")
    assert provenance(scenario, ())["doctor"] == {"tested": False}
    found = CliRunner().invoke(app, ["doctor", "--seconds", "1", "--rate", "500 Hz", "--json"])
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout)
    assert document == json.loads(state.read_text())
    assert document["ticks"] == 500
    assert 0 <= document["missed"] <= 500
    assert list(document["lateness_us"]) == ["p50", "p99", "p99.9", "max"]
    assert [rate["rate_hz"] for rate in document["rates"]] == [100, 200, 500, 1000, 2000, 5000, 10_000]
    made_with = provenance(scenario, ())
    carried = made_with["doctor"]
    assert (carried["tested"], carried["differs"], carried["rates"]) == (True, [], document["rates"])
    assert document["facts"].items() <= made_with["host"].items()


@pytest.mark.realtime
def test_a_result_that_cannot_be_kept_is_printed_all_the_same(state):
    state.parents[1].write_text("no folder")
    found = CliRunner().invoke(app, ["doctor", "--seconds", "1", "--load"])
    assert found.exit_code == 0
    assert found.stderr.startswith(f"not stored: {state}: cannot be written (")
    assert "1,000 ticks" in found.stdout
    assert "under load" in found.stdout
    assert "stored in" not in found.stdout


def test_a_system_without_such_a_loop_is_told_in_one_line(state, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr("hil.realtime.loop_thread.sys.platform", "win32")
    found = CliRunner().invoke(app, ["doctor", "--seconds", "1"])
    assert found.exit_code == 4
    assert found.stderr.startswith("hil doctor: the wall clock needs Linux or another Unix")
    assert len(found.stderr.splitlines()) == 1


class Counted:
    """An event that is set after so many looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("kind", ["busy", "memory", "sockets", "disk"])
def test_each_kind_of_work_works_until_it_is_stopped(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "_DISK", tmp_path)
    stopping = Counted(3)
    getattr(work, kind)(stopping)
    assert stopping.left == -1
    assert list(tmp_path.iterdir()) == []


def ended(pids: list[int]) -> bool:
    """Whether all have gone, within ten seconds."""
    until = time.monotonic() + 10.0
    while any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.realtime
def test_the_load_ends_with_its_block():
    stress = Stress(cores=1)

    def fails() -> None:
        with stress:
            assert [process.poll() for process in stress.processes] == [None] * 4
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert all(process.returncode is not None for process in stress.processes)


@pytest.mark.realtime
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_load_ends_with_its_process(number):
    script = (
        "import time\nfrom hil.doctor.stress import Stress\n"
        "with Stress(cores=1) as stress:\n"
        " print(*(process.pid for process in stress.processes), flush=True)\n time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 4
        os.kill(parent.pid, number)
    assert ended(pids)


@pytest.mark.realtime
def test_a_load_that_cannot_be_started_is_told_and_leaves_nothing(monkeypatch):
    started: list[int] = []
    real = subprocess.Popen

    def third_fails(*arguments: object, **more: object) -> object:
        if len(started) == 2:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        process = real(*arguments, **more)
        started.append(process.pid)
        return process

    monkeypatch.setattr(subprocess, "Popen", third_fails)
    found = CliRunner().invoke(app, ["doctor", "--load"])
    assert (found.exit_code, found.stderr) == (4, "hil doctor: [Errno 11] Resource temporarily unavailable\n")
    assert ended(started)
