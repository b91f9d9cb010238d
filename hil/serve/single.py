"""Scenarios of one device alone, for `hil serve bess` and the like."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from firmware_sim.storage.personalities.registry import PERSONALITIES
from firmware_sim.ups.modbus import MAPS
from hil.errors import ScenarioError
from hil.scenario.files import from_document
from hil.scenario.model import Scenario
from hil.scenario.quantity import POWER

_STIFF = 20.0  # short-circuit power of the grid over the device's rating: what the device does hardly moves the voltage
_NAME = "main"
_LOOPBACK = "127.0.0.1"
_OPTIONS = {"firmware": "map", "listen": "port", "unit_id": "unit"}
"""Options by the keys that they set, where they are not named alike."""


@dataclass(frozen=True)
class SingleOptions:
    """What of a device can be chosen, in the words of a scenario file; None: as by default.

    load: the power that it stands beside, feeds or measures: "40 kW", or a share of the rating.
    port: of its Modbus server, or of our broker where it has none.
    """

    map: str | None = None
    rating: str | None = None
    energy: str | None = None
    soc: float | None = None
    load: str | None = None
    port: int | None = None
    unit: int | None = None
    broker: str | None = None


@dataclass(frozen=True)
class _Kind:
    """A kind of device. maps: what each is, by name, the default first; takes: options that others have not."""

    title: str
    maps: Mapping[str, str]
    rating: str
    load: str
    takes: tuple[str, ...]
    sections: Callable[[SingleOptions, str], dict[str, Any]]


def single_scenario(kind: str, options: SingleOptions) -> Scenario:
    """The scenario of one device, `bess.main` or the like, behind a stiff grid. Raises ScenarioError."""
    source, chosen = f"hil serve {kind}", KINDS[kind]
    for option in ("energy", "soc", "broker"):
        if getattr(options, option) is not None and option not in chosen.takes:
            raise ScenarioError(source, f"--{option}", f": a {kind} has none")
    name = options.map or next(iter(chosen.maps))
    if name not in chosen.maps:
        raise ScenarioError(source, "--map", f" = {name!r}: a {kind} has no such map; there are: {', '.join(chosen.maps)}")
    if options.unit is not None and not on_modbus(kind, options):
        raise ScenarioError(source, "--unit", f": needs a map of registers: {', '.join(MAPS)}")
    rating = options.rating or chosen.rating
    rated_w = _read(source, "rating", rating.replace("VA", "W"))
    load_w = _load_w(source, options.load or chosen.load, rated_w)
    document = {
        "title": f"One {chosen.title}",
        "duration": "1 d",
        "grid": {"short_circuit": f"{_STIFF * max(rated_w, load_w)!r} VA"},
        "load": {"kind": "training", "power": f"{load_w!r} W", "compute_share": 1.0},
    }
    device = {"rating": rating, "energy": options.energy, "soc": options.soc}
    sections = chosen.sections(options, name)
    sections[kind][_NAME] |= {key: value for key, value in device.items() if value is not None}
    try:
        return from_document(document | sections, source=source).named(kind, source)
    except ScenarioError as error:
        key = error.key.rpartition(".")[2]
        raise ScenarioError(source, f"--{_OPTIONS.get(key, key)}", error.problem) from None


def on_modbus(kind: str, options: SingleOptions) -> bool:
    """Whether a device has a Modbus server."""
    return kind != "ups" or options.map not in (None, _TOPICS)


def _listening(options: SingleOptions) -> dict[str, Any]:
    """Keys of its Modbus server."""
    address = None if options.port is None else f"{_LOOPBACK}:{options.port}"
    return {key: value for key, value in (("listen", address), ("unit_id", options.unit)) if value is not None}


def _bess(options: SingleOptions, name: str) -> dict[str, Any]:
    device = {"firmware": name, "energy": options.energy or _two_hours(options.rating or _BESS_RATING)}
    return {"bess": {_NAME: device | _listening(options)}}


def _ups(options: SingleOptions, name: str) -> dict[str, Any]:
    mqtt: dict[str, Any] = {} if options.broker is None else {"broker": options.broker}
    if name != _TOPICS:
        return {"ups": {_NAME: {"modbus": {"map": name, **_listening(options)}}}, "mqtt": mqtt}
    if options.port is not None:
        mqtt["listen"] = f"{_LOOPBACK}:{options.port}"
    return {"ups": {_NAME: {}}, "mqtt": mqtt}


def _meter(options: SingleOptions, _: str) -> dict[str, Any]:
    device: dict[str, Any] = {"rating": _METER_RATING, **_listening(options)}
    if options.broker is None:
        return {"meter": {_NAME: device}}
    return {"meter": {_NAME: device | {"mqtt": {}}}, "mqtt": {"broker": options.broker}}


_BESS_RATING = _METER_RATING = "1 MVA"
_TOPICS = "mqtt"
_INVERTERS = {name: each.device for name, each in PERSONALITIES.items()}
_SUPPLIES = {_TOPICS: "topics of docs/mqtt.md, on a broker, alone"} | {name: each.meaning for name, each in MAPS.items()}
KINDS: Mapping[str, _Kind] = {
    "bess": _Kind("BESS", _INVERTERS, _BESS_RATING, "0", ("energy", "soc"), _bess),
    "ups": _Kind("UPS", _SUPPLIES, "100 kW", "0.5", ("energy", "soc", "broker"), _ups),
    "meter": _Kind("meter", {"sunspec": "SunSpec model 203"}, _METER_RATING, "0.5", ("broker",), _meter),
}
"""Devices that can be served without a scenario."""


def _two_hours(rating: str) -> str:
    """The energy of a system of that rating, where none is given."""
    return f"{2.0 * _read('hil serve bess', 'rating', rating.replace('VA', 'W'))!r} Wh"


def _load_w(source: str, load: str, rated_w: float) -> float:
    """The load's power: no load has none at all."""
    try:
        load_w = float(load) * rated_w
    except ValueError:
        load_w = _read(source, "load", load)
    if not 0.0 <= load_w < math.inf:
        raise ScenarioError(
            source, "--load", f" = {load!r}: must be a power, such as '40 kW', or a share of the rating, 0 or more"
        )
    return max(load_w, 1.0)


def _read(source: str, option: str, text: str) -> float:
    try:
        return POWER.read(text, plain=False)
    except ValueError as problem:
        raise ScenarioError(source, f"--{option}", f" = {text!r}: {problem}") from None
