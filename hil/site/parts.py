"""What the modules of this room hand each other."""

from __future__ import annotations

from dataclasses import dataclass

from hil.kernel.arena import Arrays
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


class Parts(Arrays):
    """Arrays of a scenario's site on their way to the engine."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__()
        self.scenario = scenario
