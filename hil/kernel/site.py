"""Builds the arrays of a site from a scenario: parameters, initial state, and the arena for windows and delays.

The initial state is a steady one: the load as in its first tick, storage at rest, every window filled as if the site had
stood like that for ever.
"""

from __future__ import annotations

import fnmatch
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.errors import ScenarioError
from hil.kernel.engine import CODES, Engine, channel_names, struct_dtypes
from hil.scenario.model import Scenario
from hil.scenario.storage import Bess, RampLimit

LOAD_BLOCK_TICKS = 8192
LOAD_CAPACITY_TICKS = 4 * LOAD_BLOCK_TICKS
RECORD_CAPACITY_ROWS = 65_536

# Open-circuit voltage of an LFP cell at SoC 0, 0.05 … 1, V. A typical curve, assumed: docs/model.md, "Battery".
OCV_CELL_V = (
    2.500, 3.000, 3.180, 3.210, 3.235, 3.252, 3.265, 3.276, 3.285, 3.288, 3.290,
    3.294, 3.300, 3.310, 3.320, 3.326, 3.330, 3.335, 3.340, 3.360, 3.500,
)  # fmt: skip
NOMINAL_CELL_V = 3.2

_KINDS = {"ramp": CODES["limit.ramp"], "peak_to_peak": CODES["limit.range"]}
_BLANKED_BY = {
    "undervoltage": CODES["blank.voltage"],
    "overvoltage": CODES["blank.voltage"],
    "ramp": CODES["blank.voltage"],
    "peak_to_peak": CODES["blank.voltage"],
    "underfrequency": CODES["blank.frequency"],
    "overfrequency": CODES["blank.frequency"],
}


class Arena:
    """One array of float64 in which windows and delay lines get their place."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray[Any, np.dtype[np.float64]]] = []
        self._size = 0

    def place(self, length: int, fill: float = 0.0) -> int:
        """Reserve `length` values, set to `fill`; return their offset."""
        offset = self._size
        self._parts.append(np.full(length, fill))
        self._size += length
        return offset

    def array(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """All parts in one array."""
        return np.concatenate([*self._parts, np.zeros(1)])


@dataclass(frozen=True)
class InitialState:
    """Steady state before the first tick."""

    load_w: float
    load_var: float
    voltage_pu: float


def thevenin_voltage(scenario: Scenario, power_w: float, reactive_var: float) -> float:
    """Voltage at the PCC, pu, for constant drawn power; 0 where the network has no solution. docs/model.md, "Grid"."""
    r, x = _impedance(scenario)
    p = power_w / scenario.grid.short_circuit_va
    q = reactive_var / scenario.grid.short_circuit_va
    half = 0.5 * scenario.grid.source_pu**2 - (r * p + x * q)
    disc = half * half - (p * p + q * q) * (r * r + x * x)
    return math.sqrt(half + math.sqrt(disc)) if disc >= 0 and half + math.sqrt(disc) >= 0 else 0.0


def build_engine(scenario: Scenario, first_load_w: float) -> Engine:
    """The engine of a scenario, in steady state at `first_load_w`.

    Raises ScenarioError where the grid cannot carry the load at the start.
    """
    tan_phi = math.tan(math.acos(scenario.load.power_factor))
    voltage = thevenin_voltage(scenario, first_load_w, first_load_w * tan_phi)
    if voltage < scenario.grid.constant_current_below_pu:
        raise ScenarioError(
            scenario.source,
            "grid.short_circuit",
            f" = '{scenario.grid.short_circuit_va / 1e6:g} MVA': must carry the load at the start, {first_load_w / 1e6:g} MW, "
            f"at {scenario.grid.constant_current_below_pu:g} pu or more",
        )
    initial = InitialState(first_load_w, first_load_w * tan_phi, voltage)
    arena = Arena()
    dtypes = struct_dtypes()
    names = [f"bess.{name}" for name in scenario.bess]
    channels = channel_names(names)

    def zeros(name: str, count: int) -> Any:
        return np.zeros(count, dtype=dtypes[name])

    count = len(names)
    arrays = {name: zeros(name, count) for name in ("law_params", "law", "pcs_params", "pcs", "converter_params", "converter")}
    arrays |= {name: zeros(name, count) for name in ("battery_params", "battery")}
    arrays["grid_params"], arrays["grid"] = zeros("grid_params", 1), zeros("grid", 1)
    arrays["measured"] = zeros("measured", CODES["measured.load"] + count)
    _grid(scenario, initial, arrays)
    _measurements(scenario, initial, arrays["measured"], arena)
    for index, (name, bess) in enumerate(scenario.bess.items()):
        _bess(scenario, bess, index, arrays)
        _law(scenario, f"bess.{name}", index, initial, arrays)
    arrays["limit_params"], arrays["limits"] = (
        zeros("limit_params", len(scenario.limits)),
        zeros("limits", len(scenario.limits)),
    )
    for index in range(len(scenario.limits)):
        _limit(scenario, index, channels, initial, arrays, arena)
    arrays["events"] = _events(scenario, dtypes["events"])
    arrays["arena"] = arena.array()
    return Engine(
        arrays,
        names,
        first_demand_w=first_load_w,
        period_ns=scenario.period_ns,
        end_tick=scenario.ticks,
        load_tan_phi=tan_phi,
        load_capacity=LOAD_CAPACITY_TICKS,
        record_every=round(1.0 / (scenario.record.rate_hz * scenario.tick_s)),
        record_channels=recorded_channels(scenario, channels),
        record_capacity=RECORD_CAPACITY_ROWS,
    )


def recorded_channels(scenario: Scenario, channels: tuple[str, ...]) -> list[str]:
    """Channels that the record keeps, in the order of the row. Raises ScenarioError for a pattern without a match."""
    for pattern in scenario.record.channels:
        if not fnmatch.filter(channels, pattern):
            known = ", ".join(channels)
            raise ScenarioError(scenario.source, "record.channels", f" = {pattern!r}: no such channel; there are: {known}")
    return [name for name in channels if any(fnmatch.fnmatchcase(name, p) for p in scenario.record.channels)]


def _impedance(scenario: Scenario) -> tuple[float, float]:
    ratio = scenario.grid.x_over_r
    r = 1.0 / math.sqrt(1.0 + ratio * ratio)
    return r, ratio * r


def _grid(scenario: Scenario, initial: InitialState, arrays: dict[str, Any]) -> None:
    grid = scenario.grid
    params, state = arrays["grid_params"], arrays["grid"]
    params["nominal_hz"] = grid.frequency_hz
    params["short_circuit_va"] = grid.short_circuit_va
    params["source_pu"] = state["source_pu"] = grid.source_pu
    params["resistance_pu"], params["reactance_pu"] = _impedance(scenario)
    params["constant_current_below_pu"] = grid.constant_current_below_pu
    params["area_va"] = grid.area_va
    params["inertia_s"] = grid.inertia_s
    params["damping_pu"] = grid.damping
    params["droop_pu"] = grid.droop
    params["governor_s"] = grid.governor_time_s
    params["governor_limit_pu"] = grid.governor_limit
    params["deadband_pu"] = grid.deadband_hz / grid.frequency_hz
    params["balanced_w"] = state["power_w"] = initial.load_w
    state["reactive_var"] = initial.load_var
    state["voltage_pu"] = initial.voltage_pu
    state["load_share"] = state["storage_share"] = 1.0


def _measurement(
    scenario: Scenario, slot: Any, arena: Arena, initial: float, window_s: float, delay_s: float, rms: bool = False
) -> None:
    length = max(1, scenario.ticks_of(window_s))
    delay = scenario.ticks_of(delay_s)
    fill = initial * initial if rms else initial
    slot["rms"] = rms
    slot["window"]["offset"] = arena.place(length, fill)
    slot["window"]["length"] = length
    slot["window"]["total"] = fill * length
    slot["delay"]["offset"] = arena.place(delay, initial)
    slot["delay"]["length"] = delay
    slot["value"] = initial


def _measurements(scenario: Scenario, initial: InitialState, measured: Any, arena: Arena) -> None:
    setting = scenario.measurement
    window, delay = setting.window_s, setting.delay_s
    power, voltage, frequency = (measured[CODES[f"measured.{name}"]] for name in ("power", "voltage", "frequency"))
    _measurement(scenario, power, arena, initial.load_w, window, delay)
    _measurement(scenario, voltage, arena, initial.voltage_pu, window, delay, rms=True)
    _measurement(scenario, frequency, arena, scenario.grid.frequency_hz, setting.frequency_window_s, delay)
    for load, name in zip(measured[CODES["measured.load"] :], scenario.bess, strict=True):
        absorber = next((a for a in scenario.absorber.values() if a.device == f"bess.{name}"), None)
        window, delay = (absorber.filter_s, absorber.delay_s) if absorber else (scenario.tick_s, 0.0)
        _measurement(scenario, load, arena, initial.load_w, window, delay)


def _bess(scenario: Scenario, bess: Bess, index: int, arrays: dict[str, Any]) -> None:
    dt = scenario.tick_s
    rated_a = bess.rating_va / bess.dc_voltage_v
    ocv = np.array(OCV_CELL_V) * (bess.dc_voltage_v / NOMINAL_CELL_V)
    battery, state = arrays["battery_params"][index], arrays["battery"][index]
    mean_v = float(np.mean((ocv[1:] + ocv[:-1]) / 2))
    battery["capacity_as"] = bess.energy_wh * 3600.0 / mean_v
    battery["ocv_v"] = ocv
    battery["r0_ohm"] = bess.resistance * bess.dc_voltage_v / rated_a
    for pair, share, tau in (("1", bess.rc1_resistance, bess.rc1_time_s), ("2", bess.rc2_resistance, bess.rc2_time_s)):
        ohm = share * bess.dc_voltage_v / rated_a
        battery[f"r{pair}_ohm"] = ohm
        battery[f"g{pair}_siemens"] = 1.0 / ohm if ohm > 0 else 0.0
        battery[f"decay{pair}"] = math.exp(-dt / tau)
        battery[f"decay{pair}_half"] = math.exp(-0.5 * dt / tau)
    rated_heat_w = (bess.resistance + bess.rc1_resistance + bess.rc2_resistance) * bess.rating_va
    battery["thermal_k_per_w"] = bess.temperature_rise_degc / rated_heat_w if rated_heat_w > 0 else 0.0
    battery["thermal_decay"] = math.exp(-dt / bess.thermal_time_s)
    battery["ambient_degc"] = state["temperature_degc"] = bess.ambient_degc
    state["soc"] = bess.soc
    state["voltage_v"] = np.interp(bess.soc, np.linspace(0, 1, len(ocv)), ocv)
    converter = arrays["converter_params"][index]
    converter["rating_va"] = bess.rating_va
    converter["gain"] = 1.0 - math.exp(-dt / bess.converter_lag_s) if bess.converter_lag_s > 0 else 1.0
    converter["standby_w"] = bess.standby_loss * bess.rating_va
    converter["linear_loss"] = bess.linear_loss
    converter["quadratic_loss"] = bess.quadratic_loss
    pcs, firmware = arrays["pcs_params"][index], arrays["pcs"][index]
    pcs["rating_va"] = bess.rating_va
    pcs["charge_max_w"] = bess.charge_w or bess.rating_va
    pcs["discharge_max_w"] = bess.discharge_w or bess.rating_va
    pcs["current_limit_pu"] = bess.current_limit
    pcs["priority"] = CODES[f"priority.{bess.priority}"]
    pcs["setpoint_ramp_w_per_s"] = bess.setpoint_ramp_w_per_s or bess.rating_va / 10.0
    pcs["slew_w_per_s"] = bess.slew_w_per_s or bess.rating_va / 0.05
    pcs["soc_min"], pcs["soc_max"] = bess.soc_min, bess.soc_max
    pcs["cease_below_pu"] = bess.cease_below
    pcs["ticks_per_second"] = scenario.ticks_of(1.0)
    firmware["operation"] = 1
    firmware["revert_at"] = firmware["commanded_at"] = firmware["reverted_at"] = -1


def _law(scenario: Scenario, device: str, index: int, initial: InitialState, arrays: dict[str, Any]) -> None:
    params, state = arrays["law_params"][index], arrays["law"][index]
    params["update_ticks"] = 1
    absorber = next((a for a in scenario.absorber.values() if a.device == device), None)
    if not isinstance(absorber, RampLimit):
        return
    params["kind"] = CODES[f"law.{absorber.kind}"]
    params["update_ticks"] = max(1, scenario.ticks_of(absorber.update_s))
    params["rise_w_per_s"] = absorber.ramp_w_per_s
    params["fall_w_per_s"] = absorber.ramp_down_w_per_s or absorber.ramp_w_per_s
    state["grid_w"] = initial.load_w


def _limit(
    scenario: Scenario, index: int, channels: tuple[str, ...], initial: InitialState, arrays: dict[str, Any], arena: Arena
) -> None:
    limit = scenario.limits[index]
    params, state = arrays["limit_params"][index], arrays["limits"][index]
    params["kind"] = _KINDS.get(limit.kind, CODES["limit.level"])
    params["blank"] = _BLANKED_BY.get(limit.kind, CODES["blank.never"])
    params["channel"] = channels.index(limit_channel(limit))
    low, high = limit_bounds(limit)
    params["low"], params["high"] = low, high
    params["has_low"], params["has_high"] = math.isfinite(low), math.isfinite(high)
    state["highest"], state["lowest"] = -math.inf, math.inf
    state["first_tick"] = state["highest_tick"] = state["lowest_tick"] = -1
    state["last"] = initial.load_w
    if limit.kind == "ramp":
        mean, window = max(1, scenario.ticks_of(limit.mean_s)), max(1, scenario.ticks_of(limit.window_s))
        params["per_second"] = 1.0 / (window * scenario.tick_s)
        state["mean"]["offset"] = arena.place(mean, initial.load_w)
        state["mean"]["length"] = mean
        state["mean"]["total"] = initial.load_w * mean
        state["past"]["offset"] = arena.place(window, initial.load_w)
        state["past"]["length"] = window
    elif limit.kind == "peak_to_peak":
        for name in ("top", "bottom"):
            _extremum(state[name], arena, scenario.ticks_of(limit.window_s) + 1)
    delay = scenario.ticks_of(getattr(limit, "delay_s", 0.0))
    params["delay_ticks"] = delay
    if delay > 0:
        for name, used in (("held_high", math.isfinite(high)), ("held_low", math.isfinite(low))):
            if used:
                _extremum(state[name], arena, delay + 1)


def _extremum(slot: Any, arena: Arena, capacity: int) -> None:
    slot["offset"] = arena.place(2 * capacity)
    slot["capacity"] = capacity


def limit_channel(limit: Any) -> str:
    """The channel that a limit looks at."""
    if limit.kind in ("undervoltage", "overvoltage"):
        return "pcc.voltage_measured_pu"
    if limit.kind in ("underfrequency", "overfrequency"):
        return "pcc.frequency_measured_hz"
    if limit.kind in ("ramp", "peak_to_peak"):
        return "pcc.power_measured_w"
    return f"{limit.node}.{'soc' if limit.kind == 'soc_window' else 'current_pu'}"


def limit_bounds(limit: Any) -> tuple[float, float]:
    """Lowest and highest value inside the limit; infinite where it has none."""
    if limit.kind == "undervoltage":
        return limit.min, math.inf
    if limit.kind == "underfrequency":
        return limit.min_hz, math.inf
    if limit.kind == "overfrequency":
        return -math.inf, limit.max_hz
    if limit.kind == "ramp":
        return -limit.max_w_per_s, limit.max_w_per_s
    if limit.kind == "peak_to_peak":
        return -math.inf, limit.max_w
    if limit.kind == "soc_window":
        return float(limit.window[0]), float(limit.window[1])
    return -math.inf, limit.max


def _events(scenario: Scenario, dtype: Any) -> Any:
    rows = []
    measuring = scenario.measurement
    for event in scenario.events:
        start = scenario.ticks_of(event.at_s)
        if event.kind == "grid_dip":
            end = start + max(1, scenario.ticks_of(event.duration_s))
            blank = scenario.ticks_of(event.settle_s + measuring.window_s + measuring.delay_s)
            rows.append((CODES["event.dip"], start, end, blank, event.residual))
        elif event.kind == "generation_loss":
            end = 2**62 if event.duration_s is None else start + max(1, scenario.ticks_of(event.duration_s))
            settle = scenario.ticks_of(event.settle_s + measuring.frequency_window_s + measuring.delay_s) if end < 2**62 else 0
            rows.append((CODES["event.generation_loss"], start, end, settle, event.power_w))
    return np.array(rows, dtype=dtype)
