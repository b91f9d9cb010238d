"""Grid-forming converters against docs/model.md, "Grid-forming": phasors by scipy, the swing equation, islands, limits."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np
import pytest
from rig import BESS, ENABLE, LOSSLESS, REVERT_S, SET_VAR, SET_W, VAR_ENABLE, H, Rig
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve
from ups_support import AT_ONCE, STIFF, UPS, dip, first

WEAK = {"short_circuit": "60 MVA", "x_over_r": 5.0, "area": "1e9 GVA"}
Z = complex(0.03, 0.15)


def unit(**keys: Any) -> dict[str, Any]:
    setting = keys.pop("forming", {})
    return {**BESS, "control": "forming", "forming": setting, **keys}


def outage(at_s: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"kind": "grid_outage", "at": f"{at_s} s", **more}


def bench(power_w: Any, bess: dict[str, Any], events: Any = (), commands: Any = (), **sections: Any) -> Rig:
    site = {"bess": bess, "measurement": AT_ONCE, "grid": STIFF, "events": list(events)}
    return Rig(site | sections, np.asarray(power_w, dtype=float)).run(list(commands))


def set_points(power_w: float, var: float, tick: int = 100) -> list[tuple[int, int, float]]:
    return [(tick, REVERT_S, 0.0), (tick, SET_W, power_w), (tick, ENABLE, 1.0), (tick, SET_VAR, var), (tick, VAR_ENABLE, 1.0)]


def test_a_site_stands_before_its_first_tick():
    site = {"a": unit(), "b": unit(rating="4 MVA")}
    run = bench(np.full(400, 6e6), site, grid=WEAK, transformer={"rating": "30 MVA"}, load={
        "kind": "training", "power": "10 MW", "power_factor": 0.93,
    })  # fmt: skip
    for name in ("bess.a.power_w", "bess.a.reactive_var", "bess.b.power_w"):
        assert np.max(np.abs(run[name])) < 1e-2
    for name in ("bus.voltage_pu", "pcc.power_w", "pcc.reactive_var", "pcc.voltage_pu"):
        assert run[name] == pytest.approx(np.full(400, run[name][0]), rel=1e-9)
    still = Rig({"grid": WEAK, "transformer": {"rating": "30 MVA"}, "measurement": AT_ONCE, "load": {
        "kind": "training", "power": "10 MW", "power_factor": 0.93,
    }}, np.full(400, 6e6)).run()  # fmt: skip
    for name in ("bus.voltage_pu", "pcc.power_w", "pcc.reactive_var", "pcc.voltage_pu"):
        assert run[name] == pytest.approx(still[name], rel=1e-8)


@pytest.mark.parametrize(("power_w", "var"), [(5e6, 0.0), (-4e6, 1e6), (2e6, -2e6)])
def test_the_flow_of_two_sources_is_that_of_the_phasors(power_w, var):
    """Settled at its set-points beside the grid: the converter gives its power, its voltage follows its droop."""
    pf = 0.95
    run = bench(
        np.full(40_000, 8e6), {"a": unit(soc=0.6, energy="100 MWh")}, commands=set_points(power_w, var), grid=WEAK,
        load={"kind": "training", "power": "10 MW", "power_factor": pf},
    )  # fmt: skip
    base = 60e6
    grid_z = complex(1.0, 5.0) / math.hypot(1.0, 5.0)
    own_z = Z * base / 10e6
    load = complex(8e6, 8e6 * math.tan(math.acos(pf))) / base
    start = run["bus.voltage_pu"][0]

    def wrong(x: np.ndarray) -> list[float]:
        v, emf = complex(x[0], x[1]), cmath.rect(x[2], x[3])
        from_grid, from_unit = (1.0 - v) / grid_z, (emf - v) / own_z
        given = v * from_unit.conjugate()
        left = v * (from_grid + from_unit).conjugate() - load
        reactive = given.imag * base / 10e6
        return [left.real, left.imag, given.real - power_w / base, x[2] - start + 0.05 * (reactive - var / 10e6)]

    v_re, v_im, emf, angle = fsolve(wrong, [1.0, 0.0, 1.0, 0.0], xtol=1e-13)
    v = complex(v_re, v_im)
    given = v * ((cmath.rect(emf, angle) - v) / own_z).conjugate() * base
    drawn = v * ((1.0 - v) / grid_z).conjugate() * base
    assert run["bus.voltage_pu"][-1] == pytest.approx(abs(v), abs=1e-6)
    assert run["bess.a.power_w"][-1] == pytest.approx(given.real, abs=200.0)
    assert run["bess.a.reactive_var"][-1] == pytest.approx(given.imag, abs=200.0)
    assert run["pcc.power_w"][-1] == pytest.approx(drawn.real, abs=200.0)
    assert run["pcc.reactive_var"][-1] == pytest.approx(drawn.imag, abs=400.0)
    # And whatever happens on the way, the bus is in balance.
    balance = run["pcc.power_w"] + run["bess.a.power_w"] - run["load.power_w"]
    assert np.max(np.abs(balance)) < 1e-9 * 8e6


@pytest.mark.parametrize(("inertia_s", "damping"), [(1.0, 0.0), (4.0, 20.0), (0.3, 0.0)])
def test_its_swing_is_that_of_scipy(inertia_s, damping):
    """A step of its set-point without load: two voltages behind one impedance, so that the right-hand side is explicit."""
    forming = {"inertia": f"{inertia_s} s", "damping": damping, "voltage_droop": 0.0, "droop": 0.05, "restore_time": "0 s"}
    run = bench(
        np.zeros(3_000), {"a": unit(forming=forming, slew="10 GW/s", setpoint_ramp="10 GW/s")},
        commands=set_points(3e6, 0.0, 100)[:3], grid=WEAK,
    )  # fmt: skip
    base = 60e6
    grid_z, own_z = complex(1.0, 5.0) / math.hypot(1.0, 5.0), Z * base / 10e6
    began = first(run["bess.a.command_w"] != 0.0)
    command = run["bess.a.command_w"] / 10e6
    grid_y, own_y = 1.0 / abs(grid_z), 1.0 / abs(own_z)

    def power(angle: float) -> float:
        current = (cmath.rect(1.0, angle) - 1.0) / (grid_z + own_z)
        bus = 1.0 + grid_z * current
        return (bus * current.conjugate()).real * base / 10e6

    def slopes(t: float, x: np.ndarray) -> list[float]:
        wanted = command[min(began + int(t / H + 1e-9), 2_999)]
        bus = own_y * x[1] / (own_y + grid_y)
        return [
            2 * math.pi * 60.0 * x[1],
            (wanted - power(x[0]) - x[1] / 0.05 - damping * (x[1] - bus)) / (2 * inertia_s),
        ]

    times = np.arange(1, 2_001) * H
    ideal = solve_ivp(slopes, (0.0, 2.0), [0.0, 0.0], "DOP853", times, rtol=1e-9, atol=1e-12, max_step=H)
    ours = run["bess.a.forming_frequency_hz"][began : began + 2_000] / 60.0 - 1.0
    assert np.max(np.abs(ours - ideal.y[1])) < 0.03 * np.max(np.abs(ideal.y[1]))
    given = run["bess.a.power_w"][began + 1 : began + 2_000] / 10e6
    expected = np.array([power(angle) for angle in ideal.y[0][:-1]])
    assert np.max(np.abs(given - expected)) < 0.03 * np.max(np.abs(expected))


def test_an_island_carries_the_site_and_its_energy_is_the_batterys():
    """Balance to 1e-9, the voltage behind the virtual impedance, frequency by 2H dw/dt = -p - w/R, state of charge."""
    forming = {"restore_time": "0 s", "droop": 0.04, "inertia": "2 s", "voltage_droop": 0.0}
    load = 4e6 + 1e6 * np.sin(np.arange(6_000) * 0.003)
    load[3_000:] = 7e6
    run = bench(load, {"a": unit(forming=forming, **LOSSLESS)}, [outage()])
    island = np.s_[1_000:]
    balance = run["bess.a.power_w"] + run["pcc.power_w"] - run["load.power_w"]
    assert np.max(np.abs(balance)) < 1e-9 * 7e6
    assert np.all(run["pcc.power_w"][island] == 0.0)
    assert np.all(run["pcc.tied"] == (np.arange(6_000) < 1_000))
    p = load[island] / 10e6
    b = 0.5 * run["bus.voltage_pu"][0] ** 2 - Z.real * p
    assert run["bus.voltage_pu"][island] == pytest.approx(np.sqrt(b + np.sqrt(b * b - p * p * abs(Z) ** 2)), rel=1e-9)
    decay, w, expected = math.exp(-H / (2 * 2.0 * 0.04)), 0.0, []
    for share in p:
        w = -0.04 * share + (w + 0.04 * share) * decay
        expected.append(w)
    ours = run["bess.a.forming_frequency_hz"][island] / 60.0 - 1.0
    assert np.max(np.abs(ours - np.array(expected))) < 0.01 * np.max(np.abs(expected))
    assert run["bus.frequency_hz"][island] == pytest.approx(run["bess.a.forming_frequency_hz"][island], rel=1e-14)
    cell = run.engine.parameters["battery"][0]
    fine = np.linspace(0.0, 1.0, 200_001)
    volts = np.interp(fine, np.linspace(0, 1, 21), cell["ocv_v"])
    energy_j = cell["capacity_as"] * np.concatenate([[0.0], np.cumsum((volts[1:] + volts[:-1]) / 2 * np.diff(fine))])
    soc = run["bess.a.soc"]
    drawn_j = -np.diff(np.interp(soc[[999, -1]], fine, energy_j))[0]
    assert drawn_j == pytest.approx(np.sum(run["bess.a.power_w"][island]) * H, rel=1e-6)


def test_two_of_them_share_by_their_droops_and_damp_each_other():
    load = np.full(20_000, 6e6)
    bess = {"a": unit(forming={"droop": 0.02}), "b": unit(rating="5 MVA", forming={"droop": 0.04})}
    for each in bess.values():
        each["forming"]["restore_time"] = "0 s"
    run = bench(load, bess, [outage()])
    stiffness = {"a": 10e6 / 0.02, "b": 5e6 / 0.04}
    for name, k in stiffness.items():
        assert run[f"bess.{name}.power_w"][-1] == pytest.approx(6e6 * k / sum(stiffness.values()), rel=1e-6)
    assert run["bus.frequency_hz"][-1] == pytest.approx(60.0 * (1.0 - 6e6 / sum(stiffness.values())), abs=1e-6)
    total = run["bess.a.power_w"] + run["bess.b.power_w"]
    assert np.max(np.abs(total[1_000:] - run["load.power_w"][1_000:])) < 1e-9 * 6e6


def test_an_island_is_brought_back_to_nominal_and_into_step_before_it_is_tied():
    run = bench(np.full(60_000, 4e6), {"a": unit()}, [outage(1.0, duration="9 s")])
    assert run["bus.frequency_hz"][1_200] < 59.8
    assert run["bus.frequency_hz"][9_900] == pytest.approx(60.0, abs=0.05)
    tied = first(run["pcc.tied"] == 1.0, 10_000)
    assert 10_000 < tied < 40_000
    assert abs(run["bus.frequency_hz"][tied - 1] - 60.0) < 0.1
    # What an angle of 3 degrees drives across its impedance, against what it would out of step.
    jump_w = abs(run["bess.a.power_w"][tied] - run["bess.a.power_w"][tied - 1])
    assert jump_w < 1.1 * 10e6 * math.sin(math.radians(3.0)) / abs(Z)
    assert run["load.power_w"][1_000:] == pytest.approx(np.full(59_000, 4e6), rel=1e-9)
    assert run["bess.a.power_w"][-1] == pytest.approx(0.0, abs=2e3)


def test_its_current_is_limited_through_a_dip():
    run = bench(np.full(3_000, 4e6), {"a": unit(current_limit=1.2)}, [dip(1.0, 0.15, 0.3)], grid=WEAK)
    assert run["bess.a.current_pu"].max() == pytest.approx(1.2, rel=1e-6)
    within = np.s_[1_001:1_150]
    assert run["bess.a.current_pu"][within] == pytest.approx(np.full(149, 1.2), rel=1e-6)
    assert np.all(run["bess.a.reactive_var"][within] > 0.3 * 10e6)
    free = bench(np.full(3_000, 4e6), {"a": unit(current_limit=3.0)}, [dip(1.0, 0.15, 0.3)], grid=WEAK)
    assert free["bess.a.current_pu"].max() > 1.5
    assert run["bess.a.widened"][-1] == 1.0


def test_an_island_beyond_its_current_collapses_and_comes_back_with_less():
    load = np.full(5_000, 8e6)
    load[2_000:3_000] = 14e6
    run = bench(load, {"a": unit()}, [outage()])
    assert np.all(run["bus.voltage_pu"][2_000:3_000] == 0.0)
    assert run.engine.states["network"]["collapsed_ticks"][0] == np.count_nonzero(run["bus.voltage_pu"] == 0.0)
    assert run["load.power_w"][-1] == pytest.approx(8e6, rel=1e-9)
    assert run["bess.a.current_pu"].max() <= 1.1 * (1 + 1e-6)


def test_an_empty_battery_leaves_the_island_dark_until_the_grid_is_back():
    bess = {"a": unit(energy="0.02 MWh", soc_min=0.05, **LOSSLESS)}
    run = bench(np.full(30_000, 4e6), bess, [outage(1.0, duration="19 s")])
    out = first(run["bess.a.forming"] == 0.0)
    assert run["bess.a.soc"][out - 1] == pytest.approx(0.05, abs=1e-3)
    assert np.all(run["bus.voltage_pu"][out:20_000] == 0.0)
    assert np.all(run["pcc.tied"][20_000:] == 1.0)
    assert run["pcc.power_w"][-1] == pytest.approx(4e6, rel=1e-9)


def test_an_open_breaker_at_the_pcc_leaves_an_island_that_a_following_converter_and_a_ups_live_on():
    limit = {"name": "27", "kind": "undervoltage", "min": 0.9, "delay": "20 ms", "action": "trip", "trips": "pcc"}
    site = {"a": unit(), "b": dict(BESS)}
    run = bench(
        np.full(12_000, 4e6), site, [dip(1.0, 0.3, 0.3)], limits=[limit],
        ups={"a": {**UPS, "share": 0.5, "qualify": "0.5 s", "walk_in": "0.5 s", "input_frequency": "2 Hz"}},
    )  # fmt: skip
    assert run["breakers.pcc.closed"][-1] == 0.0
    assert run["pcc.voltage_pu"][-1] == pytest.approx(1.0, abs=1e-6)
    assert run["pcc.power_w"][-1] == 0.0
    assert run["ups.a.mode"][-1] == 2.0
    assert run["bess.a.power_w"][-1] == pytest.approx(run["load.power_w"][-1] - run["bess.b.power_w"][-1], rel=1e-9)
    assert np.all(run["ups.a.output_voltage_pu"] == 1.0)


def test_it_starts_a_dead_bus():
    bess = {"a": unit(initial="off", start_time="0.5 s")}
    start = [(2_000, 7, 1.0)]
    run = bench(np.full(4_000, 4e6), bess, [outage()], start)
    assert np.all(run["bus.voltage_pu"][1_000:2_400] == 0.0)
    assert run["load.power_w"][-1] == pytest.approx(4e6, rel=1e-9)


def test_one_that_follows_is_as_it_was():
    """With or without the key, to the bit; and beside the channels of a site that has none."""
    rows = [
        bench(np.full(2_000, 4e6), {"a": {**BESS, **keys}}, [dip(1.0, 0.2, 0.3)]).rows
        for keys in ({}, {"control": "following"})
    ]
    assert np.array_equal(*rows)
