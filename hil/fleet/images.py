"""Process images of emulated devices: an engine's arrays as a server sees them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from firmware_sim.image import PcsPoint, UpsPoint
from hil.kernel.engine import Engine
from hil.scenario.model import Scenario


class EngineStorageImage:
    """Implements `firmware_sim.image.StorageImage`."""

    def __init__(self, engine: Engine, scenario: Scenario, name: str) -> None:
        self._engine = engine
        self._index = list(scenario.bess).index(name)
        bess = scenario.bess[name]
        self.rating_va = bess.rating_va
        self.charge_max_w = bess.charge_w or bess.rating_va
        self.discharge_max_w = bess.discharge_w or bess.rating_va
        self.energy_wh = bess.energy_wh
        self.capacity_ah = float(engine.parameters["battery"][self._index]["capacity_as"]) / 3600.0
        self.grid_voltage_v = scenario.grid.voltage_v
        self.soc_window = (bess.soc_min, bess.soc_max)
        self._firmware = engine.seen["pcs"][self._index]
        own = f"bess.{name}."
        self._channels = {channel.removeprefix(own): index for index, channel in enumerate(engine.channels)}

    @property
    def tick(self) -> int:
        """Ticks run so far."""
        return self._engine.tick

    @property
    def period_ns(self) -> int:
        """Length of a tick."""
        return self._engine.period_ns

    @property
    def firmware(self) -> Any:
        """State of the inverter firmware."""
        return self._firmware

    def reader(self, name: str) -> Callable[[], float]:
        """Reads a channel of the latest row."""
        return partial(self._engine.value, self._channels[name])

    def firmware_reader(self, field: str) -> Callable[[], float]:
        """Reads a field of the firmware's state, as a plain number."""
        return partial(self._engine.seen["pcs"][field].item, self._index)

    def command(self, point: PcsPoint, value: float) -> None:
        """Queue a write for the next tick."""
        self._engine.command(self._index, int(point), value)


class EngineUpsImage:
    """Implements `firmware_sim.image.UpsImage`."""

    def __init__(self, engine: Engine, scenario: Scenario, name: str) -> None:
        self._engine = engine
        index = list(scenario.ups).index(name)
        self._device = len(scenario.bess) + index
        parameters = engine.parameters["ups"][index]
        self.rating_w = float(parameters["rating_w"])
        self.energy_wh = scenario.ups[name].rated_energy_wh
        self.recharge_max_w = float(parameters["recharge_max_w"])
        self._firmware = engine.seen["ups"][index]
        own = f"ups.{name}."
        self._channels = {channel.removeprefix(own): position for position, channel in enumerate(engine.channels)}

    @property
    def tick(self) -> int:
        """Ticks run so far."""
        return self._engine.tick

    @property
    def period_ns(self) -> int:
        """Length of a tick."""
        return self._engine.period_ns

    @property
    def firmware(self) -> Any:
        """State of the firmware."""
        return self._firmware

    def reader(self, name: str) -> Callable[[], float]:
        """Reads a channel of the latest row."""
        return partial(self._engine.value, self._channels[name])

    def command(self, point: UpsPoint, value: float) -> None:
        """Queue a command for the next tick."""
        self._engine.command(self._device, int(point), value)
