"""A SunSpec storage inverter over Modbus TCP (models 701, 702, 704, 713, 715), and its driver."""

from __future__ import annotations

from collections.abc import Callable

from controllers.modbus import ModbusConnection
from controllers.storage_driver import DriverSettings, Measured, Ratings, StorageDriver
from controllers.sunspec_client import SunSpecClient
from hil.errors import DeviceRefused

__all__ = ["DriverSettings", "SunSpecPort", "SunSpecStorage"]

_NEEDED = {701: "measurements", 702: "ratings", 704: "set-point", 713: "state of charge", 715: "heartbeat"}
_WATTS = 1


class SunSpecPort:
    """Implements `controllers.storage_driver.StoragePort`: a measuring cycle takes two transactions, every write one."""

    def __init__(self, connection: ModbusConnection) -> None:
        self._connection = connection
        self._client = SunSpecClient(connection)

    async def open(self, reversion_s: int) -> Ratings:
        """Connect, find the models, read the ratings; then values first, the enable left to the cycle."""
        await self._connection.connect()
        await self._client.scan(_NEEDED)
        ratings = await self._client.read(702, "WMaxRtg", "WChaRteMaxRtg", "WDisChaRteMaxRtg")
        capacity = await self._client.read(713, "WHRtg")
        found = Ratings(
            self._first(ratings, "WDisChaRteMaxRtg", "WMaxRtg"),
            self._first(ratings, "WChaRteMaxRtg", "WMaxRtg"),
            self._first(capacity, "WHRtg"),
        )
        await self._client.write(704, {"WSetMod": _WATTS})
        await self._client.write(704, {"WSet": 0.0, "WSetRvrt": 0.0})
        await self._client.write(704, {"WSetEnaRvrt": 0.0, "WSetRvrtTms": float(reversion_s)})
        return found

    async def measure(self) -> Measured:
        """Models 701 and 713."""
        ac = await self._client.read(701, "W", "Var", "LLV", "Hz")
        soc = _number((await self._client.read(713, "SoC"))["SoC"])
        return (
            _number(ac["W"]),
            _number(ac["Var"]),
            _number(ac["LLV"]),
            _number(ac["Hz"]),
            None if soc is None else soc / 100.0,
        )

    async def measure_power(self) -> float | None:
        """701.W."""
        return _number((await self._client.read(701, "W"))["W"])

    async def shown(self) -> tuple[float | None, float | None]:
        """704.WSet and WSetEna."""
        shown = await self._client.read(704, "WSetEna", "WSet")
        return _number(shown["WSet"]), _number(shown["WSetEna"])

    async def set_power(self, power_w: float) -> None:
        """704.WSet."""
        await self._client.write(704, {"WSet": power_w})

    async def enable(self, on: float) -> None:
        """704.WSetEna."""
        await self._client.write(704, {"WSetEna": on})

    async def beat(self, count: int) -> None:
        """715.ControllerHb."""
        await self._client.write(715, {"ControllerHb": float(count)})

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _first(self, values: dict[str, float | str | None], *names: str) -> float:
        """First of the named points that the device implements."""
        for name in names:
            value = _number(values.get(name))
            if value is not None:
                return value
        raise DeviceRefused(self._connection.device, f"does not implement {' or '.join(names)}")


class SunSpecStorage(StorageDriver):
    """The driver over a connection of its own."""

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        *,
        unit_id: int = 1,
        settings: DriverSettings | None = None,
        event: Callable[[str, dict[str, object]], None] | None = None,
        acknowledged: Callable[[], None] | None = None,
        law: Callable[[], float] | None = None,
        law_sent: Callable[[], None] | None = None,
    ) -> None:
        settings = settings or DriverSettings()
        connection = ModbusConnection(name, host, port, unit_id=unit_id, timeout_s=settings.timeout_s)
        super().__init__(
            name,
            SunSpecPort(connection),
            settings=settings,
            event=event,
            acknowledged=acknowledged,
            law=law,
            law_sent=law_sent,
        )


def _number(value: float | str | None) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
