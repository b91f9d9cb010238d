"""Entries of `[[limits]]`, by what they look at: what a file may say, and nothing of how it is judged (`hil.limits`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hil.scenario.limit.current import ConverterCurrent, Overcurrent, ThermalOverload
from hil.scenario.limit.frequency import Overfrequency, RateOfChange, Underfrequency
from hil.scenario.limit.power import (
    BandShare,
    Damping,
    DynamicRange,
    Oscillation,
    PeakToPeak,
    Recovery,
    ReversePower,
    Underpower,
    Variation,
)
from hil.scenario.limit.ramp import RampRate
from hil.scenario.limit.ride import RideThrough
from hil.scenario.limit.storage import BatteryTemperature, CellVoltage, CRate, DcVoltage, SocRange
from hil.scenario.limit.ups import DcLink, DisturbanceCounter, OnBattery, OutputVoltage, Overload, Transfers
from hil.scenario.limit.voltage import Flicker, NegativeSequenceVoltage, Overvoltage, Undervoltage, VoltsPerHertz
from hil.scenario.limit.waveform import CurrentDistortion, Statistic, TransientOvervoltage, VoltageDistortion

__all__ = [
    "BandShare",
    "BatteryTemperature",
    "CRate",
    "CellVoltage",
    "ConverterCurrent",
    "CurrentDistortion",
    "Damping",
    "DcLink",
    "DcVoltage",
    "DisturbanceCounter",
    "DynamicRange",
    "Flicker",
    "Limit",
    "NegativeSequenceVoltage",
    "OnBattery",
    "Oscillation",
    "OutputVoltage",
    "Overcurrent",
    "Overfrequency",
    "Overload",
    "Overvoltage",
    "PeakToPeak",
    "RampRate",
    "RateOfChange",
    "Recovery",
    "ReversePower",
    "RideThrough",
    "SocRange",
    "Statistic",
    "ThermalOverload",
    "Transfers",
    "TransientOvervoltage",
    "Underfrequency",
    "Underpower",
    "Undervoltage",
    "Variation",
    "VoltageDistortion",
    "VoltsPerHertz",
]

Limit = Annotated[
    Undervoltage
    | Overvoltage
    | NegativeSequenceVoltage
    | VoltsPerHertz
    | Flicker
    | Underfrequency
    | Overfrequency
    | RateOfChange
    | RampRate
    | PeakToPeak
    | DynamicRange
    | Variation
    | Oscillation
    | Damping
    | BandShare
    | ReversePower
    | Underpower
    | Overcurrent
    | ThermalOverload
    | SocRange
    | ConverterCurrent
    | CRate
    | CellVoltage
    | DcVoltage
    | OnBattery
    | Overload
    | Transfers
    | DisturbanceCounter
    | DcLink
    | OutputVoltage
    | BatteryTemperature
    | Recovery
    | RideThrough
    | VoltageDistortion
    | CurrentDistortion
    | TransientOvervoltage,
    Field(discriminator="kind"),
]
