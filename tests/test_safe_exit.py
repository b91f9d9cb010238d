"""Every way out leaves the device safe: set-point 0 W, enable cleared, read back; after SIGKILL the reversion timer acts."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bench_device import Bench
from command import HIL

import hil
from controllers import StorageDevice, Supervisor
from controllers.contracts import StorageSample
from controllers.sunspec_storage import DriverSettings, SunSpecStorage
from hil.clock.lockstep import LockstepLoop
from hil.errors import LockstepStall
from hil.session.run import Options, run_scenario


class SetAndRaise(Supervisor):
    """Commands 3 MW for five seconds, then fails as a user's code would."""

    async def run(self, device: StorageDevice) -> None:
        async for now in self.every(0.1):
            await device.set_active_power(3e6)
            if now > 5.0:
                raise ZeroDivisionError("a mistake in a supervisor")


def events(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_an_exception_in_a_supervisor_ends_the_run_safely(tmp_path):
    with pytest.raises(ZeroDivisionError, match="a mistake"):
        hil.run(hil.load("training_job"), supervisors={"bess.main": SetAndRaise()}, folder=tmp_path)
    last, failed = events(tmp_path)[-2:]
    assert failed["event"] == "run_failed"
    assert last["event"] == "made_safe"
    assert (last["from_w"], last["setpoint_w"], last["enabled"]) == (3e6, 0.0, False)
    assert last["time_s"] == pytest.approx(5.1 + 1.95, abs=0.11)  # the driver's ramp_down from 3 MW


def test_the_end_of_a_run_is_safe():
    result = hil.run(hil.load("training_job", ["duration='8 s'", "events=[]"]))
    assert result.events[-1]["event"] == "made_safe"


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_ends_the_run_safely(tmp_path, number):
    process = subprocess.Popen(
        [*HIL, "run", "training_job", "--set", "duration='86400 s'", "--set", "record.rate='1 Hz'"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        log = wait_for_log(tmp_path, process)
        while log.stat().st_size == 0:
            time.sleep(0.01)
        time.sleep(0.5)
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    finally:
        end(process)
    assert errors == ""
    assert process.returncode == 128 + number
    assert "INCONCLUSIVE" in output
    assert f"ended by signal {int(number)} at" in output
    folder = log.parent
    assert events(folder)[-1]["event"] == "made_safe"
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["verdict"] == "INCONCLUSIVE"
    assert summary["signal"] == number


def end(process: subprocess.Popen[str]) -> None:
    """SIGKILL, and nothing left open."""
    process.kill()
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def wait_for_log(tmp_path: Path, process: subprocess.Popen[str]) -> Path:
    """The events file of a run that has just begun."""
    for _ in range(3000):
        found = list(tmp_path.glob("runs/*/events.jsonl"))
        if found:
            return found[0]
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        time.sleep(0.01)
    raise AssertionError("no run began")


CHILD = """
import asyncio, sys
from controllers.sunspec_storage import DriverSettings, SunSpecStorage

async def main(port, reversion_s):
    count = 0
    def acknowledged():
        nonlocal count
        count += 1
        if count == 5:
            print("holding", flush=True)
    settings = DriverSettings(reversion_s=reversion_s, target_ttl_s=1e9, timeout_s=5.0)
    async with SunSpecStorage("bess.main", "127.0.0.1", port, settings=settings, acknowledged=acknowledged) as device:
        await device.set_active_power(4e6)
        await asyncio.sleep(3600)

asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
"""


def test_after_sigkill_the_reversion_timer_acts():
    """The controller is another process; scenario time waits while it takes hold of the device, and until it is dead."""
    bench = Bench()
    reversion_s = 2

    async def main(port: int) -> None:
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(port), str(reversion_s)], stdout=subprocess.PIPE, text=True)
        try:
            assert child.stdout is not None
            assert await asyncio.to_thread(child.stdout.readline) == "holding\n"
            await asyncio.sleep(0.0)
        finally:
            end(child)  # nothing of its own runs any more
        while bench.server.connections:
            await asyncio.to_thread(time.sleep, 0.01)
        applied = bench.engine.tick  # the tick that applies its last write
        await asyncio.sleep(1.0)
        assert bench.firmware["set_enable"] == 1
        assert bench.firmware["set_w"] == 4e6
        assert bench.firmware["bias_w"] > 0
        await asyncio.sleep(reversion_s)
        assert bench.firmware["set_enable"] == 0
        assert bench.firmware["set_w"] == 0
        assert abs(int(bench.firmware["reverted_at"]) - (applied + reversion_s * 1000)) <= 1
        await asyncio.sleep(60.0)
        assert bench.channel("bess.main.power_w") == pytest.approx(0.0, abs=1.0)

    bench.serve(main)


@pytest.mark.parametrize("reversion_s", [0, 2, 5])
def test_reversion_counts_from_the_last_accepted_write(reversion_s):
    """A driver whose supervisor falls silent stops writing; the device then falls back by itself, or never where T is 0."""
    bench = Bench()
    written: list[float] = []

    async def main(port: int) -> None:
        settings = DriverSettings(reversion_s=reversion_s, target_ttl_s=0.5)
        loop = asyncio.get_running_loop()
        async with SunSpecStorage(
            "bess.main", "127.0.0.1", port, settings=settings, acknowledged=lambda: written.append(loop.time())
        ) as device:
            for _ in range(20):
                await device.set_active_power(1e6)
                await asyncio.sleep(0.1)
            await asyncio.sleep(10.0)
            sample: StorageSample = await device.read()
            assert sample.setpoint_enabled == (reversion_s == 0)

    bench.serve(main)
    last_write_tick = round(written[-1] * 1000)
    if reversion_s == 0:
        assert bench.firmware["reversions"] == 0
    else:
        assert bench.firmware["reversions"] == 1
        assert abs(int(bench.firmware["reverted_at"]) - (last_write_tick + 1000 * reversion_s)) <= 1
        assert [event["event"] for event in bench.log.events if event["event"] == "reversion"] == ["reversion"]
    assert bench.firmware["set_enable"] == 0  # left safe either way


def test_a_device_that_is_away_at_the_end_is_insisted_upon(tmp_path):
    """The server comes back 2 s after the run's end: the driver tries again and makes the device safe then."""
    stop = 'events=[{at="69 s", kind="server_stop", device="bess.main", duration="3 s"}]'
    result = hil.run(hil.load("training_job", [stop, "duration='70 s'"]))
    safe = next(event for event in result.events if event["event"] == "made_safe")
    assert safe["time_s"] > 72.0


class HoldsForEver(Supervisor):
    """Commands 2 MW, then holds scenario time for an answer that never comes."""

    async def run(self, device: StorageDevice) -> None:
        await device.set_active_power(2e6)
        await asyncio.sleep(1.0)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LockstepLoop)
        with loop.hold("an answer from the bench"):
            await asyncio.sleep(1.0)


def test_a_stalled_run_is_given_up_safely(tmp_path):
    options = Options(supervisors={"bess.main": HoldsForEver()}, folder=tmp_path, patience_s=0.3)
    with pytest.raises(LockstepStall, match=r"silent for 0\.3 s with something in flight: an answer from the bench"):
        run_scenario(hil.load("training_job"), options)
    last, failed = events(tmp_path)[-2:]
    assert failed["event"] == "run_failed"
    assert (last["event"], last["from_w"]) == ("made_safe", 2e6)


def test_a_defect_in_the_driver_is_not_taken_for_a_silent_device(tmp_path, monkeypatch):
    original = SunSpecStorage._send

    async def breaks(self, power_w):
        if asyncio.get_running_loop().time() > 2.0:
            raise ZeroDivisionError("a mistake in a driver")
        await original(self, power_w)

    monkeypatch.setattr(SunSpecStorage, "_send", breaks)
    with pytest.raises(ZeroDivisionError, match="a mistake in a driver"):
        hil.run(hil.load("training_job"), folder=tmp_path)
    assert [event["event"] for event in events(tmp_path)[-2:]] == ["made_safe", "run_failed"]
