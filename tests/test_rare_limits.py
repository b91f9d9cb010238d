"""Limits 81R, on_battery, battery_temperature and recovery against brute force over the rows (docs/model.md, "Limits")."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from rig import BESS, H, Rig
from test_limits_kernel import check, state, walk
from ups_support import dip, rig

import hil

sys.path.append(str(Path(__file__).parents[1] / "validation"))
from protection.masks import stretches, sustained
from protection.recovery import Recovery, recovery

AREA = {"short_circuit": "100 MVA", "source": 1.15, "area": "100 MVA", "inertia": "0.2 s"}


# --- 81R ---


@pytest.mark.parametrize("delay_s", [0.0, 0.02])
@pytest.mark.parametrize("window_s", [0.001, 0.1, 0.5])
def test_rocof(window_s, delay_s):
    """Value, counts and first tick, both ways; before the first tick the site stood at nominal."""
    measured = {"window": "5 ms", "frequency_window": "40 ms"}
    limit = {"name": "81R", "kind": "rocof", "window": f"{window_s} s", "delay": f"{delay_s} s"}
    hz = Rig({"grid": AREA, "measurement": measured}, walk(1)).run()["pcc.frequency_measured_hz"]
    window, delay = round(window_s / H), round(delay_s / H)
    rate = (hz - np.concatenate([np.full(window, 60.0), hz])[: hz.size]) / (window * H)
    pickup = float(np.sort(np.abs(rate))[8 * hz.size // 10 :][:2].mean())
    site = Rig({"grid": AREA, "measurement": measured, "limits": [{**limit, "max": f"{pickup!r} Hz/s"}]}, walk(1)).run()
    high, low = sustained(rate, delay, np.min), sustained(rate, delay, np.max)
    assert state(site)["highest"] == pytest.approx(high.max(), rel=1e-9)
    assert state(site)["lowest"] == pytest.approx(low.min(), rel=1e-9)
    check(state(site), (high > pickup) | (low < -pickup), delay)
    assert state(site)["excursions"] > 0


def test_rocof_over_a_frequency_event_sees_no_step():
    """Its window goes on taking samples, and is judged again once it lies wholly after the blanked time."""
    loss = {"kind": "generation_loss", "at": "2 s", "duration": "200 ms", "power": "50 MW", "settle": "100 ms"}
    limits = [
        {"name": "81R", "kind": "rocof", "max": "1 Hz/s", "window": "300 ms"},
        {"name": "81U", "kind": "underfrequency", "min": "1 Hz"},
    ]
    setting = {"window": "5 ms", "frequency_window": "40 ms"}
    site = Rig({"limits": limits, "grid": AREA, "events": [loss], "measurement": setting}, walk(3)).run()
    hz = site["pcc.frequency_measured_hz"]
    rate = (hz - np.concatenate([np.full(300, 60.0), hz])[: hz.size]) / 0.3
    blank = 200 + 100 + 40
    judged = np.ones(hz.size, dtype=bool)
    judged[2_000 : 2_000 + blank + 300] = False
    assert state(site, 1)["blank_ticks"] == blank
    assert state(site)["blank_ticks"] == blank + 300
    assert state(site)["valid_ticks"] == judged.sum()
    assert state(site)["highest"] == pytest.approx(rate[judged].max(), rel=1e-9)
    assert state(site)["lowest"] == pytest.approx(rate[judged].min(), rel=1e-9)
    assert state(site)["beyond_ticks"] == np.sum(np.abs(rate[judged]) > 1.0)
    assert np.abs(rate[~judged]).max() > 1.5 * np.abs(rate[judged]).max()  # what was blanked would have counted


# --- on_battery and battery_temperature ---

THREE = [dip(1.0, 0.2, 0.4), dip(6.0, 0.1, 0.4), dip(7.2, 0.3, 0.4)]


@pytest.mark.parametrize("counts", ["longest", "total"])
def test_time_on_battery(counts):
    limit = {"name": "t", "kind": "on_battery", "node": "ups.a", "max": "1.4 s", "counts": counts}
    site = rig(np.full(14_000, 3e6), events=THREE, limits=[limit]).run()
    found = stretches(site["ups.a.on_battery"] == 1.0)
    assert len(found) >= 2
    assert len({end - begin for begin, end in found}) > 1
    spent, value = 0, np.zeros(14_000)
    for begin, end in found:
        spent = spent if counts == "total" else 0
        value[begin:end] = (spent + np.arange(1, end - begin + 1)) / 1_000
        spent += end - begin
    assert state(site)["highest"] == pytest.approx(value.max(), rel=1e-12)
    assert state(site)["highest_tick"] == np.argmax(value)
    check(state(site), value > 1.4, 0)
    assert (state(site)["excursions"], state(site)["blank_ticks"], state(site)["phase"]) == (2, 0, 0)


@pytest.mark.parametrize("delay_s", [0.0, 0.5])
def test_battery_temperature(delay_s):
    ups = {"thermal_time": "2 s", "temperature_rise": "200 degC"}
    bess = {**BESS, "thermal_time": "5 s"}
    limits = [
        {"name": node, "kind": "battery_temperature", "node": node, "max": f"{top} degC", "delay": f"{delay_s} s"}
        for node, top in (("ups.a", 26.0), ("bess.x", 25.02))
    ]
    law = {"kind": "ramp_limit", "device": "bess.x", "ramp": "1 MW/s"}
    load = np.repeat([3e6, 5e6, 3e6], [500, 3_000, 4_000])
    site = rig(load, ups, THREE[:2], limits=limits, bess={"x": bess}, absorber={"a": law}).run()
    delay = round(delay_s / H)
    for index, (node, top) in enumerate((("ups.a", 26.0), ("bess.x", 25.02))):
        held = sustained(site[f"{node}.temperature_degc"], delay, np.min)
        assert state(site, index)["highest"] == held.max() > top
        check(state(site, index), held > top, delay)


def test_the_battery_of_a_ups_warms_as_it_gives():
    """From the ambient, by its own heat and time constant (docs/model.md, "Battery")."""
    quiet = {
        "rc1_resistance": 0.0,
        "rc2_resistance": 0.0,
        "thermal_time": "3 s",
        "temperature_rise": "12 degC",
        "ambient": "20 degC",
    }
    site = rig(np.full(5_000, 3e6), quiet, [dip(0.5, 9.0, 0.2)]).run()
    ohm = 0.03 * 480.0 / (6e6 / 480.0)
    kelvin_per_w = 12.0 / (0.03 * 6e6)
    celsius = 20.0
    for k, ampere in enumerate(site["ups.a.battery_current_a"]):
        celsius = 20.0 + (celsius - 20.0) * np.exp(-H / 3.0) + kelvin_per_w * ohm * ampere**2 * (1.0 - np.exp(-H / 3.0))
        if k % 500 == 0:
            assert site["ups.a.temperature_degc"][k] == pytest.approx(celsius, rel=1e-9)
    assert celsius > 21.0


# --- recovery ---


def check_recovery(site: Rig, index: int, expected: Recovery, most_s: float) -> None:
    value = expected.samples / 1_000
    judged = np.isfinite(value)
    found = state(site, index)
    assert found["valid_ticks"] == judged.sum()
    assert found["blank_ticks"] == 0
    assert found["phase"] == expected.phase
    if judged.any():
        assert found["highest"] == pytest.approx(np.nanmax(value), rel=1e-12)
    if expected.befores:
        assert found["before"] == pytest.approx(expected.befores[-1], rel=1e-9)
    check(found, np.nan_to_num(value) > most_s, 0)


DIPS = [dip(1.0, 0.2, 0.4), dip(3.5, 0.05, 0.86, fault="ag"), dip(4.05, 0.1, 0.5), dip(9.0, 0.15, 0.3), dip(11.0, 0.1, 0.6)]


@pytest.mark.parametrize("hold_s", [0.0, 0.1])
@pytest.mark.parametrize("setting", [{"window": "1 ms"}, {"delay": "13 ms"}], ids=str)
def test_recovery_at_pcc_and_ups(setting, hold_s):
    """Dips one after the other, one within another's recovery, unbalanced ones; a load that wanders by a tenth."""
    load = np.repeat(3e6 + 3e5 * np.random.default_rng(8).standard_normal(1_400), 10)
    load = np.concatenate([np.full(10, 3e6), load])[:14_000]
    limits = [
        {"name": node, "kind": "recovery", "node": node, "max": "0.8 s", "mean": "0.4 s", "hold": f"{hold_s} s"}
        for node in ("pcc", "ups.a")
    ]
    measured = {"frequency_window": "1 ms", **setting}
    site = rig(load, {"qualify": "300 ms"}, DIPS, limits=limits, measurement=measured).run()
    window = round(float(site.scenario.measurement.window_s) / H)
    late = round(float(site.scenario.measurement.delay_s) / H)
    first_w = site["ups.a.input_w"][0]
    held_back = np.concatenate([np.full(late, first_w), site["ups.a.input_w"]])[: load.size]
    for index, (power, node) in enumerate(((site["pcc.power_measured_w"], "pcc"), (held_back, "bus"))):
        expected = recovery(
            power,
            site[f"{node}.voltage_lowest_measured_pu"],
            before=first_w,
            late=window,
            mean=400,
            hold=round(hold_s / H),
        )
        assert 3 <= len(expected.befores) <= 5
        check_recovery(site, index, expected, 0.8)
    assert state(site)["excursions"] > 0


def test_a_measuring_delay_shortens_no_recovery():
    """Voltage and input of a UPS are held against each other as of one moment, as both are at the PCC."""
    ups = {"qualify": "0 s", "walk_in": "500 ms"}
    limits = [{"name": node, "kind": "recovery", "node": node, "max": "0.2 s"} for node in ("ups.a", "pcc")]
    for delay in (0, 100, 300):
        measured = {"window": "1 ms", "frequency_window": "1 ms", "delay": f"{delay} ms"}
        site = rig(np.full(3_000, 3e6), ups, [dip(1.0, 0.2, 0.3)], limits=limits, measurement=measured).run()
        assert state(site, 0)["highest"] == pytest.approx(state(site, 1)["highest"], abs=0.002)
        assert state(site, 0)["highest"] == pytest.approx(0.185 + 0.001 * delay, abs=0.02)
        assert (state(site, 0)["beyond_ticks"] > 0) == (delay > 0)


@pytest.mark.parametrize("lag", [-1, 17, 2**62])
def test_a_lag_beyond_its_window_is_told(lag):
    overrides = ["limits=[{name='r',kind='recovery',max='1 s'}]"]
    run = hil.KernelRun(hil.load("training_job", overrides), leave_out_controllers=True)
    run.parameters["limits"]["lag_ticks"] = lag
    with pytest.raises(ValueError, match="limits: kind or a number of ticks"):
        run.advance(0.1)


def test_no_sample_of_the_dip_is_in_what_was_before():
    """A flat load: `before` is that load to the last bit that a mean keeps, however deep the dip and long the window."""
    for residual in (0.89, 0.5, 0.0):
        limits = [{"name": "r", "kind": "recovery", "max": "1 s", "mean": "50 ms"}]
        measured = {"window": "20 ms", "delay": "7 ms"}
        sections = {"limits": limits, "events": [dip(1.0, 0.1, residual)], "measurement": measured}
        site = Rig({"grid": {"short_circuit": "100 GVA"}, **sections}, np.full(2_000, 10e6)).run()
        assert state(site)["before"] == pytest.approx(10e6, rel=1e-12)
        assert state(site)["valid_ticks"] > 0


def test_a_site_that_exports_recovers_by_sign():
    """A battery that gives more than the load takes; in the dip it ceases, and comes back along its slew."""
    bess = {"rating": "30 MVA", "energy": "30 MWh", "cease_below": 0.6, "slew": "30 MW/s", "setpoint_ramp": "1000 GW/s"}
    limits = [{"name": "r", "kind": "recovery", "max": "0.2 s", "hold": "0 s"}]
    site = Rig({"bess": {"x": bess}, "limits": limits, "events": [dip(3.0, 0.8, 0.3)]}, np.full(6_000, 5e6))
    site.run([(0, 0, 25e6), (0, 1, 1.0)])
    power = site["pcc.power_measured_w"]
    assert power[2_900] < -15e6
    expected = recovery(power, site["pcc.voltage_lowest_measured_pu"], before=5e6, late=17, mean=1_000, hold=0)
    check_recovery(site, 0, expected, 0.2)
    assert state(site)["before"] < -15e6
    assert state(site)["highest"] > 0.3


def test_a_power_that_is_back_for_a_moment_has_not_recovered():
    """`hold`: the load leaves again 50 ms after the dip, for a second."""
    load = np.repeat([10e6, 2e6, 10e6, 2e6, 10e6], [1_050, 100, 60, 1_000, 1_000])
    event = dip(1.05, 0.1, 0.5)
    for hold, least, most in ((0.0, 0.0, 0.05), (0.1, 0.9, 1.2)):
        limits = [{"name": "r", "kind": "recovery", "max": "5 s", "hold": f"{hold} s"}]
        site = Rig({"grid": {"short_circuit": "100 GVA"}, "limits": limits, "events": [event]}, load).run()
        assert least <= state(site)["highest"] <= most


@pytest.mark.parametrize(("load_w", "mean"), [(9876543.21, "0.4 s"), (1e7 / 3.0, "1 s"), (10e6, "1 s")])
def test_all_of_a_flat_power_is_back_whatever_its_mean_is_rounded_to(load_w, mean):
    limits = [{"name": "r", "kind": "recovery", "max": "1 s", "share": 1.0, "mean": mean}]
    sections = {"grid": {"short_circuit": "100 GVA"}, "limits": limits, "events": [dip(1.5, 0.1, 0.5)]}
    site = Rig(sections, np.full(3_000, load_w)).run()
    assert (state(site)["phase"], state(site)["beyond_ticks"]) == (0, 0)
    assert state(site)["highest"] < 0.02


def test_zero_is_back_where_the_mean_before_was_zero_but_for_rounding():
    """A power that came and went leaves a rest of rounding in a running mean."""
    load = np.repeat([9876543.21, 3141592.65, 0.0], [700, 800, 6_500])
    limits = [{"name": "r", "kind": "recovery", "max": "1 s", "mean": "0.9 s"}]
    sections = {"grid": {"short_circuit": "500 MVA"}, "limits": limits, "events": [dip(2.6, 0.1, 0.5)]}
    site = Rig(sections, load).run()
    assert state(site)["before"] != 0.0
    assert (state(site)["phase"], state(site)["highest"]) == (0, 0.0)
