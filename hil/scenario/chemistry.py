"""What a storage is made of: curve of its open-circuit voltage, resistances, C-rates, self-discharge (docs/model.md)."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from hil.scenario.base import Refused

if TYPE_CHECKING:
    from hil.scenario.storage import Bess
    from hil.scenario.ups import Ups

BessChemistry = Literal["lfp", "nmc", "lto", "supercapacitor", "flywheel"]
UpsChemistry = Literal["vrla", "lfp", "nmc", "lto", "supercapacitor", "flywheel"]
Curve = tuple[float, ...]
MOST_DROP = 0.25
"""Share of the voltage beyond which the rated power does not come through: `P = u·I − R·I²` has its maximum there."""

_LAST = 20  # point of a curve


@dataclass(frozen=True)
class Drops:
    """Voltage drops at rated power, shares of `dc_voltage`: ohmic, fast and slow RC pair; time constants of the pairs, s."""

    resistance: float
    rc1_resistance: float
    rc1_time_s: float
    rc2_resistance: float
    rc2_time_s: float

    def at(self, c_rate: float) -> Drops:
        """Of drops at 1 C, those at another C-rate."""
        shares = (self.resistance * c_rate, self.rc1_resistance * c_rate, self.rc2_resistance * c_rate)
        return Drops(shares[0], shares[1], self.rc1_time_s, shares[2], self.rc2_time_s)


@dataclass(frozen=True)
class Chemistry:
    """One of them. nominal_v: of a cell, or 1 where there are none. ocv_v: of that, at SoC 0, 0.05 … 1, V.

    drops: None: the section's own; per_c: whether they are those at a C-rate of 1 (the rating over the energy, 1/h), not at
    the rating. C-rates: most power over the energy, 1/h; None: no bound. self_discharge_per_h: share of the charge lost in an
    hour.
    """

    nominal_v: float
    ocv_v: Curve
    drops: Drops | None = None
    per_c: bool = True
    charge_c_rate: float | None = None
    discharge_c_rate: float | None = None
    self_discharge_per_h: float = 0.0
    cells: bool = True

    @property
    def cell_v(self) -> float | None:
        """Nominal voltage of a cell; None where there are none."""
        return self.nominal_v if self.cells else None


@dataclass(frozen=True)
class Cell(Drops):
    """The drops of one battery, whether from its file or its chemistry, and what it loses at rest."""

    self_discharge_w: float


_LFP = (
    2.500, 3.000, 3.180, 3.210, 3.235, 3.252, 3.265, 3.276, 3.285, 3.288, 3.290,
    3.294, 3.300, 3.310, 3.320, 3.326, 3.330, 3.335, 3.340, 3.360, 3.500,
)  # fmt: skip


def _linear(low: float, high: float) -> Curve:
    step = (high - low) / _LAST
    return (*(point * step + low for point in range(_LAST)), high)


@functools.cache
def _computed() -> dict[str, Any]:
    """What scripts/fit_cells.py has made of published parameter sets."""
    text = (resources.files("hil.scenario") / "cells.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@functools.cache
def chemistry(name: str) -> Chemistry:
    """A chemistry by its name."""
    match name:
        case "lfp":
            return Chemistry(nominal_v=3.2, ocv_v=_LFP)
        case "vrla":
            return Chemistry(nominal_v=2.0, ocv_v=_linear(1.96, 2.14))
        case "nmc":
            made = _computed()["nmc"]
            return Chemistry(
                nominal_v=made["nominal_v"],
                ocv_v=tuple(made["ocv_v"]),
                drops=Drops(**made["drops"]),
                charge_c_rate=0.7,
                discharge_c_rate=1.5,
                self_discharge_per_h=0.02 / 730.0,
            )
        case "lto":
            made = _computed()["lto"]
            return Chemistry(
                nominal_v=made["nominal_v"],
                ocv_v=tuple(made["ocv_v"]),
                drops=Drops(0.005, 0.002, 10.0, 0.002, 100.0),
                charge_c_rate=10.0,
                discharge_c_rate=10.0,
                self_discharge_per_h=0.02 / 730.0,
            )
        case "supercapacitor":
            return Chemistry(
                nominal_v=2.7,
                ocv_v=_linear(1.35, 2.7),
                drops=Drops(0.33e-3 * 0.75 * 2.025 / 2.7**2, 0.0, 1.0, 0.0, 1.0),
                charge_c_rate=204.0 * 2.7 / (0.75 * 2.025),
                discharge_c_rate=204.0 * 2.7 / (0.75 * 2.025),
                self_discharge_per_h=4.2e-3 / 0.75,
            )
        case "flywheel":
            return Chemistry(
                nominal_v=1.0,
                ocv_v=_linear(1.0, 1.0),
                drops=Drops(0.01, 0.0, 1.0, 0.0, 1.0),
                per_c=False,
                self_discharge_per_h=0.01,
                cells=False,
            )
    raise KeyError(name)


def cell_of(section: Bess | Ups, own: Drops, rating_w: float, energy_wh: float) -> Cell:
    """A battery's parameters. own: drops of the section's default chemistries, at the rating."""
    made = chemistry(section.chemistry)
    preset = own if made.drops is None else made.drops.at(rating_w / energy_wh) if made.per_c else made.drops
    lost_w = made.self_discharge_per_h * energy_wh if section.self_discharge_w is None else section.self_discharge_w

    def of(key: str) -> float:
        given = getattr(section, key)
        return float(getattr(preset, key) if given is None else given)

    return Cell(
        resistance=of("resistance"),
        rc1_resistance=of("rc1_resistance"),
        rc1_time_s=of("rc1_time_s"),
        rc2_resistance=of("rc2_resistance"),
        rc2_time_s=of("rc2_time_s"),
        self_discharge_w=float(lost_w),
    )


def battery_v(section: Bess | Ups) -> tuple[float, float | None]:
    """Nominal voltage of a battery, and of a cell of it; None where it has none."""
    return float(section.dc_voltage_v), chemistry(section.chemistry).cell_v


def check_battery(section: Bess | Ups, energy_wh: float, charge: tuple[float, str], discharge: tuple[float, str]) -> None:
    """Refuse more power than the chemistry gives. charge, discharge: most power, W, and the key that says so."""
    made = chemistry(section.chemistry)
    for way, (most_w, key), bound in (
        ("charge", charge, made.charge_c_rate),
        ("discharge", discharge, made.discharge_c_rate),
    ):
        own = getattr(section, f"{way}_c_rate")
        c_rate = bound if own is None else float(own)
        if c_rate is not None and most_w > c_rate * energy_wh * (1.0 + 1e-9):
            whose = f"{way}_c_rate" if own is not None else f"the {way}_c_rate of {section.chemistry}"
            raise Refused(
                f"lets the battery {way} with {most_w / 1e3:g} kW: must be at most {c_rate * energy_wh / 1e3:g} kW, "
                f"{energy_wh / 1e3:g} kWh at {c_rate:g} C, {whose}",
                key,
            )
    drop = section.cell.resistance + section.cell.rc1_resistance + section.cell.rc2_resistance
    if made.drops is not None and drop >= MOST_DROP:
        raise Refused(
            f"drops {drop:.2f} of its voltage at the rating: must be below {MOST_DROP:g}; give it more energy, or resistances",
            "chemistry",
        )
