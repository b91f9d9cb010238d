"""UPSs: power, firmware and battery of each, units of groups too, and what they ask of the bus before the first tick."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.errors import ScenarioError
from hil.kernel.layout import CODES
from hil.scenario.chemistry import chemistry
from hil.scenario.model import Scenario
from hil.scenario.ups import Ups
from hil.site.parts import Parts, Steady
from hil.site.storage import cell


@dataclass(frozen=True)
class Inputs:
    """What all UPSs ask of the bus, and what of the IT demand they leave to it."""

    power_w: float
    reactive_var: float
    direct_share: float


def direct_share(scenario: Scenario) -> float:
    """Share of the IT demand that no UPS feeds."""
    left = 1.0 - sum(scenario.ups_shares().values())
    return left if left > 1e-12 else 0.0


def upss(parts: Parts, it_w: float) -> Inputs:
    """Fill every UPS, on the line, in steady state at an IT load."""
    scenario = parts.scenario
    places, shares = scenario.ups_places, scenario.ups_shares()
    count = sum(map(len, places.values()))
    firmware, power, battery = (parts.make(name, count) for name in ("ups", "ups_power", "ups_battery"))
    each = [(name, ups) for name in places for ups in scenario.ups[name].units(scenario.seed, name)]
    ratings_w = {name: sum(float(ups.rating_w) for of, ups in each if of == name) for name in places}
    for index, (name, ups) in enumerate(each):
        rated_a = ups.rating_w / ups.dc_voltage_v
        made = chemistry(ups.chemistry)
        ocv = np.array(made.ocv_v) / made.nominal_v * ups.dc_voltage_v
        cell(scenario.tick_s, ups, ocv, (ups.rated_energy_wh, rated_a, ups.rating_w), battery[0][index], battery[1][index])
        _firmware(scenario, ups, firmware[0][index], firmware[1][index])
        power[0][index]["share"] = shares[name] * (1.0 if len(places[name]) == 1 else ups.rating_w / ratings_w[name])
        _power(scenario, ups, power[0][index])
        _steady(ups, power[0][index], power[1][index], firmware[1][index], it_w)
    groups = parts.make("ups_groups", len(scenario.ups_groups))[0]
    for group, name in zip(groups, scenario.ups_groups, strict=True):
        group["first"], group["count"] = places[name].start, len(places[name])
        group["capacity_as"] = np.sum(battery[0]["capacity_as"][places[name]])
    return Inputs(
        power_w=float(np.sum(power[1]["request_w"])),
        reactive_var=float(np.sum(power[1]["request_var"])),
        direct_share=direct_share(scenario),
    )


def check_line(parts: Parts, steady: Steady) -> None:
    """Raise ScenarioError where a UPS would not take the line as it stands at the start."""
    firmware = parts.parameters["ups"]
    for name, place in parts.scenario.ups_places.items():
        low_pu, high_pu = firmware["input_low_pu"][place].max(), firmware["input_high_pu"][place].min()
        for key, inside, bound_pu in (
            ("input_low", steady.bus_voltage_pu >= low_pu, low_pu),
            ("input_high", steady.bus_voltage_pu <= high_pu, high_pu),
        ):
            if not inside:
                what = f" = {bound_pu:g}: the bus stands at {steady.bus_voltage_pu:.3f} pu at the start"
                raise ScenarioError(parts.scenario.source, f"ups.{name}.{key}", what)


def _firmware(scenario: Scenario, ups: Ups, params: Any, state: Any) -> None:
    ticks_of = scenario.ticks_of
    params["rating_w"] = ups.rating_w
    params["nominal_hz"] = scenario.grid.frequency_hz
    params["input_low_pu"], params["input_high_pu"] = ups.input_low, ups.input_high
    params["input_hz"] = ups.input_frequency_hz
    params["bypass_low_pu"], params["bypass_high_pu"] = 1.0 - ups.bypass_window, 1.0 + ups.bypass_window
    params["bypass_hz"] = ups.bypass_frequency_hz
    params["recharge_max_w"] = ups.recharge_max_w
    params["recharge_above_pu"] = ups.recharge_above
    params["recharge_taper"] = ups.recharge_taper
    params["low_battery_soc"] = ups.low_battery
    params["shutdown_soc"] = ups.shutdown
    params["support_reserve_soc"] = ups.support_reserve
    params["dc_low_pu"] = ups.dc_low
    params["dc_start_pu"] = 0.5 * (1.0 + ups.dc_low)
    params["overload_pu"], params["overload_high_pu"] = ups.overload, ups.overload_high
    params["transfer_ticks"] = ticks_of(ups.transfer_s)
    params["qualify_ticks"] = ticks_of(ups.qualify_s)
    params["overload_ticks"] = ticks_of(ups.overload_s)
    params["overload_high_ticks"] = ticks_of(ups.overload_high_s)
    params["bypass_return_ticks"] = ticks_of(ups.bypass_return_s)
    params["interruption_ticks"] = ticks_of(ups.interruption_s)
    params["counter_disturbances"] = ups.counter_disturbances
    params["counter_ticks"] = ticks_of(ups.counter_window_s)
    params["ticks_per_second"] = ticks_of(1.0)
    params["over_temperature_degc"] = ups.over_temperature_degc
    state["recharge_w"] = ups.recharge_max_w
    state["walk_in_s"], state["walk_in_delay_s"] = ups.walk_in_s, ups.walk_in_delay_s
    state["support_s"] = ups.support_s
    state["operation"] = state["line_ok"] = state["walk_in_share"] = 1
    state["counter"], state["eco"] = ups.counter, ups.eco
    state["rectifier"] = CODES["ups.rectifier_on"]
    state["output"] = CODES["ups.fed_by_inverter"]
    state["mode"] = CODES["ups_mode.normal"]
    state["low_battery"] = ups.soc <= ups.low_battery


def _power(scenario: Scenario, ups: Ups, params: Any) -> None:
    dt, lag_s = scenario.tick_s, ups.dc_link_lag_s
    params["rating_w"] = ups.rating_w
    params["input_limit_w"] = ups.input_limit * ups.rating_w
    params["input_tan_phi"] = math.tan(math.acos(ups.input_power_factor))
    params["rectifier_loss"] = ups.rectifier_loss
    params["standby_w"] = ups.standby_loss * ups.rating_w
    params["linear_loss"], params["quadratic_loss"] = ups.linear_loss, ups.quadratic_loss
    params["battery_limit_w"] = ups.battery_limit * ups.rating_w
    params["nominal_j"] = ups.dc_link_s * ups.rating_w
    params["restore_per_s"] = (1.0 - math.exp(-dt / lag_s) if lag_s > 0 else 1.0) / dt
    params["constant_current_below_pu"] = scenario.grid.constant_current_below_pu
    params["empty_soc"] = ups.shutdown


def _steady(ups: Ups, params: Any, state: Any, firmware: Any, it_w: float) -> None:
    """On the line, its DC link full; a battery that is not full is being recharged."""
    demand_w = it_w * float(params["share"])
    losses_w = ups.standby_loss * ups.rating_w + (ups.linear_loss + ups.quadratic_loss / ups.rating_w * demand_w) * demand_w
    charge_w = ups.recharge_max_w * min(1.0, (1.0 - ups.soc) / ups.recharge_taper)
    request_w = min((demand_w + losses_w + charge_w) / (1.0 - ups.rectifier_loss), ups.input_limit * ups.rating_w)
    state["energy_j"] = params["nominal_j"]
    state["dc_link_pu"] = state["output_voltage_pu"] = 1.0
    state["demand_w"] = state["output_w"] = demand_w
    state["inverter_w"] = state["held_w"] = demand_w + losses_w
    state["loss_w"] = losses_w + ups.rectifier_loss * request_w
    state["rectifier_w"] = state["request_w"] = state["input_w"] = request_w
    state["request_var"] = state["input_var"] = request_w * params["input_tan_phi"]
    state["charge_w"] = firmware["charge_w"] = charge_w
    state["fed_by"] = firmware["output"]
    state["battery_on"] = firmware["battery_on"] = ups.soc > ups.shutdown
