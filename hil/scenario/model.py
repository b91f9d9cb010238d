"""The whole scenario, and the rules that reach across its sections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from hil.scenario.absorber import Absorber
from hil.scenario.base import Name, Refused, Section, Whole
from hil.scenario.clock import Clock
from hil.scenario.cooling import Cooling
from hil.scenario.event import Event, GridDip, WireEvent
from hil.scenario.grid import Grid, Measurement, Transformer
from hil.scenario.limit import Limit
from hil.scenario.link import Link, check_links
from hil.scenario.load import Load
from hil.scenario.mqtt import OWN, Mqtt
from hil.scenario.quantity import Frequency, Time
from hil.scenario.storage import Bess
from hil.scenario.supervisor import SocWindow, SupervisorKind, SupervisorSection, UpsGroup
from hil.scenario.ups import Ups

_LONGEST_WINDOW = 2**25
"""Ticks that one window or delay may hold; each takes 8 bytes or more."""


class Record(Section):
    """What the record keeps."""

    rate_hz: Frequency = Field(100.0, ge=0.001)
    channels: list[str] = Field(["*"], min_length=1, description="names or patterns, such as 'pcc.*'")


class Scenario(Section):
    """A site, what happens to it, who controls it, and the limits that must hold."""

    title: str = ""
    duration_s: Time = Field(gt=0)
    tick_s: Time = Field(0.001, ge=1e-5, le=0.01)
    seed: Whole = Field(0, ge=0)
    transport: Literal["wire", "direct"] = Field(
        "wire", description="direct: drivers work on the process image, without sockets"
    )
    grid: Grid
    transformer: Transformer | None = None
    measurement: Measurement = Field(default_factory=lambda: Measurement.model_validate({}))
    load: Load
    cooling: Cooling | None = None
    bess: dict[Name, Bess] = Field(default_factory=dict)
    ups: dict[Name, Ups] = Field(default_factory=dict)
    absorber: dict[Name, Absorber] = Field(default_factory=dict)
    supervisor: dict[Name, SupervisorKind] = Field(default_factory=dict)
    link: dict[Name, Link] = Field(default_factory=dict)
    mqtt: Mqtt = Field(default_factory=lambda: Mqtt.model_validate({}))
    record: Record = Field(default_factory=lambda: Record.model_validate({}))
    clock: Clock = Field(default_factory=lambda: Clock.model_validate({}))
    limits: list[Limit] = Field(default_factory=list)
    events: list[Event] = Field(default_factory=list)

    _name: str = PrivateAttr("scenario")
    _source: str = PrivateAttr("scenario")

    @property
    def name(self) -> str:
        """Name of the run's folder: that of the file, or of the packaged scenario."""
        return self._name

    @property
    def source(self) -> str:
        """How errors name it: the file as it was given, or the packaged scenario."""
        return self._source

    def named(self, name: str, source: str | None = None) -> Self:
        """This scenario, going by a name; in errors by `source`, or else by that name too."""
        self._name = name
        self._source = source or name
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

    @property
    def devices(self) -> list[str]:
        """Names of all devices, in the order in which the engine numbers them."""
        return [*(f"bess.{name}" for name in self.bess), *(f"ups.{name}" for name in self.ups)]

    def ups_share(self, name: str) -> float:
        """Share of the IT demand that a UPS feeds; what is not given the others share by rating."""
        given = {other: float(ups.share) for other, ups in self.ups.items() if ups.share is not None}
        if name in given:
            return given[name]
        rest = [ups for other, ups in self.ups.items() if other not in given]
        left = max(0.0, 1.0 - sum(given.values()))
        return left * float(self.ups[name].rating_w) / sum(float(ups.rating_w) for ups in rest)

    def link_of(self, device: str) -> tuple[str, Link] | None:
        """Name and section of the link to a device, where it has one."""
        return next(((name, link) for name, link in self.link.items() if link.device == device), None)

    def absorber_of(self, device: str) -> Absorber | None:
        """The absorber of a device, where it has one."""
        return next((absorber for absorber in self.absorber.values() if absorber.device == device), None)

    def on_wire(self, device: str) -> str | None:
        """Name of the absorber of a device, where its law is placed on the wire."""
        for name, absorber in self.absorber.items():
            if absorber.device == device and absorber.placement == "wire" and absorber.kind != "none":
                return name
        return None

    def share_of(self, absorber: Absorber) -> float:
        """Share of its law's answer that an absorber's device gives; by default its share of the ratings that have a law."""
        if absorber.share is not None:
            return float(absorber.share)

        def rating_va(other: Absorber) -> float:
            return float(self.bess[other.device.removeprefix("bess.")].rating_va)

        return rating_va(absorber) / sum(rating_va(other) for other in self.absorber.values() if other.kind != "none")

    def document(self) -> dict[str, Any]:
        """The scenario as a TOML-ready document: every key, quantities with units, exact to the bit."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, warnings=False)

    @model_validator(mode="after")
    def _references(self) -> Self:
        for location, named, kinds in self._device_references():
            devices = [device for device in self.devices if device.startswith(kinds)]
            if named not in devices:
                have = ", ".join(map(repr, devices)) or "none"
                raise Refused(f"no such device; the scenario has: {have}", *location)
        driven = [absorber.device for absorber in self.absorber.values()]
        for name, absorber in self.absorber.items():
            if driven.count(absorber.device) > 1:
                raise Refused("another absorber has this device", "absorber", name, "device")
        led = [device for supervisor in self.supervisor.values() for device in devices_of(supervisor)]
        for name, supervisor in self.supervisor.items():
            for device in supervisor.led:
                if led.count(device) > 1:
                    key = "device" if hasattr(supervisor, "device") else "devices"
                    raise Refused(f"another supervisor has {device}", "supervisor", name, key)
            if isinstance(supervisor, UpsGroup) and supervisor.support_w > 0.0:
                below_hz, nominal_hz = supervisor.support_below_hz, self.grid.frequency_hz
                if below_hz is not None and below_hz >= nominal_hz:  # it would support for ever
                    raise Refused(f"must be below grid.frequency = {nominal_hz:g} Hz", "supervisor", name, "support_below")
        check_links(self.link, self._commands())
        links = [f"link.{name}" for name in self.link]
        for index, event in enumerate(self.events):
            if event.kind == "link_cut" and event.link not in links:
                have = ", ".join(map(repr, links)) or "none"
                raise Refused(f"no such link; the scenario has: {have}", "events", index, "link")
        if sum(float(ups.share or 0.0) for ups in self.ups.values()) > 1.0 + 1e-9:
            raise Refused(
                "the shares of all UPSs must add up to 1 at most",
                "ups",
                [name for name, ups in self.ups.items() if ups.share][-1],
                "share",
            )
        names = [limit.name for limit in self.limits]
        for index, name in enumerate(names):
            if names.index(name) < index:
                raise Refused(f"limits.{names.index(name)} has this name; names must differ", "limits", index, "name")
        return self

    @model_validator(mode="after")
    def _times(self) -> Self:
        if self.period_ns * 1e-9 != self.tick_s and abs(self.period_ns * 1e-9 - self.tick_s) > 1e-15:
            raise Refused("must be a whole number of nanoseconds", "tick")
        if self.ticks < 1:
            raise Refused(f"must be at least one tick, {self.tick_s:g} s", "duration")
        if round(1e9 / self.period_ns) * self.period_ns != 1_000_000_000:
            raise Refused("must divide one second", "tick")
        every = 1.0 / (self.record.rate_hz * self.tick_s)
        if every < 0.999 or abs(every - round(every)) > 1e-6 * every:
            raise Refused(f"must divide the tick rate, {1 / self.tick_s:g} Hz", "record", "rate")
        for location, window_s in self._windows():
            if self.ticks_of(window_s) > _LONGEST_WINDOW:
                most_s = _LONGEST_WINDOW * self.tick_s
                raise Refused(f"must be at most {most_s:g} s, {_LONGEST_WINDOW} ticks", *location)
        dips = [(index, event) for index, event in enumerate(self.events) if isinstance(event, GridDip)]
        for index, dip in dips:
            for earlier, other in dips:
                together = dip.at_s < other.at_s + other.duration_s and other.at_s < dip.at_s + dip.duration_s
                if earlier < index and together and (dip.fault, other.fault) != ("abc", "abc"):
                    raise Refused(f"overlaps events.{earlier}; only dips of all three phases may", "events", index, "at")
        for index, event in enumerate(self.events):
            if event.at_s >= self.duration_s:
                raise Refused(f"must be before the end, {self.duration_s:g} s", "events", index, "at")
            if event.kind == "load_crash" and self.load.kind != "training":
                raise Refused("needs load.kind = 'training'", "events", index, "kind")
        return self

    @model_validator(mode="after")
    def _wires(self) -> Self:
        for index, event in enumerate(self.events):
            if self.transport == "direct" and isinstance(event, WireEvent):
                raise Refused("needs transport = 'wire'; without one there is nothing to disturb", "events", index, "kind")
            if isinstance(event, WireEvent) and event.disturbs:
                self._one_at_a_time(index, event)
            if event.kind == "broker_stop" and (self.mqtt.broker != OWN or not self.ups):
                raise Refused("needs the testbed's own broker, and a UPS on it", "events", index, "kind")
        for name, link in self.link.items():
            if self.transport == "direct":
                raise Refused("needs transport = 'wire'", "link", name)
            if link.device.startswith("ups.") and self.mqtt.broker != OWN:
                raise Refused("a link to a UPS needs mqtt.broker = 'own'", "link", name, "between")
        return self

    def _one_at_a_time(self, index: int, event: WireEvent) -> None:
        """Refuse what would be taken back while something else still disturbs the same."""
        for earlier, other in enumerate(self.events[:index]):
            if isinstance(other, WireEvent) and other.disturbs == event.disturbs:
                first, second = sorted((event, other), key=lambda one: one.at_s)
                if first.at_s + first.duration_s > second.at_s + 1e-9:
                    problem = f"overlaps events.{earlier}; {event.disturbs} can be disturbed by one thing at a time"
                    raise Refused(problem, "events", index, "at")

    def _commands(self) -> dict[str, list[str]]:
        """By controller that acts over a wire, the devices that it commands."""
        supervisors = {f"supervisor.{name}": devices_of(supervisor) for name, supervisor in self.supervisor.items()}
        on_wire = {name: absorber for name, absorber in self.absorber.items() if absorber.placement == "wire"}
        return supervisors | {f"absorber.{name}": devices_of(absorber) for name, absorber in on_wire.items()}

    def _windows(self) -> Iterator[tuple[tuple[int | str, ...], float]]:
        """Times that take memory for each of their ticks, and where they stand."""
        measurement = self.measurement
        yield ("measurement", "window"), measurement.window_s
        yield ("measurement", "frequency_window"), measurement.frequency_window_s
        yield ("measurement", "delay"), measurement.delay_s
        for name, absorber in self.absorber.items():
            yield ("absorber", name, "filter"), absorber.filter_s
            yield ("absorber", name, "delay"), absorber.delay_s
        for index, limit in enumerate(self.limits):
            for key in ("window", "mean", "delay"):
                if hasattr(limit, f"{key}_s"):
                    yield ("limits", index, key), getattr(limit, f"{key}_s")

    def _device_references(self) -> Iterator[tuple[tuple[int | str, ...], str, tuple[str, ...]]]:
        """Where a device is named, its name, and how the names of those begin that may stand there."""
        for name, absorber in self.absorber.items():
            yield ("absorber", name, "device"), absorber.device, ("bess.",)
        for name, supervisor in self.supervisor.items():
            if isinstance(supervisor, SocWindow):
                yield ("supervisor", name, "device"), supervisor.device, ("bess.",)
            else:
                for place, device in enumerate(supervisor.devices):
                    yield ("supervisor", name, "devices", place), device, ("ups.",)
        for index, limit in enumerate(self.limits):
            if limit.node not in ("pcc", "bus"):
                yield ("limits", index, "node"), limit.node, (limit.node.partition(".")[0] + ".",)
        for index, event in enumerate(self.events):
            if event.kind == "server_stop":
                yield ("events", index, "device"), event.device, ("bess.",)
            elif event.kind == "device_silent":
                yield ("events", index, "device"), event.device, ("bess.", "ups.")
            elif event.kind == "device_lost":
                yield ("events", index, "device"), event.device, ("ups.",)
        for name, link in self.link.items():
            yield ("link", name, "between", 1), link.device, ("bess.", "ups.")


def devices_of(controller: Absorber | SupervisorKind) -> list[str]:
    """Names of the devices that a controller commands."""
    return controller.led if isinstance(controller, SupervisorSection) else [controller.device]
