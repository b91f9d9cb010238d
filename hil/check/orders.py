"""What a file for `hil check` says: which column is which signal, how sure it is, and the limits."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from hil.errors import ScenarioError
from hil.recordings import Column, TimeColumn
from hil.scenario.base import Number, Refused, Section
from hil.scenario.grid import Measurement
from hil.scenario.limit import Limit
from hil.scenario.limit_rules import Around, check_limits
from hil.scenario.problems import scenario_error
from hil.scenario.profiles import expand_profiles
from hil.scenario.quantity import Current, Frequency, Voltage

SIGNALS = (
    "pcc.power_w",
    "pcc.power_measured_w",
    "pcc.reactive_var",
    "pcc.frequency_hz",
    "pcc.frequency_measured_hz",
    *(
        f"{node}.voltage{which}_pu"
        for node in ("pcc", "bus")
        for which in ("", "_a", "_b", "_c", "_lowest_measured", "_highest_measured", "_negative_sequence_measured")
    ),
    *(f"{node}.voltage_{phase}_wave_v" for node in ("pcc", "bus") for phase in ("a", "b", "c", "ab", "bc", "ca")),
    *(f"{node}.current_{phase}_wave_a" for node in ("pcc", "bus") for phase in "abc"),
)
"""Signals of the grid that a recording may hold; those of devices are named as in a run (`bess.main.soc`)."""


class SignalColumn(Section):
    """One signal: the column that it is."""

    column: str = Field(min_length=1, description="name of the column")
    unit: str | None = Field(default=None, description="unit of its numbers, such as kW; else the file's own, or SI")
    scale: Number | None = Field(default=None, description="by which its numbers are multiplied, in place of a unit")
    offset: Number = Field(default=0.0, description="what is added to them then")

    def as_column(self) -> Column:
        """For the reader."""
        return Column(self.column, scale=self.scale, offset=self.offset, unit=self.unit)


class TimeSection(Section):
    """Which column holds the time; without the section the first one."""

    column: str | None = Field(default=None, description="name of the column")
    unit: Literal["s", "ms", "us", "ns", "iso"] | None = Field(default=None, description="of its numbers; iso: ISO 8601")
    zone: str | None = Field(default=None, description="of timestamps that carry none, such as Z or +02:00")

    def as_column(self) -> TimeColumn:
        """For the reader."""
        return TimeColumn(self.column, self.unit, self.zone)


class WaveformSection(Section):
    """What must be known of waveforms, samples point on wave."""

    voltage_v: dict[str, Voltage] = Field(
        default_factory=dict, description="nominal voltage, phase to phase, by the place: pcc, bus, or ups.NAME for its output"
    )
    demand_current_a: Current | None = Field(
        default=None, gt=0, description="largest demand load current, RMS, IL of IEEE 519"
    )
    short_circuit_current_a: Current | None = Field(default=None, gt=0, description="largest short-circuit current, ISC")
    rms: Literal["sample", "half_cycle"] = Field(
        default="sample", description="how often RMS values over a period are renewed: at every sample, or every half cycle"
    )


class CheckFile(Section):
    """The limits of a recording, and what its columns are."""

    title: str = Field(default="", description="what people call it")
    frequency_hz: Frequency = Field(default=60.0, gt=0, description="nominal frequency")
    time: TimeSection = Field(default_factory=lambda: TimeSection.model_validate({}), description="the time")
    signals: dict[str, SignalColumn] = Field(
        default_factory=dict, description="columns by signal; none: every column by its name"
    )
    measurement: Measurement = Field(
        default_factory=lambda: Measurement.model_validate({}), description="how sure what was measured is"
    )
    waveforms: WaveformSection = Field(
        default_factory=lambda: WaveformSection.model_validate({}), description="what must be known of waveforms"
    )
    limits: list[Annotated[Limit, Field()]] = Field(min_length=1, description="what is judged")

    @model_validator(mode="after")
    def _rules(self) -> Self:
        for name in self.signals:
            if name not in SIGNALS and not name.startswith(("bess.", "ups.")):
                close = difflib.get_close_matches(name, SIGNALS, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(SIGNALS)}"
                raise Refused(f"no such signal; {hint}", "signals", name)
            node, wave = name.rpartition(".")[0], "_wave_" in name
            if wave and node not in self.waveforms.voltage_v:
                raise Refused(f"missing; waveforms of {node} need the nominal voltage", "waveforms", "voltage", node)
        check_limits(self.limits, Around(float(self.frequency_hz), "frequency", waveforms=True))
        return self


def read_orders(path: Path) -> CheckFile:
    """Read a file of limits. Raises ScenarioError."""
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(str(path), "", f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    expand_profiles(document, path.parent, str(path))
    try:
        return CheckFile.model_validate(document, context={"file": True}, by_alias=True, by_name=False)
    except ValidationError as error:
        raise scenario_error(str(path), document, error, CheckFile) from None
