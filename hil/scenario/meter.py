"""Sections `[meter.NAME]` and `[meter.NAME.mqtt]`."""

from __future__ import annotations

from pydantic import Field

from hil.scenario.base import CHOICE, Section, Whole
from hil.scenario.listen import LoopbackAddress
from hil.scenario.mqtt import MeterMqttSection
from hil.scenario.quantity import Apparent


class Meter(Section):
    """A revenue meter at the PCC, on Modbus TCP as SunSpec model 203 (docs/meter.md); it has no driver."""

    rating_va: Apparent = Field(
        gt=0, le=2e9, description="rated power of its current transformers; its registers hold twice that"
    )
    listen: LoopbackAddress = Field(
        default="127.0.0.1:0", description="loopback address and port; port 0: any free one", json_schema_extra=CHOICE
    )
    unit_id: Whole = Field(
        default=1, ge=1, le=247, description="Modbus unit identifier; 0 and 255 are answered too", json_schema_extra=CHOICE
    )
    mqtt: MeterMqttSection | None = Field(
        default=None, description="what it publishes on MQTT, and how often; not at all without the section"
    )
