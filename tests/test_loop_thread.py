"""The loop's thread: what it claims, what it says where it is refused, that it rehearses, and that it wakes others."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from rig import BESS, document

from hil.errors import HilError
from hil.kernel import memory
from hil.kernel.engine import Engine
from hil.realtime import claims
from hil.realtime.bell import Bell
from hil.realtime.evidence import Overrun, Timing, WorstOverruns
from hil.realtime.loop_thread import LoopThread
from hil.realtime.stolen import stolen_and_all, stolen_share
from hil.realtime.wanted import Obtained, Wanted
from hil.scenario.files import from_document
from hil.site.build import build_engine

ROOT = Path(__file__).parents[1]
QUICK = {"warm_up_s": 0.02}


def made() -> Engine:
    engine = build_engine(from_document(document(bess={"x": BESS})), 1e6)
    engine.feed(np.full(8192, 1e6))
    return engine


def ran(wanted: Wanted, ticks: int = 50, engine: Engine | None = None) -> LoopThread:
    """A thread that ran some ticks."""
    with LoopThread(engine or made(), wanted) as loop:
        loop.start()
        while loop.pacer.look() < ticks:
            time.sleep(0.001)
    return loop


@pytest.mark.realtime
def test_it_gets_what_the_system_grants_and_says_what_not():
    obtained = ran(Wanted(**QUICK)).obtained
    scheduler = any("SCHED_FIFO" in line for line in obtained.missing)
    assert (obtained.scheduler, obtained.priority) == (("SCHED_OTHER", 0) if scheduler else ("SCHED_FIFO", 80))
    assert obtained.memory_locked != any("locked memory" in line for line in obtained.missing)
    assert obtained.summary()["missing"] == obtained.missing


@pytest.mark.realtime
def test_the_ordinary_scheduler_can_be_asked_for():
    obtained = ran(Wanted(priority=0, lock_memory=False, **QUICK)).obtained
    assert (obtained.scheduler, obtained.memory_locked, obtained.spin_us) == ("SCHED_OTHER", False, 0.0)
    assert not any("SCHED_FIFO" in line or "locked memory" in line for line in obtained.missing)


@pytest.mark.realtime
def test_without_permissions_it_runs_all_the_same(monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(claims, "_may_lock_all", lambda: False)
    monkeypatch.setattr(claims, "_LATENCY", Path("/dev/null/none"))
    assert any(line.startswith("cpu 1000000000000: ") for line in ran(Wanted(cpu=10**12, **QUICK)).obtained.missing)
    loop = ran(Wanted(cpu=99_999, **QUICK))
    assert loop.error is None
    assert (loop.obtained.scheduler, loop.obtained.memory_locked) == ("SCHED_OTHER", False)
    missing = "\n".join(loop.obtained.missing)
    for said in (
        "SCHED_FIFO at priority 80: Operation not permitted; it takes CAP_SYS_NICE or an rtprio limit",
        "cpu 99999: Invalid argument; there are 0 to ",
        "locked memory: under its limit (memlock) all that is mapped later could be refused",
    ):
        assert said in missing


def test_a_device_that_cannot_be_opened_is_told(monkeypatch, tmp_path):
    (tmp_path / "latency").mkdir()
    monkeypatch.setattr(claims, "_LATENCY", tmp_path / "latency")
    obtained = Obtained()
    with claims.ProcessClaims.held(Wanted(lock_memory=False), obtained):
        assert not obtained.cpu_latency_held
    assert obtained.missing == [f"{tmp_path}/latency: Is a directory: cores may doze"]


def test_memory_stays_locked_until_its_last_user_has_gone(monkeypatch):
    calls = []
    monkeypatch.setattr(claims, "lock_memory", lambda: calls.append("lock") or 0)
    monkeypatch.setattr(claims, "unlock_memory", lambda: calls.append("unlock"))
    monkeypatch.setattr(claims, "_may_lock_all", lambda: True)
    with claims.ProcessClaims.held(Wanted(), Obtained()):
        with claims.ProcessClaims.held(Wanted(), Obtained()):
            pass
        assert "unlock" not in calls
    assert calls[-1] == "unlock"
    with claims.ProcessClaims.held(Wanted(lock_memory=False), Obtained()):
        pass
    assert calls.count("unlock") == 1


@pytest.mark.parametrize(("limit", "capabilities", "may"), [(-1, 0, True), (8192, 0, False), (8192, 1 << 14, True)])
def test_under_a_limit_nothing_is_locked(monkeypatch, tmp_path, limit, capabilities, may):
    import resource

    (tmp_path / "status").write_text(f"Name:\tx\nCapEff:\t{capabilities:016x}\n")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    monkeypatch.setattr(claims, "_STATUS", tmp_path / "status")
    assert claims._may_lock_all() is may


@pytest.mark.parametrize(("text", "last"), [("", None), ("3\n", 3), ("2-5\n", 5), ("1,4-6\n", 6)])
def test_it_stays_on_the_last_isolated_core(monkeypatch, tmp_path, text, last):
    (tmp_path / "isolated").write_text(text)
    monkeypatch.setattr(claims, "_ISOLATED", tmp_path / "isolated")
    assert claims._last_isolated() == last


@pytest.mark.realtime
def test_it_rehearses_on_a_copy_and_counts_that_apart():
    engine = made()
    before = {name: array.copy() for name, array in engine.states.items()}
    with LoopThread(engine, Wanted(warm_up_s=0.1)) as loop:
        assert not loop.started
        assert loop.warm_up[0]["ticks"] > 0
        assert loop.pacer.timing[0]["ticks"] == 0
        for name, array in engine.states.items():
            assert np.array_equal(array.view(np.uint8), before[name].view(np.uint8)), name


@pytest.mark.realtime
@pytest.mark.parametrize(("spin_s", "expected_us"), [(2e-4, 200.0), (0.4, 500.0)])
def test_a_spin_is_as_long_as_it_was_set_and_half_a_tick_at_most(spin_s, expected_us):
    assert ran(Wanted(spin_s=spin_s, **QUICK)).obtained.spin_us == expected_us


@pytest.mark.realtime
def test_a_spin_that_is_found_is_within_its_bounds():
    obtained = ran(Wanted(warm_up_s=0.1)).obtained
    assert 0.0 <= obtained.spin_us <= (50.0 if obtained.priority else 0.0)


@pytest.mark.realtime
def test_a_loop_that_has_given_its_priority_back_in_the_rehearsal_says_so():
    with LoopThread(
        made(), Wanted(warm_up_s=2.0), speed=1e9
    ) as loop:  # it never sleeps; a slow build has a tenth of the turns
        assert (loop.obtained.scheduler, loop.obtained.priority) == ("SCHED_OTHER", 0)
        assert any("given back" in line or "SCHED_FIFO" in line for line in loop.obtained.missing)


@pytest.mark.realtime
def test_no_page_is_met_for_the_first_time_after_the_rehearsal():
    loop = ran(Wanted(warm_up_s=0.1), ticks=1_000)
    if not loop.obtained.memory_locked:
        pytest.skip("no permission to lock memory: as root, or with CAP_IPC_LOCK")
    timing = Timing.of(loop.pacer.timing[0], 1.0, 0.001)
    assert (timing.minor_faults, timing.major_faults) == (0, 0)


@pytest.mark.realtime
def test_what_ends_the_thread_is_kept_and_rings():
    engine = made()
    with LoopThread(engine, Wanted(**QUICK)) as loop:
        engine.parameters["pcs"]["ticks_per_second"] = 0
        loop.start()
        assert loop.error is None or isinstance(loop.error, ValueError)
    broken = made()
    broken.parameters["pcs"]["ticks_per_second"] = 0
    with LoopThread(broken, Wanted(**QUICK)) as loop:
        assert select.select([loop.bell], [], [], 10.0)[0]
        assert isinstance(loop.error, ValueError)
    assert all(thread.name != "kernel" for thread in threading.enumerate())


def test_windows_is_told_that_it_has_lockstep(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(HilError, match="on Windows there is lock-step"):
        LoopThread(made(), Wanted())


def test_another_unix_runs_without_priority(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delattr(os, "sched_setaffinity")
    obtained = Obtained()
    thread = threading.Thread(target=claims.claim_thread, args=(Wanted(cpu=1), obtained))
    thread.start()
    thread.join()
    assert obtained.missing == [
        "cpu 1: darwin lets no thread stay on a core",
        "priority 80: SCHED_FIFO is asked for on Linux only",
    ]


@pytest.mark.parametrize("eventfd", [True, False])
def test_a_bell_is_readable_from_the_ring_until_it_is_silenced(monkeypatch, eventfd):
    if not eventfd:
        monkeypatch.delattr(os, "eventfd")
    bell = Bell()
    try:
        assert not select.select([bell], [], [], 0)[0]
        for _ in range(3):
            bell.ring()
        os.write(bell.write_fd, (1).to_bytes(8, "little"))  # as the pacer does
        assert select.select([bell], [], [], 0)[0]
        bell.silence()
        assert not select.select([bell], [], [], 0)[0]
    finally:
        bell.close()


def test_the_longest_overruns_are_kept():
    kept = WorstOverruns()
    kept.add([Overrun(float(number), 1, float(number % 7)) for number in range(20)])
    kept.add([Overrun(99.0, 1, 3.5)])
    assert len(kept.worst) == 10
    assert [one.late_us for one in kept.worst] == [6.0, 6.0, 5.0, 5.0, 5.0, 4.0, 4.0, 4.0, 3.5, 3.0]


def test_stolen_time_is_read_from_the_system(tmp_path):
    stat = tmp_path / "stat"
    stat.write_text("cpu  10 0 10 70 0 0 0 10 5 0\ncpu0 1 1 1 1 1 1 1 1\n")
    assert stolen_and_all(stat) == (10, 100)
    assert stolen_share((10, 100), (30, 200)) == 0.2
    assert stolen_share(None, (30, 200)) is None
    assert stolen_share((10, 100), (10, 100)) is None
    assert stolen_and_all(tmp_path / "none") is None


def test_memory_is_touched_and_left_as_it_was():
    pages = np.arange(3 * 4096 + 5, dtype=np.uint64).view(np.uint8)
    before = pages.copy()
    memory.touch(pages)
    memory.touch(np.empty(0, np.uint8))
    assert np.array_equal(pages, before)


PLAIN = r"""
#include <stdio.h>
int main(void) {
    int64_t a, b, c, d, begin = hil_monotonic_ns();
    hil_sleep_until(begin + 3000000);
    hil_sleep_until(begin);  /* in the past: at once */
    if (hil_monotonic_ns() < begin + 3000000)
        return 1;
    hil_pause();
    hil_fine_timers();
    hil_give_priority_back();
    hil_touch_stack();
    return hil_thread_usage(&a, &b, &c, &d) ? 2 : a + b + c + d != 0;
}
"""


def test_the_part_for_other_unixes_compiles_and_sleeps(tmp_path):
    text = (ROOT / "hil" / "kernel" / "system.pxd").read_text()
    block = text.partition("cdef extern from *:")[2].split('"""')[1]
    (tmp_path / "plain.c").write_text(block + PLAIN)
    build = [
        "cc",
        "-Wall",
        "-Werror",
        "-Wno-unused-function",
        "-DRIDETHROUGH_PLAIN_UNIX",
        "plain.c",
        "-o",
        "plain",
        "-lpthread",
    ]
    subprocess.run(build, cwd=tmp_path, check=True, timeout=60)
    assert subprocess.run([tmp_path / "plain"], timeout=60).returncode == 0
