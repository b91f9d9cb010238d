"""Battery, converter and inverter firmware of each BESS."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hil.kernel.layout import CODES
from hil.scenario.model import Scenario
from hil.scenario.storage import Bess
from hil.site.parts import Parts

# Open-circuit voltage of an LFP cell at SoC 0, 0.05 … 1, V. A typical curve, assumed: docs/model.md, "Battery".
OCV_CELL_V = (
    2.500, 3.000, 3.180, 3.210, 3.235, 3.252, 3.265, 3.276, 3.285, 3.288, 3.290,
    3.294, 3.300, 3.310, 3.320, 3.326, 3.330, 3.335, 3.340, 3.360, 3.500,
)  # fmt: skip
NOMINAL_CELL_V = 3.2


def storage(parts: Parts) -> None:
    """Fill every BESS, at rest."""
    scenario = parts.scenario
    made = {name: parts.make(name, len(scenario.bess)) for name in ("battery", "converter", "pcs")}
    for index, bess in enumerate(scenario.bess.values()):
        (battery, battery_state), (converter, _), (pcs, firmware) = made.values()
        _battery(scenario, bess, battery[index], battery_state[index])
        _converter(scenario, bess, converter[index])
        _pcs(scenario, bess, pcs[index])
        firmware[index]["operation"] = 1
        for name in ("revert_at", "commanded_at", "reverted_at"):
            firmware[index][name] = -1


def _battery(scenario: Scenario, bess: Bess, params: Any, state: Any) -> None:
    dt = scenario.tick_s
    rated_a = bess.rating_va / bess.dc_voltage_v
    ocv = np.array(OCV_CELL_V) * (bess.dc_voltage_v / NOMINAL_CELL_V)
    mean_v = float(np.mean((ocv[1:] + ocv[:-1]) / 2))
    params["capacity_as"] = bess.energy_wh * 3600.0 / mean_v
    params["ocv_v"] = ocv
    params["r0_ohm"] = bess.resistance * bess.dc_voltage_v / rated_a
    for pair, share, tau in (("1", bess.rc1_resistance, bess.rc1_time_s), ("2", bess.rc2_resistance, bess.rc2_time_s)):
        ohm = share * bess.dc_voltage_v / rated_a
        params[f"r{pair}_ohm"] = ohm
        params[f"g{pair}_siemens"] = 1.0 / ohm if ohm > 0 else 0.0
        params[f"decay{pair}"] = math.exp(-dt / tau)
        params[f"decay{pair}_half"] = math.exp(-0.5 * dt / tau)
    rated_heat_w = (bess.resistance + bess.rc1_resistance + bess.rc2_resistance) * bess.rating_va
    params["thermal_k_per_w"] = bess.temperature_rise_degc / rated_heat_w if rated_heat_w > 0 else 0.0
    params["thermal_decay"] = math.exp(-dt / bess.thermal_time_s)
    params["ambient_degc"] = state["temperature_degc"] = bess.ambient_degc
    state["soc"] = bess.soc
    state["voltage_v"] = np.interp(bess.soc, np.linspace(0, 1, len(ocv)), ocv)


def _converter(scenario: Scenario, bess: Bess, params: Any) -> None:
    params["rating_va"] = bess.rating_va
    params["gain"] = 1.0 - math.exp(-scenario.tick_s / bess.converter_lag_s) if bess.converter_lag_s > 0 else 1.0
    params["standby_w"] = bess.standby_loss * bess.rating_va
    params["linear_loss"] = bess.linear_loss
    params["quadratic_loss"] = bess.quadratic_loss


def _pcs(scenario: Scenario, bess: Bess, params: Any) -> None:
    params["rating_va"] = bess.rating_va
    params["charge_max_w"] = bess.charge_w or bess.rating_va
    params["discharge_max_w"] = bess.discharge_w or bess.rating_va
    params["current_limit_pu"] = bess.current_limit
    params["priority"] = CODES[f"priority.{bess.priority}"]
    params["setpoint_ramp_w_per_s"] = bess.setpoint_ramp_w_per_s or bess.rating_va / 10.0
    params["slew_w_per_s"] = bess.slew_w_per_s or bess.rating_va / 0.05
    params["soc_min"], params["soc_max"] = bess.soc_min, bess.soc_max
    params["cease_below_pu"] = bess.cease_below
    params["ticks_per_second"] = scenario.ticks_of(1.0)
