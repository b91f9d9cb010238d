"""What a variant of a site has cost and saved, measured on the record of its run (docs/compare.md has the equations)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hil.report.wear import equivalent_full_cycles, rainflow
from hil.verdict.outcome import Outcome

if TYPE_CHECKING:
    from hil.record.rows import Record
    from hil.report.result import Result
    from hil.scenario.model import Scenario

Floats = np.ndarray[Any, np.dtype[np.float64]]

SITE = "pcc.power_w"
WINDOW_S = 5.0
DEMAND_S = 900.0
LEAST_CYCLE = 1e-5
"""Depth from which a cycle of a state of charge counts; less is the rounding of a record."""

_COLUMNS = 1200  # of the picture of a power


@dataclass(frozen=True)
class LoadFacts:
    """What a load is before any remedy of its own: a digest of the power of every tick, its energy, its largest power.

    rated_w: what shares are of: the rated power of its GPUs, `power` of a training job; else that largest power.
    """

    digest: str
    energy_j: float
    largest_w: float
    rated_w: float


@dataclass(frozen=True)
class StorageUse:
    """What one storage did. Charged and discharged where it meets the site: a BESS at its AC terminals, a UPS at its battery.

    energy_j: what it holds between state of charge 0 and 1. usual_swing: the median of the range of the state of charge within
    any 5 s. cycles: by rainflow counting, those deeper than `LEAST_CYCLE`; deepest: the deepest, share of the state of charge.
    All three are None of a storage whose history is not recorded. full_cycles: equivalent full ones.
    """

    charged_j: float
    discharged_j: float
    energy_j: float
    soc_start: float
    soc_end: float
    soc_low: float
    soc_high: float
    usual_swing: float | None
    cycles: float | None
    deepest: float | None
    full_cycles: float

    @property
    def throughput_j(self) -> float:
        """Charged and discharged together."""
        return self.charged_j + self.discharged_j

    @property
    def soc_swing(self) -> float:
        """Highest less lowest state of charge."""
        return self.soc_high - self.soc_low

    @property
    def stored_j(self) -> float:
        """What it holds at the end more than at the start."""
        return (self.soc_end - self.soc_start) * self.energy_j

    def document(self) -> dict[str, float | None]:
        """All of it, ready for JSON."""
        return {
            "charged_j": self.charged_j,
            "discharged_j": self.discharged_j,
            "throughput_j": self.throughput_j,
            "battery_energy_j": self.energy_j,
            "stored_j": self.stored_j,
            "soc_start": self.soc_start,
            "soc_end": self.soc_end,
            "soc_low": self.soc_low,
            "soc_high": self.soc_high,
            "soc_swing": self.soc_swing,
            "usual_soc_swing_5_s": self.usual_swing,
            "rainflow_cycles": self.cycles,
            "deepest_cycle": self.deepest,
            "equivalent_full_cycles": self.full_cycles,
        }


@dataclass(frozen=True)
class PowerTrace:
    """Lowest and highest power of the site in each column of a picture: arrays of shape (n,); column k ends at time_s[k]."""

    time_s: Floats
    low_w: Floats
    high_w: Floats


@dataclass(frozen=True)
class Measured:
    """What the record of a run says: energy of the site, peaks, swings, storage by device.

    demand_w: the largest mean over any 15 min; None of a shorter run. swing_w: the largest range of the power within any 5 s,
    usual_swing_w: the median of that range.
    """

    site_j: float
    peak_w: float
    demand_w: float | None
    swing_w: float
    usual_swing_w: float
    storage: dict[str, StorageUse]
    power: PowerTrace

    @property
    def stored_j(self) -> float:
        """What all storage holds at the end more than at the start."""
        return sum(one.stored_j for one in self.storage.values())


def measured(result: Result, rows: Record) -> Measured:
    """Measure a run. rows: mean, least and largest of `measured_channels`. Raises KeyError where one is missing."""
    time_s, mean_w = _column(rows, SITE)
    low_w, high_w = (_column(rows, f"{SITE}.{end}")[1] for end in ("min", "max"))
    lasted_s = np.diff(time_s, prepend=0.0)
    judged = time_s > result.scenario.warm_up_s
    ranges_w = _ranges(low_w[judged], high_w[judged], _rows(WINDOW_S, lasted_s))
    return Measured(
        site_j=float(mean_w @ lasted_s),
        peak_w=float(high_w[judged].max()),
        demand_w=_demand_w(mean_w, lasted_s),
        swing_w=float(ranges_w.max()),
        usual_swing_w=float(np.median(ranges_w)),
        storage={device: _use(result.scenario, rows, device) for device in result.scenario.devices} | racks(result.load),
        power=_trace(time_s, low_w, high_w),
    )


def measured_channels(scenario: Scenario) -> list[str]:
    """What of a site is measured: its power, and power and state of charge of each storage."""
    storage = [channel for device in scenario.devices for channel in (_power_of(device), f"{device}.soc")]
    return [SITE, *storage]


def _power_of(device: str) -> str:
    """The channel of the power with which a storage discharges, above 0."""
    return f"{device}.power_w" if device.startswith("bess.") else f"{device}.battery_w"


def limits_of(result: Result) -> tuple[int, int, tuple[str, float] | None]:
    """How many required limits held, of how many that apply, and the one with the least margin; None where none has one."""
    required = [one for one in result.limits.values() if one.required and one.outcome is not Outcome.NOT_APPLICABLE]
    margins = [(one.margin, one.name) for one in required if one.margin is not None]
    worst = min(margins, default=None)
    held = sum(one.outcome is Outcome.PASS for one in required)
    return held, len(required), None if worst is None else (worst[1], worst[0])


def _column(rows: Record, channel: str) -> tuple[Floats, Floats]:
    time_ns, values = rows.column(channel)
    return time_ns / 1e9, values.astype(np.float64)


def _use(scenario: Scenario, rows: Record, device: str) -> StorageUse:
    time_s, power_w = _column(rows, _power_of(device))
    energies_j = power_w * np.diff(time_s, prepend=0.0)
    soc, low, high = (_column(rows, f"{device}.soc{part}")[1] for part in ("", ".min", ".max"))
    kind, _, name = device.partition(".")
    section = scenario.bess[name] if kind == "bess" else scenario.ups[name]
    energy_wh = scenario.bess[name].energy_wh if kind == "bess" else scenario.ups[name].rated_energy_wh
    history = np.concatenate([[float(section.soc)], _turning(soc, low, high)])
    depths, _, counts = rainflow(history)
    deep = depths >= LEAST_CYCLE
    return StorageUse(
        charged_j=float(-energies_j[energies_j < 0.0].sum()),
        discharged_j=float(energies_j[energies_j > 0.0].sum()),
        energy_j=float(energy_wh) * 3600.0,
        soc_start=float(section.soc),
        soc_end=float(soc[-1]),
        soc_low=float(min(section.soc, low.min())),
        soc_high=float(max(section.soc, high.max())),
        usual_swing=float(np.median(_ranges(low, high, _rows(WINDOW_S, np.diff(time_s, prepend=0.0))))),
        cycles=float(counts[deep].sum()),
        deepest=float(depths.max(initial=0.0)),
        full_cycles=equivalent_full_cycles(history),
    )


def racks(load: dict[str, Any], name: str = "load") -> dict[str, StorageUse]:
    """Capacitors in racks, by where they stand in the scenario, from what a load says of its remedies at the end of a run."""
    found = {}
    rack = load.get("remedies", {}).get("rack")
    if rack is not None:
        given_j, taken_j, capacity_j = (float(rack[key]) for key in ("given_j", "taken_j", "capacity_j"))
        found[f"{name}.rack"] = StorageUse(
            charged_j=taken_j,
            discharged_j=given_j,
            energy_j=capacity_j,
            soc_start=float(rack["soc"]) + (given_j - taken_j) / capacity_j,
            soc_end=float(rack["soc"]),
            soc_low=float(rack["soc_low"]),
            soc_high=float(rack["soc_high"]),
            usual_swing=None,
            cycles=None,
            deepest=None,
            full_cycles=0.5 * (given_j + taken_j) / capacity_j,
        )
    for part, told in load.get("part", {}).items():
        found |= racks(told, f"{name}.part.{part}")
    return found


def _turning(mean: Floats, low: Floats, high: Floats) -> Floats:
    """A history from means of its rows: where it turns, the extreme that the rows around the turn have seen."""
    steps = np.sign(np.diff(mean))
    top = np.flatnonzero((steps[:-1] > 0.0) & (steps[1:] < 0.0)) + 1
    bottom = np.flatnonzero((steps[:-1] < 0.0) & (steps[1:] > 0.0)) + 1
    history = mean.copy()
    history[top] = np.maximum.reduce([high[top - 1], high[top], high[top + 1]])
    history[bottom] = np.minimum.reduce([low[bottom - 1], low[bottom], low[bottom + 1]])
    return history


def _rows(window_s: float, lasted_s: Floats) -> int:
    """How many rows a window holds."""
    return max(1, round(window_s / float(lasted_s[0])))


def _demand_w(mean_w: Floats, lasted_s: Floats) -> float | None:
    """Largest mean over any 15 min."""
    rows = _rows(DEMAND_S, lasted_s)
    if mean_w.size < rows:
        return None
    total = np.concatenate([[0.0], np.cumsum(mean_w)])
    return float((total[rows:] - total[:-rows]).max() / rows)


def _ranges(low: Floats, high: Floats, rows: int) -> Floats:
    """Highest less lowest in every window of so many rows; of less than one window, in all there is."""
    rows = min(rows, low.size)
    ranges: Floats = _sliding(high, rows) + _sliding(-low, rows)
    return ranges


def _sliding(values: Floats, rows: int) -> Floats:
    """Largest value in every window, shape (n - rows + 1,): of each window the end of one block and the start of the next."""
    blocks = -(-values.size // rows)
    padded = np.full(blocks * rows, -np.inf)
    padded[: values.size] = values
    table = padded.reshape(blocks, rows)
    ahead = np.maximum.accumulate(table, axis=1).ravel()
    behind = np.maximum.accumulate(table[:, ::-1], axis=1)[:, ::-1].ravel()
    windows = values.size - rows + 1
    largest: Floats = np.maximum(behind[:windows], ahead[rows - 1 : rows - 1 + windows])
    return largest


def _trace(time_s: Floats, low_w: Floats, high_w: Floats) -> PowerTrace:
    starts = np.unique(np.linspace(0, time_s.size, min(_COLUMNS, time_s.size), endpoint=False).astype(np.int64))
    ends = np.append(starts[1:], time_s.size) - 1
    return PowerTrace(time_s[ends], np.minimum.reduceat(low_w, starts), np.maximum.reduceat(high_w, starts))
