"""Faults of the equipment: what they do, what the device then reads, and that no energy comes of it (docs/model.md)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rig import LOSSLESS, H, Rig
from ups_support import first
from ups_support import rig as ups_rig

import hil
from firmware_sim.image import FaultPoint as Fault
from firmware_sim.image import PcsCondition, UpsPoint
from firmware_sim.image import PcsPoint as Point
from hil.fleet.images import EngineStorageImage, EngineUpsImage

AT_ONCE = {"setpoint_ramp": "100 GW/s", "slew": "100 GW/s", "converter_lag": "0 s"}
P, SOC = "bess.x.power_w", "bess.x.soc"


def rig(ticks: int, **keys: Any) -> Rig:
    bess = {"rating": "10 MVA", "energy": "0.1 MWh", "soc_min": 0.1, "soc_max": 0.9, **AT_ONCE, **keys}
    return Rig({"bess": {"x": bess}, "grid": {"short_circuit": "500 GVA"}}, np.full(ticks, 10e6))


def state(run: Rig) -> Any:
    return run.engine.states["pcs"][0]


def read(run: Rig, name: str) -> float:
    """As the device's registers would tell it."""
    return EngineStorageImage(run.engine, run.scenario, "x").reader(name)()


DISCHARGE = [(0, Point.SET_W, 5e6), (0, Point.SET_ENABLE, 1.0)]


@pytest.mark.parametrize(("fault", "late"), [(Fault.CONTACTOR, 0), (Fault.PLL, 200), (Fault.DEAD, 0)], ids=str)
def test_nothing_flows_from_the_tick_of_the_fault_to_that_of_its_end(fault, late):
    run = rig(2_000, converter_lag="50 ms").run([*DISCHARGE, (500, fault, 1), (1_000, fault, 0)])
    assert run[P][499] == pytest.approx(5e6, rel=0.01)
    assert np.all(run[P][500 : 1_000 + late] == 0.0)
    assert 0.0 < run[P][1_000 + late] < 0.1 * 5e6
    assert run[P][-1] == pytest.approx(5e6, rel=0.01)


def test_a_dead_battery_does_not_know_it():
    run = rig(1_000).run([*DISCHARGE, (500, Fault.DEAD, 1)])
    assert np.all(run[P][500:] == 0.0)
    assert state(run)["state"] == PcsCondition.RUNNING
    assert state(run)["power_w"] == 5e6
    assert (state(run)["connected"], state(run)["fault"], state(run)["derated"], state(run)["limited"]) == (1, 0, 0, 0)
    assert read(run, "soc") == run[SOC][-1]
    assert read(run, "dc_voltage_v") == pytest.approx(1_230, rel=0.02)


def test_a_derated_converter_gives_its_share():
    run = rig(1_000).run([*DISCHARGE, (300, Fault.DERATING, 0.3), (600, Point.SET_W, -9e6), (900, Fault.DERATING, 1)])
    for begin, end, power_w in ((0, 300, 5e6), (300, 600, 3e6), (600, 900, -3e6), (900, 1_000, -9e6)):
        assert np.all(run[P][begin:end] == power_w)


def test_heat_takes_power_and_then_trips():
    """The sensor reads `TEMPERATURE` too high: its power falls over 10 K below `over_temperature`, which trips."""
    commands = [
        *DISCHARGE,
        (0, Point.SET_W, 10e6),
        (300, Fault.TEMPERATURE, 29),
        (600, Fault.TEMPERATURE, 36),
        (700, Fault.TEMPERATURE, 0),
        (800, Point.RESET, 1),
    ]  # fmt: skip
    run = rig(1_000).run(commands)
    assert np.all(run[P][:300] == 10e6)
    assert run[P][300:600] == pytest.approx(0.6e7, rel=1e-12)  # 25 + 29 degC: 6 K of the 10 are left
    assert np.all(run[P][600:800] == 0.0)
    assert np.all(run[P][800:] == 10e6)
    assert read(run, "temperature_degc") == run["bess.x.temperature_degc"][-1]


def test_a_hot_battery_is_looked_at_once_a_second():
    """A true temperature: 58 degC around it, and what its own losses add."""
    run = rig(5_000, ambient="58 degC", thermal_time="2 s", temperature_rise="60 degC").run(DISCHARGE)
    degc, power = run["bess.x.temperature_degc"], run[P]
    for second in range(1, 5):
        share = max(0.0, (60.0 - degc[1_000 * second - 1]) / 10.0)
        assert power[1_000 * second : 1_000 * second + 1_000] == pytest.approx(10e6 * share, rel=1e-12)
    assert power[0] == pytest.approx(2e6)


def test_a_weak_cell_runs_ahead_of_the_count_and_is_protected_when_it_is_empty():
    share = 0.25
    run = rig(60_000, **LOSSLESS, soc=0.5).run([*DISCHARGE, (1_000, Fault.CAPACITY, share)])
    true, current = run[SOC], run["bess.x.dc_current_a"]
    capacity_as = float(run.engine.parameters["battery"][0]["capacity_as"])
    fall = -np.diff(true, prepend=0.5)
    assert fall[:1_000] == pytest.approx(current[:1_000] * H / capacity_as, rel=1e-6)
    assert fall[1_000:20_000] == pytest.approx(current[1_000:20_000] * H / (share * capacity_as), rel=1e-6)
    counted = 0.5 - np.sum(current) * H / capacity_as
    assert read(run, "soc") == pytest.approx(counted, abs=1e-9)
    empty = first(true <= 0.0)
    assert np.all(run[P][empty + 1 :] == 0.0)
    assert counted > 0.3  # its registers still promise a lot


def test_a_weak_cell_that_is_full_takes_no_more_and_still_gives():
    run = rig(70_000, **LOSSLESS, soc=0.5)
    run.run([(0, Point.SET_W, -5e6), (0, Point.SET_ENABLE, 1), (0, Fault.CAPACITY, 0.2), (65_000, Point.SET_W, 5e6)])
    full = first(run[SOC] >= 1.0)
    assert full < 60_000
    assert np.all(run[P][full + 1 : 65_000] == 0.0)
    assert np.all(run[P][65_001:] == 5e6)
    assert read(run, "soc") < 0.7  # what it counts


def test_the_reading_of_the_state_of_charge_drifts_and_the_firmware_goes_by_it():
    """9 an hour, 2.5 thousandths a second: from 0.5 it reads 0.9 after 160 s, and charges no more."""
    run = rig(170_000, **LOSSLESS, soc=0.5, energy="100 MWh")
    run.run([(0, Point.SET_W, -1e6), (0, Point.SET_ENABLE, 1), (0, Fault.SOC_DRIFT, 9)])
    full = first(run[P] == 0.0)
    assert full == pytest.approx(160_000, rel=0.02)
    assert run[SOC][full] == pytest.approx(0.5, abs=0.001)
    assert read(run, "soc") - run[SOC][-1] == pytest.approx(9 * 170 / 3600, rel=1e-9)


def test_a_meter_that_is_off_and_a_battery_that_has_aged():
    run = rig(1_000).run([*DISCHARGE, (500, Fault.POWER_GAIN, 1.1), (500, Fault.RESISTANCE, 3.0)])
    r0 = float(run.engine.parameters["battery"][0]["r0_ohm"])
    volts, amperes = run["bess.x.dc_voltage_v"], run["bess.x.dc_current_a"]
    assert np.all(run[P] == 5e6)
    assert read(run, "power_w") == pytest.approx(5.5e6)
    assert volts[499] - volts[500] == pytest.approx(3 * r0 * amperes[500] - r0 * amperes[499], rel=1e-3)


WHATEVER = st.lists(
    st.tuples(st.integers(0, 3_990), st.sampled_from([*Point, *Fault]), st.one_of(st.integers(-1, 3), st.floats(-2e7, 2e7))),
    max_size=20,
).map(lambda plan: sorted(plan, key=lambda entry: entry[0]))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(WHATEVER)
def test_whatever_breaks_energy_and_charge_are_conserved(plan):
    """Grid, converter and battery, tick by tick; and the count of the state of charge, from its own current alone."""
    run = rig(4_000, soc=0.5).run(plan)
    power, dc = run[P], run["bess.x.dc_power_w"]
    assert run["pcc.power_w"] == pytest.approx(10e6 - power, abs=1e-3)
    losses = 0.002 * 10e6 + 0.008 * np.abs(power) + 0.007 * power**2 / 10e6
    starved = run.engine.states["battery"]["starved_ticks"][0]
    assert starved or dc == pytest.approx(power + losses, rel=1e-9)
    assert dc == pytest.approx(run["bess.x.dc_voltage_v"] * run["bess.x.dc_current_a"], rel=1e-12)
    share, drift, weak, drifts = np.ones(4_000), np.zeros(4_000), 1.0, 0.0
    for at, point, value in [*plan, (4_000, None, 0.0)]:
        share[at:], drift[at:] = weak, drifts
        if point is Fault.CAPACITY:
            weak = min(1.0, max(1e-2, value))
        elif point is Fault.SOC_DRIFT:
            drifts = min(3600.0, max(-3600.0, value))
        share[at:], drift[at:] = weak, drifts
    charge = run["bess.x.dc_current_a"] * H / float(run.engine.parameters["battery"][0]["capacity_as"])
    assert run[SOC] == pytest.approx(0.5 - np.cumsum(charge / share), abs=1e-9)
    # Of the last tick's current the device has heard only at its next.
    counted = 0.5 + np.sum(drift) * H / 3600.0 - np.sum(charge[:-1]) - charge[-1] / share[-1]
    assert read(run, "soc") == pytest.approx(counted, abs=1e-9)


def test_a_script_breaks_by_name_and_a_snapshot_keeps_what_is_broken():
    run = hil.KernelRun(hil.load("training_job"), leave_out_controllers=True)
    for point, value in (("fault.capacity", 0.5), ("fault.soc_drift", 0.1), ("limit_ramp_s", 9.0), ("limit_enable", 3.0)):
        run.command("bess.main", point, value)
    run.advance(5.0)
    start = run.snapshot()
    rows = run.rows(8.0)
    run.restore(start)
    assert run.states["faults"]["capacity"][0] == 0.5
    assert np.array_equal(run.rows(8.0), rows)
    with pytest.raises(KeyError, match=r"no point 'fault\.x'; there are: set_w, .*fault\.contactor"):
        run.command("bess.main", "fault.x", 1.0)


# --- UPS ---

LOAD = 5e6


def ups_read(run: Rig, name: str) -> float:
    return EngineUpsImage(run.engine, run.scenario, "a").reader(name)()


def test_a_ups_on_a_rectifier_that_fails_and_walks_in_again():
    run = ups_rig(np.full(10_000, LOAD)).run([(1_000, Fault.RECTIFIER, 1), (3_000, Fault.RECTIFIER, 0)])
    assert np.all(run["ups.a.input_w"][1_000:3_000] == 0.0)
    assert np.all(run["ups.a.output_w"] == LOAD)
    assert np.all(run["ups.a.line_ok"] == 1.0)
    assert set(run["ups.a.mode"][1_000:3_000]) == {3.0}
    assert run["ups.a.rectifier"][3_000] == 2.0
    assert run["ups.a.mode"][-1] == 2.0


def test_a_ups_with_a_dead_battery_reads_healthy_until_it_is_tested():
    run = ups_rig(np.full(6_000, LOAD)).run([(1_000, Fault.DEAD, 1), (3_000, UpsPoint.TEST, 2)])
    assert np.all(run["ups.a.mode"][:3_000] == 2.0)
    assert ups_read(run, "soc") == 1.0
    assert run.engine.states["ups"][0]["test"] == 2
    assert (run["ups.a.mode"][3_000:3_040] == 1.0).any()  # the link falls, and the load goes over to the bypass
    assert np.all(run["ups.a.output_w"][3_000:] > 0.99 * LOAD)


def test_a_ups_with_a_weak_battery_promises_more_than_it_has():
    keys = {"autonomy": "60 s"}
    run = ups_rig(np.full(40_000, LOAD), keys, [{"kind": "grid_dip", "at": "1 s", "duration": "39 s", "residual": 0.0}])
    run.run([(0, Fault.CAPACITY, 0.2)])
    dark = first(run["ups.a.output_w"] < LOAD)
    assert 12_000 < dark < 18_000  # 60 s at the rating, a fifth of it, at 5 of 6 MW
    assert run["ups.a.soc"][dark] == pytest.approx(0.0, abs=1e-3)
    assert run["ups.a.runtime_s"][dark - 100] > 40.0
    assert ups_read(run, "soc") == pytest.approx(0.81, abs=0.02)


def test_a_hot_battery_of_a_ups_is_not_recharged():
    run = ups_rig(np.full(3_000, LOAD), {"soc": 0.5}).run([(1_000, Fault.TEMPERATURE, 30), (2_000, Fault.TEMPERATURE, 0)])
    battery = run["ups.a.battery_w"]
    assert np.all(battery[:1_000] < -0.5e6)
    assert np.all(battery[1_010:2_000] > -1.0)
    assert np.all(battery[2_010:] < -0.5e6)
