"""Sections `[grid]`, `[transformer]` and `[measurement]`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hil.scenario.base import Number, Section, Share
from hil.scenario.quantity import Apparent, Frequency, PerUnit, Time, Voltage


class Grid(Section):
    """The grid at the PCC (docs/model.md, "Network" and "Frequency"). Area defaults are assumptions, stated there."""

    voltage_v: Voltage = Field(34.5e3, gt=0)
    frequency_hz: Frequency = Field(60.0, ge=16.0, le=400.0)
    short_circuit_va: Apparent = Field(gt=0)
    x_over_r: Number = Field(12.0, ge=0)
    source_pu: PerUnit = Field(1.0, gt=0.5, lt=1.5)
    constant_current_below_pu: PerUnit = Field(0.9, gt=0, lt=1)
    validity_floor: Number = Field(3.0, ge=0, description="short-circuit ratio below which the model is not valid")
    area_va: Apparent = Field(60e9, gt=0)
    inertia_s: Time = Field(4.0, gt=0)
    damping: Number = Field(1.0, ge=0)
    droop: Share = 0.05
    governor_time_s: Time = Field(0.5, gt=0)
    governor_limit: Share = 0.1
    deadband_hz: Frequency = Field(0.036, ge=0)


class Transformer(Section):
    """Between the PCC and the bus of load and storage (docs/model.md, "Network")."""

    rating_va: Apparent = Field(gt=0)
    impedance: Number = Field(0.08, gt=0, le=0.5, description="short-circuit voltage, share")
    x_over_r: Number = Field(20.0, ge=0)
    ratio: Number = Field(1.0, gt=0.5, lt=1.5, description="of turns, off nominal: below 1 it raises the bus voltage")
    group: Literal["Dyn1", "Dyn5", "Dyn7", "Dyn11", "YNyn0", "Yyn0"] = "Dyn11"

    @property
    def clock(self) -> int:
        """By how many times 30° the bus lags the PCC."""
        return int(self.group.lstrip("DYNyn"))

    @property
    def passes_zero_sequence(self) -> bool:
        """Whether both sides are stars with their neutrals."""
        return self.group == "YNyn0"


class Measurement(Section):
    """Measured signals: RMS and averaging windows, and how late they arrive."""

    window_s: Time = Field(1.0 / 60.0, gt=0, description="of voltage (RMS) and power (mean)")
    frequency_window_s: Time = Field(0.1, gt=0)
    delay_s: Time = Field(0.0, ge=0)
