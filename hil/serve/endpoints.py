"""Where served devices are reached: on the network or a serial line, and on a broker."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from firmware_sim.modbus.line import Line
from hil.fleet.devices import Devices
from hil.fleet.station import Station
from hil.scenario.model import Scenario
from hil.wiring.server import DeviceServer


@dataclass(frozen=True)
class Endpoint:
    """Where a device is reached.

    host, port: on a network; path, line: on a serial line. unit: its Modbus unit identifier; map: of its registers, of a UPS;
    topic: what its topics begin with; link: in between.
    """

    device: str
    protocol: str
    host: str | None = None
    port: int | None = None
    path: str | None = None
    line: Line | None = None
    unit: int | None = None
    map: str | None = None
    topic: str | None = None
    link: str | None = None

    def __str__(self) -> str:
        parts = [
            self.protocol.replace("_", "-"),
            None if self.host is None else f"{self.host}:{self.port}",
            self.path,
            None if self.line is None else str(self.line),
            None if self.unit is None else f"unit {self.unit}",
            self.map,
            self.topic,
            None if self.link is None else f"through {self.link}",
        ]
        return " ".join(part for part in parts if part)

    @property
    def family(self) -> str:
        """`modbus` or `mqtt`: a device has at most one endpoint of each, its links aside."""
        return self.protocol.partition("_")[0]

    def document(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {key: value for key, value in asdict(self).items() if value is not None and key != "device"}


async def endpoints_of(scenario: Scenario, devices: Devices) -> list[Endpoint]:
    """Where each device is reached, directly, and through its link, where it has one, which starts to listen."""
    found = []
    for station in devices.stations:
        ours = _direct(scenario, devices, station)
        found += ours
        link = scenario.link_of(station.name)
        if link is not None:
            host, port = await devices.endpoint(station)
            first = ours[0]
            found.append(
                Endpoint(station.name, first.protocol, host, port, unit=first.unit, topic=first.topic, link=f"link.{link[0]}")
            )
    return found


def _direct(scenario: Scenario, devices: Devices, station: Station) -> list[Endpoint]:
    """Those of one device, where its drivers connect first."""
    kind, _, name = station.name.partition(".")
    on_modbus = [] if station.server is None else [_on_modbus(scenario, station.name, station.server)]
    on_mqtt = []
    if devices.broker is not None and (kind == "ups" or (kind == "meter" and scenario.meter[name].mqtt is not None)):
        address = devices.broker.address
        topic = f"hil/v1/{scenario.mqtt.site}/{station.name}"
        on_mqtt.append(Endpoint(station.name, "mqtt", address.host, address.port, topic=topic))
    return on_mqtt + on_modbus if kind == "ups" else on_modbus + on_mqtt


def _on_modbus(scenario: Scenario, device: str, server: DeviceServer) -> Endpoint:
    kind, _, name = device.partition(".")
    section = scenario.ups[name].modbus if kind == "ups" else None
    registers = None if section is None else section.map
    if server.wire.kind == "rtu":
        return Endpoint(
            device, server.wire.protocol, path=server.path, line=server.wire.line, unit=server.unit_id, map=registers
        )
    return Endpoint(device, server.wire.protocol, *server.address, unit=server.unit_id, map=registers)
