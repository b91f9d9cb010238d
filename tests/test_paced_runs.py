"""Whole runs on the wall clock: waveforms of lock-step, a stalled asyncio side, late ticks, what stands in the folder."""

from __future__ import annotations

import json
import os
import re
import time

import numpy as np
import pytest
from test_wall_clock import SHORT

import hil
from controllers import StorageDevice, Supervisor
from hil.kernel import pacer
from hil.session import paced as paced_module
from hil.session.periodic import Periodic
from hil.session.run import Options, run_scenario
from hil.verdict.outcome import Outcome

ALONE = ["duration='3 s'", "events=[]", "load.start='0 s'", "load.start_ramp='0 s'"]


@pytest.mark.realtime
@pytest.mark.parametrize("policy", ["skip", "catch_up"])
def test_where_nobody_acts_the_waveforms_are_those_of_lockstep_to_the_bit(policy):
    scenario = hil.load("training_job", [*ALONE, f"clock.policy='{policy}'"])
    paced = run_scenario(scenario, Options(clock="wall", speed=5.0, controllers=False))
    lockstep = run_scenario(scenario, Options(controllers=False))
    assert paced.waveform_hash == lockstep.waveform_hash
    for channel in lockstep.channels:
        assert np.array_equal(paced.signal(channel)[1], lockstep.signal(channel)[1]), channel


@pytest.mark.realtime
def test_where_commands_cross_the_wire_each_limit_ends_alike():
    """Those with some margin: which tick takes a command depends on the machine."""
    scenario = hil.load("training_job", [*SHORT, "clock.overrun_budget='60 s'", "clock.overruns=1.0"])
    paced, lockstep = hil.run(scenario, clock="wall", speed=10.0), hil.run(scenario)
    compared = [limit for limit in lockstep.limits.values() if limit.margin is not None and abs(limit.margin) >= 0.2]
    assert len(compared) >= 3
    for limit in compared:
        other = paced.limits[limit.name]
        assert other.outcome is limit.outcome, limit.name
        assert other.margin is not None
        assert (other.margin > 0.0) == (limit.margin > 0.0), limit.name


class Stall(Supervisor):
    """Commands 3 MW, then keeps the loop of asyncio for `stall_s` of wall-clock time."""

    stall_s = 2.0

    async def run(self, device: StorageDevice) -> None:
        await device.set_active_power(3e6)
        async for at in self.every(0.1):
            await device.set_active_power(3e6)
            if at > 1.0:
                time.sleep(self.stall_s)
                self.stall_s = 0.0


@pytest.mark.realtime
def test_a_stalled_asyncio_side_makes_commands_stale_and_stops_nothing_else(tmp_path):
    """At four times real time the stall lasts 8 s, the device reverts after 1 s, and load and record go on."""
    overrides = [*SHORT, "bess.main.driver.reversion='1 s'", "record.rate='1 kHz'", "record.channels=['bess.*', 'load.*']"]
    result = hil.run(
        hil.load("training_job", overrides), supervisors={"bess.main": Stall()}, folder=tmp_path, clock="wall", speed=4.0
    )
    time_s, setpoint_w = result.signal("bess.main.setpoint_w")
    assert time_s.size == 12_000
    reverted = [event for event in result.events if event["event"] == "reversion"]
    assert reverted
    at = int(reverted[0]["tick"])
    assert setpoint_w[at - 1] == setpoint_w[: at + 3000].max()  # on its way to 3 MW, behind `setpoint_ramp`
    assert np.all(setpoint_w[at + 2500 : at + 3000] == 0.0)  # safe while asyncio still stands
    assert any("silent for" in reason for reason in result.reasons)
    assert not any("under-run" in reason or "dropped" in reason or "lost" in reason for reason in result.reasons)
    assert result.verdict is not Outcome.PASS


def late_by(monkeypatch, late_s: float) -> None:
    """Have every run begin that much too late, so that it is on any machine."""
    real = pacer.Pacer

    class Late(real):
        def start(self, start_ns: int) -> None:
            super().start(start_ns - round(late_s * 1e9))

    monkeypatch.setattr("hil.realtime.loop_thread.Pacer", Late)


@pytest.mark.realtime
def test_limits_that_a_late_tick_touches_cannot_pass_and_say_why(monkeypatch):
    late_by(monkeypatch, 0.25)
    overrides = [*SHORT, "clock.overruns=1.0", "clock.overrun_budget='400 ms'"]
    result = run_scenario(hil.load("training_job", overrides), Options(clock="wall", speed=4.0, controllers=False))
    assert result.timing.beyond_budget >= 590
    assert result.verdict is Outcome.INCONCLUSIVE
    undervoltage = result.limits["27 undervoltage"]
    assert undervoltage.suspect_s >= 0.59
    said = "s not judged: ticks later than 400 ms (clock.overrun_budget) within its window"
    assert undervoltage.outcome is Outcome.INCONCLUSIVE
    assert undervoltage.reasons[-1].endswith(said)
    assert any(reason.startswith("27 undervoltage: ") and reason.endswith(said) for reason in result.reasons)
    overrun = next(event for event in result.events if event["event"] == "overrun")
    assert (overrun["time_s"], overrun["ticks"] >= 990, overrun["late_ms"] >= 245.0) == (0.0, True, True)
    assert result.timing.worst[0].late_us >= 245e3


@pytest.mark.realtime
def test_a_violation_on_valid_samples_stays_fail(monkeypatch):
    late_by(monkeypatch, 0.25)
    overrides = [*SHORT, "clock.overrun_budget='400 ms'", "limits.peak-to-peak, 5 s.max='10 kW'"]
    result = run_scenario(hil.load("training_job", overrides), Options(clock="wall", speed=4.0, controllers=False))
    limit = result.limits["peak-to-peak, 5 s"]
    assert limit.suspect_s > 0.0
    assert limit.outcome is Outcome.FAIL
    assert result.verdict is Outcome.FAIL


@pytest.mark.realtime
def test_the_policy_abort_ends_the_run_and_leaves_the_device_safe(monkeypatch, tmp_path):
    late_by(monkeypatch, 0.7)
    overrides = [*SHORT, "clock.policy='abort'", "clock.overrun_budget='300 ms'", "duration='60 s'"]
    result = hil.run(hil.load("training_job", overrides), folder=tmp_path, clock="wall")
    assert result.verdict is Outcome.INCONCLUSIVE
    assert result.duration_s == result.timing.aborted_s == 0.0
    assert result.timing.worst[0].late_us >= 690e3
    assert result.timing.warm_up["ticks"] > 0  # the rehearsal is not aborted
    why = r"clock: ended at 0\.000 s, where a tick was \S+ ms late, more than 300 ms \(clock.overrun_budget\): policy abort"
    assert any(re.fullmatch(why, reason) for reason in result.reasons)
    assert result.events[-1]["event"] == "made_safe"
    assert result.wall_s < 30.0


@pytest.mark.realtime
def test_the_folder_tells_what_the_loop_ran_on(tmp_path):
    result = hil.run(hil.load("training_job", [*SHORT, "duration='3 s'"]), folder=tmp_path, clock="wall", speed=2.0)
    timing = json.loads((tmp_path / "summary.json").read_text())["timing"]
    assert timing["obtained"]["scheduler"] in ("SCHED_FIFO", "SCHED_OTHER")
    assert timing["warm_up"]["ticks"] > 0
    assert timing["wake_ups"] <= timing["ticks"] == 3_000
    assert hil.open_run(tmp_path).timing == result.timing
    started = next(event for event in result.events if event["event"] == "loop_started")
    assert started["scheduler"] == timing["obtained"]["scheduler"]
    lines = (tmp_path / "clocks.csv").read_text().splitlines()
    assert lines[0] == "time_s,monotonic_ns,realtime_ns"
    pairs = np.array([[float(number) for number in line.split(",")] for line in lines[1:]])
    assert len(pairs) >= 1
    assert np.allclose(np.diff(pairs[:, 0]), 2.0 * np.diff(pairs[:, 1]) / 1e9, atol=1e-5)
    assert np.all(np.abs(pairs[:, 2] / 1e9 - time.time()) < 3600.0)


@pytest.mark.realtime
def test_a_record_thread_that_hangs_is_left_behind(monkeypatch):
    monkeypatch.setattr(paced_module, "_DISK_PATIENCE_S", 0.1)
    stuck = os.pipe()
    work = Periodic("record", lambda: os.read(stuck[0], 1), 0.001, lambda: None)
    try:
        work.start()
        time.sleep(0.05)
        assert work.stop(0.1) is False
    finally:
        os.write(stuck[1], b"x")
    assert work.stop(10.0) is True
    for end in stuck:
        os.close(end)


def test_what_ends_periodic_work_is_kept():
    failed: list[str] = []

    def fail() -> None:
        raise OSError("no space")

    work = Periodic("load", fail, 0.001, lambda: failed.append("told"))
    work.start()
    deadline = time.monotonic() + 30.0
    while not failed:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert work.stop(10.0)
    assert isinstance(work.error, OSError)
