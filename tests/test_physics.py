"""The compiled plant against independent solutions; every right-hand side here is written from docs/model.md."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from physics_support import limited, network, ramp_limit, windowed
from rig import LOSSLESS, H, Rig
from scipy.integrate import solve_ivp

CELL_V = np.array(
    [2.500, 3.000, 3.180, 3.210, 3.235, 3.252, 3.265, 3.276, 3.285, 3.288, 3.290,
     3.294, 3.300, 3.310, 3.320, 3.326, 3.330, 3.335, 3.340, 3.360, 3.500]
)  # fmt: skip
SOC_GRID = np.linspace(0.0, 1.0, 21)
SET_W, ENABLE, SET_VAR, VAR_ENABLE = 0, 1, 5, 6
AT_ONCE = {"setpoint_ramp": "1000000 GW/s", "slew": "1000000 GW/s", "converter_lag": "0 s"}

BESS = {
    "rating": "10 MVA", "energy": "0.6 MWh", "soc": 0.62, "dc_voltage": "1000 V",
    "setpoint_ramp": "40 MW/s", "slew": "100 MW/s", "converter_lag": "50 ms",
    "resistance": 0.02, "rc1_resistance": 0.015, "rc1_time": "2 s", "rc2_resistance": 0.02,
    "rc2_time": "20 s", "thermal_time": "60 s", "temperature_rise": "20 degC", "soc_min": 0.0, "soc_max": 1.0,
}  # fmt: skip


def program(seconds: float, seed: int = 1) -> list[tuple[int, int, float]]:
    """Set-points that change every 0.7 to 3 s, mostly discharging."""
    rng = np.random.default_rng(seed)
    commands = [(0, ENABLE, 1.0)]
    tick = 0
    while tick < (seconds - 4.0) / H:
        commands.append((tick, SET_W, float(rng.uniform(-6e6, 9e6))))
        tick += int(rng.uniform(700, 3000))
    return commands


def chain(commands: list[tuple[int, int, float]], ticks: int) -> np.ndarray:
    """AC power of each tick from the set-points: set-point ramp, slew, converter lag ("Inverter firmware", "Converter")."""
    at = {tick: value for tick, point, value in commands if point == SET_W}
    gain = 1.0 - math.exp(-H / 0.050)
    target = bias = command = lagged = 0.0
    out = np.empty(ticks)
    for k in range(ticks):
        target = at.get(k, target)
        bias += min(max(target - bias, -40e6 * H), 40e6 * H)
        command += min(max(bias - command, -100e6 * H), 100e6 * H)
        lagged += gain * (command - lagged)
        out[k] = lagged
    return out


def dc_power(ac_w: np.ndarray) -> np.ndarray:
    """Losses with the default shares of a rating of 10 MVA."""
    return ac_w + 0.002 * 10e6 + 0.008 * np.abs(ac_w) + 0.007 * ac_w**2 / 10e6


class Cell:
    """Parameters of the battery of `BESS`, from the page's last paragraph on them."""

    def __init__(self) -> None:
        rated_a = 10e6 / 1000.0
        self.ocv = CELL_V * 1000.0 / 3.2
        self.c = 0.6e6 * 3600.0 / np.trapezoid(self.ocv, SOC_GRID)
        self.r0, self.r1, self.r2 = (share * 1000.0 / rated_a for share in (0.02, 0.015, 0.02))
        self.r_th = 20.0 / ((0.02 + 0.015 + 0.02) * 10e6)

    def current(self, soc: float, v1: float, v2: float, p: float) -> float:
        u = np.interp(soc, SOC_GRID, self.ocv) - v1 - v2
        return 2.0 * p / (u + math.sqrt(u * u - 4.0 * self.r0 * p))

    def rates(self, _t: float, y: np.ndarray, p: float) -> list[float]:
        soc, v1, v2, temperature = y
        i = self.current(soc, v1, v2, p)
        heat = self.r0 * i * i + v1 * v1 / self.r1 + v2 * v2 / self.r2
        return [
            -i / self.c,
            (self.r1 * i - v1) / 2.0,
            (self.r2 * i - v2) / 20.0,
            (self.r_th * heat - (temperature - 25.0)) / 60.0,
        ]

    def stored_j(self, soc: np.ndarray, v1: np.ndarray, v2: np.ndarray) -> np.ndarray:
        """C∫U dz + capacitors, from the state alone."""
        fine = np.linspace(0.0, 1.0, 20_001)
        u = np.interp(fine, SOC_GRID, self.ocv)
        integral = np.concatenate([[0.0], np.cumsum((u[1:] + u[:-1]) / 2 * np.diff(fine))])
        curve = np.interp(soc, fine, integral) + 0.0
        return self.c * curve + 2.0 / self.r1 * v1**2 / 2 + 20.0 / self.r2 * v2**2 / 2


@pytest.fixture(scope="module")
def driven() -> tuple[Rig, list[tuple[int, int, float]]]:
    commands = program(120.0)
    return Rig({"bess": {"x": BESS}}, np.full(120_000, 10e6)).run(commands), commands


def test_setpoint_to_dc_power(driven):
    """The chain from set-point to battery, tick by tick."""
    rig, commands = driven
    ac = chain(commands, 120_000)
    assert np.max(np.abs(rig["bess.x.power_w"] - ac)) <= 1e-9 * np.ptp(ac)
    expected = dc_power(ac)
    assert np.max(np.abs(rig["bess.x.dc_power_w"] - expected)) <= 1e-9 * np.ptp(expected)


STEPPING = {**BESS, "setpoint_ramp": "100 GW/s", "slew": "100 GW/s", "converter_lag": "0 s"}


@pytest.fixture(scope="module")
def stepped() -> tuple[Rig, list[tuple[int, int, float]]]:
    """Set-points that arrive at once, so that power is constant from command to command."""
    commands = [(tick, point, value) for tick, point, value in program(240.0, seed=2)]
    return Rig({"bess": {"x": STEPPING}}, np.full(240_000, 10e6)).run(commands), commands


STATES = ("soc", "rc1_v", "rc2_v", "temperature_degc")


def test_battery_dynamics_against_solve_ivp(stepped):
    rig, commands = stepped
    cell = Cell()
    steps = [(tick, value) for tick, point, value in commands if point == SET_W] + [(240_000, 0.0)]
    assert np.ptp(rig["bess.x.soc"]) > 0.2  # several knots of the curve
    state = np.array([0.62, 0.0, 0.0, 25.0])
    errors = np.zeros(4)
    for (begin, power), (end, _) in itertools.pairwise(steps):
        ticks = np.arange(begin + 1, end + 1)
        p = float(dc_power(np.array([power]))[0])
        solution = solve_ivp(
            cell.rates,
            (begin * H, end * H),
            state,
            "DOP853",
            ticks[49::50] * H,
            args=(p,),
            rtol=1e-10,
            atol=1e-12,
            max_step=0.25,
        )
        for index, name in enumerate(STATES):
            errors[index] = max(
                errors[index], np.max(np.abs(solution.y[index] - rig[f"bess.x.{name}"][ticks[49::50] - 1]), initial=0)
            )
        state = solve_ivp(
            cell.rates, (begin * H, end * H), state, "DOP853", args=(p,), rtol=1e-10, atol=1e-12, max_step=0.25
        ).y[:, -1]
    ranges = np.array([np.ptp(rig[f"bess.x.{name}"]) for name in STATES])
    assert np.all(errors <= 1e-4 * ranges), errors / ranges


def test_stored_energy_balances(driven):
    """Energy from SoC and voltages alone, against what went through the terminals and the resistances."""
    rig, _ = driven
    cell = Cell()
    stored = cell.stored_j(*(rig[f"bess.x.{name}"] for name in ("soc", "rc1_v", "rc2_v")))
    i, v1, v2 = (rig[f"bess.x.{name}"] for name in ("dc_current_a", "rc1_v", "rc2_v"))
    mid = lambda v: (np.concatenate([[0.0], v[:-1]]) + v) / 2
    heat = cell.r0 * i**2 + mid(v1) ** 2 / cell.r1 + mid(v2) ** 2 / cell.r2
    out = np.cumsum(i * rig["bess.x.dc_voltage_v"]) * H
    start = cell.stored_j(np.array([0.62]), np.zeros(1), np.zeros(1))[0]
    balance = start - stored - out - np.cumsum(heat) * H
    throughput = np.sum(np.abs(rig["bess.x.dc_power_w"])) * H
    assert np.max(np.abs(balance)) <= 1e-5 * throughput
    assert np.max(np.abs(rig["bess.x.dc_power_w"] - dc_power(rig["bess.x.power_w"]))) < 1.0  # terminals got what was asked


@pytest.mark.parametrize(("duty", "period_s"), [(d, t) for d in (0.5, 0.7, 0.8, 0.9) for t in (0.5, 2.0, 10.0, 30.0)])
def test_storage_swing_of_a_square_wave(duty, period_s):
    """max(E) − min(E) = ΔP·T·d(1−d) for a lossless battery that flattens a square wave."""
    swing_w, cycles = 100e6, 4
    ticks = round(cycles * period_s / H)
    phase = (np.arange(ticks) % round(period_s / H)) * H / period_s
    load = 20e6 + swing_w * (phase < duty)
    bess = {
        **BESS,
        **LOSSLESS,
        "rating": "200 MVA",
        "energy": "100 MWh",
        "slew": "100 GW/s",
        "converter_lag": "0 s",
        "soc": 0.5,
    }
    rig = Rig(
        {
            "grid": {"short_circuit": "50 GVA"},
            "bess": {"x": bess},
            "absorber": {"a": {"kind": "ramp_limit", "device": "bess.x", "ramp": "1 W/s"}},
        },
        load,
    )
    rig.engine.states["law"]["grid_w"] = 20e6 + duty * swing_w  # the grid's share stands at the mean
    rig.run()
    ocv = CELL_V * 1000.0 / 3.2
    c = 100e6 * 3600.0 / np.trapezoid(ocv, SOC_GRID)
    soc = np.concatenate([[0.5], rig["bess.x.soc"]])
    energy = c * np.cumsum(np.interp((soc[1:] + soc[:-1]) / 2, SOC_GRID, ocv) * np.diff(soc))
    last = energy[ticks // 2 :]
    assert np.ptp(last) == pytest.approx(swing_w * period_s * duty * (1 - duty), rel=0.01)


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
        set_var, var_enable = 5, 6
        commands = [(0, SET_W, 9e6), (0, ENABLE, 1.0), (0, set_var, 9e6), (0, var_enable, 1.0)]
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


def test_many_batteries_share_the_work():
    """Two BESS with a law each: the grid sees load minus both."""
    bess = {**BESS, "rating": "50 MVA", "energy": "5 MWh"}
    laws = {name: {"kind": "ramp_limit", "device": f"bess.{name}", "ramp": "1 MW/s"} for name in ("a", "b")}
    rig = Rig({"bess": {"a": bess, "b": bess}, "absorber": laws}, np.repeat([10e6, 30e6], 2_000)).run()
    sum_w = rig["load.power_w"] - rig["bess.a.power_w"] - rig["bess.b.power_w"]
    assert np.allclose(rig["pcc.power_w"], sum_w)
    assert np.array_equal(rig["bess.a.power_w"], rig["bess.b.power_w"])
    assert len(rig.engine.channels) == 21 + 2 * 14


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
