"""Battery against pulse tests of an electrochemical model: fitted to one series, judged on another at other C-rates.

The series are files that `pulse_series.py` has made with PyBaMM. The compiled battery is driven by the power of the series,
its voltage times its current; what it answers is its voltage.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from harness import Figure, report
from rig import ENABLE, LOSSLESS, SET_W
from scipy.optimize import minimize

from hil.kernel.engine import Engine
from hil.scenario.files import from_document
from hil.site.build import build_engine

FOLDER = Path(__file__).parent / "pulses"
BOUND = 0.01
LEFT = 0.5
TICK_S = 0.01
SMOOTH = 1e-3  # weight of the curve's second differences: carries it over states of charge that a series does not reach
POINTS = 21
TAUS_S = ((2.0, 100.0), (100.0, 3000.0))  # of the fast pair and of the slow one


START = {"fit": 1.0, "held_out": 0.97, "fast": 0.95}  # state of charge


@dataclass(frozen=True)
class CellUnderTest:
    """What a series says nothing of."""

    name: str
    capacity_ah: float
    nominal_v: float
    fast_c: float
    fast_bound: float


CELLS = {
    "lfp": CellUnderTest("LFP, Prada2013", 2.3, 3.2, fast_c=3.0, fast_bound=2.0 * BOUND),
    "nmc": CellUnderTest("NMC, Chen2020", 5.0, 3.7, fast_c=1.5, fast_bound=BOUND),
}


@dataclass(frozen=True)
class Fitted:
    """Parameters of the battery of docs/model.md for one cell."""

    ocv_v: np.ndarray
    r0_ohm: float
    r1_ohm: float
    tau1_s: float
    r2_ohm: float
    tau2_s: float


@dataclass(frozen=True)
class Series:
    """A pulse test: a current that stands over the time up to each sample, and the voltage there."""

    time_s: np.ndarray
    current_a: np.ndarray
    voltage_v: np.ndarray
    soc: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """Of the samples, by the time that each stands for."""
        return np.gradient(self.time_s)

    def rmse(self, voltage_v: np.ndarray) -> float:
        """Over time, as a share of the mean voltage."""
        square = np.average((voltage_v - self.voltage_v) ** 2, weights=self.weights)
        return math.sqrt(square) / float(np.average(self.voltage_v, weights=self.weights))


@functools.cache
def series(cell: str, name: str) -> Series:
    """One of the files."""
    time_s, current_a, voltage_v = np.loadtxt(FOLDER / f"{cell}_{name}.csv", delimiter=",", skiprows=2).T
    charge_as = np.concatenate([[0.0], np.cumsum(current_a[1:] * np.diff(time_s))])
    return Series(time_s, current_a, voltage_v, START[name] - charge_as / (3600.0 * CELLS[cell].capacity_ah))


def lagged(of: Series, tau_s: float) -> np.ndarray:
    """Current behind a first-order lag."""
    found = np.zeros(len(of.time_s))
    for k, decay in enumerate(np.exp(-np.diff(of.time_s) / tau_s), start=1):
        found[k] = decay * found[k - 1] + (1.0 - decay) * of.current_a[k]
    return found


def hats(soc: np.ndarray) -> np.ndarray:
    """Weights of the curve's points at each state of charge."""
    return np.stack([np.interp(soc, np.linspace(0, 1, POINTS), row) for row in np.eye(POINTS)], axis=1)


def linear_part(of: Series, taus_s: tuple[float, float]) -> tuple[np.ndarray, float]:
    """Curve and resistances at given time constants, by least squares; infinite error where a resistance is not positive."""
    columns = np.column_stack([hats(of.soc), -of.current_a, *(-lagged(of, tau) for tau in taus_s)])
    weights = np.sqrt(of.weights)
    smooth = np.zeros((POINTS - 2, POINTS + 3))
    for k in range(POINTS - 2):
        smooth[k, k : k + 3] = SMOOTH, -2 * SMOOTH, SMOOTH
    rows = np.vstack([columns * weights[:, None], smooth])
    found, *_ = np.linalg.lstsq(rows, np.concatenate([of.voltage_v * weights, np.zeros(POINTS - 2)]), rcond=None)
    return found, of.rmse(columns @ found) if np.all(found[POINTS:] > 0.0) else math.inf


@functools.cache
def fitted(cell: str) -> Fitted:
    """To the first series, which alone it sees."""
    of = series(cell, "fit")

    def error(logs: np.ndarray) -> float:
        return linear_part(of, (math.exp(logs[0]), math.exp(logs[1])))[1]

    start = min(itertools.product((5.0, 15.0, 45.0), (150.0, 500.0, 1500.0)), key=lambda taus: error(np.log(taus)))
    best = minimize(error, np.log(start), method="Nelder-Mead", bounds=np.log(TAUS_S), options={"xatol": 0.02, "fatol": 1e-7})
    tau1_s, tau2_s = (float(tau) for tau in np.exp(best.x))
    found, _ = linear_part(of, (tau1_s, tau2_s))
    return Fitted(
        found[:POINTS], *(float(value) for value in (found[POINTS], found[POINTS + 1], tau1_s, found[POINTS + 2], tau2_s))
    )


def battery(cell: str, soc: float) -> Engine:
    """An engine with one cell behind a converter without losses, its battery's parameters as fitted."""
    under_test, found = CELLS[cell], fitted(cell)
    bess = {
        **LOSSLESS,
        "rating": "1 kVA",
        "energy": f"{under_test.capacity_ah * under_test.nominal_v} Wh",
        "dc_voltage": f"{under_test.nominal_v} V",
        "soc": soc,
        "soc_min": 0.0,
        "soc_max": 1.0,
        "setpoint_ramp": "1 GW/s",
        "slew": "1 GW/s",
        "converter_lag": "0 s",
    }
    scenario = from_document(
        {
            "duration": "30000 s",
            "tick": f"{TICK_S} s",
            "grid": {"short_circuit": "500 MVA"},
            "load": {"kind": "training", "power": "10 MW", "power_factor": 1.0},
            "bess": {"x": bess},
        }
    )
    engine = build_engine(scenario, 10e6, record=False)
    params, state = engine.parameters["battery"][0], engine.states["battery"][0]
    params["capacity_as"] = 3600.0 * under_test.capacity_ah
    params["ocv_v"] = found.ocv_v
    params["r0_ohm"] = found.r0_ohm
    for pair, ohm, tau_s in (("1", found.r1_ohm, found.tau1_s), ("2", found.r2_ohm, found.tau2_s)):
        params[f"r{pair}_ohm"], params[f"g{pair}_siemens"] = ohm, 1.0 / ohm
        params[f"decay{pair}"], params[f"decay{pair}_half"] = math.exp(-TICK_S / tau_s), math.exp(-0.5 * TICK_S / tau_s)
    state["soc"] = soc
    state["voltage_v"] = np.interp(soc, np.linspace(0, 1, POINTS), found.ocv_v)
    return engine


def replayed(cell: str, of: Series) -> np.ndarray:
    """Voltage of the compiled battery under the power of a series, at its samples."""
    engine = battery(cell, float(of.soc[0]))
    engine.command(0, ENABLE, 1.0)
    found = np.empty(len(of.time_s))
    found[0] = np.nan
    load_w = np.full(4096, 10e6)
    standing = np.concatenate([[False], np.diff(of.current_a) == 0.0])
    before_v = np.where(standing, np.concatenate([[0.0], of.voltage_v[:-1]]), of.voltage_v)
    power_w = of.current_a * 0.5 * (of.voltage_v + before_v)
    for k in range(1, len(found)):
        engine.command(0, SET_W, float(power_w[k]))
        end = round(of.time_s[k] / TICK_S)
        while engine.tick < end:
            if engine.load_room >= len(load_w):
                engine.feed(load_w)
            engine.advance(min(end, engine.load_filled))
        found[k] = engine.states["battery"]["voltage_v"][0]
    found[0] = of.voltage_v[0]
    return found


def figures() -> list[Figure]:
    """Of both cells, of both series; of what is held out also how much of the error of a bare curve is left."""
    against, found = "the DFN of PyBaMM, validation/pulses", []
    for cell, under_test in CELLS.items():
        for what, name, bound in (
            ("fitted at 0.5 C", "fit", BOUND),
            ("held out, 0.25 to 1 C, both ways", "held_out", BOUND),
            (f"held out, up to {under_test.fast_c:g} C, both ways", "fast", under_test.fast_bound),
        ):
            of = series(cell, name)
            error = of.rmse(replayed(cell, of))
            found.append(Figure(f"{under_test.name}, {what}: RMSE of the voltage, share of its mean", error, bound, against))
            if name == "held_out":
                bare = of.rmse(hats(of.soc) @ fitted(cell).ocv_v)
                share = error / bare
                found.append(
                    Figure(f"{under_test.name}, {what}: that RMSE over that of the curve alone", share, LEFT, against)
                )
    return found


if __name__ == "__main__":
    report("pulse", figures())
