"""The emulated inverter's states, timers and limits, to the tick; equations: docs/model.md, "Inverter firmware"."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pcs_reference import Reference
from rig import LOSSLESS, Rig

from firmware_sim.image import FaultPoint, PcsCondition
from firmware_sim.image import PcsPoint as Point

AT_ONCE = {"setpoint_ramp": "100 GW/s", "slew": "100 GW/s", "converter_lag": "0 s"}
BESS = {"rating": "10 MVA", "energy": "1 GWh", **AT_ONCE, **LOSSLESS}
P = "bess.x.power_w"


def rig(ticks: int, bess: dict[str, Any] | None = None, **sections: Any) -> Rig:
    base = {"bess": {"x": {**BESS, **(bess or {})}}, "grid": {"short_circuit": "500 GVA"}}
    return Rig(base | sections, np.full(ticks, 10e6))


def state(run: Rig) -> Any:
    return run.engine.states["pcs"][0]


def started(run: Rig, channel: str = P) -> int:
    """First tick with power."""
    return int(np.flatnonzero(run[channel] != 0.0)[0])


SET = [(0, Point.SET_W, 5e6), (0, Point.SET_ENABLE, 1.0)]


@pytest.mark.parametrize(
    ("keys", "commands", "running_from"),
    [
        ({}, SET, 0),
        ({"initial": "off"}, [*SET, (100, Point.OPERATION, 1)], 100),
        ({"initial": "off", "start_time": "1.5 s"}, [*SET, (100, Point.OPERATION, 1)], 1_600),
        ({"initial": "off", "start_time": "1.5 s"}, [(100, Point.OPERATION, 1), *[(1_900, p, v) for _, p, v in SET]], 1_900),
        ({"initial": "off", "start_time": "1 s"}, [*SET, (100, Point.OPERATION, 2), (1_500, Point.OPERATION, 1)], 1_500),
        ({"initial": "standby"}, [*SET, (700, Point.OPERATION, 1)], 700),
        ({"initial": "standby"}, [(10, Point.OPERATION, 1), (20, Point.SET_ENABLE, 1), (31, Point.SET_W, 5e6)], 31),
        (
            {"initial": "off", "start_time": "1 s"},
            [*SET, (100, Point.OPERATION, 1), (500, Point.OPERATION, 0), (600, Point.OPERATION, 1)],
            1_600,
        ),
        (
            {"initial": "standby", "start_time": "0.5 s"},
            [*SET, (100, Point.OPERATION, 0), (200, Point.OPERATION, 1)],
            700,
        ),
        ({"start_time": "0.5 s"}, [(0, Point.REBOOT, 1.25), *[(1_800, p, v) for _, p, v in SET]], 1_800),
    ],
    ids=[
        "running",
        "off",
        "start",
        "set-point last",
        "start to standby",
        "standby",
        "enable before set-point",
        "start given up",
        "standby to off",
        "reboot",
    ],
)
def test_it_follows_its_set_point_from_the_tick_in_which_it_runs(keys, commands, running_from):
    run = rig(2_500, keys).run(commands)
    assert started(run) == running_from
    assert np.all(run[P][running_from:] == 5e6)
    assert state(run)["state"] == PcsCondition.RUNNING


def test_a_stop_comes_down_at_the_set_points_ramp_law_and_all():
    """And only then it is off; a start in between waits for the end."""
    law = {"a": {"kind": "high_pass", "device": "bess.x", "time": "1000 s"}}
    keys = {"setpoint_ramp": "5 MW/s"}
    load = np.concatenate([np.full(100, 5e6), np.full(3_900, 10e6)])
    run = Rig({"bess": {"x": {**BESS, **keys}}, "absorber": law}, load)
    run.run([(1_000, Point.OPERATION, 0), (1_500, Point.OPERATION, 1)])
    power = run[P]
    assert power[999] == pytest.approx(5e6, rel=0.01)
    down = np.flatnonzero(power[1_000:] == 0.0)[0] + 1_000
    assert np.allclose(np.diff(power[999:down]), -5e3, atol=1e-6)
    assert down == pytest.approx(2_000, abs=10)
    assert power[down + 1] == pytest.approx(5e6, rel=0.01)  # the law is back at once
    assert run["bess.x.setpoint_w"][-1] == 0.0


TIMER = [(0, Point.SET_W, 5e6), (0, Point.REVERT_W, -2e6), (0, Point.REVERT_ENABLE, 1), (0, Point.REVERT_S, 1)]


@pytest.mark.parametrize(
    ("commands", "reverts_at"),
    [
        ([(500, Point.SET_ENABLE, 1)], 1_500),
        ([(500, Point.SET_ENABLE, 1), (1_499, Point.SET_W, 5e6)], 2_499),
        ([(500, Point.SET_ENABLE, 1), (1_500, Point.SET_W, 5e6)], 2_500),  # at the last tick
        ([(500, Point.SET_ENABLE, 1), (1_000, Point.REFRESH, 1)], 2_000),
        ([(500, Point.SET_ENABLE, 1), (600, Point.REVERT_S, 0)], None),
        ([(0, Point.RESTARTS, 4), (500, Point.SET_ENABLE, 1), (900, Point.SET_W, 5e6), (1_000, Point.SET_ENABLE, 1)], 1_500),
        ([(0, Point.RESTARTS, 4), (500, Point.SET_ENABLE, 1), (900, Point.REVERT_S, 2)], 2_900),
        ([(500, Point.SET_ENABLE, 1), (600, Point.LOCAL, 1), (700, Point.SET_W, 5e6), (1_600, Point.LOCAL, 0)], 1_500),
    ],
    ids=[
        "runs out",
        "restarted",
        "restarted at the last tick",
        "refreshed",
        "0 is never",
        "watchdog alone",
        "its own",
        "local",
    ],
)
def test_the_reversion_timer(commands, reverts_at):
    run = rig(4_000).run(sorted([*TIMER, *commands], key=lambda entry: entry[0]))
    assert state(run)["reverted_at"] == (-1 if reverts_at is None else reverts_at)
    assert state(run)["reversions"] == (reverts_at is not None)
    assert run[P][-1] == (5e6 if reverts_at is None else -2e6)
    assert state(run)["revert_at"] == -1


def test_each_of_several_inverters_has_turns_of_its_own():
    """The timer of one, in the middle of a second, is nothing to the other, whose set-point's own stands at the second."""
    sections = {"bess": {"x": BESS, "y": BESS}, "grid": {"short_circuit": "500 GVA"}}
    run = Rig(sections, np.full(4_000, 10e6)).run(sorted([*TIMER, (500, Point.SET_ENABLE, 1)], key=lambda entry: entry[0]))
    alone = rig(4_000).run(sorted([*TIMER, (500, Point.SET_ENABLE, 1)], key=lambda entry: entry[0]))
    assert np.array_equal(run[P], alone[P])
    assert np.all(run["bess.y.power_w"] == 0.0)
    assert run.engine.states["pcs"]["heartbeat"].tolist() == [4, 4]
    assert run.engine.states["pcs"]["reverted_at"].tolist() == [1_500, -1]


def test_in_local_remote_commands_are_refused_and_counted():
    """It runs at 0 W, and takes up what it held when it is remote again."""
    commands = [
        *SET, (100, Point.LOCAL, 1), (200, Point.SET_W, 1e6), (210, Point.OPERATION, 0), (220, Point.CONNECT, 0),
        (230, Point.LIMIT_ENABLE, 3), (240, Point.CONTROLLER_HEARTBEAT, 7), (300, Point.LOCAL, 0),
    ]  # fmt: skip
    run = rig(500).run(commands)
    assert np.all(run[P][:100] == 5e6)
    assert np.all(run[P][100:300] == 0.0)
    assert np.all(run[P][300:] == 5e6)
    assert (state(run)["refused"], state(run)["controller_heartbeat"]) == (4, 7)


@pytest.mark.parametrize(
    ("charge_w", "discharge_w", "enable", "set_w", "power_w"),
    [
        (2e6, 3e6, 0, 5e6, 5e6),
        (2e6, 3e6, 2, 5e6, 3e6),
        (2e6, 3e6, 2, -5e6, -5e6),
        (2e6, 3e6, 1, -5e6, -2e6),
        (0.0, 0.0, 3, 5e6, 0.0),
        (2e6, -4e6, 2, 5e6, -4e6),  # a negative limit forces the other direction: GEN24's OutWRte < 0
        (-4e6, 1e7, 3, -5e6, 4e6),
        (-4e6, 1e6, 3, 5e6, 1e6),
        (1e6, -4e6, 3, 5e6, -1e6),  # they contradict each other: the one nearer to nothing
        (1e9, -1e9, 2, 0.0, -1e7),  # within what it can
    ],
)
def test_power_limits(charge_w, discharge_w, enable, set_w, power_w):
    points = (Point.LIMIT_CHARGE_W, Point.LIMIT_DISCHARGE_W, Point.LIMIT_ENABLE, Point.SET_W, Point.SET_ENABLE)
    values = (charge_w, discharge_w, enable, set_w, 1.0)
    run = rig(100).run([(20, point, value) for point, value in zip(points, values, strict=True)])
    assert np.all(run[P][20:] == power_w)
    assert state(run)["limited"] == (power_w != set_w)


def test_limits_have_a_timer_and_a_ramp_of_their_own():
    """RmpTms: the time to go over the whole range. At expiry they ramp away again."""
    commands = [
        (0, Point.LIMIT_RAMP_S, 0.1), *SET,
        *[(500, p, v) for p, v in ((Point.LIMIT_DISCHARGE_W, 1e6), (Point.LIMIT_REVERT_S, 1), (Point.LIMIT_ENABLE, 2))],
    ]  # fmt: skip
    run = rig(2_000).run(commands)
    falling = 1e7 - 1e5 * np.arange(1, 91)  # 10 MW in 100 ticks
    assert np.allclose(run[P][500:590], np.minimum(5e6, falling), rtol=1e-12)
    assert np.all(run[P][590:1_500] == pytest.approx(1e6))
    assert run[P][1_500] == pytest.approx(1.1e6)
    assert np.all(run[P][1_540:] == 5e6)
    assert state(run)["limit_reversions"] == 1


def test_the_contactor_opens_at_once_and_closes_when_its_timer_expires():
    keys = {"setpoint_ramp": "100 MW/s", "converter_lag": "50 ms"}
    run = rig(3_000, keys).run([*SET, (1_000, Point.CONNECT_REVERT_S, 1), (1_000, Point.CONNECT, 0)])
    assert run[P][999] == pytest.approx(5e6)
    assert np.all(run[P][1_000:2_000] == 0.0)
    assert 0.0 < run[P][2_000] < 1e5  # from nothing, at its ramp and lag
    assert run[P][-1] == pytest.approx(5e6)
    assert (state(run)["connected"], state(run)["connect_reversions"]) == (1, 1)


def test_a_fault_is_latched_until_it_is_reset_and_its_cause_is_gone():
    commands = [
        *SET, (100, FaultPoint.TRIP, 1), (200, Point.RESET, 1), (300, FaultPoint.TRIP, 0), (400, Point.RESET, 1),
        (500, FaultPoint.TRIP, 1), (500, Point.OPERATION, 2), (501, FaultPoint.TRIP, 0), (502, Point.RESET, 1),
        (600, Point.OPERATION, 1),
    ]  # fmt: skip
    run = rig(1_000, {"converter_lag": "20 ms"}).run(commands)
    dead = run[P] == 0.0
    assert not dead[:100].any()
    assert dead[100:400].all()
    assert not dead[400:500].any()
    assert dead[500:600].all()
    assert not dead[600:].any()
    assert (state(run)["fault"], state(run)["state_at"]) == (0, 600)


def test_a_reboot_forgets_what_is_volatile():
    keys = {"initial": "standby", "start_time": "0.25 s"}
    commands = [
        (0, Point.OPERATION, 1), *SET, (0, Point.REVERT_S, 9), (0, Point.RESTARTS, 4), (0, Point.LIMIT_ENABLE, 1),
        (500, Point.REBOOT, 1.0), (1_000, Point.SET_W, 1e6), (1_499, Point.OPERATION, 1), (1_500, Point.OPERATION, 2),
    ]  # fmt: skip
    run = rig(3_000, keys).run(commands)
    assert np.all(run[P][:500] == 5e6)
    assert np.all(run[P][500:] == 0.0)
    after = state(run)
    assert (after["state"], after["state_at"], after["refused"]) == (PcsCondition.STANDBY, 1_750, 3)
    assert [after[name] for name in ("set_w", "set_enable", "revert_s", "limit_enable", "restarts")] == [0, 0, 0, 0, 4]
    assert after["heartbeat"] == 1  # anew


# --- Whatever is commanded ---

WATTS = st.integers(-12, 12).map(lambda mw: mw * 1e6)
VALUES = {
    **dict.fromkeys((Point.SET_W, Point.REVERT_W, Point.LIMIT_CHARGE_W, Point.LIMIT_DISCHARGE_W), WATTS),
    **dict.fromkeys(
        (Point.SET_ENABLE, Point.REVERT_ENABLE, Point.CONNECT, Point.RESET, Point.REFRESH), st.sampled_from([0, 1])
    ),
    **dict.fromkeys((Point.REVERT_S, Point.LIMIT_REVERT_S, Point.CONNECT_REVERT_S), st.integers(0, 2)),
    Point.LOCAL: st.sampled_from([0, 0, 1]),
    Point.OPERATION: st.sampled_from([0, 1, 1, 2]),
    Point.LIMIT_ENABLE: st.integers(0, 3),
    Point.RESTARTS: st.integers(0, 7),
    Point.REBOOT: st.sampled_from([0.0, 0.3, 1.0]),
    **dict.fromkeys((FaultPoint.TRIP, FaultPoint.CONTACTOR, FaultPoint.PLL, FaultPoint.DEAD), st.sampled_from([0, 0, 1])),
}
PLANS = st.lists(
    st.sampled_from(list(VALUES)).flatmap(lambda point: st.tuples(st.integers(0, 59), st.just(point), VALUES[point])),
    max_size=25,
).map(lambda plan: sorted(((50 * at, int(point), float(value)) for at, point, value in plan), key=lambda entry: entry[0]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PLANS, st.sampled_from(["running", "standby", "off"]))
def test_it_does_what_an_independent_model_does(plan, initial):
    keys = {"start_time": "0.2 s", "resync_time": "0.15 s", "initial": initial}
    run = rig(3_000, keys).run(plan)
    model = Reference(1_000, 200, 150, {"off": 0, "running": 1, "standby": 2}[initial])
    expected = [model.step(tick, [(p, v) for at, p, v in plan if at == tick]) for tick in range(3_000)]
    assert np.array_equal(run[P], np.array(expected))
    assert state(run)["refused"] == model.refused


ANY = st.lists(
    st.tuples(
        st.integers(0, 1_990), st.sampled_from([*Point, *FaultPoint]), st.one_of(st.integers(-1, 3), st.floats(-2e7, 2e7))
    ),
    max_size=20,
).map(lambda plan: sorted(plan, key=lambda entry: entry[0]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY)
def test_a_turn_more_changes_nothing(plan):
    """In strides its firmware has its turn when it is due; tick by tick always."""
    keys = {"bess": {"x": {"rating": "10 MVA", "energy": "2 MWh", "start_time": "0.1 s", "ambient": "48 degC"}}}
    strides, always = (Rig(keys, np.full(2_000, 10e6)) for _ in range(2))
    strides.run(plan)
    always.run(plan, sample_grid_every=1)
    assert np.array_equal(strides.rows, always.rows)
    for name in ("pcs", "faults", "battery", "converter"):
        for field in strides.engine.states[name].dtype.names:
            if field != "due_at":
                assert strides.engine.states[name][field] == always.engine.states[name][field], field
