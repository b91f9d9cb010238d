"""A device behind a Victron GX, as dbus-flashmq puts its D-Bus on MQTT.

Notifications `N/<portal>/<service>/<instance>/<path>` carry `{"value": x}` and come for 60 s after a keep-alive; none is
retained but the serial number, by which clients find the portal. A heartbeat comes every 3 s meanwhile. Source, of the rules
of reads and writes too: README, src/state.cpp and src/types.cpp of github.com/victronenergy/dbus-flashmq. Assumed: a value
that changes is told once a second at most; both go at the device's rate.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from firmware_sim.device import CommandRefused, EmulatedDevice
from firmware_sim.mqtt.dialect import Event, Outlet
from hil.mqtt.client import Message, Will
from hil.mqtt.layout import mapping_of, number_of

KEEPALIVE_S = 60.0
HEARTBEAT_S = 3.0
_CHANGES_EVERY_S = 1.0
_SERIAL = "system/0/Serial"
_SUPPRESS = "suppress-republish"
_ECHO = "full-publish-completed-echo"

Shown = float | str | None


@dataclass(frozen=True, slots=True)
class Item:
    """One D-Bus item: a constant or what reads it, and what writes it, where that can be; a write raises CommandRefused."""

    read: Shown | Callable[[], Shown]
    write: Callable[[float], None] | None = None

    def value(self) -> Shown:
        """Its value now; None where it has none."""
        shown = self.read() if callable(self.read) else self.read
        return None if isinstance(shown, float) and not math.isfinite(shown) else shown


def identity(service: str, name: str) -> dict[str, Item]:
    """What every service of a device tells of itself."""
    return {
        "Connected": Item(1.0),
        "DeviceInstance": Item(float(service.rpartition("/")[2])),
        "ProductId": Item(0.0),
        "ProductName": Item(name),
    }


class VictronFlashMq:
    """Implements `firmware_sim.mqtt.dialect.Dialect`. items: by `service/instance/path`."""

    def __init__(self, portal: str, device: EmulatedDevice, items: Mapping[str, Item], *, event: Event | None = None) -> None:
        self.subscriptions = (f"R/{portal}/#", f"W/{portal}/#")
        self.will: Will | None = None
        self._portal = portal
        self._device = device
        self._items = {_SERIAL: Item(portal), **items}
        self._event = event or (lambda _name, _details: None)
        self._told: dict[str, Shown] = {}
        self._alive_until_s = -math.inf
        self._changes_at_s = self._heartbeat_at_s = -math.inf
        self._outlet: Outlet

    def attach(self, outlet: Outlet) -> None:
        """Where it publishes from now on."""
        self._outlet = outlet

    async def announce(self) -> None:
        """Which portal it is; nothing else is said before somebody asks."""
        self._tell(_SERIAL)

    async def farewell(self) -> None:
        """Who listens is told that the device is gone: its topics are empty."""
        for path in self._items if self._alive else (_SERIAL,):
            self._outlet.send(f"N/{self._portal}/{path}", "", retain=path == _SERIAL)

    @property
    def _alive(self) -> bool:
        return asyncio.get_running_loop().time() < self._alive_until_s

    def beat(self) -> None:
        """Heartbeat, and what has changed, while somebody keeps it alive."""
        now_s = asyncio.get_running_loop().time()
        if not self._alive:
            return
        if now_s >= self._heartbeat_at_s - 1e-9:
            self._heart_beats(now_s)
        if now_s < self._changes_at_s - 1e-9:
            return
        self._changes_at_s = now_s + _CHANGES_EVERY_S
        for path, item in self._items.items():
            if not (path in self._told and self._told[path] == item.value()):
                self._tell(path)

    def received(self, message: Message) -> None:
        """A keep-alive, a read request, or a write request."""
        kind, _, path = message.topic.partition("/")
        path = path.removeprefix(f"{self._portal}/")
        if kind == "W":
            self._write(path, message)
            return
        if path in ("keepalive", _SERIAL):  # the second is the older one
            self._keep_alive(message.payload)
        for name in self._items:
            if name == path or name.startswith(f"{path}/"):
                self._tell(name)

    def _keep_alive(self, payload: bytes) -> None:
        options = _options(payload)
        now_s = asyncio.get_running_loop().time()
        if not self._alive:
            self._heart_beats(now_s)
        self._alive_until_s = now_s + KEEPALIVE_S
        if _SUPPRESS in options:
            return
        self._changes_at_s = now_s + _CHANGES_EVERY_S
        for path in self._items:
            self._tell(path)
        completed: dict[str, object] = {"value": int(self._device.time_s)}
        echoes = [option[_ECHO] for option in options if isinstance(option, dict) and _ECHO in option]
        if echoes:
            completed[_ECHO] = echoes[0]
        self._outlet.send(f"N/{self._portal}/full_publish_completed", json.dumps(completed))

    def _heart_beats(self, now_s: float) -> None:
        self._heartbeat_at_s = now_s + HEARTBEAT_S
        self._outlet.send(f"N/{self._portal}/heartbeat", json.dumps({"value": int(self._device.time_s)}))

    def _tell(self, path: str) -> None:
        value = self._told[path] = self._items[path].value()
        self._outlet.send(f"N/{self._portal}/{path}", json.dumps({"value": value}), retain=path == _SERIAL)

    def _write(self, path: str, message: Message) -> None:
        item = self._items.get(path)
        try:
            if message.retained:
                raise CommandRefused("retained: a write request is for now")
            if item is None or item.write is None:
                raise CommandRefused("no such item, or it cannot be written")
            value = number_of(mapping_of(message.payload).get("value"))
            if not math.isfinite(value):
                raise CommandRefused('must be {"value": NUMBER}')
            item.write(value)
        except ValueError as problem:
            self._event("command_refused", {"command": path, "reason": str(problem)})


def _options(payload: bytes) -> list[object]:
    """Options of a keep-alive; what cannot be understood has none."""
    try:
        options = mapping_of(payload).get("keepalive-options")
    except ValueError:
        return []
    return options if isinstance(options, list) else []
