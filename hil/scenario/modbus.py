"""Section `[ups.NAME.modbus]`: a UPS on Modbus TCP."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hil.scenario.base import CHOICE, Section, Whole
from hil.scenario.listen import LoopbackAddress


class UpsModbusSection(Section):
    """The register map of a UPS and where its Modbus TCP server listens, beside MQTT (docs/ups_maps.md)."""

    map: Literal["generic", "huawei-ups2000", "apc-smart-ups", "contacts"] = Field(
        default="generic", description="which device's registers it has", json_schema_extra=CHOICE
    )
    listen: LoopbackAddress = Field(
        default="127.0.0.1:0",
        description="loopback address and port of its Modbus TCP server; port 0: any free one",
        json_schema_extra=CHOICE,
    )
    unit_id: Whole = Field(
        default=1, ge=1, le=247, description="Modbus unit identifier; 0 and 255 are answered too", json_schema_extra=CHOICE
    )
