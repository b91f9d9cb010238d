"""A battery-storage system without a wire: the driver on the process image of the same emulated inverter, for speed.

What is read is what the registers would show, in their resolution; what is written goes through the same checks at the same
instants. Nothing here waits: a cycle is one call from a timer of the loop, not a task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context

from controllers.storage_driver import Measured, Ratings, StorageDriver
from firmware_sim.modbus.bank import ModbusFault
from firmware_sim.registers.sunspec_map import SunSpecMap
from hil.coroutines import Rhythm
from hil.errors import DeviceRefused
from hil.fleet.station import StorageStation
from hil.links.framer import Protocol

_WATTS = 1
Refusals = Callable[[str, ModbusFault], None]


class ImagePort:
    """Implements `controllers.storage_driver.StoragePort` on the map of an emulated inverter; no call of it ever waits."""

    def __init__(self, device: str, registers: SunSpecMap, refused: Refusals) -> None:
        self._device = device
        self._registers = registers
        self._refused = refused
        self._power, self._var = registers.reader(701, "W"), registers.reader(701, "Var")
        self._voltage, self._frequency = registers.reader(701, "LLV"), registers.reader(701, "Hz")
        self._soc = registers.reader(713, "SoC")
        self._setpoint, self._enabled = registers.reader(704, "WSet"), registers.reader(704, "WSetEna")
        self._set_power, self._set_enable = registers.writer(704, "WSet"), registers.writer(704, "WSetEna")
        self._beat = registers.writer(715, "ControllerHb")

    async def open(self, reversion_s: int) -> Ratings:
        """Ratings, and what the device falls back to: values first, the enable left to the cycle."""
        fallback = {
            "WSetMod": _WATTS, "WSet": 0.0, "WSetRvrt": 0.0, "WSetEnaRvrt": 0.0, "WSetRvrtTms": float(reversion_s),
        }  # fmt: skip
        for name, value in fallback.items():
            self._write(self._registers.writer(704, name), f"704.{name}", value)
        return Ratings(self._rating(702, "WDisChaRteMaxRtg"), self._rating(702, "WChaRteMaxRtg"), self._rating(713, "WHRtg"))

    async def measure(self) -> Measured:
        """Models 701 and 713."""
        soc = self._soc()
        return self._power(), self._var(), self._voltage(), self._frequency(), None if soc is None else soc / 100.0

    async def measure_power(self) -> float | None:
        """701.W."""
        return self._power()

    async def shown(self) -> tuple[float | None, float | None]:
        """704.WSet and WSetEna."""
        return self._setpoint(), self._enabled()

    async def set_power(self, power_w: float) -> None:
        """704.WSet."""
        self._write(self._set_power, "704.WSet", power_w)

    async def enable(self, on: float) -> None:
        """704.WSetEna."""
        self._write(self._set_enable, "704.WSetEna", on)

    async def beat(self, count: int) -> None:
        """715.ControllerHb."""
        self._write(self._beat, "715.ControllerHb", float(count))

    def close(self) -> None:
        """Nothing is held."""

    def _write(self, write: Callable[[float], None], what: str, value: float) -> None:
        try:
            write(value)
        except ModbusFault as fault:
            self._refused(f"{what} = {value:g}", fault)
            raise DeviceRefused(self._device, f"write of {what} = {value:g}: exception {fault.code:d}") from None

    def _rating(self, number: int, name: str) -> float:
        value = self._registers.reader(number, name)()
        if value is None:
            raise DeviceRefused(self._device, f"does not implement {name}")
        return float(value)


class PromptDriver(StorageDriver):
    """A storage driver whose port never waits."""

    def _start(self) -> asyncio.Future[None]:
        """Cycle from timers; the first waits until all is quiet: over a wire, too, others begin before the first answer."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        rhythm = Rhythm(1.0 / self._settings.rate_hz)
        context = copy_context()
        timer: asyncio.TimerHandle

        def cycle() -> None:
            nonlocal timer
            if ended.done():
                return
            try:
                _at_once(self._once())
            except Exception as problem:  # noqa: BLE001  # kept for whoever next asks the device
                ended.set_exception(problem)
            else:
                timer = loop.call_at(rhythm.next_s(), cycle, context=context)

        timer = loop.call_at(loop.time(), cycle, context=context)
        ended.add_done_callback(lambda _: timer.cancel())
        return ended


class DirectStorage(StorageStation):
    """Implements `hil.fleet.station.Storage`."""

    speaks: Protocol | None = None
    endpoint = ("", 0)
    messages = 0
    server = None

    async def start(self) -> None:
        """Nothing listens."""

    async def stop(self) -> None:
        """Nothing listens."""

    def driver(
        self,
        endpoint: tuple[str, int],  # noqa: ARG002  # there is none
        target_ttl_s: float,
        *,
        led_by: str | None,
        law_of: str | None,
    ) -> PromptDriver:
        """The driver. led_by: its supervisor. law_of: the absorber whose law is sent with the set-point."""
        assert isinstance(self.registers, SunSpecMap)  # what a driver leads is SunSpec's
        port = ImagePort(self.name, self.registers, self._refused)
        return PromptDriver(self.name, port, **self._driver_options(target_ttl_s, led_by, law_of))

    def _refused(self, request: str, fault: ModbusFault) -> None:
        details: dict[str, object] = {"device": self.name, "request": request, "code": int(fault.code)}
        self._around.event("request_refused", {**details, "reason": str(fault)})


def _at_once(work: Coroutine[None, None, None]) -> None:
    """Run what never waits. Raises RuntimeError where it does."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError("a port without a wire has waited")
