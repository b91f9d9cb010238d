"""Keys of a battery's cell that mean the same in a BESS and in a UPS; their defaults are each section's own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hil.scenario.base import ASSUMED
from hil.scenario.quantity import Temperature, Time, Voltage

CELL_V = {"lfp": 3.2, "vrla": 2.0}
"""Nominal voltage of a cell, by its chemistry."""

DcVoltage = Annotated[Voltage, Field(gt=0, description="nominal voltage of the battery", json_schema_extra=ASSUMED)]
FastTime = Annotated[Time, Field(gt=0, description="time constant of the fast RC pair", json_schema_extra=ASSUMED)]
SlowTime = Annotated[Time, Field(gt=0, description="time constant of the slow RC pair", json_schema_extra=ASSUMED)]
Ambient = Annotated[Temperature, Field(ge=-50, le=80, description="temperature around the battery", json_schema_extra=ASSUMED)]
TemperatureRise = Annotated[
    Temperature,
    Field(ge=0, description="rise of the battery's temperature under lasting rated power", json_schema_extra=ASSUMED),
]
ThermalTime = Annotated[Time, Field(gt=0, description="time constant of the battery's temperature", json_schema_extra=ASSUMED)]
