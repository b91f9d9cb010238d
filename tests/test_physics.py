"""The compiled plant against independent solutions; every right-hand side here is written from docs/model.md.

The battery and its converter are held against them in validation/battery.py.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from physics_support import limited, network, ramp_limit, windowed
from rig import BESS, ENABLE, SET_VAR, SET_W, VAR_ENABLE, H, Rig
from scipy.integrate import solve_ivp

AT_ONCE = {"setpoint_ramp": "1000000 GW/s", "slew": "1000000 GW/s", "converter_lag": "0 s"}


# --- Grid ---


def test_frequency_against_solve_ivp():
    """Swing equation and governor, through dead band and limit, under load steps and a loss of generation."""
    load = np.concatenate([np.full(2_000, 10e6), np.full(8_000, 22e6), np.full(8_000, 4e6), np.full(12_000, 10e6)])
    grid = {
        "short_circuit": "5 GVA",
        "area": "500 MVA",
        "inertia": "3 s",
        "damping": 1.5,
        "governor_time": "0.4 s",
        "governor_limit": 0.03,
    }
    loss = {"kind": "generation_loss", "at": "20 s", "duration": "4 s", "power": "25 MW"}
    rig = Rig({"grid": grid, "events": [loss]}, load).run(sample_grid_every=10)

    def rates(_t: float, y: np.ndarray, missing: float) -> list[float]:
        w, g = y
        demand = -math.copysign(min(max(abs(w) - 0.036 / 60.0, 0.0) / 0.05, 0.03), w)
        return [(g - missing - 1.5 * w) / 6.0, (demand - g) / 0.4]

    edges = [0, 2_000, 10_000, 18_000, 20_000, 24_000, 30_000]
    state, errors, seen = np.zeros(2), np.zeros(2), []
    sampled = dict(rig.states)
    for begin, end in itertools.pairwise(edges):
        missing = (load[begin] - 10e6 + (25e6 if 20_000 <= begin < 24_000 else 0.0)) / 500e6
        at = np.arange(begin + 10, end + 1, 10)
        solution = solve_ivp(
            rates, (begin * H, end * H), state, "DOP853", at * H, args=(missing,), rtol=1e-10, atol=1e-13, max_step=0.02
        )
        kernel = np.array([[sampled[t]["deviation_pu"], sampled[t]["governor_pu"]] for t in at if t in sampled]).T
        there = np.array([t in sampled for t in at])
        errors = np.maximum(errors, np.max(np.abs(solution.y[:, there] - kernel), axis=1))
        seen.append(solution.y)
        state = solution.y[:, -1]
    ranges = np.ptp(np.concatenate(seen, axis=1), axis=1)
    assert ranges[1] > 0.029  # the governor met its limit
    assert np.all(errors <= 1e-4 * ranges), errors / ranges
    assert np.allclose(rig["pcc.frequency_hz"][:100], 60.0)


def phasor_voltage(e: float, r: float, x: float, p: float, q: float, below: float) -> tuple[float, float]:
    """Voltage and delivered share by fixed-point iteration on complex phasors: shares nothing with a closed form."""
    z = complex(r, x)
    v = complex(e, 0.0)
    for _ in range(500):
        v = e - z * (complex(p, q) / v).conjugate()
    if abs(v) >= below:
        return abs(v), 1.0
    v = complex(e, 0.0)
    for _ in range(2000):
        current = (complex(p, q) / below).conjugate() * (v / abs(v))  # constant size, in phase with the voltage
        v = 0.5 * v + 0.5 * (e - z * current)
    return abs(v), abs(v) / below


@pytest.mark.parametrize("power_factor", [1.0, 0.95])
@pytest.mark.parametrize("residual", [None, 0.8, 0.5])
@pytest.mark.parametrize("x_over_r", [12.0, 2.0])
def test_voltage_against_phasors(power_factor, residual, x_over_r):
    grid = {"short_circuit": "200 MVA", "x_over_r": x_over_r, "constant_current_below": 0.85}
    events = [] if residual is None else [{"kind": "grid_dip", "at": "0 s", "duration": "1 s", "residual": residual}]
    load = np.linspace(1e6, 30e6, 30)
    sections = {"grid": grid, "events": events, "load": {"kind": "training", "power": "10 MW", "power_factor": power_factor}}
    rig = Rig(sections, load).run()
    r = 1.0 / math.hypot(1.0, x_over_r)
    tan = math.tan(math.acos(power_factor))
    for k, watts in enumerate(load):
        p = watts / 200e6
        voltage, share = phasor_voltage(residual or 1.0, r, x_over_r * r, p, p * tan, 0.85)
        assert rig["pcc.voltage_pu"][k] == pytest.approx(voltage, abs=1e-9)
        assert rig["load.power_w"][k] == pytest.approx(watts * share, rel=1e-8)


# --- Converter, firmware, measurement ---


def test_converter_lag_is_exact():
    bess = {**BESS, "converter_lag": "70 ms", "setpoint_ramp": "100 GW/s", "slew": "100 GW/s"}
    rig = Rig({"bess": {"x": bess}}, np.full(600, 10e6)).run([(100, SET_W, 4e6), (100, ENABLE, 1.0)])
    since = np.arange(1, 501) * H
    assert np.max(np.abs(rig["bess.x.power_w"][100:] / 4e6 + np.expm1(-since / 0.070))) < 1e-12


def test_current_is_limited_in_a_dip():
    bess = {**BESS, "current_limit": 1.1, "converter_lag": "2 ms", "setpoint_ramp": "100 GW/s"}
    dip = {"kind": "grid_dip", "at": "0.5 s", "duration": "0.5 s", "residual": 0.6}
    rig = Rig({"bess": {"x": bess}, "events": [dip]}, np.full(1_500, 10e6)).run([(0, SET_W, 10e6), (0, ENABLE, 1.0)])
    current = rig["bess.x.current_pu"]
    assert current[490] == pytest.approx(1.0, abs=0.03)
    assert np.all(current[560:1_000] <= 1.1 * 1.001)
    assert np.min(rig["bess.x.power_w"][560:1_000]) > 0.64 * 10e6  # it stays at its limit, it does not cease
    assert rig["bess.x.power_w"][1_400] == pytest.approx(10e6, rel=1e-6)


def test_priority_gives_one_its_part_first():
    for priority, full, other in (("active", "power_w", "reactive_var"), ("reactive", "reactive_var", "power_w")):
        bess = {**BESS, "current_limit": 1.0, "priority": priority, "setpoint_ramp": "100 GW/s"}
        commands = [(0, SET_W, 9e6), (0, ENABLE, 1.0), (0, SET_VAR, 9e6), (0, VAR_ENABLE, 1.0)]
        rig = Rig({"bess": {"x": bess}, "grid": {"short_circuit": "50 GVA"}}, np.full(2_000, 10e6)).run(commands)
        voltage = rig["pcc.voltage_lowest_measured_pu"][-2]
        assert rig[f"bess.x.{full}"][-1] == pytest.approx(9e6, rel=1e-6)
        assert rig[f"bess.x.{other}"][-1] == pytest.approx(math.sqrt((10e6 * voltage) ** 2 - 9e6**2), rel=1e-6)


@pytest.mark.parametrize(("soc", "power_w", "edge"), [(0.11, 8e6, 0.1), (0.89, -8e6, 0.9)])
def test_soc_limits_stop_the_battery(soc, power_w, edge):
    bess = {**BESS, "soc": soc, "soc_min": 0.1, "soc_max": 0.9, "energy": "0.2 MWh"}
    rig = Rig({"bess": {"x": bess}}, np.full(20_000, 10e6)).run([(0, SET_W, power_w), (0, ENABLE, 1.0)])
    assert abs(rig["bess.x.power_w"][500]) > 7e6
    assert abs(rig["bess.x.power_w"][-1]) < 1.0
    assert rig["bess.x.soc"][-1] == pytest.approx(edge, abs=2e-3)


@pytest.mark.parametrize(("window_s", "delay_s"), [(0.001, 0.0), (0.017, 0.0), (0.05, 0.02)])
def test_measured_signals(window_s, delay_s):
    rng = np.random.default_rng(3)
    load = np.cumsum(rng.normal(0, 2e5, 3_000)) + 20e6
    setting = {"window": f"{window_s} s", "delay": f"{delay_s} s", "frequency_window": f"{window_s} s"}
    rig = Rig({"measurement": setting}, load).run()
    n, d = round(window_s / H), round(delay_s / H)

    def windowed(x: np.ndarray, before: float) -> np.ndarray:
        padded = np.concatenate([np.full(n + d, before), x])
        mean = np.convolve(padded, np.full(n, 1.0 / n), "valid")[1:]
        return mean[: x.size]

    v0 = phasor_voltage(1.0, 1 / math.hypot(1, 12), 12 / math.hypot(1, 12), load[0] / 500e6, 0.0, 0.9)[0]
    assert np.allclose(rig["pcc.power_measured_w"], windowed(rig["pcc.power_w"], load[0]), rtol=1e-10, atol=0)
    assert np.allclose(
        rig["pcc.voltage_lowest_measured_pu"], np.sqrt(windowed(rig["pcc.voltage_pu"] ** 2, v0**2)), rtol=1e-10, atol=0
    )
    assert np.allclose(rig["pcc.frequency_measured_hz"], windowed(rig["pcc.frequency_hz"], 60.0), rtol=1e-10, atol=0)


def shared(ratings: dict[str, str], **keys: dict[str, object]) -> Rig:
    """A step from 10 to 30 MW before BESS of these ratings with a law each."""
    plain = {key: value for key, value in BESS.items() if key != "slew"}  # its default goes with the rating
    bess = {name: {**plain, "rating": rating, "energy": "5 MWh"} for name, rating in ratings.items()}
    law = {"kind": "ramp_limit", "ramp": "1 MW/s"}
    laws = {name: {**law, "device": f"bess.{name}", **keys.get(name, {})} for name in ratings}
    return Rig({"bess": bess, "absorber": laws}, np.repeat([10e6, 30e6], 2_000)).run()


def test_several_absorbers_give_one_answer():
    """Each gives its part of the ratings, and the grid sees what one big battery would have left of the step."""
    three = shared({"a": "50 MVA", "b": "30 MVA", "c": "20 MVA"})
    one = shared({"a": "100 MVA"})
    assert len(three.engine.channels) == 21 + 3 * 14
    parts = [three[f"bess.{name}.law_w"] for name in ("a", "b", "c")]
    assert np.allclose(parts, np.outer((0.5, 0.3, 0.2), one["bess.a.law_w"]), rtol=1e-12)
    given = sum(three[f"bess.{name}.power_w"] for name in ("a", "b", "c"))
    assert np.allclose(three["pcc.power_w"], three["load.power_w"] - given)
    assert np.max(np.abs(three["pcc.power_w"] - one["pcc.power_w"])) < 1.0


def test_a_stated_share_stands():
    """Shares need not add up to one: what is left of the answer the grid gives."""
    site = shared({"a": "50 MVA", "b": "50 MVA"}, a={"share": 0.25})
    whole = shared({"a": "50 MVA"})["bess.a.law_w"]
    assert np.allclose(site["bess.a.law_w"], 0.25 * whole)
    assert np.allclose(site["bess.b.law_w"], 0.5 * whole)  # by rating, the other's counted too


def test_a_device_without_a_law_takes_no_share():
    site = shared({"a": "50 MVA", "b": "50 MVA"}, b={"kind": "none"})
    assert np.array_equal(site["bess.a.law_w"], shared({"a": "50 MVA"})["bess.a.law_w"])
    assert np.all(site["bess.b.law_w"] == 0.0)


@pytest.mark.parametrize("x_over_r", [12.0, 0.5])
def test_voltage_with_storage_against_phasors(x_over_r):
    """Load and four-quadrant storage through dips down to collapse: voltage and every delivered power."""
    rng, base, below, z = np.random.default_rng(11), 200e6, 0.85, complex(1.0, x_over_r) / math.hypot(1.0, x_over_r)
    e = np.repeat([1.0, 0.95, 1.0, 0.7, 1.0, 0.45, 1.0, 0.2, 1.0, 0.03, 1.0], 50)
    dips = [{"kind": "grid_dip", "at": f"{k} ms", "duration": "50 ms", "residual": e[k].item()} for k in range(50, 500, 100)]
    load, set_w, set_var = (rng.uniform(*bounds, e.size) for bounds in ((1e6, 45e6), (-15e6, 15e6), (-9e6, 9e6)))
    commands = [(0, ENABLE, 1.0), (0, VAR_ENABLE, 1.0)]
    commands += [(k, point, float(at[k])) for k in range(load.size) for point, at in ((SET_W, set_w), (SET_VAR, set_var))]
    grid = {"short_circuit": "200 MVA", "x_over_r": x_over_r, "constant_current_below": below, "source": 1.02}
    bess = {**BESS, **AT_ONCE, "rating": "40 MVA", "energy": "10 MWh", "current_limit": 3.0}
    profile = {"kind": "training", "power": "10 MW", "power_factor": 0.97}
    rig = Rig({"grid": grid, "bess": {"x": bess}, "events": dips, "load": profile}, load).run(commands)
    drawn, expected = load * complex(1.0, math.tan(math.acos(0.97))) / base, []
    seen = network(1.02, z, drawn[0], 0j, below, 1.0)[0]
    for k in range(load.size):
        given = limited(complex(set_w[k], set_var[k]), 3.0 * 40e6 * seen) / base
        voltage, share, held = network(1.02 * e[k], z, drawn[k], given, below, seen)
        seen = rig["pcc.voltage_lowest_measured_pu"][k]
        expected.append((voltage, drawn[k] * share - given * held, given * held))
    powers = [(rig[f"{at}.power_w"] + 1j * rig[f"{at}.reactive_var"]) / base for at in ("pcc", "bess.x")]
    assert np.max(np.abs(np.column_stack([rig["pcc.voltage_pu"], *powers]) - expected)) <= 1e-9
    assert rig.engine.states["network"]["collapsed_ticks"][0] == sum(voltage == 0.0 for voltage, _, _ in expected) > 0


@pytest.mark.parametrize("residual", [0.6, 0.93])  # below and above the constant-current threshold
@pytest.mark.parametrize(("priority", "first"), [("active", "power_w"), ("reactive", "reactive_var")])
def test_current_limit_after_the_first_measured_window(residual, priority, first):
    """|I| and the preferred part, one window into a dip; it sees its own effect on the voltage late, hence 2.5e-3 at first."""
    bess = {**BESS, **AT_ONCE, "current_limit": 1.1, "priority": priority}
    dip = {"kind": "grid_dip", "at": "0.1 s", "duration": "0.4 s", "residual": residual}
    commands = [(0, SET_W, 9e6), (0, ENABLE, 1.0), (0, SET_VAR, 9e6), (0, VAR_ENABLE, 1.0)]
    rig = Rig({"bess": {"x": bess}, "events": [dip]}, np.full(500, 10e6)).run(commands)
    assert np.max(rig["bess.x.current_pu"][100 + 17 :]) <= 1.1 * (1 + 2.5e-3)
    assert rig["bess.x.current_pu"][-1] == pytest.approx(1.1, rel=1e-9)
    assert rig[f"bess.x.{first}"][-1] == pytest.approx(min(9e6, 11e6 * rig["pcc.voltage_pu"][-1]), rel=1e-9)


def test_ramp_limit_law_on_its_own_measurement():
    """Filter, delay, one tick of latency, update period and unequal ramps of the law, tick by tick."""
    load = 20e6 + np.cumsum(np.random.default_rng(5).normal(0, 2e5, 4_000))
    law = {"ramp": "3 MW/s", "ramp_down": "5 MW/s", "update": "7 ms", "filter": "10 ms", "delay": "4 ms"}
    rig = Rig({"bess": {"x": BESS}, "absorber": {"a": {"kind": "ramp_limit", "device": "bess.x", **law}}}, load).run()
    measured = windowed(load, 10, 4, load[0])
    assert np.allclose(rig["bess.x.load_measured_w"], measured, rtol=1e-10, atol=0)
    expected = ramp_limit(measured, 3e6, 5e6, 7, H, load[0])
    assert np.max(np.abs(rig["bess.x.law_w"] - expected)) <= 1e-9 * np.ptp(expected)
