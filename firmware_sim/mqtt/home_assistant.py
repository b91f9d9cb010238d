"""Home Assistant's discovery of a device: one retained description, which points to the device's own state.

Topics, and keys of the description: Home Assistant, "MQTT discovery" (device discovery), "MQTT sensor", "MQTT binary sensor".
Nothing can be set from there: a command of ours is dated, and its clock need not be Home Assistant's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from firmware_sim.device import EmulatedDevice
from firmware_sim.mqtt.dialect import Outlet
from hil.errors import BrokerLost
from hil.mqtt.client import Message, Will
from hil.mqtt.layout import OFFLINE, ONLINE, DeviceTopics

PREFIX = "homeassistant"
_BIRTH = f"{PREFIX}/status"
_ORIGIN = {"name": "Ridethrough", "sw": "0.1.0"}
# By unit: device class, state class, and the unit as Home Assistant writes it.
_CLASSES: Mapping[str, tuple[str | None, str | None, str | None]] = {
    "W": ("power", "measurement", "W"),
    "var": ("reactive_power", "measurement", "var"),
    "VA": ("apparent_power", "measurement", "VA"),
    "V": ("voltage", "measurement", "V"),
    "A": ("current", "measurement", "A"),
    "Hz": ("frequency", "measurement", "Hz"),
    "s": ("duration", "measurement", "s"),
    "Wh": ("energy", "total_increasing", "Wh"),
    "pu": (None, "measurement", "pu"),
    "1": (None, "measurement", None),
    "": (None, None, None),
}
# Signals that are more to it than their unit says.
_SHARES = {"soc": "battery", "power_factor": "power_factor"}
# What a state says yes or no to.
_BINARY = {"line_ok": "power", "low_battery": "battery", "latched": "problem"}


class HomeAssistant:
    """Implements `firmware_sim.mqtt.dialect.Dialect`, beside `OwnLayout`, whose state and status it points to."""

    def __init__(self, device: EmulatedDevice, topics: DeviceTopics) -> None:
        self.subscriptions = (_BIRTH,)
        self.will: Will | None = None
        self._device = device
        self._topics = topics
        self._object_id = re.sub(r"[^A-Za-z0-9_-]", "_", f"{topics.site}_{topics.device}")
        self._outlet: Outlet

    @property
    def topic(self) -> str:
        """Where the description stands."""
        return f"{PREFIX}/device/{self._object_id}/config"

    def description(self) -> dict[str, Any]:
        """What Home Assistant is told."""
        meta, state = self._device.meta(), self._device.state()
        components = {name: self._sensor(name, str(signal["unit"]), meta) for name, signal in meta["signals"].items()} | {
            name: self._binary_sensor(name, kind) for name, kind in _BINARY.items() if name in state
        }
        return {
            "dev": {
                "ids": [self._object_id],
                "name": f"{self._topics.site} {self._topics.device}",
                "mf": meta["manufacturer"],
                "mdl": meta["model"],
                "sn": meta["serial"],
            },
            "o": _ORIGIN,
            "state_topic": self._topics.of("state"),
            "availability_topic": self._topics.of("status"),
            "payload_available": ONLINE,
            "payload_not_available": OFFLINE,
            "cmps": components,
        }

    def _sensor(self, name: str, unit: str, meta: Mapping[str, Any]) -> dict[str, Any]:
        scaled = name in _SHARES
        kind, state_class, shown = (_SHARES[name], "measurement", "%") if scaled else _CLASSES[unit]
        value = f"value_json.{name}"
        found = {
            **self._common("sensor", name),
            "value_template": f"{{{{ none if {value} is none else {value} * 100 }}}}" if scaled else f"{{{{ {value} }}}}",
            "device_class": kind,
            "state_class": state_class,
            "unit_of_measurement": shown,
        }
        if name == "mode":
            found |= {"device_class": "enum", "options": meta["modes"]}
        return {key: part for key, part in found.items() if part is not None}

    def _binary_sensor(self, name: str, kind: str) -> dict[str, Any]:
        template = f"{{{{ 'ON' if value_json.{name} else 'OFF' }}}}"
        return {**self._common("binary_sensor", name), "value_template": template, "device_class": kind}

    def _common(self, platform: str, name: str) -> dict[str, Any]:
        words = re.sub(r"_(w|wh|v|a|var|va|hz|pu|s)$", "", name).replace("_", " ")
        return {"p": platform, "unique_id": f"{self._object_id}_{name}", "name": words}

    def attach(self, outlet: Outlet) -> None:
        """Where it publishes from now on."""
        self._outlet = outlet

    async def announce(self) -> None:
        """After every connect."""
        await self._outlet.publish(self.topic, json.dumps(self.description()), retain=True)

    async def farewell(self) -> None:
        """The description stays: the device is known, and away."""

    def beat(self) -> None:
        """Values are in the device's own state."""

    def received(self, message: Message) -> None:
        """Home Assistant is back, and wants to hear it all again."""
        if message.payload == ONLINE.encode():
            self._outlet.do(self._again(), "discovery")

    async def _again(self) -> None:
        await self._outlet.wait_connected()
        try:
            await self.announce()
        except BrokerLost:
            return  # the next connect announces it
