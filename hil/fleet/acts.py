"""Scripted events as acts: what each does to devices, broker, links and grid when it begins, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from firmware_sim.image import PcsPoint, UpsPoint
from hil.fleet.breakage import breakage
from hil.fleet.links import SiteLinks
from hil.fleet.meter import MeterStation
from hil.fleet.station import Station
from hil.fleet.storage import ModbusStorage
from hil.fleet.ups import MqttSupply
from hil.scenario.event import (
    BrokerStop,
    DeviceLoss,
    DeviceSilence,
    Event,
    GenerationLoss,
    GridDip,
    LinkCut,
    LoadCrash,
    ResetLockout,
    ServerStop,
)
from hil.scenario.event_kind import EventSection
from hil.scenario.fault import (
    AnswerFault,
    DeviceReboot,
    EquipmentFault,
    MessagesLate,
    MessagesTwice,
    ValuesMissing,
    ValuesStale,
    WireFault,
)
from hil.scenario.operator import UpsCommand
from hil.wiring.broker import SiteBroker
from hil.wiring.server import DeviceServer
from hil.wiring.surroundings import Event as Log
from hil.wiring.wire_faults import wire_fault

if TYPE_CHECKING:
    from firmware_sim.image import FirmwareImage

Act = Callable[[], Coroutine[Any, Any, None]]
Stimulus = GridDip | GenerationLoss


@dataclass(frozen=True)
class Acted:
    """What an event disturbs. stimulate: has the plant feel an event from now on; None where the plant knows them all."""

    stations: Mapping[str, Station]
    broker: SiteBroker | None
    links: SiteLinks
    log: Log
    stimulate: Callable[[Stimulus | ResetLockout], None] | None = None


def acts(event: Event, on: Acted) -> tuple[Act, Act] | None:
    """What to do at the beginning and at the end of an event; None for what is the plant's or the load's.

    Raises EventRefused for a fault that the device's wire cannot have.
    """
    if isinstance(event, EquipmentFault):
        return _equipment(event, on)
    return _answers(event, on) if isinstance(event, AnswerFault) else _ACTS[type(event)](event, on)


def _broker_stop(_: BrokerStop, on: Acted) -> tuple[Act, Act] | None:
    return None if on.broker is None else (_told(on, on.broker.stop, "broker_stopped"), on.broker.start)


def _link_cut(event: LinkCut, on: Acted) -> tuple[Act, Act]:
    cut, mend = _plain(on.links.cut, event.link), _plain(on.links.mend, event.link)
    return _told(on, cut, "link_cut", link=event.link), _told(on, mend, "link_mended", link=event.link)


def _server_stop(event: ServerStop, on: Acted) -> tuple[Act, Act]:
    station = on.stations[event.device]
    return _told(on, station.stop, "server_stopped", device=station.name), station.start


def _device_loss(event: DeviceLoss, on: Acted) -> tuple[Act, Act]:
    station = on.stations[event.device]
    assert isinstance(station, MqttSupply)
    back = _told(on, station.restart, "device_restarted", device=station.name)
    return _told(on, station.die, "device_lost", device=station.name), back


def _device_silence(event: DeviceSilence, on: Acted) -> tuple[Act, Act]:
    station = on.stations[event.device]
    assert isinstance(station, (ModbusStorage, MqttSupply, MeterStation))
    silent, speaks = _plain(station.hang, hung=True), _plain(station.hang, hung=False)
    return (
        _told(on, silent, "device_silent", device=station.name),
        _told(on, speaks, "device_speaks", device=station.name),
    )


def _equipment(event: EquipmentFault, on: Acted) -> tuple[Act, Act]:
    image = cast("FirmwareImage", on.stations[event.device].image)  # the scenario's rules let no meter break so
    broken, whole = breakage(event, image)
    return _noted(event, on, broken, whole)


def _answers(event: AnswerFault, on: Acted) -> tuple[Act, Act]:
    server = _server(event, on)
    fault = wire_fault(event, server.possible)
    begin, _ = _noted(event, on, partial(server.disturb, fault), lambda: None)

    async def back() -> None:
        on.log(f"{event.kind}_over", {"device": event.device, "met": server.calm(fault)})

    return begin, back


def _messages(event: MessagesLate | MessagesTwice, on: Acted) -> tuple[Act, Act]:
    presence = on.stations[event.device].presence
    assert presence is not None  # every UPS with a wire is on the broker
    faults = presence.faults

    def disturb(share: float) -> None:
        if isinstance(event, MessagesLate):
            faults.late_s, faults.late_share = event.delay_s, share
        else:
            faults.twice_share = share

    return _noted(event, on, partial(disturb, event.share), partial(disturb, 0.0))


def _values(fault: str) -> Callable[[ValuesStale | ValuesMissing, Acted], tuple[Act, Act]]:
    """fault: the property of the register maps."""

    def acts_of(event: ValuesStale | ValuesMissing, on: Acted) -> tuple[Act, Act]:
        server = _server(event, on)
        return _noted(event, on, partial(server.show, fault, so=True), partial(server.show, fault, so=False))

    return acts_of


_SWITCHES = {
    "bypass": UpsPoint.BYPASS,
    "operation": UpsPoint.OPERATION,
    "counter": UpsPoint.COUNTER,
    "reset_counter": UpsPoint.RESET_DISTURBANCES,
    "eco": UpsPoint.ECO,
}


def _switched(event: UpsCommand, on: Acted) -> tuple[Act, Act]:
    image = cast("FirmwareImage", on.stations[event.device].image)
    turn = partial(image.command, _SWITCHES[event.command], float(event.on))
    return _noted(event, on, turn, lambda: None)


def _reboot(event: DeviceReboot, on: Acted) -> tuple[Act, Act]:
    """The firmware comes back by itself, to the tick."""
    station = on.stations[event.device]
    image = cast("FirmwareImage", station.image)

    async def away() -> None:
        image.command(PcsPoint.REBOOT, event.duration_s)
        await station.stop()

    device = {"device": event.device}
    return _told(on, away, event.kind, **device), _told(on, station.start, f"{event.kind}_over", **device)


def _server(event: WireFault, on: Acted) -> DeviceServer:
    server = on.stations[event.device].server
    assert server is not None  # the rules name devices that have one
    return server


def _noted(event: EventSection, on: Acted, begin: Callable[[], None], back: Callable[[], None]) -> tuple[Act, Act]:
    """Acts that do not wait, and stand in the log as the event and its end."""
    details = event.model_dump(mode="json", by_alias=True, exclude={"at_s", "kind"}, exclude_none=True)
    device = {"device": details["device"]} if "device" in details else {}
    return _told(on, _plain(begin), event.kind, **details), _told(on, _plain(back), f"{event.kind}_over", **device)


def _plant(event: Stimulus | ResetLockout, on: Acted) -> tuple[Act, Act] | None:
    """The plant ends it by itself, to the tick."""
    if on.stimulate is None:
        return None
    return _noted(event, on, partial(on.stimulate, event), lambda: None)


def _load_crash(_: LoadCrash, __: Acted) -> None:
    """It lies in the load, which is made ahead."""


_ACTS: Mapping[type, Callable[[Any, Acted], tuple[Act, Act] | None]] = {
    BrokerStop: _broker_stop,
    LinkCut: _link_cut,
    ServerStop: _server_stop,
    DeviceLoss: _device_loss,
    DeviceSilence: _device_silence,
    GridDip: _plant,
    GenerationLoss: _plant,
    LoadCrash: _load_crash,
    ResetLockout: _plant,
    DeviceReboot: _reboot,
    MessagesLate: _messages,
    MessagesTwice: _messages,
    UpsCommand: _switched,
    ValuesMissing: _values("absent"),
    ValuesStale: _values("frozen"),
}


def _told(on: Acted, act: Act, what: str, /, **details: object) -> Act:
    """An act that stands in the log."""

    async def told() -> None:
        await act()
        on.log(what, details)

    return told


def _plain(act: Callable[..., None], *args: Any, **options: Any) -> Act:
    """An act that does not wait."""

    async def acted() -> None:
        act(*args, **options)

    return acted
