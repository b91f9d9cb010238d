"""What the modules of this room hand each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hil.kernel.arena import Arena
from hil.kernel.layout import parameter_dtypes, state_dtypes
from hil.scenario.model import Scenario


@dataclass(frozen=True)
class Steady:
    """The site before its first tick. Powers of load and cooling together; voltages of the positive sequence."""

    it_w: float
    load_w: float
    load_var: float
    grid_w: float
    grid_var: float
    voltage_pu: float
    bus_voltage_pu: float


@dataclass
class Parts:
    """Arrays on their way to the engine, by the names of `hil.kernel.layout`."""

    scenario: Scenario
    arena: Arena = field(default_factory=Arena)
    parameters: dict[str, Any] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)

    def make(self, name: str, count: int) -> tuple[Any, Any]:
        """Parameters and states of `count` components, all zero."""
        return self.make_parameters(name, count), self.make_states(name, count)

    def make_parameters(self, name: str, count: int) -> Any:
        """Parameters alone."""
        self.parameters[name] = np.zeros(count, dtype=parameter_dtypes()[name])
        return self.parameters[name]

    def make_states(self, name: str, count: int) -> Any:
        """States alone."""
        self.states[name] = np.zeros(count, dtype=state_dtypes()[name])
        return self.states[name]
