"""The whole scenario, and the rules that reach across its sections."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, PrivateAttr, model_validator

from hil.scenario.base import Name, Section, Whole
from hil.scenario.event import Event
from hil.scenario.grid import Grid, Measurement
from hil.scenario.limit import Limit
from hil.scenario.load import Load
from hil.scenario.quantity import Frequency, Time
from hil.scenario.storage import Absorber, Bess, SocWindow


class Record(Section):
    """What the record keeps."""

    rate_hz: Frequency = Field(100.0, alias="rate", gt=0)
    channels: list[str] = Field(["*"], min_length=1, description="names or patterns, such as 'pcc.*'")


class Scenario(Section):
    """A site, what happens to it, who controls it, and the limits that must hold."""

    title: str = ""
    duration_s: Time = Field(alias="duration", gt=0)
    tick_s: Time = Field(0.001, alias="tick", ge=1e-5, le=0.01)
    seed: Whole = Field(0, ge=0)
    grid: Grid
    measurement: Measurement = Field(default_factory=lambda: Measurement.model_validate({}))
    load: Load
    bess: dict[Name, Bess] = Field(default_factory=dict)
    absorber: dict[Name, Absorber] = Field(default_factory=dict)
    supervisor: dict[Name, SocWindow] = Field(default_factory=dict)
    record: Record = Field(default_factory=lambda: Record.model_validate({}))
    limits: list[Limit] = Field(default_factory=list)
    events: list[Event] = Field(default_factory=list)

    _name: str = PrivateAttr("scenario")

    @property
    def name(self) -> str:
        """Name of the run's folder: that of the file, or of the packaged scenario."""
        return self._name

    def named(self, name: str) -> Self:
        """This scenario, going by a name."""
        self._name = name
        return self

    @property
    def period_ns(self) -> int:
        """Length of a tick, integer nanoseconds."""
        return round(float(self.tick_s) * 1e9)

    @property
    def ticks(self) -> int:
        """Length of the run in ticks."""
        return self.ticks_of(self.duration_s)

    def ticks_of(self, seconds: float) -> int:
        """Ticks nearest to a time."""
        return round(float(seconds) * 1e9 / self.period_ns)

    def document(self) -> dict[str, Any]:
        """The scenario as a TOML-ready document: every key, quantities with units, exact to the bit."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @model_validator(mode="after")
    def _references(self) -> Self:
        for place, named in self._device_references():
            if named not in {f"bess.{name}" for name in self.bess}:
                have = ", ".join(f"'bess.{name}'" for name in self.bess) or "none"
                raise ValueError(f"@{place} = {named!r}: no such device; the scenario has: {have}")
        driven = [absorber.device for absorber in self.absorber.values()]
        for name, absorber in self.absorber.items():
            if driven.count(absorber.device) > 1:
                raise ValueError(f"@absorber.{name}.device = {absorber.device!r}: another absorber has this device")
        led = [supervisor.device for supervisor in self.supervisor.values()]
        for name, supervisor in self.supervisor.items():
            if led.count(supervisor.device) > 1:
                raise ValueError(f"@supervisor.{name}.device = {supervisor.device!r}: another supervisor has this device")
        names = [limit.name for limit in self.limits]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"@limits.{name}: the name is given twice; names must differ")
        return self

    @model_validator(mode="after")
    def _times(self) -> Self:
        if self.period_ns * 1e-9 != self.tick_s and abs(self.period_ns * 1e-9 - self.tick_s) > 1e-15:
            raise ValueError(f"@tick = {self.tick_s!r} s: must be a whole number of nanoseconds")
        if self.ticks < 1:
            raise ValueError(f"@duration = {self.duration_s:g} s: must be at least one tick")
        if round(1e9 / self.period_ns) * self.period_ns != 1_000_000_000:
            raise ValueError(f"@tick = {self.tick_s:g} s: must divide one second")
        every = 1.0 / (self.record.rate_hz * self.tick_s)
        if every < 0.999 or abs(every - round(every)) > 1e-6 * every:
            raise ValueError(f"@record.rate = {self.record.rate_hz:g} Hz: must divide the tick rate, {1 / self.tick_s:g} Hz")
        for index, event in enumerate(self.events):
            if event.at_s >= self.duration_s:
                raise ValueError(f"@events.{index}.at = {event.at_s:g} s: must be before the end, {self.duration_s:g} s")
            if event.kind == "load_crash" and self.load.kind != "training":
                raise ValueError(f"@events.{index}.kind = 'load_crash': needs load.kind = 'training'")
        return self

    def _device_references(self) -> list[tuple[str, str]]:
        places = [(f"absorber.{name}.device", absorber.device) for name, absorber in self.absorber.items()]
        places += [(f"supervisor.{name}.device", supervisor.device) for name, supervisor in self.supervisor.items()]
        places += [(f"limits.{x.name}.node", x.node) for x in self.limits if x.node != "pcc"]
        places += [(f"events.{i}.device", e.device) for i, e in enumerate(self.events) if e.kind == "server_stop"]
        return places
