"""Makes validation/pulses/*.csv: pulse tests of two cells by PyBaMM's Doyle-Fuller-Newman model. Needs PyBaMM.

LFP: the parameter set Prada2013 (2.3 Ah); NMC: Chen2020 (LG M50, 5 Ah). Three series of each: `fit` at half a C, 16 pulses
of 5 % of the charge with a quarter of an hour of rest; `held_out` at other C-rates, steps and rests, charging too; `fast` at
high C-rates.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")

FOLDER = Path(__file__).parent / "pulses"
SETS = {"lfp": "Prada2013", "nmc": "Chen2020"}
START = {"fit": 1.0, "held_out": 0.97, "fast": 0.95}
FAST_C = {"lfp": (3.0, 2.0), "nmc": (1.5, 0.7)}  # discharging and charging
EVERY_S = 2
AFTER_EDGES_S, SPARSE_S = 40, 10  # all samples so long after a change of current, then one in so many seconds


def steps(cell: str, series: str) -> list[str]:
    """What is done, in PyBaMM's words."""
    if series == "fit":
        return ["Discharge at 0.5C for 6 minutes", "Rest for 15 minutes"] * 16
    found = []
    if series == "fast":
        highest, charging = FAST_C[cell]
        for number in range(9):
            rate = highest if number % 2 == 0 else 2.0 * highest / 3.0
            found += [f"Discharge at {rate:g}C for {288.0 / rate:g} seconds", "Rest for 5 minutes"]
            found += [f"Charge at {charging:g}C for {36.0 / charging:g} seconds", "Rest for 4 minutes"]
        return found
    for number in range(12):
        rate = (1.0, 0.75, 0.25)[number % 3]
        found += [f"Discharge at {rate}C for {252.0 / rate:g} seconds", "Rest for 5 minutes"]
        if number % 2:
            found += [f"Charge at {rate}C for {72.0 / rate:g} seconds", "Rest for 3 minutes"]
    return found


def made(cell: str, series: str) -> np.ndarray:
    """Time, s; current, A, positive when discharging, over the time up to it; voltage, V. Shape (n, 3)."""
    import pybamm

    simulation = pybamm.Simulation(
        pybamm.lithium_ion.DFN(),
        parameter_values=pybamm.ParameterValues(SETS[cell]),
        experiment=pybamm.Experiment(steps(cell, series), period=f"{EVERY_S} seconds"),
        solver=pybamm.IDAKLUSolver(),
    )
    solved = simulation.solve(initial_soc=START[series])
    table = np.column_stack([solved[key].entries for key in ("Time [s]", "Current [A]", "Terminal voltage [V]")])
    table = table[np.concatenate([[True], np.diff(table[:, 0]) > 1e-6])]
    edges = table[np.concatenate([[True], np.diff(table[:, 1]) != 0.0]), 0]
    since_s = table[:, 0] - edges[np.searchsorted(edges, table[:, 0], side="right") - 1]
    last = np.concatenate([np.diff(table[:, 1]) != 0.0, [True]])  # before an edge
    return table[(since_s <= AFTER_EDGES_S) | (np.round(table[:, 0]) % SPARSE_S == 0) | last]


def main() -> None:
    """Solve and write all of them."""
    import pybamm

    pybamm.set_logging_level("ERROR")
    FOLDER.mkdir(exist_ok=True)
    for cell, name in SETS.items():
        for series in START:
            source = f"# {name}, DFN of PyBaMM {pybamm.__version__}, {series}: validation/pulse_series.py"
            head = f"{source}\ntime_s,current_a,voltage_v"
            path = FOLDER / f"{cell}_{series}.csv"
            np.savetxt(path, made(cell, series), fmt=("%.6g", "%.6g", "%.5f"), delimiter=",", header=head, comments="")


if __name__ == "__main__":
    main()
