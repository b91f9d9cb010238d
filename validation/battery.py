"""Converter, firmware ramps and battery against the equations of docs/model.md, solved by scipy or written as closed forms."""

from __future__ import annotations

import functools
import itertools
import math

import harness
import numpy as np
from harness import Figure, largest, report
from rig import BESS, ENABLE, LOSSLESS, SET_W, H, Rig
from scipy.integrate import solve_ivp

CELL_V = np.array(
    [2.500, 3.000, 3.180, 3.210, 3.235, 3.252, 3.265, 3.276, 3.285, 3.288, 3.290,
     3.294, 3.300, 3.310, 3.320, 3.326, 3.330, 3.335, 3.340, 3.360, 3.500]
)  # fmt: skip
SOC_GRID = np.linspace(0.0, 1.0, 21)
STATES = {"soc": "SoC", "rc1_v": "first RC pair", "rc2_v": "second RC pair", "temperature_degc": "temperature"}
Commands = list[tuple[int, int, float]]


def program(seconds: float, seed: int) -> Commands:
    """Set-points that change every 0.7 to 3 s, mostly discharging."""
    rng = np.random.default_rng(seed)
    commands = [(0, ENABLE, 1.0)]
    tick = 0
    while tick < (seconds - 4.0) / H:
        commands.append((tick, SET_W, float(rng.uniform(-6e6, 9e6))))
        tick += int(rng.uniform(700, 3000))
    return commands


def chain(commands: Commands, ticks: int) -> np.ndarray:
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
        """Current that gives a power at the terminals."""
        u = np.interp(soc, SOC_GRID, self.ocv) - v1 - v2
        return 2.0 * p / (u + math.sqrt(u * u - 4.0 * self.r0 * p))

    def rates(self, _t: float, y: np.ndarray, p: float) -> list[float]:
        """Right-hand side of the page's equations."""
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
        """C∫U dz and the capacitors, from the state alone."""
        fine = np.linspace(0.0, 1.0, 20_001)
        u = np.interp(fine, SOC_GRID, self.ocv)
        integral = np.concatenate([[0.0], np.cumsum((u[1:] + u[:-1]) / 2 * np.diff(fine))])
        return self.c * np.interp(soc, fine, integral) + 2.0 / self.r1 * v1**2 / 2 + 20.0 / self.r2 * v2**2 / 2


@functools.cache
def driven() -> tuple[Rig, Commands]:
    """Two minutes under set-points that pass every ramp."""
    commands = program(120.0, seed=1)
    return Rig({"bess": {"x": BESS}}, np.full(120_000, 10e6)).run(commands), commands


def setpoint_to_dc() -> list[Figure]:
    """The chain from set-point to battery, tick by tick."""
    rig, commands = driven()
    ac = chain(commands, 120_000)
    dc = dc_power(ac)
    return [
        Figure("AC power, share of its range", largest(rig["bess.x.power_w"], ac, np.ptp(ac)), 1e-9, "closed forms"),
        Figure("DC power, share of its range", largest(rig["bess.x.dc_power_w"], dc, np.ptp(dc)), 1e-9, "closed forms"),
    ]


def dynamics() -> list[Figure]:
    """Battery states through four minutes of steps."""
    commands = program(240.0, seed=2)
    at_once = {**BESS, "setpoint_ramp": "100 GW/s", "slew": "100 GW/s", "converter_lag": "0 s"}
    rig = Rig({"bess": {"x": at_once}}, np.full(240_000, 10e6)).run(commands)
    assert np.ptp(rig["bess.x.soc"]) > 0.2  # several knots of the curve
    cell, state = Cell(), np.array([0.62, 0.0, 0.0, 25.0])
    steps = [(tick, value) for tick, point, value in commands if point == SET_W] + [(240_000, 0.0)]
    errors = np.zeros(len(STATES))
    for (begin, power), (end, _) in itertools.pairwise(steps):
        ticks = np.append(np.arange(begin + 50, end, 50), end)
        solution = solve_ivp(
            cell.rates, (begin * H, end * H), state, "DOP853", ticks * H, args=(float(dc_power(np.array(power))),),
            rtol=1e-10, atol=1e-12, max_step=0.25,
        )  # fmt: skip
        kernel = np.array([rig[f"bess.x.{name}"][ticks - 1] for name in STATES])
        errors = np.maximum(errors, np.max(np.abs(solution.y - kernel), axis=1))
        state = solution.y[:, -1]
    ranges = [np.ptp(rig[f"bess.x.{name}"]) for name in STATES]
    return [
        Figure(f"{label}, share of its range", float(error / span), 1e-4, harness.peer("scipy"))
        for label, error, span in zip(STATES.values(), errors, ranges, strict=True)
    ]


def energy() -> Figure:
    """Energy from SoC and voltages alone, against what went through the terminals and the resistances."""
    rig, _ = driven()
    cell = Cell()
    stored = cell.stored_j(*(rig[f"bess.x.{name}"] for name in ("soc", "rc1_v", "rc2_v")))
    i, v1, v2 = (rig[f"bess.x.{name}"] for name in ("dc_current_a", "rc1_v", "rc2_v"))
    mid1, mid2 = ((np.concatenate([[0.0], v[:-1]]) + v) / 2 for v in (v1, v2))
    heat = cell.r0 * i**2 + mid1**2 / cell.r1 + mid2**2 / cell.r2
    out = np.cumsum(i * rig["bess.x.dc_voltage_v"]) * H
    start = cell.stored_j(np.array([0.62]), np.zeros(1), np.zeros(1))[0]
    balance = start - stored - out - np.cumsum(heat) * H
    throughput = np.sum(np.abs(rig["bess.x.dc_power_w"])) * H
    return Figure(
        "Energy balance, share of the throughput", float(np.max(np.abs(balance)) / throughput), 1e-5, "a closed form"
    )


def swing(duty: float, period_s: float) -> float:
    """Error of max(E) − min(E) = ΔP·T·d(1−d) for a lossless battery that flattens a square wave."""
    swing_w, ticks = 100e6, round(4 * period_s / H)
    phase = (np.arange(ticks) % round(period_s / H)) * H / period_s
    lossless = {
        **BESS,
        **LOSSLESS,
        "rating": "200 MVA",
        "energy": "100 MWh",
        "slew": "100 GW/s",
        "converter_lag": "0 s",
        "soc": 0.5,
    }
    law = {"kind": "ramp_limit", "device": "bess.x", "ramp": "1 W/s"}
    site = {"grid": {"short_circuit": "50 GVA"}, "bess": {"x": lossless}, "absorber": {"a": law}}
    rig = Rig(site, 20e6 + swing_w * (phase < duty))
    rig.engine.states["law"]["grid_w"] = 20e6 + duty * swing_w  # the grid's share stands at the mean
    rig.run()
    ocv = CELL_V * 1000.0 / 3.2
    c = 100e6 * 3600.0 / np.trapezoid(ocv, SOC_GRID)
    soc = np.concatenate([[0.5], rig["bess.x.soc"]])
    stored = c * np.cumsum(np.interp((soc[1:] + soc[:-1]) / 2, SOC_GRID, ocv) * np.diff(soc))
    return abs(float(np.ptp(stored[ticks // 2 :])) / (swing_w * period_s * duty * (1 - duty)) - 1.0)


def figures() -> list[Figure]:
    """All figures."""
    worst = max(swing(duty, period_s) for duty in (0.5, 0.7, 0.8, 0.9) for period_s in (0.5, 2.0, 10.0, 30.0))
    label = "Energy that flattens a square wave, worst of 16 duties and periods"
    return [*setpoint_to_dc(), *dynamics(), energy(), Figure(label, worst, 0.01, "ΔP·T·d(1−d)")]


if __name__ == "__main__":
    report("battery", figures())
