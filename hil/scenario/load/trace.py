"""Recorded power. Parameters and their sources: docs/loads.md."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hil.scenario.base import CHOICE, Flag, Number
from hil.scenario.load.base import GpuSection
from hil.scenario.paths import TracePath


class TraceLoad(GpuSection):
    """Recorded power from a CSV with a header; straight lines between samples, the first of which is the start of the run."""

    kind: Literal["trace"] = "trace"
    trace: TracePath = Field(
        description="the file, beside the scenario: a CSV with a header, a column of times and one of powers"
    )
    time_column: str = Field(default="time_s", description="name of the column of times, in seconds", json_schema_extra=CHOICE)
    power_column: str = Field(default="power_w", description="name of the column of powers", json_schema_extra=CHOICE)
    scale: Number = Field(default=1.0, gt=0, description="watts for each unit of that column", json_schema_extra=CHOICE)
    repeat: Flag = Field(
        default=False,
        description="true: it starts anew at its end; false: a trace that ends before the run blocks PASS",
        json_schema_extra=CHOICE,
    )
