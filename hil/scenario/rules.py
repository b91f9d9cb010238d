"""The rules that reach across the sections of a scenario."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hil.scenario.absorber import HighPass
from hil.scenario.base import Refused
from hil.scenario.chemistry import battery_v
from hil.scenario.event import GridDip, LoadCrash, ResetLockout
from hil.scenario.event_kind import EventSection, WireEvent
from hil.scenario.expect import OF_ENERGY, EventExpect, LimitExpect, SpanSection
from hil.scenario.fault import EquipmentFault, MessageFault, WireFault
from hil.scenario.group_rules import check_groups
from hil.scenario.limit_rules import Around, check_limits
from hil.scenario.link import check_links
from hil.scenario.load import Load
from hil.scenario.load.training import TrainingLoad
from hil.scenario.mqtt import OWN, DeviceMqttSection
from hil.scenario.record import rates
from hil.scenario.storage import DRIVEN
from hil.scenario.supervisor import SocWindow, UpsGroup

if TYPE_CHECKING:
    from hil.scenario.model import Scenario

_LONGEST_WINDOW = 2**25
"""Ticks that one window or delay may hold; each takes 8 bytes or more."""

_LONGEST_BEFORE = 2**19
"""Ticks that the record may hold back for what comes; each takes 4 bytes a channel."""


def check_rules(scenario: Scenario) -> None:
    """All of them. Raises Refused."""
    check_references(scenario)
    check_sources(scenario)
    check_times(scenario)
    check_wires(scenario)
    check_expectations(scenario)


def check_references(scenario: Scenario) -> None:
    """What is named is there, once, and names differ. Raises Refused."""
    for location, named, kinds in _device_references(scenario):
        there = [*scenario.devices, *(f"meter.{name}" for name in scenario.meter)]
        devices = [device for device in there if device.startswith(kinds)]
        if named.removeprefix("ups.") in scenario.ups_groups and not _of_a_group(scenario, location):
            raise Refused("is a group of UPSs, which has no wire and no breaker of its own", *location)
        if named not in devices:
            have = ", ".join(map(repr, devices)) or "none"
            raise Refused(f"no such device; the scenario has: {have}", *location)
    driven = [absorber.device for absorber in scenario.absorber.values()]
    for name, absorber in scenario.absorber.items():
        if driven.count(absorber.device) > 1:
            raise Refused("another absorber has this device", "absorber", name, "device")
    led = [device for supervisor in scenario.supervisor.values() for device in supervisor.led]
    for name, supervisor in scenario.supervisor.items():
        for device in supervisor.led:
            if led.count(device) > 1:
                key = "devices" if getattr(supervisor, "devices", None) else "device"
                raise Refused(f"another supervisor has {device}", "supervisor", name, key)
        if isinstance(supervisor, SocWindow):
            _one_aim(scenario, name, supervisor)
        if isinstance(supervisor, UpsGroup) and supervisor.support_w > 0.0:
            below_hz, nominal_hz = supervisor.support_below_hz, scenario.grid.frequency_hz
            if below_hz is not None and below_hz >= nominal_hz:  # it would support for ever
                raise Refused(f"must be below grid.frequency = {nominal_hz:g} Hz", "supervisor", name, "support_below")
    _check_drivers(scenario)
    check_links(scenario.link, _commands(scenario))
    links = [f"link.{name}" for name in scenario.link]
    for index, event in enumerate(scenario.events):
        if event.kind == "link_cut" and event.link not in links:
            have = ", ".join(map(repr, links)) or "none"
            raise Refused(f"no such link; the scenario has: {have}", "events", index, "link")
    if sum(float(ups.share or 0.0) for ups in scenario.ups.values()) > 1.0 + 1e-9:
        raise Refused(
            "the shares of all UPSs must add up to 1 at most",
            "ups",
            [name for name, ups in scenario.ups.items() if ups.share][-1],
            "share",
        )
    check_limits(scenario.limits, _around(scenario))
    check_groups(scenario.limits, [f"ups.{name}" for name in scenario.ups_groups])
    for index, event in enumerate(scenario.events):
        if isinstance(event, ResetLockout) and event.breaker not in scenario.breakers:
            have = ", ".join(map(repr, scenario.breakers)) or "none"
            raise Refused(f"no limit trips it; tripped are: {have}", "events", index, "breaker")


def _of_a_group(scenario: Scenario, location: tuple[int | str, ...]) -> bool:
    """Whether a group of UPSs may be named there."""
    if location[0] == "events":
        return scenario.events[int(location[1])].kind == "ups_command"
    return location[0] == "limits" and location[-1] != "trips"


def _around(scenario: Scenario) -> Around:
    ambient_degc = {f"bess.{name}": float(bess.ambient_degc) for name, bess in scenario.bess.items()}
    ambient_degc |= {f"ups.{name}": float(ups.ambient_degc) for name, ups in scenario.ups.items()}
    volts = {f"bess.{name}": battery_v(bess) for name, bess in scenario.bess.items()}
    volts |= {f"ups.{name}": battery_v(ups) for name, ups in scenario.ups.items()}
    return Around(float(scenario.grid.frequency_hz), "grid.frequency", ambient_degc, 1.0 / scenario.tick_s, volts)


def _check_drivers(scenario: Scenario) -> None:
    """Refuse to lead a device that no driver of ours speaks to."""
    leads = [(("supervisor", name), supervisor.led) for name, supervisor in scenario.supervisor.items()]
    leads += [(("absorber", name), each.led) for name, each in scenario.absorber.items() if each.placement == "wire"]
    for location, led in leads:
        for device in led:
            kind, _, name = device.partition(".")
            if kind == "bess" and scenario.bess[name].firmware != DRIVEN:
                spoken = f"no driver speaks to {device}.firmware = {scenario.bess[name].firmware!r}"
                raise Refused(f"{spoken}: must be {DRIVEN!r}, or commanded by others (hil serve)", *location, "device")


def _one_aim(scenario: Scenario, leader: str, supervisor: SocWindow) -> None:
    """Refuse a high pass that restores what its device's supervisor drives back: they would take turns at an edge."""
    for name, absorber in scenario.absorber.items():
        if isinstance(absorber, HighPass) and absorber.device == supervisor.device and absorber.restore_most > 0.0:
            low, high = supervisor.window
            if not low <= absorber.soc_target <= high:
                problem = f"must be within supervisor.{leader}.window = [{low:g}, {high:g}], which leads the same device"
                raise Refused(problem, "absorber", name, "soc_target")


def check_sources(scenario: Scenario) -> None:
    """What may feed the bus besides the grid. Raises Refused."""
    if scenario.gensets is not None and scenario.forming:
        problem = "with [gensets] it must be 'following': nothing here synchronises sets and converters"
        raise Refused(problem, "bess", scenario.forming[0], "control")


def check_expectations(scenario: Scenario) -> None:
    """What is expected can be. Raises Refused."""
    names = [expect.name for expect in scenario.expect]
    limits = {limit.name: limit for limit in scenario.limits}
    for index, expect in enumerate(scenario.expect):
        if names.index(expect.name) < index:
            raise Refused(f"expect.{names.index(expect.name)} has this name; names must differ", "expect", index, "name")
        if isinstance(expect, LimitExpect):
            if expect.limit not in limits:
                have = ", ".join(map(repr, limits)) or "none"
                raise Refused(f"no such limit; the scenario has: {have}", "expect", index, "limit")
            kind = limits[expect.limit].kind
            if expect.missing is not None and kind not in OF_ENERGY:
                raise Refused(f"no energy can be missing of a limit of the kind {kind!r}", "expect", index, "missing")
            if expect.outcome != "PASS" and limits[expect.limit].required:
                raise Refused("the limit is required; one that is expected not to hold cannot be", "expect", index, "outcome")
        elif isinstance(expect, SpanSection) and (expect.to_s or expect.from_s) > scenario.duration_s:
            key = "to" if expect.to_s else "from"
            raise Refused(f"must be within the run, {scenario.duration_s:g} s", "expect", index, key)
        if isinstance(expect, EventExpect) and expect.device is not None:
            _check_told_of(scenario, expect.device, "expect", index, "device")
    for index, perturbation in enumerate([] if scenario.incident is None else scenario.incident.perturbations):
        for place, name in enumerate(perturbation.breaks):
            if name not in names:
                have = ", ".join(map(repr, names)) or "none"
                location = ("incident", "perturbations", index, "breaks", place)
                raise Refused(f"no such expectation; the scenario has: {have}", *location)


def _check_told_of(scenario: Scenario, device: str, *location: int | str) -> None:
    """The log may tell of the device, or of this unit of a group. Raises Refused."""
    there = [*scenario.devices, *(f"meter.{name}" for name in scenario.meter)]
    group, _, unit = device.removeprefix("ups.").partition("[")
    if device not in there and not (unit.endswith("]") and group in scenario.ups_groups):
        have = ", ".join(map(repr, there)) or "none"
        raise Refused(f"no such device; the scenario has: {have}", *location)


def check_times(scenario: Scenario) -> None:
    """Times are whole ticks, lie within the run, and take a bearable amount of memory. Raises Refused."""
    if scenario.period_ns * 1e-9 != scenario.tick_s and abs(scenario.period_ns * 1e-9 - scenario.tick_s) > 1e-15:
        raise Refused("must be a whole number of nanoseconds", "tick")
    if scenario.ticks < 1:
        raise Refused(f"must be at least one tick, {scenario.tick_s:g} s", "duration")
    if round(1e9 / scenario.period_ns) * scenario.period_ns != 1_000_000_000:
        raise Refused("must divide one second", "tick")
    if scenario.grid.damping * scenario.tick_s > 2.0 * scenario.grid.inertia_s:  # beyond that Heun's method runs away
        most = 2.0 * scenario.grid.inertia_s / scenario.tick_s
        raise Refused(f"must be at most 2·inertia/tick, {most:g}", "grid", "damping")
    for rate_at, rate_hz in rates(scenario.record):
        every = 1.0 / (rate_hz * scenario.tick_s)
        if every < 0.999 or abs(every - round(every)) > 1e-6 * every:
            raise Refused(f"must divide the tick rate, {1 / scenario.tick_s:g} Hz", *rate_at)
    for name, stream in scenario.record.also.items():
        if stream.around and scenario.ticks_of(stream.kept_s[0]) > _LONGEST_BEFORE:
            most_s = _LONGEST_BEFORE * scenario.tick_s
            raise Refused(f"must be at most {most_s:g} s, {_LONGEST_BEFORE} ticks", "record", "also", name, "before")
    if scenario.clock.spin_s is not None and scenario.clock.spin_s > 0.5 * scenario.tick_s:
        raise Refused(f"must be at most half a tick, {0.5 * scenario.tick_s:g} s", "clock", "spin")
    for location, window_s in _windows(scenario):
        if scenario.ticks_of(window_s) > _LONGEST_WINDOW:
            most_s = _LONGEST_WINDOW * scenario.tick_s
            raise Refused(f"must be at most {most_s:g} s, {_LONGEST_WINDOW} ticks", *location)
    if scenario.warm_up_s > 0.1 * scenario.duration_s:
        raise Refused(f"must be at most a tenth of the run, {0.1 * scenario.duration_s:g} s", "warm_up")
    for index, event in enumerate(scenario.events):
        if event.at_s < scenario.warm_up_s:
            raise Refused(f"must be after warm_up, {scenario.warm_up_s:g} s: what happens is judged", "events", index, "at")
    dips = [(index, event) for index, event in enumerate(scenario.events) if isinstance(event, GridDip)]
    for index, dip in dips:
        for earlier, other in dips:
            together = dip.at_s < other.at_s + other.duration_s and other.at_s < dip.at_s + dip.duration_s
            if earlier < index and together and (dip.fault, other.fault) != ("abc", "abc"):
                raise Refused(f"overlaps events.{earlier}; only dips of all three phases may", "events", index, "at")
    for index, event in enumerate(scenario.events):
        if event.at_s >= scenario.duration_s:
            raise Refused(f"must be before the end, {scenario.duration_s:g} s", "events", index, "at")
        if isinstance(event, LoadCrash):
            _check_crash(scenario.load, index, event)


def _check_crash(load: Load, index: int, crash: LoadCrash) -> None:
    """Refuse a crash of what is no training job."""
    if load.kind != "sum":
        if load.kind != "training":
            raise Refused("needs load.kind = 'training'", "events", index, "kind")
        if crash.load is not None:
            raise Refused("only where load.kind = 'sum'", "events", index, "load")
        job: TrainingLoad = load
    else:
        jobs = {name: part for name, part in load.part.items() if isinstance(part, TrainingLoad)}
        if crash.load not in jobs:
            have = ", ".join(map(repr, jobs)) or "none"
            problem = "missing" if crash.load is None else "no such training job"
            raise Refused(f"{problem}; the sum has: {have}", "events", index, "load")
        job = jobs[crash.load]
    if crash.to_w is not None and crash.to_w > job.full_w:
        raise Refused(f"must be at most the power of the job, {job.full_w:g} W: it falls", "events", index, "to")
    fall_s = crash.fall_s if crash.fall_s is not None else job.fall_s or 0.0
    restart_s = crash.restart_after_s if crash.restart_after_s is not None else job.restart_after_s
    if restart_s is not None and restart_s < fall_s:
        if crash.restart_after_s is not None:
            raise Refused(f"must be at least fall, {fall_s:g} s", "events", index, "restart_after")
        raise Refused(f"must be at most restart_after, {restart_s:g} s", "events", index, "fall")


def check_wires(scenario: Scenario) -> None:
    """What disturbs a wire has one, and disturbs one thing at a time. Raises Refused."""
    for index, event in enumerate(scenario.events):
        if scenario.transport == "direct" and isinstance(event, WireEvent):
            raise Refused("needs transport = 'wire'; without one there is nothing to disturb", "events", index, "kind")
        if isinstance(event, (WireEvent, EquipmentFault)) and event.disturbs:  # dips add up
            _one_at_a_time(scenario, index, event)
        if isinstance(event, WireFault) and not isinstance(event, MessageFault) and event.device.startswith("ups."):
            name = event.device.removeprefix("ups.")
            if scenario.ups[name].modbus is None:
                raise Refused(f"speaks no Modbus: it has no section [ups.{name}.modbus]", "events", index, "device")
        if event.kind == "broker_stop" and (scenario.mqtt.broker != OWN or not scenario.on_mqtt):
            raise Refused("needs the testbed's own broker, and a device on it", "events", index, "kind")
    portals: list[str] = []
    for location, portal in _portals(scenario):
        if portal in portals:
            raise Refused("another device has this portal; each is behind a GX of its own", *location)
        portals.append(portal)
    for name, link in scenario.link.items():
        if scenario.transport == "direct":
            raise Refused("needs transport = 'wire'", "link", name)
        if link.device.startswith("ups.") and scenario.mqtt.broker != OWN:
            raise Refused("a link to a UPS needs mqtt.broker = 'own'", "link", name, "between")


def _portals(scenario: Scenario) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """VRM portal ids, and where they stand."""
    on_mqtt: dict[tuple[str, str], DeviceMqttSection | None] = {
        **{("ups", name): ups.mqtt for name, ups in scenario.ups_alone.items()},
        **{("meter", name): meter.mqtt for name, meter in scenario.meter.items()},
    }
    for device, section in on_mqtt.items():
        if section is not None and section.victron_portal is not None:
            yield (*device, "mqtt", "victron_portal"), section.victron_portal


def _one_at_a_time(scenario: Scenario, index: int, event: EventSection) -> None:
    """Refuse what would be taken back while something else still disturbs the same."""
    for earlier, other in enumerate(scenario.events[:index]):
        if other.disturbs == event.disturbs:
            first, second = sorted((event, other), key=lambda one: one.at_s)
            again = getattr(first, "again_after_s", None) is not None
            lasts_s = math.inf if again else getattr(first, "duration_s", None) or math.inf
            if first.at_s + lasts_s > second.at_s + 1e-9:
                what = f"overlaps events.{earlier}" + (", which happens again at any time" if again else "")
                problem = f"{what}; {event.disturbs} can be disturbed by one thing at a time"
                raise Refused(problem, "events", index, "at")


def _commands(scenario: Scenario) -> dict[str, list[str]]:
    """By controller that acts over a wire, the devices that it commands."""
    supervisors = {f"supervisor.{name}": supervisor.led for name, supervisor in scenario.supervisor.items()}
    on_wire = {name: absorber for name, absorber in scenario.absorber.items() if absorber.placement == "wire"}
    return supervisors | {f"absorber.{name}": absorber.led for name, absorber in on_wire.items()}


def _windows(scenario: Scenario) -> Iterator[tuple[tuple[int | str, ...], float]]:
    """Times that take memory for each of their ticks, and where they stand."""
    measurement = scenario.measurement
    yield ("measurement", "window"), measurement.window_s
    yield ("measurement", "frequency_window"), measurement.frequency_window_s
    yield ("measurement", "delay"), measurement.delay_s
    for name, absorber in scenario.absorber.items():
        yield ("absorber", name, "filter"), absorber.filter_s
        yield ("absorber", name, "delay"), absorber.delay_s
    for index, limit in enumerate(scenario.limits):
        for key in ("window", "mean", "delay"):
            if hasattr(limit, f"{key}_s"):
                yield ("limits", index, key), getattr(limit, f"{key}_s") or 0.0


def _device_references(scenario: Scenario) -> Iterator[tuple[tuple[int | str, ...], str, tuple[str, ...]]]:
    """Where a device is named, its name, and how the names of those begin that may stand there."""
    for name, absorber in scenario.absorber.items():
        yield ("absorber", name, "device"), absorber.device, ("bess.",)
    for name, supervisor in scenario.supervisor.items():
        if not isinstance(supervisor, UpsGroup) and supervisor.device is not None:
            yield ("supervisor", name, "device"), supervisor.device, ("bess.",)
        if not isinstance(supervisor, SocWindow):
            for place, device in enumerate(supervisor.devices):
                yield ("supervisor", name, "devices", place), device, ("ups.",)
    for index, limit in enumerate(scenario.limits):
        if limit.node not in ("pcc", "bus"):
            yield ("limits", index, "node"), limit.node, (limit.node.partition(".")[0] + ".",)
        trips = getattr(limit, "trips", None)
        if trips not in (None, "pcc"):
            yield ("limits", index, "trips"), trips, (trips.partition(".")[0] + ".",)
    for index, event in enumerate(scenario.events):
        if event.of:
            yield ("events", index, "device"), str(getattr(event, "device", "")), event.of
    for name, link in scenario.link.items():
        yield ("link", name, "between", 1), link.device, ("bess.", "ups.")
