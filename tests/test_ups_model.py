"""Power of a UPS against closed forms written from docs/model.md, "UPS"."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rig import H, Rig
from ups_support import AT_ONCE, INPUT_LIMIT, RECTIFIER_LOSS, STIFF, UPS, Point, dc, dip, first, rig

NEED_W = dc(5e6) / (1.0 - RECTIFIER_LOSS)


def balance_w(run: Rig, rating_w: float = 6e6) -> np.ndarray:
    """What enters the DC link in each tick, from what is seen outside, while the inverter feeds the output."""
    into = run["ups.a.input_w"] * (1.0 - RECTIFIER_LOSS) + run["ups.a.battery_w"]
    return into - dc(run["ups.a.output_w"], rating_w)


@pytest.mark.parametrize("soc", [1.0, 0.97, 0.8])
def test_a_site_stands_before_its_first_tick(soc):
    """Two UPSs, direct load, cooling, a weak grid: nothing moves until something happens."""
    ups = {"a": {**UPS, "soc": soc, "share": 0.5}, "b": {**UPS, "share": 0.3}}
    site = {"ups": ups, "cooling": {"share": 0.3}, "grid": {"short_circuit": "120 MVA"}}
    run = Rig(site, np.full(300, 10e6))
    before = {name: run.engine.value(index) for index, name in enumerate(run.engine.channels)}
    run.run()
    moving = ("soc", "battery_voltage_v", "battery_current_a", "runtime_s", "temperature_degc")
    for name in run.engine.channels:
        if not name.endswith(moving):
            rows = run[name][:1] if soc == 0.97 else run[name]  # within the taper the recharge falls
            assert rows == pytest.approx(np.full(rows.size, rows[0]), rel=1e-9, abs=1e-9), name
            assert rows[0] == pytest.approx(before[name], rel=1e-9, abs=1e-9) or name.endswith("battery_w"), name
    recharge = 0.6e6 * min(1.0, (1.0 - soc) / 0.05)
    assert run["ups.a.battery_w"][0] == pytest.approx(-recharge, rel=1e-9, abs=1e-9)
    assert run["ups.a.input_w"][0] == pytest.approx((dc(5e6) + recharge) / (1.0 - RECTIFIER_LOSS), rel=1e-9)


def test_what_is_not_fed_by_a_ups_stands_at_the_bus():
    load = np.linspace(4e6, 11e6, 500)
    run = Rig({"ups": {"a": {**UPS, "share": 0.4}}, "cooling": {"lag": "1 s"}}, load).run()
    assert run["ups.a.demand_w"] == pytest.approx(0.4 * load, rel=1e-12)
    demand = 0.6 * load + run["ups.a.input_w"] + run["cooling.demand_w"]
    assert run["load.demand_w"] == pytest.approx(demand, rel=1e-12)
    heat = np.concatenate([[load[0]], load[:-1]])  # delivered in the tick before
    followed, expected = load[0], np.empty(load.size)
    for k, watts in enumerate(heat):
        followed += -math.expm1(-H / 1.0) * (watts - followed)
        expected[k] = 0.25 * followed
    assert run["cooling.demand_w"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("residual", [0.0, 0.3, 0.7])
def test_energy_is_conserved_through_a_dip_and_the_load_sees_nothing(residual):
    load = 5e6 + 1e6 * np.sin(np.arange(6_000) * 0.01)
    run = rig(load, {"soc": 0.9}, [dip(1.0, 0.06, residual)], grid={"short_circuit": "200 MVA"}, measurement={}).run()
    moved_j = np.sum(np.abs(run["ups.a.input_w"]) + np.abs(run["ups.a.battery_w"])) * H
    link_j = 0.02 * 6e6 * (run["ups.a.dc_link_pu"] ** 2 - 1.0)
    assert np.max(np.abs(np.cumsum(balance_w(run)) * H - link_j)) < 1e-9 * moved_j
    assert np.all(run["ups.a.output_voltage_pu"] == 1.0)
    assert run["ups.a.output_w"] == pytest.approx(load, rel=1e-12)
    assert np.max(np.abs(run["ups.a.dc_link_pu"] - 1.0)) < 1e-3
    assert np.max(run["ups.a.battery_w"]) > 5e6


def test_transfer_qualification_and_walk_in_to_the_tick():
    """The dip is in rows 1000 to 1059; the firmware sees each row one tick later."""
    run = rig(np.full(6_000, 5e6), events=[dip(1.0, 0.06, 0.3)]).run()
    mode, rectifier, share = run["ups.a.mode"], run["ups.a.rectifier"], run["ups.a.walk_in_share"]
    lost = 1_000 + 1 + 4
    back = 1_060 + 1
    begins = back + 1_000
    assert first(mode == 3) == lost
    assert run["ups.a.line_ok"].tolist() == [0.0 if lost <= k < back else 1.0 for k in range(6_000)]
    assert np.all(rectifier[:lost] == 3)
    assert np.all(rectifier[lost:back] == 0)
    assert np.all(rectifier[back:begins] == 1)
    assert np.all(rectifier[begins : begins + 1_999] == 2)
    assert np.all(rectifier[begins + 1_999 :] == 3)
    assert share[begins : begins + 2_000] == pytest.approx(np.arange(1, 2_001) / 2_000, abs=1e-12)
    assert np.all(run["ups.a.input_w"][lost:begins] == 0.0)
    ramp = np.minimum(share[begins : begins + 1_999] * INPUT_LIMIT * 6e6, NEED_W)
    assert run["ups.a.input_w"][begins : begins + 1_999] == pytest.approx(ramp, rel=1e-9)
    carried = first(share * INPUT_LIMIT * 6e6 >= NEED_W, begins)
    assert first(mode == 2, lost) == carried + 1


def test_a_rectifier_in_current_limit_while_the_voltage_is_low():
    """In a dip that it stays on through it draws what it needs, up to its current limit; the battery gives the rest."""
    for limit, residual in ((1.3, 0.8), (1.0, 0.7), (1.3, 0.5), (1.0, 0.93)):
        keys = {"input_limit": limit, "input_low": 0.3, "soc": 0.5}
        run = rig(np.full(2_000, 5.5e6), keys, [dip(0.5, 1.0, residual)]).run()
        most = limit * 6e6 * residual
        need = dc(5.5e6) / (1.0 - RECTIFIER_LOSS)
        assert run["ups.a.input_w"][600:1_400] == pytest.approx(min(need, most), rel=1e-4)
        assert run["ups.a.battery_w"][1_000] == pytest.approx(dc(5.5e6) - min(need, most) * (1 - RECTIFIER_LOSS), abs=1e3)
        assert np.all(run["ups.a.battery_w"][600:1_400] >= 0.0)  # no recharge on a low input


def test_the_recharge_tapers_exponentially():
    run = rig(np.full(60_000, 1e6), {"soc": 0.94, "recharge": "1.2 MW", "autonomy": "30 s"}).run()
    soc, power = run["ups.a.soc"], -run["ups.a.battery_w"]
    assert power[0] == pytest.approx(1.2e6)
    before = np.concatenate([[0.94], soc[:-1]])
    assert power == pytest.approx(1.2e6 * np.minimum(1.0, (1.0 - before) / 0.05), rel=1e-6, abs=0.01)
    tail = np.log(1.0 - soc[20_000:30_000])
    assert np.ptp(np.diff(tail)) < 0.01 * abs(np.diff(tail)[0])  # a straight line: exponential
    assert 0.99 < soc[-1] <= 1.0


def test_the_dc_link_gives_what_the_battery_cannot():
    """With a battery of 0.5 MW the link falls by the rest of the energy, and the inverter lets go below dc_low."""
    keys = {"battery_limit": 0.5 / 6.0, "input_limit": 3.0, "dc_low": 0.8, "dc_link": "200 ms"}
    run = rig(np.full(4_000, 5e6), keys, [dip(1.0, 1.0, 0.0)]).run()
    missing = dc(5e6) - 0.5e6
    energy = 0.2 * 6e6 - missing * H * np.arange(1, 3_000)
    until = first(run["ups.a.output_voltage_pu"] == 0.0)
    assert run["ups.a.dc_link_pu"][1_000:until] ** 2 * 0.2 * 6e6 == pytest.approx(energy[: until - 1_000], rel=1e-9)
    assert run["ups.a.dc_link_pu"][until - 2] >= 0.8 > run["ups.a.dc_link_pu"][until - 1]
    assert np.all(run["ups.a.output_w"][until : until + 100] == 0.0)


def test_a_link_that_runs_empty_within_a_tick_gives_what_is_there():
    keys = {"battery_limit": 1e-6, "dc_link": "12 ms", "dc_low": 0.05}
    run = rig(np.full(200, 5.5e6), keys, [dip(0.1, 0.1, 0.0)], tick="10 ms", measurement={"window": "10 ms"}).run()
    lost = first(run["ups.a.output_voltage_pu"] < 1.0)
    met = run["ups.a.output_voltage_pu"][lost]
    start = 0.012 * 6e6 - (lost - 10) * (dc(5.5e6) - 6.0) * 0.01
    assert 0.0 < met < 1.0
    assert met * dc(5.5e6) * 0.01 == pytest.approx(start + 6.0 * 0.01, rel=1e-6)
    assert run["ups.a.output_w"][lost] == pytest.approx(met * 5.5e6)
    assert run["ups.a.dc_link_pu"][lost] == pytest.approx(0.0, abs=1e-6)


def test_the_link_comes_back_with_its_lag():
    run = rig(np.full(100, 5e6))
    run.engine.states["ups_power"]["energy_j"] = 0.9 * 0.02 * 6e6
    run.run()
    energy = run["ups.a.dc_link_pu"] ** 2
    assert energy == pytest.approx(1.0 - 0.1 * np.exp(-np.arange(1, 101) * H / 0.002), abs=1e-8)


def test_bypass_follows_the_bus():
    sections = {"load": {"kind": "training", "power": "10 MW", "power_factor": 0.9}}
    run = rig(np.full(3_000, 5e6), events=[dip(2.0, 0.2, 0.6)], grid={"short_circuit": "300 MVA"}, **sections)
    run.run([(500, Point.BYPASS, 1.0)])
    on = slice(510, 3_000)
    assert np.all(run["ups.a.mode"][on] == 1)
    assert run["ups.a.output_voltage_pu"][on] == pytest.approx(run["bus.voltage_pu"][on], rel=1e-12)
    share = np.minimum(1.0, run["bus.voltage_pu"][on] / 0.9)
    assert run["ups.a.output_w"][on] == pytest.approx(5e6 * share, rel=1e-9)
    idle = 0.004 * 6e6 / (1.0 - RECTIFIER_LOSS)
    assert run["ups.a.input_w"][1_500] == pytest.approx(5e6 + idle, rel=1e-9)
    reactive = 5e6 * math.tan(math.acos(0.9)) + idle * math.tan(math.acos(0.99))
    assert run["ups.a.input_var"][1_500] == pytest.approx(reactive, rel=1e-9)


def test_many_upss_are_as_one():
    """Twelve equal UPSs of a twelfth each ask for what one ten times as big does."""
    load = np.linspace(4e6, 6e6, 4_000)
    keys = {**UPS, "rating": "0.5 MW"}
    many = Rig({"ups": {f"u{k}": keys for k in range(12)}, "events": [dip(1.0, 0.06, 0.3)], "grid": STIFF}, load).run()
    one = Rig({"ups": {"u": UPS}, "events": [dip(1.0, 0.06, 0.3)], "grid": STIFF}, load).run()
    assert len(many.engine.channels) == 21 + 12 * 21
    assert many["load.demand_w"] == pytest.approx(one["load.demand_w"], rel=1e-9, abs=1e-3)
    assert many["ups.u7.soc"] == pytest.approx(one["ups.u.soc"], rel=1e-12)


def test_shares_go_by_rating_where_none_is_given():
    ups = {"a": {**UPS, "share": 0.25}, "b": {**UPS, "rating": "2 MW"}, "c": {**UPS, "rating": "4 MW"}}
    run = Rig({"ups": ups}, np.full(10, 6e6)).run()
    assert [run[f"ups.{name}.demand_w"][0] for name in "abc"] == pytest.approx([1.5e6, 1.5e6, 3e6])


def test_it_converges_with_the_tick():
    """Energy out of the battery over a dip and its walk-in; half the tick, half the distance."""
    energy = {}
    for tick_s in (0.0001, 0.001, 0.005):
        ticks = round(5.0 / tick_s)
        events = [dip(1.0, 0.06, 0.3)]
        setting = {"window": f"{tick_s} s", "frequency_window": f"{tick_s} s"}
        run = rig(np.full(ticks, 5e6), {"transfer": "5 ms"}, events, tick=f"{tick_s} s", measurement=setting).run()
        energy[tick_s] = np.sum(np.maximum(run["ups.a.battery_w"], 0.0)) * tick_s
    exact = energy[0.0001] - (energy[0.001] - energy[0.0001]) / 9.0
    assert energy[0.001] == pytest.approx(exact, rel=1e-3)
    assert energy[0.005] == pytest.approx(exact, rel=4e-3)
    assert abs(energy[0.005] - exact) > 3.0 * abs(energy[0.001] - exact)


def test_the_runtime_is_what_it_then_lasts():
    lossless = {"resistance": 0.0, "rc1_resistance": 0.0, "rc2_resistance": 0.0}
    run = rig(np.full(80_000, 5e6), lossless, [dip(1.0, 79.0, 0.0)]).run()
    said = run["ups.a.runtime_s"][2_000]
    off = first(run["ups.a.mode"] == 0)
    assert off * H - 2.0 == pytest.approx(said, rel=1e-3)
    assert run["ups.a.runtime_s"][off - 1] == pytest.approx(0.0, abs=0.01)


def test_a_measuring_window_sees_a_dip_late():
    """An RMS of one cycle falls below the input window as its samples come in: mean square 1 − n/17·(1 − r²)."""
    run = rig(np.full(3_000, 5e6), events=[dip(1.0, 0.2, 0.5)], measurement={**AT_ONCE, "window": "17 ms"}).run()
    samples = math.ceil((1.0 - 0.85**2) * 17.0 / (1.0 - 0.25))
    assert first(run["ups.a.mode"] == 3) == 1_000 + samples + 4
