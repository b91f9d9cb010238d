"""The thread of the kernel: punctual, and shown to Python one whole tick at a time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest
from rig import BESS, ENABLE, SET_W, document

from hil.kernel.engine import Engine
from hil.kernel.pacer import Pacer
from hil.realtime.evidence import Timing, upper_ns
from hil.scenario.clock import Clock
from hil.scenario.files import from_document
from hil.site.build import build_engine
from hil.verdict.punctuality import late_reasons

PERIOD_NS = 1_000_000
MOST_COMMANDS = 4096
REVERT_W = 2  # a point that only a command changes


def made(**sections: object) -> Engine:
    """An engine with a battery, a second of load in its ring."""
    engine = build_engine(from_document(document(bess={"x": BESS}, **sections)), 1e6)
    engine.feed(np.full(1000, 1e6))
    return engine


class Paced:
    """An engine and its pacer, and the thread in which that runs."""

    def __init__(self, engine: Engine, speed: float) -> None:
        self.engine = engine
        self.fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.pacer = Pacer(engine, speed=speed, fd=self.fd)
        self.start_ns = 0
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self.start_ns = time.monotonic_ns()
        self._thread.start()

    def join(self) -> None:
        self.pacer.stop()
        if self._thread.ident is not None:
            self._thread.join()
        self.pacer.release()
        os.close(self.fd)

    def _run(self) -> None:
        self.pacer.start(self.start_ns)
        self.pacer.run()


@contextmanager
def paced(speed: float, engine: Engine | None = None, *, start: bool = True) -> Iterator[Paced]:
    run = Paced(engine or made(), speed)
    try:
        if start:
            run.start()
        yield run
    finally:
        run.join()


@pytest.mark.realtime
@pytest.mark.parametrize("speed", [0.5, 1.0, 7.0, 50.0, 3000.0])
def test_no_tick_is_run_before_its_deadline(speed):
    with paced(speed) as run:
        seen = 0
        while time.monotonic_ns() < run.start_ns + 150_000_000:
            tick = run.pacer.look()
            assert tick * PERIOD_NS <= (time.monotonic_ns() - run.start_ns) * speed
            assert tick >= seen
            seen = tick
    assert seen > 0


@pytest.mark.realtime
def test_the_deadlines_are_those_of_the_speed():
    engine = made()
    run = Paced(engine, 10.0)
    began = time.monotonic_ns()
    run.pacer.start(began)
    run.pacer.run(2_000)
    assert time.monotonic_ns() - began >= 200_000_000
    run.join()
    assert engine.tick == 2_000
    assert int(run.pacer.timing[0]["ticks"]) == 2_000


def test_ticks_share_a_wake_up_only_faster_than_real_time():
    def together(speed: float, tick: str) -> int:
        engine = made(tick=tick)
        run = Paced(engine, speed)
        run.join()
        return run.pacer.ticks_together

    assert together(1.0, "10 us") == 1
    assert together(10.0, "1 ms") == 1
    assert together(20.0, "1 ms") == 2
    assert together(1e9, "1 ms") == 1024


@pytest.mark.realtime
def test_what_is_looked_at_is_all_of_one_tick():
    """The kernel at full tilt, another demand in every tick; what stands in two places of a picture is the same."""
    engine = made()
    feeding = np.arange(1.0, 8193.0) * 1e3
    with paced(1e6, engine) as run:
        moved = 0
        before = -1
        until = time.monotonic() + 1.5
        while moved < 100 or time.monotonic() < until:
            if engine.load_room >= feeding.size:
                engine.feed(feeding)
            tick = run.pacer.look()
            row = engine.seen["row"]
            assert row[0] == row[1] == engine.value(0) == engine.seen["run"][0]["it_demand_w"]
            assert engine.seen["run"][0]["tick"] == engine.tick == tick
            assert engine.seen["pcs"][0]["heartbeat"] == (tick + 999) // 1000
            moved += tick != before
            before = tick


@pytest.mark.realtime
def test_what_was_commanded_shows_in_the_next_tick_that_is_seen():
    engine = made()
    with paced(300.0, engine) as run:
        for value in range(1, 400):
            tick = run.pacer.look()
            engine.command(0, REVERT_W, float(value))
            while run.pacer.look() == tick:
                pass
            assert engine.seen["pcs"][0]["revert_w"] == value


@pytest.mark.realtime
def test_commands_arrive_all_and_in_order():
    """Many times around the ring while ticks take them out of it."""
    engine = made()
    given = 5 * MOST_COMMANDS
    with paced(1000.0, engine) as run:
        last = 0.0
        for value in range(1, given + 1):
            while True:
                try:
                    engine.command(0, REVERT_W, float(value))
                except OverflowError:
                    continue
                break
            run.pacer.look()
            assert last <= engine.seen["pcs"][0]["revert_w"] <= value
            last = engine.seen["pcs"][0]["revert_w"]
        while engine.seen["run"][0]["command_tail"] < given:
            run.pacer.look()
    assert engine.states["pcs"][0]["revert_w"] == given


def test_the_ring_of_commands_wraps_around():
    engine = made()
    value = 0.0
    for ticks in range(1, 6):
        for _ in range(MOST_COMMANDS - 1):
            value += 1.0
            engine.command(0, REVERT_W, value)
        engine.command(0, SET_W, -value)
        with pytest.raises(OverflowError, match="more than 4096 commands within one tick"):
            engine.command(0, ENABLE, 1.0)
        engine.advance(ticks)
        assert engine.states["pcs"][0]["revert_w"] == value
        assert engine.states["pcs"][0]["set_w"] == -value
    assert engine.states["run"][0]["command_head"] == engine.states["run"][0]["command_tail"] == 5 * MOST_COMMANDS


@pytest.mark.realtime
def test_every_row_is_recorded_and_none_twice():
    engine = made(record={"rate": "1 kHz", "channels": ["load.demand_w"]})
    taken: list[np.ndarray] = []
    with paced(100.0, engine) as run:
        while run.pacer.look() < 20_000:
            if engine.load_room >= 8192:
                engine.feed(np.full(8192, 1e6))
            taken.append(engine.take_rows()[0])
            time.sleep(0.001)
    while (ticks := engine.take_rows()[0]).size:
        taken.append(ticks)
    assert engine.dropped_rows == 0
    assert np.array_equal(np.concatenate(taken), np.arange(1, engine.tick + 1))


@pytest.mark.realtime
def test_the_eventfd_is_written_once_when_the_tick_has_run():
    with paced(10.0) as run:
        for _ in range(50):
            wanted = run.pacer.look() + 7
            run.pacer.wake_at(wanted)
            while True:
                try:
                    count = os.eventfd_read(run.fd)
                except BlockingIOError:
                    time.sleep(0.0001)
                    continue
                break
            assert count == 1
            assert run.pacer.look() >= wanted
        time.sleep(0.01)
        with pytest.raises(BlockingIOError):
            os.eventfd_read(run.fd)


@pytest.mark.realtime
def test_a_closed_run_goes_on_unjudged():
    engine = made()
    with paced(20.0, engine) as run:
        while run.pacer.look() < 100:
            pass
        engine.close()
        closed_after = engine.tick
        while run.pacer.look() < closed_after + 200:
            pass
        assert closed_after <= engine.end_tick < engine.tick
        digest = engine.waveform_hash
        while run.pacer.look() < closed_after + 300:
            pass
        assert engine.waveform_hash == digest
    assert int(run.pacer.timing[0]["ticks"]) >= engine.end_tick


def test_a_run_can_be_closed_before_it_began():
    engine = made()
    with paced(1.0, engine, start=False):
        engine.close()
    assert engine.end_tick == 0


@pytest.mark.realtime
def test_too_short_a_period_is_an_overrun_that_blocks_pass():
    with paced(1e9) as run:
        while run.pacer.look() < 10_000:
            pass
    timing = Timing.of(run.pacer.timing[0], 1e9, 0.001)
    assert timing.overrun_share > 0.9
    assert len(late_reasons(timing, Clock.model_validate({}))) == 1
    assert late_reasons(timing, Clock.model_validate({"overruns": 1.0})) == []


@pytest.mark.realtime
def test_the_histograms_count_every_tick_where_it_belongs():
    engine = made()
    run = Paced(engine, 5.0)
    run.pacer.start(time.monotonic_ns())
    run.pacer.run(500)
    counts = run.pacer.timing[0]
    run.join()
    for kind in ("late", "busy"):
        assert counts[kind].sum() == counts["ticks"] == 500
        last = int(np.flatnonzero(counts[kind])[-1])
        assert upper_ns(last - 1) <= counts[f"{kind}_max_ns"] < upper_ns(last)
    timing = Timing.of(counts, 5.0, 0.001)
    for figures in (timing.lateness_us, timing.tick_us):
        assert 0.0 < figures["p50"] <= figures["p99"] <= figures["p99.9"] <= figures["max"]


def test_bins_are_32_to_an_octave():
    uppers = [upper_ns(place) for place in range(1184)]
    assert uppers[:34] == [*range(1, 33), 33, 34]
    assert uppers[-1] == 2**41
    assert all(1.0 < after / before <= 1 + 1 / 32 for before, after in pairwise(uppers[31:]))


def test_a_run_that_was_never_started_has_no_timing():
    engine = made()
    with paced(1.0, engine, start=False) as run:
        pass
    timing = Timing.of(run.pacer.timing[0], 1.0, 0.001)
    assert (timing.ticks, timing.overrun_share, timing.lateness_us) == (0, 0.0, {})
    engine.advance(10)  # it is the engine's own again
    assert engine.tick == engine.seen["run"][0]["tick"] == 10


def test_what_makes_no_sense_is_refused():
    engine = made()
    for speed in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="must be a positive number"):
            Pacer(engine, speed=speed, fd=-1)
    with pytest.raises(ValueError, match="policy 'wait': must be one of skip, catch_up, abort"):
        Pacer(engine, speed=1.0, fd=-1, policy="wait")
    with paced(1.0, engine, start=False) as run:
        with pytest.raises(RuntimeError, match="a pacer runs the ticks"):
            engine.advance(1)
        with pytest.raises(RuntimeError, match="a pacer runs the ticks"):
            engine.attach_tap(None)
        with pytest.raises(RuntimeError, match="the engine has a pacer"):
            Pacer(engine, speed=1.0, fd=-1)
        engine.parameters["pcs"]["ticks_per_second"] = 0
        with pytest.raises(ValueError, match="ticks_per_second must be positive"):
            run.pacer.run(1)
    with pytest.raises(RuntimeError, match="the pacer was released"):
        run.pacer.run(1)
