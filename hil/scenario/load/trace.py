"""Recorded power. Parameters and their sources: docs/loads.md."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hil.scenario.base import CHOICE, Flag, Number, Refused, Whole
from hil.scenario.load.base import GpuSection
from hil.scenario.paths import TracePath
from hil.scenario.quantity import Time

_OF_COLUMNS = ("time_column", "power_column", "power_columns", "device_column")


class TraceLoad(GpuSection):
    """Recorded power of a file, the first time of which is the start of the run."""

    kind: Literal["trace"] = "trace"
    trace: TracePath = Field(
        description="the file, beside the scenario: a CSV with a header, a .parquet, or what a tool has logged (format)"
    )
    format: Literal["columns", "nvidia_smi", "dcgmi_dmon", "zeus"] = Field(
        default="columns",
        description="columns: those named here; else the log of nvidia-smi (csv), of dcgmi dmon, or of Zeus's PowerMonitor",
        json_schema_extra=CHOICE,
    )
    time_column: str = Field(
        default="time_s",
        description="name of the column of times: seconds, or the unit in brackets at its end, or dates with a time",
        json_schema_extra=CHOICE,
    )
    power_column: str = Field(
        default="power_w",
        description="name of the column of powers: watts, or the unit in brackets at its end (W, mW, kW, MW)",
        json_schema_extra=CHOICE,
    )
    power_columns: list[str] | None = Field(
        default=None, min_length=1, description="several columns whose sum it is, in place of power_column; * for any letters"
    )
    device_column: str | None = Field(
        default=None, description="where each device has rows of its own: the column that names it; a sample is their sum"
    )
    devices: Whole | None = Field(
        default=None, ge=1, description="rows that make one sample, where no column tells whose they are; default: one"
    )
    period_s: Time | None = Field(
        default=None, gt=0, description="time between samples of dcgmi dmon, whose log has none: what -d was"
    )
    between: Literal["line", "hold"] = Field(
        default="line", description="between samples: a straight line, or each holds until the next", json_schema_extra=CHOICE
    )
    exact: Flag = Field(
        default=False,
        description="true: its rows are the power's break-points, nothing lies between; false: samples, which block PASS of "
        "limits that look closer than they do",
        json_schema_extra=CHOICE,
    )
    scale: Number = Field(default=1.0, gt=0, description="multiplies the power; watts for each unit", json_schema_extra=CHOICE)
    repeat: Flag = Field(
        default=False,
        description="true: it starts anew at its end; false: a trace that ends before the run blocks PASS",
        json_schema_extra=CHOICE,
    )

    @model_validator(mode="after")
    def _keys_of_its_format(self) -> Self:
        if self.format != "columns":
            for key in _OF_COLUMNS:
                if getattr(self, key) != type(self).model_fields[key].default:
                    raise Refused(f"must be left out with format = {self.format!r}, which has its own", key)
        if (self.period_s is None) != (self.format != "dcgmi_dmon"):
            raise Refused("must be given with format = 'dcgmi_dmon', whose log has no times, and with no other", "period")
        if self.power_columns is not None and self.power_column != type(self).model_fields["power_column"].default:
            raise Refused("must be left out beside power_column", "power_columns")
        if self.devices is not None and (self.device_column is not None or self.format in ("dcgmi_dmon", "zeus")):
            raise Refused("must be left out where the rows tell whose they are", "devices")
        return self
