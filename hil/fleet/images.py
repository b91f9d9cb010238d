"""Process images of emulated devices: an engine's arrays as a server sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import Any

from hil.kernel.engine import Engine
from hil.scenario.model import Scenario

_READINGS = {"soc": "soc_error", "temperature_degc": "temperature_k", "power_w": "power_gain"}


@dataclass(frozen=True, slots=True)
class Written:
    """A write that a device has taken, and when, in scenario time."""

    point: str
    value: float
    time_s: float


class _EngineImage:
    """What every device shows. device: `bess.NAME`, `ups.NAME` or `meter.NAME`."""

    def __init__(self, engine: Engine, device: str) -> None:
        self._engine = engine
        own = f"{device}."
        self._channels = {channel.removeprefix(own): position for position, channel in enumerate(engine.channels)}

    @property
    def tick(self) -> int:
        """Ticks run so far."""
        return self._engine.tick

    @property
    def period_ns(self) -> int:
        """Length of a tick."""
        return self._engine.period_ns

    def reader(self, name: str) -> Callable[[], float]:
        """Reads a channel of the latest row."""
        return partial(self._engine.value, self._channels[name])


class _EngineFirmwareImage(_EngineImage):
    """And what takes commands. states: of its firmware, by the engine's name for them."""

    def __init__(self, engine: Engine, scenario: Scenario, device: str, states: str) -> None:
        super().__init__(engine, device)
        self._number = scenario.devices.index(device)  # as the engine counts
        kind = device.partition(".")[0] + "."
        self._index = [name for name in scenario.devices if name.startswith(kind)].index(device)
        self._states = states
        self._firmware = engine.seen[states][self._index]
        run = engine.states["run"]
        self._commands, self._given, self._taken = engine.states["commands"], run["command_head"], run["command_tail"]
        self._faults = engine.seen["faults"]
        self.last_command: Written | None = None

    @property
    def room(self) -> int:
        """Commands that the next tick still takes."""
        return len(self._commands) - int(self._given.item() - self._taken.item())

    @property
    def firmware(self) -> Any:
        """State of the firmware."""
        return self._firmware

    def reader(self, name: str) -> Callable[[], float]:
        """Reads a channel of the latest row as the device's own sensors tell it: with their errors (hil/kernel/faults.pxd)."""
        true = super().reader(name)
        fault = _READINGS.get(name)
        if fault is None:
            return true
        error = partial(self._faults[fault].item, self._number)
        return (lambda: true() * error()) if name == "power_w" else (lambda: true() + error())

    def firmware_reader(self, field: str) -> Callable[[], float]:
        """Reads a field of the firmware's state, as a plain number."""
        return partial(self._engine.seen[self._states][field].item, self._index)

    def command(self, point: IntEnum, value: float) -> None:
        """Queue a write for the next tick."""
        self._engine.command(self._number, int(point), value)
        self.last_command = Written(point.name.lower(), value, self._engine.tick * self._engine.period_ns / 1e9)


class EngineStorageImage(_EngineFirmwareImage):
    """Implements `firmware_sim.image.StorageImage`."""

    def __init__(self, engine: Engine, scenario: Scenario, name: str) -> None:
        super().__init__(engine, scenario, f"bess.{name}", "pcs")
        bess = scenario.bess[name]
        self.rating_va = bess.rating_va
        self.charge_max_w = bess.charge_w or bess.rating_va
        self.discharge_max_w = bess.discharge_w or bess.rating_va
        self.energy_wh = bess.energy_wh
        self.capacity_ah = float(engine.parameters["battery"][self._index]["capacity_as"]) / 3600.0
        self.grid_voltage_v = scenario.grid.voltage_v
        self.soc_window = (bess.soc_min, bess.soc_max)


class EngineUpsImage(_EngineFirmwareImage):
    """Implements `firmware_sim.image.UpsImage`."""

    def __init__(self, engine: Engine, scenario: Scenario, name: str) -> None:
        super().__init__(engine, scenario, f"ups.{name}", "ups")
        ups = scenario.ups[name]
        self.rating_w = float(ups.rating_w)
        self.energy_wh = ups.rated_energy_wh
        self.capacity_ah = float(engine.parameters["ups_battery"][self._index]["capacity_as"]) / 3600.0
        self.dc_voltage_v = float(ups.dc_voltage_v)
        self.nominal_voltage_v = float(ups.voltage_v)
        self.nominal_hz = float(scenario.grid.frequency_hz)
        self.load_power_factor = float(scenario.load.power_factor)
        self.input_window_pu = (float(ups.input_low), float(ups.input_high))
        self.bypass_window = (float(ups.bypass_window), float(ups.bypass_frequency_hz))
        self.input_limit_w = float(ups.input_limit * ups.rating_w)
        self.recharge_max_w = ups.recharge_max_w


class EngineMeterImage(_EngineImage):
    """Implements `firmware_sim.image.MeterImage`."""

    def __init__(self, engine: Engine, scenario: Scenario, name: str) -> None:
        super().__init__(engine, f"meter.{name}")
        self._index = list(scenario.meter).index(name)
        self.rating_va = float(scenario.meter[name].rating_va)
        self.voltage_v = float(scenario.grid.voltage_v)
        self.frequency_hz = float(scenario.grid.frequency_hz)

    def measured(self, field: str, phase: int | None = None) -> Callable[[], float]:
        """Reads a field of the meter's state."""
        states = self._engine.seen["revenue_meters"]
        windowed = {"reactive_var": "reactive", "current_va": "current"}
        values = states[windowed[field]]["value"] if field in windowed else states[field]
        return partial(values.item, self._index if phase is None else (self._index, phase))
