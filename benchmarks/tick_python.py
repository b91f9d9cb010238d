"""The pure-Python twin of the frozen site, written from docs/model.md: floats, lists, deques of the standard library.

It does what a tick of the product does but for the waveform hash, which would be another library's C.
"""

from __future__ import annotations

import ctypes
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
from tick_python_limits import Band, Level, Ramp, Range
from tick_python_windows import Mean
from tick_site import FrozenSite, parameters

TURN = complex(-0.5, math.sqrt(0.75))


def values(struct: Any) -> Any:
    """A ctypes struct as plain Python numbers and lists."""
    if isinstance(struct, ctypes.Array):
        return [values(item) for item in struct]
    if isinstance(struct, ctypes.Structure):
        return SimpleNamespace(**{field: values(getattr(struct, field)) for field, _ in struct._fields_})
    return struct


def clamp(x: float, low: float, high: float) -> float:
    """`x`, but within the bounds."""
    return low if x < low else min(x, high)


def settled(x: float) -> float:
    """No subnormal numbers: what decays to nothing is nothing."""
    return x if abs(x) > 1e-30 else 0.0


class Network:
    """Source, impedance, bus of load and storage, dips."""

    def __init__(self, given: Any) -> None:
        self.p = given.network
        self.dips = given.dips[: given.dip_count]
        self.source_pu = self.p.source_pu
        self.negative = self.zero = 0j
        self.next_change = self.blank_until = 0
        self.collapsed_ticks = 0
        self.z = complex(self.p.resistance_pu, self.p.reactance_pu)

    def stimulate(self, tick: int) -> None:
        """Work out what the dips do from this tick on."""
        source = self.p.source_pu
        self.source_pu, self.negative, self.zero = source, 0j, 0j
        for dip in self.dips:
            if dip.blanks and tick >= dip.start_tick:
                self.blank_until = max(self.blank_until, dip.end_tick + dip.blank_ticks)
            if dip.start_tick <= tick < dip.end_tick:
                self.source_pu *= dip.value
                self.negative += source * complex(dip.negative_re, dip.negative_im)
                self.zero += source * complex(dip.zero_re, dip.zero_im)
        edges = [edge for dip in self.dips for edge in (dip.start_tick, dip.end_tick) if edge > tick]
        self.next_change = min(edges, default=2**62)

    def solve(self, load: complex, storage: complex, seen_pu: float) -> tuple[float, float, float]:
        """Voltage at the bus and the delivered shares of load and storage."""
        s = (load - storage) / self.p.base_va
        r, x = self.p.resistance_pu, self.p.reactance_pu
        b = 0.5 * self.source_pu * self.source_pu - (r * s.real + x * s.imag)
        under = b * b - (s.real * s.real + s.imag * s.imag) * (r * r + x * x)
        square = b + math.sqrt(under) if under >= 0.0 else -1.0
        threshold = self.p.constant_current_below_pu
        if square >= 0.0 and math.sqrt(square) >= threshold:
            return math.sqrt(square), 1.0, 1.0
        seen_pu = max(seen_pu, 0.05)
        i = (load / threshold - storage / seen_pu) / self.p.base_va
        across = x * i.real - r * i.imag
        under = self.source_pu * self.source_pu - across * across
        v = math.sqrt(under) - (r * i.real + x * i.imag) if under >= 0.0 else -1.0
        if v < 0.0:
            v = 0.0
            self.collapsed_ticks += self.source_pu > 0.0
        return v, v / threshold, v / seen_pu

    def phases(self, v: float, power: complex) -> list[float]:
        """Voltages of the three phases, at the bus and, without a transformer, at the PCC."""
        if not self.negative and not self.zero:
            return [v, v, v]
        current = power.conjugate() / (self.p.base_va * v) if v > 0.0 else 0j
        source = v + self.z * current
        positive = v * source.conjugate() / abs(source) if source else complex(v)
        return [
            abs(positive + self.negative + self.zero),
            abs(TURN.conjugate() * positive + TURN * self.negative + self.zero),
            abs(TURN * positive + TURN.conjugate() * self.negative + self.zero),
        ]


class Area:
    """Frequency by the swing equation with a governor, Heun's method."""

    def __init__(self, p: Any, balanced_w: float) -> None:
        self.p, self.balanced_w = p, balanced_w
        self.w = self.g = 0.0

    def step(self, grid_w: float, dt: float) -> float:
        """Move by a tick; returns the frequency."""
        p, w, g = self.p, self.w, self.g
        missing = (grid_w - self.balanced_w) / p.base_va
        two_h = 2.0 * p.inertia_s
        dw1 = (g - missing - p.damping_pu * w) / two_h
        dg1 = (self.demand(w) - g) / p.governor_s
        w1, g1 = w + dt * dw1, g + dt * dg1
        dw2 = (g1 - missing - p.damping_pu * w1) / two_h
        dg2 = (self.demand(w1) - g1) / p.governor_s
        self.w = settled(w + 0.5 * dt * (dw1 + dw2))
        self.g = settled(g + 0.5 * dt * (dg1 + dg2))
        return p.nominal_hz * (1.0 + self.w)

    def demand(self, w: float) -> float:
        """What the governor asks for."""
        beyond = abs(w) - self.p.deadband_pu
        if beyond <= 0.0 or self.p.droop_pu <= 0.0:
            return 0.0
        return math.copysign(min(beyond / self.p.droop_pu, self.p.governor_limit_pu), -w)


class Inverter:
    """Law, firmware, converter lag."""

    def __init__(self, given: Any, load_w: float) -> None:
        self.law, self.pcs, self.converter, self.dt = given.law, given.pcs, given.converter, given.dt
        self.grid_w = load_w
        self.law_w = self.bias_w = self.set_w = self.set_var = self.revert_w = 0.0
        self.set_enable = self.var_enable = False
        self.running = True
        self.revert_at, self.heartbeats = -1, 0
        self.command_w = self.command_var = self.lagged_w = self.lagged_var = 0.0

    def step(self, tick: int, load_w: float, seen_pu: float, soc: float) -> None:
        """One tick on what was measured at the end of the last."""
        law, pcs, dt = self.law, self.pcs, self.dt
        self.grid_w += clamp(load_w - self.grid_w, -law.fall_w_per_s * dt, law.rise_w_per_s * dt)
        self.law_w = law.share * (load_w - self.grid_w)
        if 0 <= self.revert_at <= tick:
            self.revert_at, self.set_w = -1, self.revert_w
        if tick % pcs.ticks_per_second == 0:
            self.heartbeats += 1
        step = pcs.setpoint_ramp_w_per_s * dt
        self.bias_w = clamp(self.set_w if self.set_enable else 0.0, self.bias_w - step, self.bias_w + step)
        w = clamp(self.law_w + self.bias_w, -pcs.charge_max_w, pcs.discharge_max_w)
        var = self.set_var if self.var_enable else 0.0
        if not self.running or seen_pu < pcs.cease_below_pu:
            w = var = 0.0
        if (w > 0.0 and soc <= pcs.soc_min) or (w < 0.0 and soc >= pcs.soc_max):
            w = 0.0
        most = pcs.current_limit_pu * pcs.rating_va * seen_pu
        if pcs.priority:
            var = clamp(var, -most, most)
            room = math.sqrt(max(most * most - var * var, 0.0))
            w = clamp(w, -room, room)
        else:
            w = clamp(w, -most, most)
            room = math.sqrt(max(most * most - w * w, 0.0))
            var = clamp(var, -room, room)
        slew = pcs.slew_w_per_s * dt
        self.command_w = clamp(w, self.command_w - slew, self.command_w + slew)
        self.command_var = clamp(var, self.command_var - slew, self.command_var + slew)
        self.lagged_w = settled(self.lagged_w + self.converter.gain * (self.command_w - self.lagged_w))
        self.lagged_var = settled(self.lagged_var + self.converter.gain * (self.command_var - self.lagged_var))

    def deliver(self, w: float, var: float, v: float) -> tuple[float, float]:
        """Current per unit, and the power that the battery gives."""
        p = self.converter
        current = math.sqrt(w * w + var * var) / (v * p.rating_va) if v > 1e-6 else 0.0
        return current, w + p.standby_w + p.linear_loss * abs(w) + p.quadratic_loss * w * w / p.rating_va


class Battery:
    """Open-circuit voltage, two RC pairs, temperature; the current solved at mid-step."""

    def __init__(self, p: Any, soc: float) -> None:
        self.p, self.soc = p, soc
        self.rc1_v = self.rc2_v = self.current_a = self.voltage_v = self.power_w = 0.0
        self.temperature_degc = p.ambient_degc
        self.starved_ticks = 0

    def ocv(self, soc: float) -> float:
        """Open-circuit voltage, linear between the points."""
        points = self.p.ocv_v
        x = soc * (len(points) - 1)
        i = min(max(int(x), 0), len(points) - 2)
        return points[i] + (x - i) * (points[i + 1] - points[i])

    def current(self, inner_v: float, power_w: float) -> float:
        """Current that gives a power at the terminals, or the most power there is."""
        under = inner_v * inner_v - 4.0 * self.p.r0_ohm * power_w
        return inner_v / (2.0 * self.p.r0_ohm) if under < 0.0 else 2.0 * power_w / (inner_v + math.sqrt(under))

    def step(self, power_w: float, dt: float) -> None:
        """One tick at a terminal power."""
        p = self.p
        start = self.current(self.ocv(self.soc) - self.rc1_v - self.rc2_v, power_w)
        rc1 = self.rc1_v * p.decay1_half + p.r1_ohm * (1.0 - p.decay1_half) * start
        rc2 = self.rc2_v * p.decay2_half + p.r2_ohm * (1.0 - p.decay2_half) * start
        inner = self.ocv(self.soc - 0.5 * dt * start / p.capacity_as) - rc1 - rc2
        i = self.current(inner, power_w)
        self.starved_ticks += inner * inner < 4.0 * p.r0_ohm * power_w
        self.current_a, self.voltage_v = i, inner - p.r0_ohm * i
        self.power_w = self.voltage_v * i
        heat = p.r0_ohm * i * i + rc1 * rc1 * p.g1_siemens + rc2 * rc2 * p.g2_siemens
        self.soc -= dt * i / p.capacity_as
        self.rc1_v = settled(self.rc1_v * p.decay1 + p.r1_ohm * (1.0 - p.decay1) * i)
        self.rc2_v = settled(self.rc2_v * p.decay2 + p.r2_ohm * (1.0 - p.decay2) * i)
        above = (self.temperature_degc - p.ambient_degc) * p.thermal_decay
        self.temperature_degc = p.ambient_degc + above + p.thermal_k_per_w * (1.0 - p.thermal_decay) * heat


class PhaseMeter:
    """RMS of each phase in a window; what relays look at is the lowest and the highest."""

    def __init__(self, ticks: int, v: float) -> None:
        self.squares = [Mean(ticks, v * v) for _ in range(3)]

    def push(self, phases: list[float]) -> tuple[float, float]:
        """Lowest and highest."""
        means = [window.push(v * v) for window, v in zip(self.squares, phases, strict=True)]
        return math.sqrt(max(min(means), 0.0)), math.sqrt(max(*means, 0.0))


class PythonSite:
    """The whole site."""

    def __init__(self, site: FrozenSite) -> None:
        self._load_w = site.load_w.tolist()
        given = values(parameters(site))
        self.given, self.tick = given, 0
        self.network = Network(given)
        load = complex(given.first_load_w, given.first_load_w * given.load_tan_phi)
        v, _, _ = self.network.solve(load, 0j, 1.0)
        w, ticks, hz = load.real, given.windows, given.area.nominal_hz
        self.area = Area(given.area, w)
        self.inverter = Inverter(given, w)
        self.battery = Battery(given.battery, given.soc)
        self.seen_load_w, self.seen_pu = w, v
        self.load, self.power = Mean(ticks.load, w), Mean(ticks.power, w)
        self.voltage, self.frequency = Mean(ticks.voltage, v * v), Mean(ticks.frequency, hz)
        self.pcc_meter, self.bus_meter = PhaseMeter(ticks.phase, v), PhaseMeter(ticks.phase, v)
        limit = given.limits
        self.ramp, self.range = Ramp(limit[0], ticks, w), Range(limit[1], ticks, w)
        self.under_v, self.over_v = Level(limit[2], upper=False), Level(limit[3], upper=True)
        self.under_hz, self.over_hz = Level(limit[4], upper=False), Level(limit[5], upper=True)
        self.soc_window, self.converter_current = Band(limit[6]), Level(limit[7], upper=True)
        self.limits = (
            *(self.ramp, self.range, self.under_v, self.over_v),
            *(self.under_hz, self.over_hz, self.soc_window, self.converter_current),
        )
        self.energy_j = self.largest_demand_w = 0.0

    def step(self, load_w: float) -> list[float]:
        """One tick; returns its row."""
        given, network, inverter, battery, tick = self.given, self.network, self.inverter, self.battery, self.tick
        if tick >= network.next_change:
            network.stimulate(tick)
        inverter.step(tick, self.seen_load_w, self.seen_pu, battery.soc)
        load = complex(load_w, load_w * given.load_tan_phi)
        storage = complex(inverter.lagged_w, inverter.lagged_var)
        v, load_share, storage_share = network.solve(load, storage, self.seen_pu)
        delivered = storage * storage_share
        grid = load * load_share - delivered
        phases = network.phases(v, grid)
        hz = self.area.step(grid.real, given.dt)
        current_pu, dc_w = inverter.deliver(delivered.real, delivered.imag, v)
        battery.step(dc_w, given.dt)
        self.seen_load_w = self.load.push(load_w * load_share)
        seen_w, seen_hz = self.power.push(grid.real), self.frequency.push(hz)
        self.seen_pu = math.sqrt(max(self.voltage.push(v * v), 0.0))
        pcc_lowest, pcc_highest = self.pcc_meter.push(phases)
        bus_lowest, bus_highest = self.bus_meter.push(phases)
        row = [
            *(load_w, load_w * load_share, 0.0, grid.real, grid.imag, v, *phases, hz, v, *phases),
            *(seen_w, pcc_lowest, pcc_highest, seen_hz, bus_lowest, bus_highest, self.seen_pu),
            *(delivered.real, delivered.imag, current_pu, inverter.bias_w, inverter.law_w, inverter.command_w),
            *(self.seen_load_w, battery.soc, battery.voltage_v, battery.current_a, battery.power_w),
            *(battery.rc1_v, battery.rc2_v, battery.temperature_degc),
        ]
        blanked = tick < network.blank_until
        self.ramp.push(seen_w, tick, blanked)
        self.range.push(seen_w, tick, blanked)
        self.under_v.push(pcc_lowest, tick, blanked)
        self.over_v.push(pcc_highest, tick, blanked)
        self.under_hz.push(seen_hz, tick, blanked=False)
        self.over_hz.push(seen_hz, tick, blanked=False)
        self.soc_window.push(battery.soc, tick)
        self.converter_current.push(current_pu, tick, blanked=False)
        self.tick += 1
        self.energy_j += load_w * given.dt
        self.largest_demand_w = max(self.largest_demand_w, load_w)
        return row

    def run(self, begin: int, end: int) -> None:
        """Ticks `begin` to `end`, in order."""
        for load_w in self._load_w[begin:end]:
            self.step(load_w)

    def rows(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """All ticks, with every row."""
        return np.array([self.step(load_w) for load_w in self._load_w])

    def results(self) -> Any:
        """What the run came to."""
        return SimpleNamespace(
            limits=self.limits,
            energy_j=self.energy_j,
            largest_demand_w=self.largest_demand_w,
            collapsed_ticks=self.network.collapsed_ticks,
            starved_ticks=self.battery.starved_ticks,
            heartbeats=self.inverter.heartbeats,
        )
