"""Decisions of a UPS's firmware, to the tick, written from docs/model.md, "UPS"."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rig import H
from ups_support import INPUT_LIMIT, RECTIFIER_LOSS, Point, dc, dip, first, rig

from firmware_sim.image import FaultPoint


def logged(run) -> list[tuple[int, int]]:
    """Entries of the firmware's log: tick and code."""
    state = run.engine.states["ups"][0]
    return [(int(state["log_at"][k]), int(state["log_code"][k])) for k in range(int(state["log_count"]))]


# --- Line, counter ---


@pytest.mark.parametrize("ticks", [3, 4, 5, 6])
def test_what_is_shorter_than_the_transfer_time_is_ridden_through(ticks):
    run = rig(np.full(2_000, 5e6), events=[dip(1.0, ticks * H, 0.3)]).run()
    assert run.engine.states["ups"][0]["disturbances_total"] == (1 if ticks > 4 else 0)
    assert np.all(run["ups.a.output_voltage_pu"] == 1.0)
    assert (run["ups.a.mode"] == 3).any() == (ticks > 4)


def test_a_dip_of_one_phase_is_seen_and_so_is_frequency():
    run = rig(np.full(2_000, 5e6), events=[dip(1.0, 0.1, 0.5, fault="ag")]).run()
    assert first(run["ups.a.line_ok"] == 0.0) == 1_005
    area = {"short_circuit": "500 GVA", "area": "1 GVA", "inertia": "0.5 s", "governor_limit": 0.0}
    loss = {"kind": "generation_loss", "at": "0.5 s", "power": "500 MW"}
    run = rig(np.full(2_000, 5e6), {"input_frequency": "0.5 Hz"}, [loss], grid=area).run()
    lost = first(run["ups.a.line_ok"] == 0.0)
    assert first(run["pcc.frequency_measured_hz"] < 59.5) == lost - 5


def test_the_line_must_be_good_without_a_break():
    """A second dip within the qualification starts it anew."""
    run = rig(np.full(5_000, 5e6), events=[dip(1.0, 0.06, 0.3), dip(1.9, 0.002, 0.3)]).run()
    assert first(run["ups.a.rectifier"] == 2) == 1_902 + 1 + 1_000
    assert run.engine.states["ups"][0]["disturbances_total"] == 1  # 2 ms: no disturbance of its own


SIX_DIPS = [dip(0.5 + 16.4 * k, 0.05, 0.3) for k in range(6)]


@pytest.mark.parametrize(("window_s", "third"), [(30, None), (32.799, None), (32.8, 2), (60, 2), (90, 2)])
def test_ten_july_2024(window_s, third):
    """Six dips in 82 s: three within one minute take the UPS off the grid at the third, for good."""
    keys = {"counter": True, "counter_disturbances": 3, "counter_window": f"{window_s} s", "autonomy": "5 min"}
    run = rig(np.full(100_000, 5e6), keys, SIX_DIPS).run()
    counted = [500 + 5 + 16_400 * k for k in range(6)]
    assert run.engine.states["ups"][0]["disturbances_total"] == 6
    if third is None:
        assert not run["ups.a.latched"].any()
        assert np.max(run["ups.a.disturbances"]) == 2
        assert run["ups.a.mode"][-1] == 2
        return
    assert first(run["ups.a.latched"] == 1.0) == counted[third]
    assert (counted[third], 16) in logged(run)
    assert np.all(run["ups.a.input_w"][counted[third] :] == 0.0)  # it stays off, whatever the line does
    assert np.all(run["ups.a.mode"][counted[third] :] == 3)


def test_only_a_reset_releases_the_latch():
    keys = {"counter": True, "counter_disturbances": 1, "qualify": "2 s"}
    run = rig(np.full(12_000, 5e6), keys, [dip(0.5, 0.05, 0.3)])
    run.run([(4_000, Point.COUNTER, 0.0), (6_000, Point.RESET_DISTURBANCES, 1.0)])
    assert np.all(run["ups.a.latched"][505:6_000] == 1.0)
    assert np.all(run["ups.a.latched"][6_000:] == 0.0)
    assert first(run["ups.a.input_w"] > 0.0, 600) == 6_000  # the line has long been good
    assert run["ups.a.mode"][-1] == 2


def test_the_counter_can_be_switched_on_and_off():
    events = [dip(at, 0.05, 0.3) for at in (0.5, 1.0, 1.5)]
    keys = {"counter_disturbances": 2}
    for commands, count, latched in (([], 0, 0), ([(700, Point.COUNTER, 1.0)], 2, 1), ([(1_200, Point.COUNTER, 1.0)], 1, 0)):
        run = rig(np.full(2_500, 5e6), keys, events).run(commands)
        assert (run["ups.a.disturbances"][-1], run["ups.a.latched"][-1]) == (count, latched)


# --- Rectifier ---


def test_walk_in_settings_act_at_once():
    """A delay is lengthened while it runs, a walk-in slowed while it rises."""
    commands = [(1_000, Point.WALK_IN_DELAY_S, 1.0), (2_500, Point.WALK_IN_DELAY_S, 2.0), (4_561, Point.WALK_IN_S, 4.0)]
    run = rig(np.full(9_000, 5e6), events=[dip(1.0, 0.06, 0.3)]).run(commands)
    share = run["ups.a.walk_in_share"]
    begins = 1_061 + 1_000 + 2_000
    assert np.all(share[2_061:begins] == 0.0)
    assert np.all(run["ups.a.rectifier"][2_061:begins] == 2)
    assert share[begins : begins + 500] == pytest.approx(np.arange(1, 501) / 2_000, abs=1e-12)
    assert share[begins + 500 : begins + 3_499] == pytest.approx(0.25 + np.arange(1, 3_000) / 4_000, abs=1e-12)
    assert first(run["ups.a.rectifier"] == 3, begins) == begins + 3_499


def test_no_walk_in_is_a_step():
    run = rig(np.full(3_000, 5e6), {"walk_in": "0 s"}, [dip(1.0, 0.06, 0.3)]).run()
    need = (dc(5e6) + 0.6e6 * min(1.0, (1.0 - run["ups.a.soc"][2_060]) / 0.05)) / (1.0 - RECTIFIER_LOSS)
    assert run["ups.a.input_w"][2_060] == 0.0
    assert run["ups.a.input_w"][2_061] == pytest.approx(need, rel=1e-6)


def test_recharge_is_set_within_its_limit():
    commands = [(100, Point.RECHARGE_W, 0.2e6), (200, Point.RECHARGE_W, 9e9), (300, Point.RECHARGE_W, -1.0)]
    run = rig(np.full(400, 5e6), {"soc": 0.5}).run(commands)
    for begin, power in ((0, 0.6e6), (100, 0.2e6), (200, 0.6e6), (300, 0.0)):
        assert run["ups.a.battery_w"][begin : begin + 100] == pytest.approx(-power, rel=1e-9)


# --- Support ---


def test_support_takes_load_off_the_grid_and_ends_of_itself():
    run = rig(np.full(9_000, 5e6), {"support_timeout": "2 s"})
    run.run([(1_000, Point.SUPPORT_W, 1e6), (2_500, Point.SUPPORT_W, 1e6), (6_000, Point.SUPPORT_W, 9e6)])
    battery, seen = run["ups.a.battery_w"], run["ups.a.input_w"] * (1.0 - RECTIFIER_LOSS)
    assert np.all(battery[:1_000] == 0.0)
    assert battery[1_000:4_500] == pytest.approx(1e6, rel=1e-9)
    assert seen[1_000:4_500] == pytest.approx(dc(5e6) - 1e6, rel=1e-9)
    assert np.all(battery[4_500:6_000] <= 0.0)
    assert battery[6_000:8_000] == pytest.approx(dc(5e6), rel=1e-9)  # all of the load, no more
    assert np.all(seen[6_000:8_000] <= 1e-3)
    assert run["ups.a.mode"][6_000] == 2
    assert [tick for tick, code in logged(run) if code == 19] == [4_500, 8_000]


def test_support_keeps_the_reserve():
    keys = {"support_reserve": 0.995, "support_timeout": "0 s"}
    run = rig(np.full(6_000, 5e6), keys).run([(100, Point.SUPPORT_W, 4e6)])
    ends = first(run["ups.a.support_w"] == 0.0, 101)
    assert run["ups.a.soc"][ends - 1] <= 0.995 < run["ups.a.soc"][ends - 2]
    assert np.all(run["ups.a.support_w"][ends:] == 0.0)
    assert np.all(run["ups.a.soc"][ends:] == run["ups.a.soc"][ends])  # it rests there
    assert not any(code == 19 for _, code in logged(run))  # 0 s: never of itself


def test_a_shorter_timeout_counts_from_the_last_write():
    run = rig(np.full(4_000, 5e6)).run([(100, Point.SUPPORT_W, 1e6), (1_000, Point.SUPPORT_S, 2.0)])
    assert first(run["ups.a.support_w"] == 0.0, 101) == 2_100


# --- Output ---


@pytest.mark.parametrize(("load_pu", "after_s"), [(1.2, None), (1.27, 30.0), (1.51, 0.5)])
@pytest.mark.parametrize("bypass", [True, False])
def test_overload_goes_to_the_bypass_or_interrupts(load_pu, after_s, bypass):
    """Without a bypass (its window excludes the line) the output is off for more than 100 ms, then tries again."""
    load = np.concatenate([np.full(1_000, 5e6), np.full(34_000, load_pu * 6e6), np.full(8_000, 5e6)])
    keys = {"input_limit": 2.0} if bypass else {"input_limit": 2.0, "bypass_window": 0.01}
    grid = {"short_circuit": "500 GVA", "area": "1000 GVA", "source": 1.0 if bypass else 0.98}
    run = rig(load, keys, grid=grid).run()
    mode = run["ups.a.mode"]
    if after_s is None:
        assert np.all(mode == 2)
        return
    # The load is over from row 1000 on; seen one tick later; more than so many samples.
    leaves = 1_000 + 1 + round(after_s / H)
    assert first(mode != 2) == leaves
    if bypass:
        assert mode[leaves] == 1
        assert np.all(run["ups.a.output_w"] == load)  # no gap
        assert first(mode == 2, leaves) == 35_000 + 1 + 5_000
    else:
        assert np.all(mode[leaves : leaves + 101] == 0)
        assert mode[leaves + 101] == 2


def test_a_pause_starts_the_overload_timer_anew():
    load = np.where(np.arange(4_000) % 500 < 499, 1.6, 1.0) * 6e6
    assert np.all(rig(load, {"input_limit": 2.0}).run()["ups.a.mode"] == 2)


def test_low_battery_shutdown_and_restart():
    """The load goes at `shutdown` and comes back in one step when the rectifier is on."""
    keys = {"soc": 0.3, "autonomy": "20 s", "qualify": "1 s", "walk_in": "2 s"}
    run = rig(np.full(20_000, 5e6), keys, [dip(0.5, 9.5, 0.0)]).run()
    soc, mode = run["ups.a.soc"], run["ups.a.mode"]
    alarm, off = first(run["ups.a.low_battery"] == 1.0), first(mode == 0)
    assert soc[alarm - 1] <= 0.2 < soc[alarm - 2]
    assert soc[off - 1] <= 0.05 < soc[off - 2]
    assert logged(run)[1:3] == [(alarm, 17), (off, 18)]
    back = 10_000 + 1 + 1_000 + 1_999
    assert np.all(mode[off:back] == 0)
    assert np.all(run["ups.a.output_w"][off:back] == 0.0)
    assert np.all(soc[off:back] == soc[off])  # nothing leaks
    assert np.all(mode[back:] == 2)
    assert run["ups.a.output_w"][back] == 5e6


def test_an_empty_battery_goes_over_to_a_bypass_that_is_good():
    """The line is back, not yet qualified, when the battery ends."""
    keys = {"soc": 0.1, "autonomy": "20 s", "qualify": "5 s", "low_battery": 0.06}
    run = rig(np.full(16_000, 5e6), keys, [dip(0.5, 0.2, 0.0)]).run()
    over = first(run["ups.a.mode"] == 1)
    assert over < 701 + 5_000
    assert np.all(run["ups.a.output_w"] == 5e6)
    assert run["ups.a.mode"][-1] == 2
    assert first(run["ups.a.mode"] == 2, over) == 701 + 5_000 + 1_999


def test_a_latched_ups_does_not_take_the_bypass():
    keys = {"soc": 0.1, "autonomy": "20 s", "counter": True, "counter_disturbances": 1, "low_battery": 0.06}
    run = rig(np.full(9_000, 5e6), keys, [dip(0.5, 0.2, 0.0)]).run([(8_000, Point.RESET_DISTURBANCES, 1.0)])
    assert run["ups.a.mode"][7_999] == 0
    assert not (run["ups.a.mode"] == 1).any()
    assert np.all(run["ups.a.input_w"][510:8_000] == 0.0)


def test_commands_of_the_output():
    commands = [
        (500, Point.OPERATION, 0.0),
        (1_000, Point.OPERATION, 1.0),
        (1_500, Point.BYPASS, 1.0),
        (2_000, Point.BYPASS, 0.0),
    ]
    run = rig(np.full(8_000, 5e6), {"soc": 0.5, "bypass_return": "0.2 s"}).run(commands)
    mode = run["ups.a.mode"]
    for begin, end, what in ((0, 500, 2), (500, 1_000, 0), (1_000, 1_500, 2), (1_500, 2_000, 1), (2_000, 8_000, 2)):
        assert np.all(mode[begin:end] == what), (begin, what)
    assert np.all(run["ups.a.output_w"][500:1_000] == 0.0)
    assert run["ups.a.input_w"][700] == pytest.approx(0.6e6 / (1.0 - RECTIFIER_LOSS), rel=1e-9)  # it recharges on
    assert [code - 64 for _, code in logged(run)] == [0o20, 0o2, 0o21, 0o12]


def test_without_a_source_it_starts_on_the_bypass():
    """Switched on with an empty battery while the rectifier still qualifies."""
    keys = {"soc": 0.02, "recharge": "0 W", "qualify": "3 s"}
    commands = [(200, Point.OPERATION, 0.0), (1_500, Point.OPERATION, 1.0)]
    run = rig(np.full(3_000, 5e6), keys, [dip(0.5, 0.1, 0.3)]).run(commands)
    assert np.all(run["ups.a.mode"][200:1_500] == 0)
    assert np.all(run["ups.a.mode"][1_500:] == 1)
    assert np.all(run["ups.a.output_w"][1_500:] == 5e6)


@pytest.mark.parametrize("what", ["voltage", "frequency"])
def test_the_bypass_has_a_window_for_high_voltage_and_frequency(what):
    """An overload finds the line too high, or too slow, for the bypass, and good enough for the rectifier."""
    load = np.concatenate([np.full(1_000, 5e6), np.full(1_000, 10e6)])
    grid = {"short_circuit": "500 GVA", "area": "1 GVA", "inertia": "0.5 s", "governor_limit": 0.0, "damping": 100.0}
    loss = {"kind": "generation_loss", "at": "0.1 s", "power": "800 MW"}
    high, slow = {"source": 1.08, **grid}, [loss] if what == "frequency" else []
    keys = {"input_limit": 2.5, "bypass_window": 0.05 if what == "voltage" else 0.1, "bypass_frequency": "0.3 Hz"}
    run = rig(load, keys, slow, grid=high if what == "voltage" else grid).run()
    assert np.all(run["ups.a.line_ok"] == 1.0)
    assert run["ups.a.mode"][1_501] == 0
    assert not (run["ups.a.mode"] == 1).any()


def test_a_commanded_bypass_waits_for_its_window():
    run = rig(np.full(2_000, 5e6), {"input_low": 0.5}, [dip(0.5, 0.5, 0.85)]).run([(600, Point.BYPASS, 1.0)])
    assert first(run["ups.a.mode"] == 1) == 1_001


# --- Whatever happens ---

DIPS = st.lists(st.tuples(st.integers(1, 80), st.integers(1, 30), st.floats(0.0, 0.95)), max_size=5)
COMMANDS = st.lists(
    st.tuples(
        st.integers(0, 8_000),
        st.sampled_from([*Point, *FaultPoint]),
        st.one_of(st.sampled_from([0.0, 1.0]), st.floats(-1e7, 1e7)),
    ),
    max_size=12,
)
KEYS = st.fixed_dictionaries(
    {
        "soc": st.floats(0.0, 1.0),
        "autonomy": st.sampled_from(["2 s", "60 s"]),
        "battery_limit": st.sampled_from([0.1, 1.5]),
        "dc_link": st.sampled_from(["1 ms", "20 ms"]),
        "qualify": st.sampled_from(["0 s", "0.5 s"]),
        "walk_in": st.sampled_from(["0 s", "0.7 s"]),
        "counter": st.booleans(),
        "overload_high_time": st.sampled_from(["0 s", "0.2 s"]),
        "chemistry": st.sampled_from(["vrla", "lfp"]),
        "resistance": st.sampled_from([0.0, 0.1]),
    }
)


TINY = {
    "soc": 1.0, "autonomy": "2 s", "battery_limit": 1.5, "dc_link": "1 ms", "qualify": "0 s", "walk_in": "0 s",
    "counter": False, "overload_high_time": "0 s", "chemistry": "lfp", "resistance": 0.0,
}  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([(1, 1, 0.0)], [(0, FaultPoint.CAPACITY, 0.0)], TINY, [0.0], 30e6)  # as good as no battery
@given(DIPS, COMMANDS, KEYS, st.lists(st.floats(0.0, 12e6), min_size=1, max_size=8), st.sampled_from([30e6, 500e9]))
def test_whatever_happens_energy_is_conserved_and_modes_are_legal(dips, commands, keys, levels, short_circuit_va):
    load = np.repeat([5e6, *levels], 9_000 // (len(levels) + 1))
    events = [dip(at / 10.0, length / 100.0, residual) for at, length, residual in dips]
    grid = {"short_circuit": f"{short_circuit_va} VA", "area": "1000 GVA"}
    run = rig(load, keys, events, grid=grid, measurement={}).run(sorted(commands, key=lambda entry: entry[0]))
    assert np.all(np.isfinite(run.rows))
    for name in ("ups", "ups_power", "ups_battery"):
        for field in run.engine.states[name].dtype.names:
            assert np.all(np.isfinite(run.engine.states[name][field])), field
    a = {name: run[f"ups.a.{name}"] for name in ("mode", "input_w", "output_w", "battery_w", "soc", "dc_link_pu", "rectifier")}
    on_inverter, on_bypass = (np.isin(a["mode"], modes) for modes in ((2, 3, 5), (1, 4)))
    assert set(np.unique(a["mode"])) <= set(range(6))
    assert np.all(a["output_w"][a["mode"] == 0] == 0.0)
    assert np.all(run["ups.a.input_w"] >= 0.0)
    assert np.all(a["input_w"][~on_bypass] <= INPUT_LIMIT * 6e6 * 1.001)
    # Energy: what comes in and out of battery and line, less losses, is what the link holds.
    met = np.where(on_inverter & (run["ups.a.output_voltage_pu"] < 1.0), run["ups.a.output_voltage_pu"], 1.0)
    taken = np.where(on_inverter, met * dc(run["ups.a.demand_w"]), np.where(on_bypass, 0.004 * 6e6, 0.0))
    into = (a["input_w"] - np.where(on_bypass, a["output_w"], 0.0)) * (1.0 - RECTIFIER_LOSS) + a["battery_w"]
    link_s = {"1 ms": 0.001, "20 ms": 0.02}[keys["dc_link"]]
    energy = link_s * 6e6 * a["dc_link_pu"] ** 2
    empty_bypass = on_bypass & (a["dc_link_pu"] < 1e-3)  # an empty link cannot feed even the idle inverter
    steps = np.diff(energy, prepend=link_s * 6e6) - (into - taken) * H
    assert np.max(np.abs(steps[~empty_bypass])) < 1e-7 * 12e6 * H
    if not {FaultPoint.CAPACITY, FaultPoint.SOC_DRIFT} & {point for _, point, _ in commands}:
        assert np.max(a["soc"]) <= 1.0 + 1e-9
        assert np.min(a["soc"]) > min(keys["soc"], 0.05) - 0.01
