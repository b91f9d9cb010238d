"""Keys of a battery's cell that mean the same in a BESS and in a UPS; their defaults are each section's own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hil.scenario.base import ASSUMED, Number
from hil.scenario.quantity import Power, Temperature, Time, Voltage

DcVoltage = Annotated[Voltage, Field(gt=0, description="nominal voltage of the battery", json_schema_extra=ASSUMED)]
ChargeRate = Annotated[
    Number | None,
    Field(
        gt=0,
        description="most power with which the battery charges, over its energy, 1/h; more is refused; "
        "default: the chemistry's",
        json_schema_extra=ASSUMED,
    ),
]
DischargeRate = Annotated[
    Number | None,
    Field(
        gt=0,
        description="most power with which the battery discharges, over its energy, 1/h; more is refused; "
        "default: the chemistry's",
        json_schema_extra=ASSUMED,
    ),
]
SelfDischarge = Annotated[
    Power | None,
    Field(
        ge=0,
        description="power that is lost inside at all times, at the mean of the open-circuit voltage: self-discharge, "
        "leakage, windage; default: the chemistry's",
        json_schema_extra=ASSUMED,
    ),
]
Ambient = Annotated[Temperature, Field(ge=-50, le=80, description="temperature around the battery", json_schema_extra=ASSUMED)]
TemperatureRise = Annotated[
    Temperature,
    Field(ge=0, description="rise of the battery's temperature under lasting rated power", json_schema_extra=ASSUMED),
]
ThermalTime = Annotated[Time, Field(gt=0, description="time constant of the battery's temperature", json_schema_extra=ASSUMED)]
