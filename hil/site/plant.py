"""Network, area, cooling and what is measured of them."""

from __future__ import annotations

import math
from typing import Any

from hil.errors import ScenarioError
from hil.kernel.engine import steady_network
from hil.kernel.layout import CODES
from hil.limits.channels import NEGATIVE_SEQUENCE
from hil.scenario.model import Scenario
from hil.site.parts import Parts, Steady
from hil.site.ups import check_line, upss


def tan_phi(power_factor: float) -> float:
    """Reactive over active power, lagging."""
    return math.tan(math.acos(power_factor))


def plant(parts: Parts, it_w: float) -> Steady:
    """Fill network, area, UPSs and cooling, in steady state at an IT load.

    Raises ScenarioError where the grid cannot carry the load at the start.
    """
    scenario = parts.scenario
    inputs = upss(parts, it_w)
    cooling_w = _cooling(parts, it_w)
    direct_w = it_w * inputs.direct_share
    load_w = direct_w + inputs.power_w + cooling_w
    load_var = direct_w * tan_phi(scenario.load.power_factor) + inputs.reactive_var
    if scenario.cooling is not None:
        load_var += cooling_w * tan_phi(scenario.cooling.power_factor)
    network = _network(parts, load_w, load_var)
    _must_start(scenario, float(network["bus_voltage_pu"]))
    if network["bus_voltage_pu"] < scenario.grid.constant_current_below_pu:
        raise ScenarioError(
            scenario.source,
            "grid.short_circuit",
            f" = '{scenario.grid.short_circuit_va / 1e6:g} MVA': must carry the load at the start, {load_w / 1e6:g} MW, "
            f"at {scenario.grid.constant_current_below_pu:g} pu or more",
        )
    steady = Steady(
        it_w=it_w,
        load_w=load_w,
        load_var=load_var,
        grid_w=float(network["power_w"]),
        grid_var=float(network["reactive_var"]),
        voltage_pu=float(network["voltage_pu"]),
        bus_voltage_pu=float(network["bus_voltage_pu"]),
    )
    check_line(parts, steady)
    _area(parts, steady)
    _measurements(parts, steady)
    return steady


def _must_start(scenario: Scenario, bus_pu: float) -> None:
    """Raise ScenarioError where ratio or contactors alone keep the site from standing as it begins."""
    grid, transformer, cooling = scenario.grid, scenario.transformer, scenario.cooling
    if transformer is not None and grid.source_pu / transformer.ratio < grid.constant_current_below_pu:
        what = f" = {transformer.ratio:g}: leaves the bus at {grid.source_pu / transformer.ratio:.3f} pu without load, "
        raise ScenarioError(
            scenario.source, "transformer.ratio", what + f"must be {grid.constant_current_below_pu:g} pu or more"
        )
    if cooling is not None and grid.constant_current_below_pu <= bus_pu <= cooling.drop_below_pu:
        what = f" = {cooling.drop_below_pu:g}: must be below the voltage of the bus at the start, {bus_pu:.3f} pu"
        raise ScenarioError(scenario.source, "cooling.drop_below", what)


def impedance(magnitude: float, x_over_r: float) -> tuple[float, float]:
    """Resistance and reactance."""
    r = magnitude / math.sqrt(1.0 + x_over_r * x_over_r)
    return r, x_over_r * r


def _network(parts: Parts, load_w: float, load_var: float) -> Any:
    scenario = parts.scenario
    grid, transformer = scenario.grid, scenario.transformer
    params, state = parts.make("network", 1)
    params["base_va"] = grid.short_circuit_va
    params["source_pu"] = grid.source_pu
    params["ratio"] = params["shift_cos"] = params["zero_sequence"] = 1.0
    params["constant_current_below_pu"] = grid.constant_current_below_pu
    params["resistance_pu"], params["reactance_pu"] = impedance(1.0, grid.x_over_r)
    if transformer is not None:
        of_base = transformer.impedance * grid.short_circuit_va / transformer.rating_va
        own_r, own_x = impedance(of_base, transformer.x_over_r)
        lag = math.radians(30.0 * transformer.clock)
        params["transformer"] = 1
        params["ratio"] = transformer.ratio
        params["shift_cos"], params["shift_sin"] = math.cos(lag), math.sin(lag)
        params["zero_sequence"] = transformer.passes_zero_sequence
        params["transformer_resistance_pu"], params["transformer_reactance_pu"] = own_r, own_x
        params["resistance_pu"] = params["resistance_pu"] / transformer.ratio**2 + own_r
        params["reactance_pu"] = params["reactance_pu"] / transformer.ratio**2 + own_x
    state[:] = steady_network(params, load_w, load_var)
    return state[0]


def _area(parts: Parts, steady: Steady) -> None:
    grid = parts.scenario.grid
    params, _ = parts.make("area", 1)
    params["nominal_hz"] = grid.frequency_hz
    params["base_va"] = grid.area_base_va
    params["inertia_s"] = grid.inertia_s
    params["damping_pu"] = grid.damping
    params["droop_pu"] = grid.droop
    params["governor_s"] = grid.governor_time_s
    params["governor_limit_pu"] = grid.governor_most
    params["deadband_pu"] = grid.deadband_hz / grid.frequency_hz
    params["balanced_w"] = steady.grid_w


def _cooling(parts: Parts, it_w: float) -> float:
    """Fill the cooling, settled at an IT load; returns what it draws."""
    scenario = parts.scenario
    cooling = scenario.cooling
    params, state = parts.make("cooling", 1)
    if cooling is None:
        return 0.0
    params["present"] = 1
    params["base_w"] = cooling.base_w
    params["per_heat"] = cooling.share
    params["gain"] = 1.0 - math.exp(-scenario.tick_s / cooling.lag_s) if cooling.lag_s > 0 else 1.0
    params["tan_phi"] = tan_phi(cooling.power_factor)
    params["drop_below_pu"] = cooling.drop_below_pu
    params["drop_ticks"] = scenario.ticks_of(cooling.drop_after_s)
    params["restart_ticks"] = scenario.ticks_of(cooling.restart_after_s)
    params["restart_step"] = 1.0 / max(1, scenario.ticks_of(cooling.restart_ramp_s))
    state["heat_w"] = it_w
    state["running"] = 1.0
    state["power_w"] = cooling.base_w + cooling.share * it_w
    return float(state["power_w"][0])


def _measurements(parts: Parts, steady: Steady) -> None:
    scenario, setting = parts.scenario, parts.scenario.measurement
    window, delay = setting.window_s, setting.delay_s
    measured = parts.make_states("measured", CODES["measured.load"] + len(scenario.bess))
    power, voltage, frequency = (measured[CODES[f"measured.{name}"]] for name in ("power", "voltage", "frequency"))
    _measurement(parts, power, steady.grid_w, window, delay)
    _measurement(parts, voltage, steady.bus_voltage_pu, window, delay, rms=True)
    _measurement(parts, frequency, scenario.grid.frequency_hz, setting.frequency_window_s, delay)
    for load, name in zip(measured[CODES["measured.load"] :], scenario.bess, strict=True):
        absorber = scenario.absorber_of(f"bess.{name}")
        seen = (absorber.filter_s, absorber.delay_s) if absorber else (scenario.tick_s, 0.0)
        _measurement(parts, load, steady.load_w, *seen)
    meters = parts.make_states("meters", CODES["meter.count"])
    for node, voltage_pu in (("pcc", steady.voltage_pu), ("bus", steady.bus_voltage_pu)):
        meter = meters[CODES[f"meter.{node}"]]
        parts.arena.mean(meter["squares"], max(1, scenario.ticks_of(window)), voltage_pu * voltage_pu, signals=3)
        for side in ("lowest", "highest"):
            parts.arena.delay(meter[f"{side}_delay"], scenario.ticks_of(delay), voltage_pu)
            meter[side] = voltage_pu
    _revenue_meters(parts, steady)


def _revenue_meters(parts: Parts, steady: Steady) -> None:
    scenario, setting = parts.scenario, parts.scenario.measurement
    apparent_va = math.hypot(steady.grid_w, steady.grid_var)
    for meter in parts.make_states("revenue_meters", len(scenario.meter)):
        _measurement(parts, meter["reactive"], steady.grid_var, setting.window_s, setting.delay_s)
        _measurement(parts, meter["current"], apparent_va / steady.voltage_pu, setting.window_s, setting.delay_s, rms=True)
        for window in ("squares", "line_squares"):
            parts.arena.mean(meter[window], max(1, scenario.ticks_of(setting.window_s)), steady.voltage_pu**2, signals=3)
        for line in ("phase_delay", "line_delay"):
            parts.arena.delay(meter[line], scenario.ticks_of(setting.delay_s), steady.voltage_pu, signals=3)
        meter["phase_pu"] = meter["line_pu"] = steady.voltage_pu


def sequences(parts: Parts, channels: tuple[str, ...]) -> None:
    """Fill the meters of negative-sequence voltages, one for each that the row has; before the first tick there is none."""
    setting = parts.scenario.measurement
    scales = {"pcc": 1.0, "bus": 1.0 / float(parts.parameters["network"]["ratio"][0])}
    there = [(node, channels.index(name)) for node, name in NEGATIVE_SEQUENCE.items() if name in channels]
    for meter, (node, column) in zip(parts.make_states("sequences", len(there)), there, strict=True):
        meter["output"], meter["scale"] = column, scales[node]
        _measurement(parts, meter["measured"], 0.0, setting.window_s, setting.delay_s, rms=True)


def _measurement(parts: Parts, slot: Any, initial: float, window_s: float, delay_s: float, *, rms: bool = False) -> None:
    ticks_of = parts.scenario.ticks_of
    slot["rms"] = rms
    parts.arena.mean(slot["window"], max(1, ticks_of(window_s)), initial * initial if rms else initial)
    parts.arena.delay(slot["delay"], ticks_of(delay_s), initial)
    slot["value"] = initial
