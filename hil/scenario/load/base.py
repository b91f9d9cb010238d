"""What every kind of load has. Parameters and their sources: docs/loads.md."""

from __future__ import annotations

from pydantic import Field

from hil.scenario.base import Number, Section, source

_ASSUMED = source("assumed; docs/loads.md")


class LoadSection(Section):
    """Keys of every kind of load."""

    power_factor: Number = Field(
        default=0.98, gt=0, le=1, description="power factor of the IT load, lagging and constant", json_schema_extra=_ASSUMED
    )
