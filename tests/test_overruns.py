"""Ticks that come too late: what each policy does, and that no limit is judged by them."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from rig import BESS, Rig, document
from ups_support import dip
from ups_support import rig as ups_rig

from hil.kernel.engine import Engine
from hil.kernel.pacer import Pacer
from hil.scenario.files import from_document
from hil.site.build import build_engine

TICKS = 3_000
REVERT_W = 2  # a point that only a command changes


def walk(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 20e6 + np.cumsum(rng.normal(0, 1.5e5, TICKS))


class Late:
    """A site whose limits take some ticks for no evidence."""

    def __init__(self, limit: dict, moments: list[int]) -> None:
        site = {"limits": [limit], "measurement": {"window": "5 ms"}, "grid": {"short_circuit": "100 MVA"}}
        self.rig = Rig(site, walk(1))
        engine = self.rig.engine
        look_back = int(engine.parameters["limits"][0]["look_back_ticks"])
        self.suspect = np.zeros(TICKS, bool)
        engine.feed(self.rig.load_w[:4096])
        for moment in [*moments, TICKS]:
            engine.advance(moment)
            if moment < TICKS:
                until = moment + 1 + look_back
                for states in (engine.states["limits"], engine.states["run"]):
                    states["suspect_until"] = np.maximum(states["suspect_until"], until)
                self.suspect[moment:until] = True
        self.state = engine.states["limits"][0]

    def check(self, held: np.ndarray, first: int, bound: float, *, upper: bool) -> None:
        """held: sustained values from tick `first` on."""
        judged = ~self.suspect[first:]
        outside = held > bound if upper else held < bound
        side, worst = ("highest", np.argmax) if upper else ("lowest", np.argmin)
        place = np.flatnonzero(judged)[worst(held[judged])]
        assert self.state[side] == held[place]
        assert self.state[f"{side}_tick"] == place + first
        assert self.state["beyond_ticks"] == (outside & judged).sum() > 0
        assert self.state["first_tick"] == np.flatnonzero(outside & judged)[0] + first
        assert self.state["suspect_beyond_ticks"] == (outside & ~judged).sum() > 0
        assert self.state["suspect_ticks"] == self.suspect.sum()
        assert self.state["valid_ticks"] == TICKS - self.suspect.sum()


MOMENTS = [200, 201, 202, 640, 1500, 2400]


def channel(name: str) -> np.ndarray:
    return Rig({"measurement": {"window": "5 ms"}, "grid": {"short_circuit": "100 MVA"}}, walk(1)).run()[name]


@pytest.mark.parametrize("delay", [0, 30])
def test_a_level_is_not_judged_while_a_late_tick_is_within_its_delay(delay):
    windows = np.lib.stride_tricks.sliding_window_view(channel("pcc.voltage_lowest_measured_pu"), delay + 1)
    held = windows.max(axis=1)
    low = float(np.quantile(held, 0.4))
    late = Late({"name": "27", "kind": "undervoltage", "min": low, "delay": f"{delay} ms"}, MOMENTS)
    assert late.suspect.sum() == len(MOMENTS) + delay * (len(MOMENTS) - 2)
    late.check(held, delay, low, upper=False)


def test_a_window_that_holds_a_late_tick_is_not_judged():
    padded = np.concatenate([np.full(100, np.nan), channel("pcc.power_measured_w")])  # a closed window of 101 samples
    windows = np.lib.stride_tricks.sliding_window_view(padded, 101)
    span = np.nanmax(windows, axis=1) - np.nanmin(windows, axis=1)
    high = round(float(np.quantile(span, 0.6)))
    late = Late({"name": "p2p", "kind": "peak_to_peak", "max": f"{high} W", "window": "100 ms"}, MOMENTS)
    late.check(span, 0, high, upper=True)


def test_ramp_and_rocof_look_back_as_far_as_their_windows():
    site = document(
        limits=[
            {"name": "ramp", "kind": "ramp", "max": "1 MW/min", "window": "60 s", "mean": "1 s"},
            {"name": "rocof", "kind": "rocof", "max": "1 Hz/s", "window": "500 ms", "delay": "100 ms"},
            {"name": "swing", "kind": "peak_to_peak", "max": "1 MW", "window": "5 s"},
        ]
    )
    engine = build_engine(from_document(site), 1e6)
    assert engine.parameters["limits"]["look_back_ticks"].tolist() == [61_000, 600, 5_000]


def test_a_violation_that_outlasts_a_late_tick_counts_from_where_it_is_judged_again():
    late = Late({"name": "27", "kind": "undervoltage", "min": 0.99999, "delay": "0 s"}, [0, 1, 2])
    assert late.state["first_tick"] == 3
    assert late.state["excursions"] == 1
    assert late.state["beyond_ticks"] == TICKS - 3
    middle = Late({"name": "27", "kind": "undervoltage", "min": 0.99999, "delay": "0 s"}, [100, 101])
    assert middle.state["excursions"] == 1  # it went on: two late ticks do not make two of it
    assert middle.state["beyond_ticks"] == TICKS - 2


SPELL = {"name": "t", "kind": "on_battery", "node": "ups.a", "max": "0.1 s"}
BACK = {"name": "r", "kind": "recovery", "node": "ups.a", "max": "0.1 s"}


@pytest.mark.parametrize(
    ("limit", "moment", "excursions", "suspect"),
    [
        (SPELL, 1_100, 1, (300, 1_000)),  # the first of two spells is no evidence, from there to its end
        ({**SPELL, "counts": "total"}, 1_100, 0, (1_900, 1_900)),  # and the sum of both never again
        (SPELL, 500, 2, (1, 1)),  # before either
        (BACK, 1_250, 1, (100, 1_000)),  # while it recovers from the first of two dips
    ],
    ids=["spell", "total", "before", "recovery"],
)
def test_a_time_that_holds_a_late_tick_is_not_judged(limit, moment, excursions, suspect):
    """On battery, or until the power is back: as long as what is counted goes on."""
    dips = [dip(1.0, 0.2, 0.3), dip(2.5, 0.2, 0.3)]
    engine = ups_rig(np.full(TICKS, 3e6), {"qualify": "200 ms", "walk_in": "300 ms"}, dips, limits=[limit]).engine
    engine.feed(np.full(TICKS, 3e6))
    engine.advance(moment)
    for states in (engine.states["limits"], engine.states["run"]):
        states["suspect_until"] = np.maximum(states["suspect_until"], moment + 1)
    engine.advance(TICKS)
    state = engine.states["limits"][0]
    assert state["excursions"] == excursions
    assert suspect[0] <= state["suspect_ticks"] <= suspect[1]
    assert engine.states["run"]["suspect_until"][0] >= moment + state["suspect_ticks"]


# --- The pacer. A start that lies in the past makes it late by as much, on any machine. ---


def made(**sections: object) -> Engine:
    engine = build_engine(from_document(document(bess={"x": BESS}, **sections)), 1e6)
    engine.feed(np.linspace(1e6, 2e6, 1000))
    return engine


def behind(engine: Engine, late_s: float, ticks: int, **settings: object) -> Pacer:
    """Run ticks that are already late by up to `late_s`."""
    fd = os.eventfd(0, os.EFD_NONBLOCK)
    try:
        pacer = Pacer(engine, speed=1.0, fd=fd, **settings)
        pacer.start(time.monotonic_ns() - round(late_s * 1e9))
        pacer.run(ticks)
        pacer.release()
    finally:
        os.close(fd)
    return pacer


def in_lockstep(ticks: int) -> str:
    engine = made()
    engine.advance(ticks)
    return engine.waveform_hash


SETTINGS = [
    {"policy": "skip"},
    {"policy": "catch_up", "catch_up_s": 10.0},
    {"policy": "catch_up", "catch_up_s": 0.05},
    {"policy": "abort", "budget_s": 30.0},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=["skip", "catch_up", "bounded", "abort"])
def test_every_tick_is_run_and_counted_whatever_the_policy(settings):
    engine = made()
    pacer = behind(engine, 0.2, 300, **settings)
    timing = pacer.timing[0]
    assert engine.tick == timing["ticks"] == timing["late"].sum() == timing["busy"].sum() == 300
    assert engine.waveform_hash == in_lockstep(300)
    assert timing["overruns"] >= 199
    assert timing["late_max_ns"] >= 199e6
    first, ticks, late_ns = pacer.take_overruns()[0]
    assert (first, late_ns) == (0, timing["late_max_ns"])
    assert 199 <= ticks <= timing["overruns"]
    assert timing["aborted_tick"] == -1


def test_skip_makes_up_in_one_wake_up_for_all_that_is_due():
    assert behind(made(), 0.2, 200, policy="skip").timing[0]["wake_ups"] == 1


def test_catch_up_gives_each_tick_its_own_exchange():
    assert behind(made(), 0.2, 200, policy="catch_up", catch_up_s=60.0).timing[0]["wake_ups"] == 200


def test_catch_up_skips_what_is_beyond_its_bound():
    timing = behind(made(), 0.2, 200, policy="catch_up", catch_up_s=0.05).timing[0]
    assert timing["wake_ups"] <= 51  # 150 at once, then one by one


def test_abort_closes_the_run_and_goes_on_unjudged():
    engine = made()
    pacer = behind(engine, 0.2, 300, policy="abort", budget_s=0.1)
    assert engine.end_tick == pacer.timing[0]["aborted_tick"] == 0
    assert engine.tick == 300
    assert pacer.timing[0]["late_max_ns"] >= 199e6  # what it was closed for is told
    assert pacer.take_overruns()[0][0] == 0


def test_ticks_beyond_the_budget_are_counted_and_make_limits_wait():
    limit = {"name": "59", "kind": "overvoltage", "max": 1.2, "delay": "10 ms"}
    engine = made(limits=[limit])
    timing = behind(engine, 0.2, 900, budget_s=0.1).timing[0]
    assert timing["beyond_budget"] >= 99
    state = engine.states["limits"][0]
    assert state["suspect_ticks"] >= timing["beyond_budget"] + 10
    assert state["valid_ticks"] + state["suspect_ticks"] == 900


def test_a_thread_that_never_sleeps_gives_its_priority_back():
    engine = made()
    fd = os.eventfd(0, os.EFD_NONBLOCK)
    pacer = Pacer(engine, speed=1e9, fd=fd)
    pacer.start(time.monotonic_ns() - 3600 * 10**9)
    pacer.run(3_000_000, prior=True)
    pacer.release()
    os.close(fd)
    assert 0 < pacer.timing[0]["demoted_tick"] <= 3_000_000


def test_overruns_that_nobody_takes_fill_their_ring_and_no_more():
    engine = made()
    fd = os.eventfd(0, os.EFD_NONBLOCK)
    pacer = Pacer(engine, speed=1.0, fd=fd)
    for until in range(3, 3 * 1200, 3):
        pacer.start(time.monotonic_ns() - 3_500_000)  # three ticks late each time
        pacer.run(until)
    taken = pacer.take_overruns()
    assert len(taken) == 1024
    assert [first for first, _, _ in taken[:3]] == [0, 3, 6]
    assert pacer.take_overruns() == []
    assert pacer.overruns_lost == 1199 - 1024
    pacer.start(time.monotonic_ns() - 3_500_000)
    pacer.run(3 * 1200)
    assert [first for first, _, _ in pacer.take_overruns()] == [3 * 1199]
    pacer.release()
    os.close(fd)


# --- Commands. ---


def test_a_command_says_when_it_was_given_and_taken():
    engine = made()
    engine.command_valid_ticks = 7
    engine.advance(40)
    engine.command(0, REVERT_W, 5.0)
    engine.command(0, REVERT_W, 6.0)
    engine.advance(41)
    taken = engine.states["commanded"][0]
    assert [int(taken[name]) for name in ("sequence", "given_tick", "taken_tick", "valid_until", "void")] == [2, 40, 40, 47, 0]
    assert engine.states["run"][0]["command_age_max"] == 0


@pytest.mark.parametrize(("valid_ticks", "void"), [(49, 1), (50, 0)])
def test_a_command_given_on_an_old_picture_is_void(valid_ticks, void):
    """Who gives it has not looked for 50 ticks: what it goes by is as old."""
    engine = made()
    engine.command_valid_ticks = valid_ticks
    fd = os.eventfd(0, os.EFD_NONBLOCK)
    pacer = Pacer(engine, speed=1.0, fd=fd)
    pacer.start(time.monotonic_ns() - 10**9)
    pacer.run(50)
    assert engine.tick == 0  # as last seen
    engine.command(0, REVERT_W, 5.0)
    pacer.run(60)
    pacer.release()
    os.close(fd)
    taken = engine.states["commanded"][0]
    assert (taken["void"], taken["sequence"]) == (void, 1 - void)
    assert engine.states["run"][0]["commands_void"] == void
    assert engine.states["run"][0]["command_age_max"] == 50
    assert engine.states["pcs"][0]["revert_w"] == (0.0 if void else 5.0)


# --- The copy that is rehearsed with. ---


def test_a_twin_runs_as_its_engine_does_and_leaves_it_alone():
    engine = made()
    engine.advance(100)
    before = {name: array.copy() for name, array in engine.states.items()}
    twin = engine.twin()
    twin.advance(300)
    for name, array in engine.states.items():
        assert np.array_equal(array.view(np.uint8), before[name].view(np.uint8)), name
    engine.advance(300)
    assert twin.waveform_hash != in_lockstep(300)  # its hash begins with it
    for name in ("battery", "network", "pcs", "row"):
        assert np.array_equal(twin.states[name].view(np.uint8), engine.states[name].view(np.uint8)), name
