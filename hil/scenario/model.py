"""The whole scenario, and what follows from several of its sections."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from hil.scenario.absorber import Absorber
from hil.scenario.base import CHOICE, Name, Section, Whole
from hil.scenario.clock import Clock
from hil.scenario.cooling import Cooling
from hil.scenario.event import Event
from hil.scenario.expect import Expect
from hil.scenario.genset import Gensets
from hil.scenario.grid import Grid, Measurement, Transformer
from hil.scenario.incident import Incident
from hil.scenario.limit import Limit
from hil.scenario.link import Link
from hil.scenario.load import Load
from hil.scenario.meter import Meter
from hil.scenario.mqtt import Mqtt
from hil.scenario.psu import Psu
from hil.scenario.quantity import Time
from hil.scenario.record import Record
from hil.scenario.rules import check_rules
from hil.scenario.storage import Bess
from hil.scenario.supervisor import SupervisorKind
from hil.scenario.ups import Ups


class Scenario(Section):
    """A site, what happens to it, who controls it, and the limits that must hold."""

    title: str = Field(default="", description="what people call it")
    duration_s: Time = Field(gt=0, description="length of the run")
    tick_s: Time = Field(
        default=0.001,
        ge=1e-5,
        le=0.01,
        description="step of the compiled loop; must divide one second",
        json_schema_extra=CHOICE,
    )
    warm_up_s: Time = Field(
        default=0.0,
        ge=0,
        description="time from the start in which nothing is judged; a tenth of the run at most, and before every event",
        json_schema_extra=CHOICE,
    )
    seed: Whole = Field(default=0, ge=0, description="seed of everything random", json_schema_extra=CHOICE)
    transport: Literal["wire", "direct"] = Field(
        default="wire",
        description="wire: drivers reach their devices over sockets; direct: the same drivers without, ten times as fast",
        json_schema_extra=CHOICE,
    )
    grid: Grid = Field(description="the grid at the point of common coupling")
    transformer: Transformer | None = Field(
        default=None, description="between that point and the bus of load and storage; none without the section"
    )
    measurement: Measurement = Field(
        default_factory=lambda: Measurement.model_validate({}), description="how relays, controllers and firmware measure"
    )
    load: Load = Field(description="what the site draws")
    cooling: Cooling | None = Field(default=None, description="cooling of the IT load; none without the section")
    psu: Psu | None = Field(
        default=None, description="power supplies of the IT load; without the section it takes any voltage"
    )
    gensets: Gensets | None = Field(default=None, description="generating sets of the site; none without the section")
    bess: dict[Name, Bess] = Field(default_factory=dict, description="battery-storage systems, by name")
    ups: dict[Name, Ups] = Field(default_factory=dict, description="uninterruptible power supplies, by name")
    meter: dict[Name, Meter] = Field(default_factory=dict, description="revenue meters at the PCC, by name; none without")
    absorber: dict[Name, Absorber] = Field(default_factory=dict, description="fast laws that answer the load, by name")
    supervisor: dict[Name, SupervisorKind] = Field(
        default_factory=dict, description="slow controllers that set the devices' targets, by name"
    )
    link: dict[Name, Link] = Field(default_factory=dict, description="networks between controllers and devices, by name")
    mqtt: Mqtt = Field(
        default_factory=lambda: Mqtt.model_validate({}), description="the broker of the devices that speak MQTT"
    )
    record: Record = Field(default_factory=lambda: Record.model_validate({}), description="what the record keeps")
    clock: Clock = Field(default_factory=lambda: Clock.model_validate({}), description="what a run on the wall clock may miss")
    limits: list[Limit] = Field(
        default_factory=list,
        description="what is judged, and what must hold; or a `profile`, of a grid code (docs/profiles.md)",
    )
    events: list[Event] = Field(default_factory=list, description="what happens to the site at set times")
    expect: list[Expect] = Field(
        default_factory=list, description="what the run must show, each counting as a required limit does (docs/incidents.md)"
    )
    incident: Incident | None = Field(default=None, description="what happened that the scenario tells of (docs/incidents.md)")

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
        return [*self.served, *(f"ups.{name}" for name in self.ups_groups)]

    @property
    def served(self) -> list[str]:
        """Names of the devices that stand on a wire, in that order: all but groups of UPSs, which stand behind them."""
        return [*(f"bess.{name}" for name in self.bess), *(f"ups.{name}" for name in self.ups_alone)]

    @property
    def ups_alone(self) -> dict[str, Ups]:
        """UPSs that are no groups."""
        return {name: ups for name, ups in self.ups.items() if ups.count is None}

    @property
    def ups_groups(self) -> dict[str, Ups]:
        """Groups of UPSs."""
        return {name: ups for name, ups in self.ups.items() if ups.count is not None}

    @property
    def ups_places(self) -> dict[str, range]:
        """Where each UPS, or the units of each group, stand in the arrays of UPSs, by name, in their order."""
        places, first = {}, 0
        for name, ups in (*self.ups_alone.items(), *self.ups_groups.items()):
            places[name] = range(first, first + int(ups.count or 1))
            first = places[name].stop
        return places

    @property
    def numbers(self) -> int:
        """How many numbers of devices the engine knows, the units of groups among them; the grid has the next."""
        return len(self.bess) + sum(int(ups.count or 1) for ups in self.ups.values())

    @property
    def breakers(self) -> list[str]:
        """Breakers that limits trip, `pcc` first, then as the devices; there are no others."""
        tripped = {getattr(limit, "breaker", None) for limit in self.limits}
        return [name for name in ("pcc", *self.devices) if name in tripped]

    @property
    def forming(self) -> list[str]:
        """Names of the BESSs that form a voltage."""
        return [name for name, bess in self.bess.items() if bess.control == "forming"]

    @property
    def on_mqtt(self) -> bool:
        """Whether any device stands on the broker."""
        return bool(self.ups_alone) or any(meter.mqtt is not None for meter in self.meter.values())

    def ups_share(self, name: str) -> float:
        """Share of the IT demand that a UPS, or all of a group, feeds; what is not given the others share by rating."""
        return self.ups_shares()[name]

    def ups_shares(self) -> dict[str, float]:
        """The same of all, by name."""
        ratings = {name: sum(float(unit.rating_w) for unit in ups.units(self.seed, name)) for name, ups in self.ups.items()}
        given = {name: float(ups.share) for name, ups in self.ups.items() if ups.share is not None}
        left = max(0.0, 1.0 - sum(given.values()))
        rest_w = sum(rating_w for name, rating_w in ratings.items() if name not in given)
        return {name: given[name] if name in given else left * rating_w / rest_w for name, rating_w in ratings.items()}

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
        """Share of its law's answer that a device gives; by default by rating, among those that answer the load."""
        if absorber.kind == "droop":
            return 1.0
        if absorber.share is not None:
            return float(absorber.share)

        def rating_va(other: Absorber) -> float:
            return float(self.bess[other.device.removeprefix("bess.")].rating_va)

        return rating_va(absorber) / sum(
            rating_va(other) for other in self.absorber.values() if other.kind not in ("none", "droop")
        )

    def document(self) -> dict[str, Any]:
        """The scenario as a TOML-ready document: every key, quantities with units, exact to the bit."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, warnings=False)

    def __eq__(self, other: object) -> bool:
        """Whether both say the same, wherever they come from and whatever they are called."""
        return isinstance(other, Scenario) and self.document() == other.document()

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    @model_validator(mode="after")
    def _rules(self) -> Self:
        check_rules(self)
        return self
