"""Makes hil/scenario/cells.json: open-circuit curves of published parameter sets, resistances fitted to their pulse series.

Needs PyBaMM, whose functions of the electrodes' potentials it evaluates, and the series of validation/pulses. NMC: the LG M50
of Chen et al., J. Electrochem. Soc. 167 (2020) 080534. LTO: the same positive electrode against a lithium titanate that stands
at 1.55 V on lithium, as no published curve of such a cell was found: computed, not measured.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "validation"))
TITANATE_V = 1.55
NMC_V, LTO_V = 3.7, 2.3  # nominal, by which names of such cells go
SOC = np.linspace(0.0, 1.0, 21)


def main() -> None:
    """Evaluate, fit, write."""
    import pulse
    import pybamm

    values = pybamm.ParameterValues("Chen2020")
    x_empty, x_full, y_full, y_empty = pybamm.lithium_ion.get_min_max_stoichiometries(values)
    negative, positive = values["Negative electrode OCP [V]"], values["Positive electrode OCP [V]"]
    cathode_v = potential(positive, y_empty, y_full)
    nmc_v = cathode_v - potential(negative, x_empty, x_full)
    fitted = pulse.fitted("nmc")
    per_c = pulse.CELLS["nmc"].capacity_ah * float(np.trapezoid(nmc_v, SOC)) / NMC_V**2  # current at 1 C, over nominal voltage
    drops = {
        "resistance": fitted.r0_ohm * per_c,
        "rc1_resistance": fitted.r1_ohm * per_c,
        "rc1_time_s": fitted.tau1_s,
        "rc2_resistance": fitted.r2_ohm * per_c,
        "rc2_time_s": fitted.tau2_s,
    }
    made = {
        "nmc": {
            "source": f"OCV: Chen2020 in PyBaMM {pybamm.__version__}; drops at 1 C: fitted to its pulse series",
            "nominal_v": NMC_V,
            "ocv_v": np.round(nmc_v, 4).tolist(),
            "drops": {key: float(f"{value:.4g}") for key, value in drops.items()},
        },
        "lto": {
            "source": f"OCV: positive electrode of Chen2020 in PyBaMM {pybamm.__version__}, less {TITANATE_V} V: assumed",
            "nominal_v": LTO_V,
            "ocv_v": np.round(cathode_v - TITANATE_V, 4).tolist(),
        },
    }
    (ROOT / "hil" / "scenario" / "cells.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


def potential(of: object, empty: float, full: float) -> np.ndarray:
    """Of an electrode between the cell's empty and full, V at each SoC."""
    import pybamm

    stoichiometry = [empty + (full - empty) * soc for soc in SOC]
    return np.array([float(of(pybamm.Scalar(each)).evaluate()) for each in stoichiometry])


if __name__ == "__main__":
    main()
