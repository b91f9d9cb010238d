"""Battery, converter and inverter firmware of each BESS."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hil.kernel.layout import CODES
from hil.scenario.chemistry import chemistry
from hil.scenario.model import Scenario
from hil.scenario.storage import Bess
from hil.scenario.ups import Ups
from hil.site.parts import Parts

DERATING_SPAN_K = 10.0  # below over_temperature, in which the power falls to nothing: assumed
Floats = np.ndarray[Any, np.dtype[np.float64]]


def storage(parts: Parts) -> None:
    """Fill every BESS, at rest."""
    scenario = parts.scenario
    arrays = {name: parts.make(name, len(scenario.bess)) for name in ("battery", "converter", "pcs")}
    _sound_equipment(parts.make_states("faults", scenario.numbers))
    for index, bess in enumerate(scenario.bess.values()):
        (battery, battery_state), (converter, _), (pcs, firmware) = arrays.values()
        made = chemistry(bess.chemistry)
        ocv = np.array(made.ocv_v) * (bess.dc_voltage_v / made.nominal_v)
        rated = (bess.energy_wh, bess.rating_va / bess.dc_voltage_v, bess.rating_va)
        cell(scenario.tick_s, bess, ocv, rated, battery[index], battery_state[index])
        _converter(scenario, bess, converter[index])
        _pcs(scenario, bess, pcs[index])
        _firmware(bess, pcs[index], firmware[index])


def _sound_equipment(faults: Any) -> None:
    for name in ("derating", "capacity", "resistance", "power_gain"):
        faults[name] = 1.0


def cell(dt: float, section: Bess | Ups, ocv: Floats, rated: tuple[float, float, float], params: Any, state: Any) -> None:
    """Fill a battery, at rest. ocv: open-circuit voltage, V, shape (21,); rated: energy, Wh; current, A; power, W."""
    energy_wh, rated_a, rating_w = rated
    mean_v = float(np.mean((ocv[1:] + ocv[:-1]) / 2))
    params["capacity_as"] = energy_wh * 3600.0 / mean_v
    params["ocv_v"] = ocv
    given = section.cell
    params["leak_a"] = given.self_discharge_w / mean_v
    params["r0_ohm"] = given.resistance * section.dc_voltage_v / rated_a
    pairs = (("1", given.rc1_resistance, given.rc1_time_s), ("2", given.rc2_resistance, given.rc2_time_s))
    for pair, share, tau in pairs:
        ohm = share * section.dc_voltage_v / rated_a
        params[f"r{pair}_ohm"] = ohm
        params[f"g{pair}_siemens"] = 1.0 / ohm if ohm > 0 else 0.0
        params[f"decay{pair}"] = math.exp(-dt / tau)
        params[f"decay{pair}_half"] = math.exp(-0.5 * dt / tau)
    rated_heat_w = (given.resistance + given.rc1_resistance + given.rc2_resistance) * rating_w
    params["thermal_k_per_w"] = section.temperature_rise_degc / rated_heat_w if rated_heat_w > 0 else 0.0
    params["thermal_decay"] = math.exp(-dt / section.thermal_time_s)
    state["capacity_share"] = state["resistance_factor"] = 1.0
    params["ambient_degc"] = state["temperature_degc"] = section.ambient_degc
    state["soc"] = section.soc
    state["voltage_v"] = np.interp(section.soc, np.linspace(0, 1, len(ocv)), ocv)


def _converter(scenario: Scenario, bess: Bess, params: Any) -> None:
    params["rating_va"] = bess.rating_va
    following = bess.control == "following"  # what forms a voltage has no command to lag behind
    params["gain"] = (
        0.0 if not following else 1.0 - math.exp(-scenario.tick_s / bess.converter_lag_s) if bess.converter_lag_s > 0 else 1.0
    )
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
    params["initial"] = CODES[f"operate.{bess.initial}"]
    params["start_ticks"], params["resync_ticks"] = scenario.ticks_of(bess.start_s), scenario.ticks_of(bess.resync_s)
    params["over_temperature_degc"] = bess.over_temperature_degc
    params["derate_above_degc"] = bess.over_temperature_degc - DERATING_SPAN_K


def _firmware(bess: Bess, params: Any, state: Any) -> None:
    state["state"] = CODES[f"pcs.{bess.initial}"]
    state["operation"] = params["initial"]
    state["temperature_degc"] = bess.ambient_degc
    state["restarts"] = CODES["restarts.all"]
    state["connect"] = state["connected"] = state["synchronised"] = 1
    for limit in ("limit_{}_w", "{}_limit_w"):
        for way in ("charge", "discharge"):
            state[limit.format(way)] = params[f"{way}_max_w"]
    timers = ("revert_at", "limit_revert_at", "connect_revert_at", "start_at", "resync_at", "back_at")
    seen_at = ("commanded_at", "reverted_at", "limit_reverted_at", "connect_reverted_at")
    for name in (*timers, *seen_at, "reboot_ticks"):
        state[name] = -1
