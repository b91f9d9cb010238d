"""What a limit must know of the site that it judges, besides its signals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hil.scenario.chemistry import chemistry

if TYPE_CHECKING:
    from hil.scenario.grid import Measurement
    from hil.scenario.model import Scenario
    from hil.scenario.storage import Bess
    from hil.scenario.ups import Ups


@dataclass(frozen=True)
class DeviceFacts:
    """rating: VA of a BESS, W of a UPS. capacity_ah: of its battery, at its nominal voltage. cell_v: nominal, of a cell.

    energy_j: between its states of charge 0 and 1; None where a fault changes that. counter: how many disturbances within how
    many seconds take a UPS off the grid; None where it does not count them. units: of a group of
    UPSs, whose other figures are one unit's, and whose counter is the strictest.
    """

    rating: float
    capacity_ah: float
    ambient_degc: float
    nominal_v: float
    cell_v: float
    energy_j: float | None = None
    counter: tuple[int, float] | None = None
    units: int = 1

    @property
    def cells(self) -> float:
        """In series; as the model goes by a cell's curve and the battery's voltage, not always a whole number."""
        return self.nominal_v / self.cell_v


@dataclass(frozen=True)
class Facts:
    """period_ns: of the samples. frequency_hz: nominal. devices: by their names in the scenario (`bess.main`).

    delay_s: by how much a measured voltage is later than a power that is not measured. measuring_s: over how long it is taken.
    slack_w: power that may be missing of what must be back after a dip, for what means leave of rounding. warm_up_s: at the
    start, in which nothing is judged. measurement: how sure what was measured is; None: nothing is said of it.
    breakers: that limits trip (`pcc`, `bess.main`). jumps: whether there are channels that jumps of the phase block.
    """

    period_ns: int
    frequency_hz: float
    devices: dict[str, DeviceFacts] = field(default_factory=dict)
    delay_s: float = 0.0
    measuring_s: float = 0.0
    slack_w: float = 0.0
    warm_up_s: float = 0.0
    measurement: Measurement | None = None
    breakers: tuple[str, ...] = ()
    jumps: bool = False

    @property
    def tick_s(self) -> float:
        """Time between two samples."""
        return self.period_ns * 1e-9

    @property
    def warm_up_ticks(self) -> int:
        """Samples of the warm-up."""
        return self.ticks_of(self.warm_up_s)

    def ticks_of(self, seconds: float) -> int:
        """Ticks nearest to a time."""
        return round(float(seconds) * 1e9 / self.period_ns)


_SLACK = 1e-11
"""Share of the short-circuit power that may be missing of what must be back: means leave a rest of rounding, zero's too."""


def _device(section: Bess | Ups, rating: float, energy_wh: float) -> DeviceFacts:
    volts = float(section.dc_voltage_v)
    capacity_ah, energy_j = float(energy_wh) / volts, 3600.0 * float(energy_wh)
    nominal_v = chemistry(section.chemistry).nominal_v
    return DeviceFacts(float(rating), capacity_ah, float(section.ambient_degc), volts, nominal_v, energy_j)


def _counter(ups: Ups) -> tuple[int, float] | None:
    """The counter of a UPS, or the strictest of a group; None where nobody counts."""
    if not ups.counts:
        return None
    spread = ups.spread
    counts = [ups.counter_disturbances]
    windows_s = [ups.counter_window_s]
    if spread is not None and spread.counter_disturbances is not None:
        counts = [count for count in spread.counter_disturbances.among if count > 0]
    if spread is not None and spread.counter_window_s is not None:
        windows_s = spread.counter_window_s.ends
    return int(min(counts)), float(max(windows_s))


def facts_of(scenario: Scenario) -> Facts:
    """The facts of a scenario's site."""
    devices = {f"bess.{name}": _device(bess, bess.rating_va, bess.energy_wh) for name, bess in scenario.bess.items()} | {
        f"ups.{name}": _device(ups, ups.rating_w, ups.rated_energy_wh) for name, ups in scenario.ups.items()
    }
    for name, ups in scenario.ups.items():
        devices[f"ups.{name}"] = replace(devices[f"ups.{name}"], counter=_counter(ups), units=int(ups.count or 1))
    weak = {event.device for event in scenario.events if event.kind == "weak_cells"}
    devices = {name: replace(one, energy_j=None) if name in weak else one for name, one in devices.items()}
    return Facts(
        period_ns=scenario.period_ns,
        frequency_hz=float(scenario.grid.frequency_hz),
        devices=devices,
        delay_s=float(scenario.measurement.delay_s),
        measuring_s=float(scenario.measurement.window_s),
        slack_w=_SLACK * float(scenario.grid.short_circuit_va),
        warm_up_s=float(scenario.warm_up_s),
        measurement=scenario.measurement,
        breakers=tuple(scenario.breakers),
    )
