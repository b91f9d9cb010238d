"""What is to be seen of served devices: how each is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from firmware_sim.image import PcsCondition, UpsMode
from hil.fleet.devices import Devices
from hil.fleet.meter import MeterStation
from hil.fleet.station import Station
from hil.fleet.storage import ModbusStorage
from hil.fleet.ups import MqttSupply
from hil.kernel.engine import Engine

_LEAST_S = 0.2  # over which a rate is told


@dataclass(frozen=True)
class Row:
    """How a device is. clients: connected to it, for a UPS also to its broker; None where neither tells.

    power_w: of storage > 0 discharges, of a UPS its output, of a meter > 0 imports. soc: None of a meter. written: the last
    write that it took, its value, and how long ago.
    """

    device: str
    state: str
    power_w: float
    soc: float | None
    clients: int | None
    requests: int
    requests_per_s: float
    written: tuple[str, float, float] | None

    def document(self) -> dict[str, Any]:
        """Ready for JSON."""
        values = {key: value for key, value in asdict(self).items() if key not in ("device", "written")}
        if self.written is None:
            return values | {"last_write": None}
        point, value, age_s = self.written
        return values | {"last_write": {"point": point, "value": value, "age_s": round(age_s, 3)}}


class Overview:
    """Looks at the devices of a site, as of the last tick."""

    def __init__(self, engine: Engine, devices: Devices) -> None:
        self._engine = engine
        self._devices = devices
        self._channels = {name: place for place, name in enumerate(engine.channels)}
        self._counted: dict[str, int] = {}
        self._counted_at_s = 0.0
        self._rates: dict[str, float] = {}

    def rows(self) -> list[Row]:
        """How each device is; the rates are those since the call before."""
        now_s = self._engine.tick * self._engine.period_ns / 1e9
        stations = self._devices.stations
        over_s = now_s - self._counted_at_s
        if over_s >= _LEAST_S:
            counts = {station.name: _traffic(station) for station in stations}
            self._rates = {name: (count - self._counted.get(name, 0)) / over_s for name, count in counts.items()}
            self._counted, self._counted_at_s = counts, now_s
        return [self._row(station, now_s) for station in stations]

    def _row(self, station: Station, now_s: float) -> Row:
        if isinstance(station, MeterStation):
            return self._meter_row(station)
        assert isinstance(station, (ModbusStorage, MqttSupply))
        name = station.name
        storage = isinstance(station, ModbusStorage)
        state = _storage_state(station.image.firmware) if storage else UpsMode(int(self._value(f"{name}.mode"))).name.lower()
        last = station.image.last_command
        return Row(
            device=name,
            state=state,
            power_w=self._value(f"{name}.power_w" if storage else f"{name}.output_w"),
            soc=self._value(f"{name}.soc"),
            clients=station.clients,
            requests=_traffic(station),
            requests_per_s=round(self._rates.get(name, 0.0), 3),
            written=None if last is None else (last.point, last.value, now_s - last.time_s),
        )

    def _meter_row(self, station: MeterStation) -> Row:
        power_w = self._value("pcc.power_measured_w")
        return Row(
            device=station.name,
            state="imports" if power_w >= 0.0 else "exports",
            power_w=power_w,
            soc=None,
            clients=station.clients,
            requests=_traffic(station),
            requests_per_s=round(self._rates.get(station.name, 0.0), 3),
            written=None,
        )

    def _value(self, channel: str) -> float:
        return self._engine.value(self._channels[channel])


def _traffic(station: Station) -> int:
    """Requests on Modbus and messages on MQTT."""
    return station.messages + (0 if station.server is None else station.server.requests)


def _storage_state(firmware: Any) -> str:
    condition = PcsCondition(int(firmware["state"]))
    return "throttled" if condition is PcsCondition.RUNNING and firmware["limited"] else condition.name.lower()
