"""Limits on voltages: 27, 59, 47, 24, and flicker."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from hil.scenario.base import CHOICE
from hil.scenario.limit.base import UPS, AtPcc, Delay, LimitSection, PickUp, RelaySection, TripSection
from hil.scenario.quantity import PerUnit


class Undervoltage(RelaySection):
    """27: RMS voltage of the lowest phase below `min` for `delay`. Scripted dips are stimulus and do not count.

    At `ups.NAME` it is the voltage of the output, and dips do count: they must not reach the load.
    """

    picks_up: ClassVar = PickUp("min", "dropout", under=True, subject="the voltage", unit="pu", nominal=1.0)

    kind: Literal["undervoltage"] = "undervoltage"
    node: str = Field(
        default="pcc",
        pattern=rf"^(pcc|bus|{UPS})$",
        description="whose voltage: of the PCC, of the bus, or of the output of a UPS",
        json_schema_extra=CHOICE,
    )
    min: PerUnit = Field(gt=0, lt=1, description="lowest voltage that is inside the limit, pu")
    dropout: PerUnit | None = Field(
        default=None, description="voltage at which it drops out, pu: from `min` up, below nominal; without it `min`"
    )
    delay_s: Delay = 0.0


class Overvoltage(RelaySection):
    """59: RMS voltage of the highest phase above `max` for `delay`."""

    picks_up: ClassVar = PickUp("max", "dropout", under=False, subject="the voltage", unit="pu", nominal=1.0)

    kind: Literal["overvoltage"] = "overvoltage"
    node: Literal["pcc", "bus"] = Field(
        default="pcc", description="whose voltage: of the PCC, or of the bus", json_schema_extra=CHOICE
    )
    max: PerUnit = Field(gt=1, lt=3, description="highest voltage that is inside the limit, pu")
    dropout: PerUnit | None = Field(
        default=None, description="voltage at which it drops out, pu: from `max` down, above nominal; without it `max`"
    )
    delay_s: Delay = 0.0


class NegativeSequenceVoltage(RelaySection):
    """47: negative-sequence voltage above `max` for `delay`: what unbalance does to motors and converters."""

    picks_up: ClassVar = PickUp("max", "dropout", under=False, subject="the negative-sequence voltage", unit="pu", nominal=0.0)

    kind: Literal["negative_sequence_voltage"] = "negative_sequence_voltage"
    node: Literal["pcc", "bus"] = Field(
        default="pcc", description="whose voltage: of the PCC, or of the bus", json_schema_extra=CHOICE
    )
    max: PerUnit = Field(
        gt=0, lt=1, description="highest negative-sequence voltage that is inside the limit, pu of the nominal phase voltage"
    )
    dropout: PerUnit | None = Field(
        default=None, description="voltage at which it drops out, pu: from `max` down, above 0; without it `max`"
    )
    delay_s: Delay = 0.0


class VoltsPerHertz(TripSection):
    """24: voltage over frequency, both in per unit, above `max` for `delay`: what magnetises a transformer's core."""

    kind: Literal["volts_per_hertz"] = "volts_per_hertz"
    node: AtPcc = "pcc"
    max: PerUnit = Field(gt=1, lt=3, description="largest voltage over frequency that is inside the limit, pu")
    delay_s: Delay = 0.0


class Flicker(LimitSection):
    """Flicker severity by IEC 61000-4-15, of the voltage of a phase: of each 10 min (short), or of the last 2 h (long)."""

    kind: Literal["flicker"] = "flicker"
    node: Literal["pcc", "bus"] = Field(
        default="pcc", description="whose voltage: of the PCC, or of the bus", json_schema_extra=CHOICE
    )
    phase: Literal["a", "b", "c"] = Field(default="a", description="of which phase", json_schema_extra=CHOICE)
    lamp: Literal["230 V", "120 V"] = Field(description="the incandescent lamp whose weighting filter counts")
    term: Literal["short", "long"] = Field(
        default="short",
        description="short: Pst of each 10 min; long: Plt of the last twelve of them",
        json_schema_extra=CHOICE,
    )
    max: PerUnit = Field(gt=0, description="largest severity that is inside the limit")
