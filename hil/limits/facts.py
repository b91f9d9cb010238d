"""What a limit must know of the site that it judges, besides its signals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hil.scenario.model import Scenario


@dataclass(frozen=True)
class DeviceFacts:
    """rating: VA of a BESS, W of a UPS. capacity_ah: of its battery, at its nominal voltage."""

    rating: float
    capacity_ah: float
    ambient_degc: float


@dataclass(frozen=True)
class Facts:
    """period_ns: of the samples. frequency_hz: nominal. devices: by their names in the scenario (`bess.main`).

    delay_s: by how much a measured voltage is later than a power that is not measured. measuring_s: over how long it is taken.
    slack_w: power that may be missing of what must be back after a dip, for what means leave of rounding.
    """

    period_ns: int
    frequency_hz: float
    devices: dict[str, DeviceFacts] = field(default_factory=dict)
    delay_s: float = 0.0
    measuring_s: float = 0.0
    slack_w: float = 0.0

    @property
    def tick_s(self) -> float:
        """Time between two samples."""
        return self.period_ns * 1e-9

    def ticks_of(self, seconds: float) -> int:
        """Ticks nearest to a time."""
        return round(float(seconds) * 1e9 / self.period_ns)


_SLACK = 1e-11
"""Share of the short-circuit power that may be missing of what must be back: means leave a rest of rounding, zero's too."""


def facts_of(scenario: Scenario) -> Facts:
    """The facts of a scenario's site."""
    devices = {
        f"bess.{name}": DeviceFacts(float(bess.rating_va), float(bess.energy_wh / bess.dc_voltage_v), float(bess.ambient_degc))
        for name, bess in scenario.bess.items()
    } | {
        f"ups.{name}": DeviceFacts(float(ups.rating_w), float(ups.rated_energy_wh / ups.dc_voltage_v), float(ups.ambient_degc))
        for name, ups in scenario.ups.items()
    }
    return Facts(
        period_ns=scenario.period_ns,
        frequency_hz=float(scenario.grid.frequency_hz),
        devices=devices,
        delay_s=float(scenario.measurement.delay_s),
        measuring_s=float(scenario.measurement.window_s),
        slack_w=_SLACK * float(scenario.grid.short_circuit_va),
    )
