"""Eco mode, test of the battery and fault of the inverter of an emulated UPS (docs/model.md, "UPS")."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ups_support import Point, dip, first, rig

from firmware_sim.image import UpsTest

LOAD = 5e6
ECO = {"eco": True, "bypass_return": "0.5 s", "qualify": "0.2 s", "walk_in": "0.5 s"}


def firmware(run: Any) -> Any:
    return run.engine.states["ups"][0]


def spans(mode: np.ndarray) -> list[tuple[int, int]]:
    """Where a mode begins, and which."""
    begins = [0, *(np.flatnonzero(np.diff(mode)) + 1)]
    return [(int(at), int(mode[at])) for at in begins]


def test_eco_feeds_the_load_by_the_bypass_and_recharges_on():
    run = rig(np.full(3_000, LOAD), {**ECO, "soc": 0.5}).run()
    assert spans(run["ups.a.mode"]) == [(0, 2), (500, 4)]
    assert np.all(run["ups.a.battery_w"][501:] == pytest.approx(-0.6e6))
    assert np.all(run["ups.a.output_voltage_pu"][500:] == run["bus.voltage_pu"][500:])
    assert np.mean(run["ups.a.input_w"][2_000:]) < np.mean(run["ups.a.input_w"][200:400]) - 0.05e6  # its losses


@pytest.mark.parametrize(
    ("residual", "modes"), [(0.87, [4, 2, 4]), (0.3, [4, 2, 3, 2, 4])], ids=["bypass window left", "line lost"]
)
def test_eco_goes_to_the_inverter_in_the_tick_that_sees_the_line_leave(residual, modes):
    run = rig(np.full(6_000, LOAD), ECO, [dip(2.0, 0.3, residual)]).run()
    found = [(at, mode) for at, mode in spans(run["ups.a.mode"]) if at >= 500]
    assert [mode for _, mode in found] == modes
    assert found[1][0] == 2_001  # what the tick before has measured
    output = run["ups.a.output_voltage_pu"]
    assert output[2_000] == pytest.approx(residual, rel=0.01)
    assert np.all(output[2_001:2_300] == 1.0)
    if residual > 0.5:
        assert found[2][0] == 2_300 + 501


def test_eco_is_switched_on_and_off():
    run = rig(np.full(3_000, LOAD), {**ECO, "eco": False}).run([(1_000, Point.ECO, 1), (2_000, Point.ECO, 0)])
    assert spans(run["ups.a.mode"]) == [(0, 2), (1_000, 4), (2_000, 2)]


TEST = (1_000, Point.TEST, 2.0)


@pytest.mark.parametrize(
    ("keys", "commands", "events", "ends", "result"),
    [
        ({}, [TEST], [], 3_000, UpsTest.PASSED),
        ({}, [TEST, (1_500, Point.TEST, 0)], [], 1_500, UpsTest.ABORTED),
        ({}, [TEST], [dip(1.6, 0.1, 0.3)], 1_605, UpsTest.ABORTED),
        ({"soc": 0.25, "autonomy": "12 s"}, [TEST], [], None, UpsTest.FAILED),
        ({}, [TEST, (1_400, Point.OPERATION, 0)], [], 1_400, UpsTest.ABORTED),
        ({}, [TEST, (1_400, Point.BYPASS, 1)], [], 1_400, UpsTest.ABORTED),
        ({"soc": 0.1}, [TEST], [], 1_000, UpsTest.ABORTED),
        (ECO, [TEST], [], 3_000, UpsTest.PASSED),
        ({}, [TEST, (2_500, Point.TEST, 2.0)], [], 3_000, UpsTest.PASSED),  # a second order meanwhile is not heard
    ],
    ids=["passed", "ended", "line lost", "low battery", "switched off", "bypass", "not begun", "from eco", "twice"],
)
def test_the_battery_is_tested(keys, commands, events, ends, result):
    run = rig(np.full(5_000, LOAD), keys, events).run(commands)
    state, testing = firmware(run), run["ups.a.mode"] == 5
    assert state["test"] == result
    at = [int(state["log_at"][k]) for k in range(int(state["log_count"])) if state["log_code"][k] in (20, 21, 23)]
    if ends is None:
        ends = first(run["ups.a.soc"] <= 0.2) + 2  # its alarm in the next tick, and the end in the one after
    assert at == [ends]
    switched_off = any(point == Point.OPERATION for _, point, _ in commands)  # seen by the test a tick later
    assert np.all(testing[1_000 : ends - switched_off])
    assert not testing[:1_000].any()
    assert not testing[ends + 1 :].any()
    inside = slice(1_000, ends - 1)
    assert np.all(run["ups.a.input_w"][inside] == 0.0)
    assert np.all(run["ups.a.battery_w"][inside] > LOAD)
    if not switched_off:
        assert np.all(run["ups.a.output_w"] > 0.98 * LOAD)


def test_an_overload_ends_a_test_without_a_verdict_on_the_battery():
    """It is given up for the load's sake."""
    run = rig(np.concatenate([np.full(1_500, LOAD), np.full(2_500, 10e6)])).run([TEST])
    over = first(run["ups.a.mode"] == 1)
    assert 1_500 < over < 3_000
    assert np.all(run["ups.a.mode"][1_000:over] == 5)
    assert firmware(run)["test"] == UpsTest.ABORTED


def test_a_ups_switched_on_with_its_bypass_ordered_is_on_it_at_once():
    run = rig(np.full(3_000, LOAD)).run([(500, Point.OPERATION, 0), (700, Point.BYPASS, 1), (1_000, Point.OPERATION, 1)])
    assert spans(run["ups.a.mode"]) == [(0, 2), (500, 0), (1_000, 1)]


def test_a_tested_ups_walks_in_again():
    run = rig(np.full(6_000, LOAD)).run([TEST])
    assert run["ups.a.rectifier"][3_000] == 2.0
    assert run["ups.a.walk_in_share"][3_999] == pytest.approx(0.5, abs=0.001)
    assert run["ups.a.mode"][-1] == 2


@pytest.mark.parametrize(("window", "mode"), [(0.1, 1), (0.05, 0)], ids=["bypass", "no bypass"])
def test_a_fault_of_the_inverter_is_latched(window, mode):
    commands = [(1_000, Point.FAULT, 1), (2_000, Point.RESET, 1), (3_000, Point.FAULT, 0), (4_000, Point.RESET, 1)]
    grid = {"short_circuit": "500 GVA", "area": "1000 GVA", "source": 0.93}
    run = rig(np.full(12_000, LOAD), {"bypass_window": window}, grid=grid).run(commands)
    assert spans(run["ups.a.mode"])[:2] == [(0, 2), (1_000, mode)]
    assert np.all(run["ups.a.mode"][1_000:4_000] == mode)
    assert run["ups.a.mode"][-1] == 2
    assert (firmware(run)["fault"], firmware(run)["inverter_bad"]) == (0, 0)


def test_an_overload_shows_before_it_acts():
    run = rig(np.concatenate([np.full(1_000, LOAD), np.full(1_000, 8e6)])).run()
    assert firmware(run)["overload"] == 1
    assert run["ups.a.mode"][-1] == 2
