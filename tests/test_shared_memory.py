"""What two threads share: the primitives in a C program, and the engine's rings where they overflow."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from rig import SET_W
from test_pacer import made, paced

ROOT = Path(__file__).parents[1]


def built(out: Path, *flags: str) -> Path:
    """The C program."""
    command = ["cc", *flags, "-I.", "tests/shared_memory.c", "-pthread", "-o", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120)
    return out


@pytest.mark.realtime
def test_the_primitives(tmp_path):
    program = built(tmp_path / "shared_memory", "-O2", "-Wall", "-Wextra", "-Werror")
    for what in ("image", "ring"):
        done = subprocess.run([program, what], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.realtime
def test_a_record_that_nobody_takes_in_time_drops_the_newest_and_counts_them():
    """Around the ring many times; what is taken and what was dropped is what was offered."""
    engine = made(record={"rate": "1 kHz", "channels": ["load.demand_w"]})
    capacity = engine.record_room
    taken: list[np.ndarray] = []
    with paced(1e6, engine) as run:
        while run.pacer.look() < 2 * capacity:
            pass
        until = time.monotonic() + 0.3
        while len(taken) < 20 or time.monotonic() < until:
            ticks, rows, _ = engine.take_rows()
            assert ticks.size == len(rows)
            taken.append(ticks)
        run.pacer.look()
    while (ticks := engine.take_rows()[0]).size:
        taken.append(ticks)
    ticks = np.concatenate(taken)
    assert np.array_equal(ticks[:capacity], np.arange(1, capacity + 1))
    assert (np.diff(ticks) > 0).all()
    assert engine.dropped_rows > 0
    assert ticks.size + engine.dropped_rows == min(engine.tick, engine.end_tick)


@pytest.mark.realtime
def test_the_load_is_taken_in_its_order_and_what_is_missing_counts_as_an_under_run():
    """Another number in every tick: only without load does one repeat the last; the ring goes around while it is read."""
    engine = made(record={"rate": "1 kHz", "channels": ["load.demand_w"]})
    ring = engine.states["load_ring"].size
    number = 1e6 + 1.0
    taken: list[tuple[np.ndarray, np.ndarray]] = []
    with paced(3000.0, engine) as run:
        while run.pacer.look() < 3 * ring:
            while engine.load_room >= 1000:
                engine.feed(number + np.arange(1000.0))
                number += 1000.0
            taken.append(engine.take_rows()[:2])
    while (last := engine.take_rows()[:2])[0].size:
        taken.append(last)
    ticks, rows = (np.concatenate(part) for part in zip(*taken, strict=True))
    step = np.diff(rows[:, 0])
    assert number < 2**24  # exact in float32
    assert (step >= 0.0).all()
    assert ((step == 0.0) & (np.diff(ticks) == 1)).sum() <= 999 + engine.underruns  # the first second is one number
    assert step.any()


@pytest.mark.realtime
def test_no_more_commands_are_taken_than_there_is_room_for():
    engine = made()
    given = refused = 0
    with paced(100.0, engine) as run:
        until = time.monotonic() + 0.3
        while given < 20_000 or time.monotonic() < until:
            try:
                engine.command(0, SET_W, float(given))
                given += 1
            except OverflowError:
                refused += 1
        while engine.seen["run"][0]["command_tail"] < given:
            run.pacer.look()
    assert engine.states["run"][0]["command_tail"] == given
    assert engine.states["pcs"][0]["set_w"] == given - 1
