"""Section `[record]`."""

from __future__ import annotations

from pydantic import Field

from hil.scenario.base import CHOICE, Section
from hil.scenario.quantity import Frequency


class Record(Section):
    """What the record of a run keeps."""

    rate_hz: Frequency = Field(
        default=100.0, ge=0.001, description="rows a second; must divide the tick rate", json_schema_extra=CHOICE
    )
    channels: list[str] = Field(
        default=["*"], min_length=1, description="names of channels, or patterns such as 'pcc.*'", json_schema_extra=CHOICE
    )
