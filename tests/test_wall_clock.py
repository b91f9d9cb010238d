"""The wall clock: the same loop, order and controllers, paced by a plant that moves by itself."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from command import HIL, hil_command

import hil
from controllers import StorageDevice, Supervisor
from hil.clock.participants import acting_as
from hil.clock.wall import WallLoop
from hil.realtime.bell import Bell
from hil.session.run import Options, run_scenario
from hil.verdict.outcome import Outcome

# A busy machine must not run into the driver's time-outs, which are short in wall-clock time.
PATIENT = ["bess.main.driver.timeout='20 s'", "bess.main.driver.reversion='60 s'"]
SHORT = [
    *PATIENT,
    "duration='12 s'",
    "events=[]",
    "load.start='0 s'",
    "load.start_ramp='0 s'",
    "limits.grid ramp.window='5 s'",
]


class Sundial:
    """A plant that runs, as soon as somebody waits, past the tick for which he waits by some more."""

    period_ns = 1_000_000
    pump_ticks = 50

    def __init__(self, beyond: int = 0) -> None:
        self.tick = 0
        self.started = False
        self.pumped: list[int] = []
        self.breaks = False
        self.bell = Bell()
        self._beyond = beyond
        self._ran = 0
        self._wanted = 0

    def start(self) -> None:
        self.started = True
        self.wake_at(self._wanted)

    def look(self) -> int:
        self.tick = self._ran
        return self.tick

    def wake_at(self, tick: int) -> None:
        self._wanted = tick
        if self.started:
            self._ran = max(self._ran, tick + self._beyond)
            self.bell.ring()

    def pump(self) -> None:
        self.pumped.append(self.tick)
        if self.breaks:
            raise OSError("no space left")


def on_the_wall(main: Callable[[Sundial], Awaitable[None]], plant: Sundial | None = None, **options: float) -> Sundial:
    plant = plant or Sundial()
    try:
        with asyncio.Runner(loop_factory=lambda: WallLoop(plant, **options)) as runner:
            runner.run(main(plant))
    finally:
        plant.bell.close()
    return plant


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("beyond", [0, 3, 1000])
def test_due_timers_are_released_in_the_order_of_lockstep(beyond):
    """By (tick, participant, creation), however many are due at one look."""
    order: list[str] = []

    async def worker(name: str, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        order.append(name)

    async def main(plant: Sundial) -> None:
        tasks = []
        for rank, name, delay_s in ((3, "c", 0.5), (1, "a", 0.5), (2, "b", 0.5), (9, "early", 0.4999), (0, "late", 0.501)):
            with acting_as(rank, name):
                tasks.append(asyncio.create_task(worker(name, delay_s)))
        plant.start()
        await asyncio.gather(*tasks)

    on_the_wall(main, Sundial(beyond))
    assert order == ["a", "b", "c", "early", "late"]


def test_time_is_that_of_the_last_look():
    async def main(plant: Sundial) -> None:
        plant.start()
        await asyncio.sleep(0.0101)
        assert now() == 0.016  # the tick after it, and five that the plant went on
        plant._ran += 100
        assert now() == 0.016
        await asyncio.sleep(0)
        assert now() == 0.116

    on_the_wall(main, Sundial(5))


def test_cancelled_timers_wake_nobody():
    async def main(plant: Sundial) -> None:
        plant.start()
        asyncio.get_running_loop().call_later(0.01, lambda: None).cancel()
        await asyncio.sleep(0.04)
        assert now() == 0.04

    on_the_wall(main)


def test_callbacks_that_never_rest_do_not_keep_time_away():
    async def main(plant: Sundial) -> None:
        plant.start()
        loop = asyncio.get_running_loop()
        timer = asyncio.ensure_future(asyncio.sleep(0.1))

        def again() -> None:
            plant._ran += 1
            if not timer.done():
                loop.call_soon(again)

        again()
        await timer
        assert plant.pumped

    on_the_wall(main)


def test_the_plant_is_pumped_while_nothing_else_happens():
    async def main(plant: Sundial) -> None:
        plant.start()
        await asyncio.sleep(1.0)

    assert on_the_wall(main).pumped == list(range(50, 1001, 50))


def test_a_pump_that_fails_ends_the_run_once():
    """So that what makes devices safe still has a clock."""
    left: list[float] = []

    async def main(plant: Sundial) -> None:
        plant.start()
        plant.breaks = True
        try:
            await asyncio.sleep(1.0)
        finally:
            await asyncio.sleep(2.0)
            left.append(now())

    with pytest.raises(OSError, match="no space left"):
        on_the_wall(main)
    assert left == [2.05]


def test_time_stands_still_until_the_plant_is_started():
    async def main(plant: Sundial) -> None:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b""
        writer.close()
        server.close()
        assert now() == 0.0
        assert not plant.started
        plant.start()
        await asyncio.sleep(0.1)

    on_the_wall(main, patience_s=60.0)


def test_a_set_up_that_waits_for_time_gets_it_after_a_while():
    async def main(plant: Sundial) -> None:
        await asyncio.sleep(0.1)
        assert plant.started

    on_the_wall(main, patience_s=0.05)


def test_hold_and_executor_jobs_are_plain():
    async def main(plant: Sundial) -> None:
        plant.start()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WallLoop)
        with loop.hold("nobody waits for this"):
            await asyncio.sleep(1.0)
        assert now() == 1.0
        assert await asyncio.to_thread(lambda: 7) == 7

    on_the_wall(main)


# --- Runs ---


def no_thread_is_left() -> bool:
    return all(thread.name != "kernel" for thread in threading.enumerate())


@pytest.mark.realtime
def test_a_run_takes_the_time_that_it_states():
    paced = hil.run(hil.load("training_job", SHORT), clock="wall", speed=20.0)
    assert paced.duration_s == 12.0
    assert paced.wall_s >= 12.0 / 20.0
    assert paced.timing is not None
    assert paced.timing.ticks == 12_000
    assert paced.summary()["clock"] == "wall"
    assert paced.summary()["timing"]["lateness_us"]["p50"] > 0.0
    told = [event["event"] for event in paced.events if event["event"] != "overrun"]  # which a busy machine has
    assert told[-1] == "made_safe"
    assert no_thread_is_left()


@pytest.mark.realtime
def test_every_row_of_a_paced_run_is_recorded():
    result = hil.run(hil.load("training_job", [*SHORT, "record.rate='1 kHz'"]), clock="wall", speed=50.0)
    times, _ = result.signal("pcc.power_w")
    assert np.allclose(times, np.arange(1, 12_001) * 1e-3)
    assert result.signal("load.demand_w")[1].max() > 0.0
    assert not any("under-run" in reason or "dropped" in reason for reason in result.reasons)


@pytest.mark.realtime
def test_a_scenario_without_devices_is_paced_too(tmp_path):
    text = 'duration="1 s"\n[grid]\nshort_circuit="500 MVA"\n[load]\nkind="training"\npower="10 MW"\n'
    (tmp_path / "small.toml").write_text(text)
    result = hil.run(hil.load(tmp_path / "small.toml"), clock="wall", speed=5.0)
    assert result.wall_s >= 0.2
    assert result.duration_s == 1.0
    lockstep = hil.run(hil.load(tmp_path / "small.toml"))
    assert result.waveform_hash == lockstep.waveform_hash  # nobody acts: the ticks are the same


@pytest.mark.realtime
def test_overload_is_counted_and_blocks_pass():
    options = Options(clock="wall", speed=1e7, controllers=False)
    result = run_scenario(hil.load("training_job", ["duration='60 s'", "events=[]"]), options)
    assert result.timing is not None
    assert result.timing.overrun_share > 0.5
    assert any(reason.startswith("clock: ") and "allowed 2 %" in reason for reason in result.reasons)
    assert result.verdict is not Outcome.PASS


class SetAndRaise(Supervisor):
    """Commands 3 MW for a second at least, until the device holds it, then fails as a user's code would."""

    async def run(self, device: StorageDevice) -> None:
        async for at in self.every(0.1):
            await device.set_active_power(3e6)
            if at > 1.0 and (await device.read()).setpoint_w == 3e6:
                raise ZeroDivisionError("a mistake in a supervisor")


@pytest.mark.realtime
def test_an_exception_leaves_the_device_safe_and_no_thread(tmp_path):
    with pytest.raises(ZeroDivisionError, match="a mistake"):
        hil.run(
            hil.load("training_job", PATIENT),
            supervisors={"bess.main": SetAndRaise()},
            folder=tmp_path,
            clock="wall",
            speed=10.0,
        )
    last, failed = map(json.loads, (tmp_path / "events.jsonl").read_text().splitlines()[-2:])
    assert failed["event"] == "run_failed"
    assert (last["event"], last["from_w"], last["setpoint_w"], last["enabled"]) == ("made_safe", 3e6, 0.0, False)
    assert no_thread_is_left()


@pytest.mark.realtime
def test_a_failing_thread_of_the_kernel_is_heard(monkeypatch):
    """Arrays that a script has spoilt, told where the run was started."""
    from hil.session import prepare as run

    build = run.build_engine

    def spoilt(*args: object, **options: object) -> object:
        engine = build(*args, **options)
        engine.parameters["pcs"]["ticks_per_second"] = 0
        return engine

    monkeypatch.setattr(run, "build_engine", spoilt)
    with pytest.raises(ValueError, match="ticks_per_second must be positive"):
        run_scenario(hil.load("training_job", SHORT), Options(clock="wall", controllers=False))
    assert no_thread_is_left()


@pytest.mark.realtime
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_ends_a_paced_run_safely(tmp_path, number):
    process = subprocess.Popen(
        [*HIL, "run", "training_job", "--clock", "wall", "--speed", "5", "--set", "duration='86400 s'",
         *(part for override in PATIENT for part in ("--set", override))],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        while not (found := list(tmp_path.glob("runs/*/events.jsonl"))) or "server_started" not in found[0].read_text():
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(0.5)
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            stream.close()
    assert errors == ""
    assert process.returncode == 128 + number
    assert f"ended by signal {int(number)} at" in output
    assert "wall clock, speed 5, " in output
    assert ", lateness p50 " in output
    events = [json.loads(line) for line in found[0].read_text().splitlines()]
    assert events[-1]["event"] == "made_safe"
    assert json.loads((found[0].parent / "summary.json").read_text())["timing"]["ticks"] > 0


def test_a_speed_that_cannot_be_is_told_in_one_line(tmp_path, monkeypatch):
    def refused(*arguments: str) -> str:
        code, out, said = hil_command("run", "training_job", *arguments)
        assert (code, out) == (2, "")
        return said

    monkeypatch.chdir(tmp_path)
    assert refused("--speed", "10") == "--speed 10: needs --clock wall; lock-step runs as fast as it can\n"
    for speed in ("0", "-2", "nan", "inf"):
        assert refused("--clock", "wall", "--speed", speed) == f"--speed {speed}: must be a positive number\n"
    too_short = "training_job: tick = 50 us: on the wall clock, must be at least 100 us at real time\n"
    assert refused("--clock", "wall", "--set", "tick='50 us'") == too_short
    assert not list(tmp_path.glob("runs/*"))
    scenario = hil.load("training_job")
    with pytest.raises(ValueError, match="only the wall clock has one"):
        hil.run(scenario, speed=10.0)
    with pytest.raises(ValueError, match="must be a positive number"):
        hil.run(scenario, clock="wall", speed=0.0)
    with pytest.raises(ValueError, match="must be 'lockstep' or 'wall'"):
        hil.run(scenario, clock="sundial")
