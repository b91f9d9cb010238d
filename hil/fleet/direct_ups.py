"""A UPS without a wire: its driver bound to the emulated firmware, at the instants at which MQTT would carry a message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from controllers.ups_driver import UpsDriver
from firmware_sim.device import CommandRefused, finite
from firmware_sim.mqtt.own import STATE_EVERY_S
from firmware_sim.ups.device import MODES, EmulatedUps
from hil.coroutines import Rhythm
from hil.errors import DeviceRefused
from hil.fleet.images import EngineUpsImage
from hil.fleet.ups import driver_settings
from hil.links.framer import Protocol
from hil.mqtt.layout import milliseconds
from hil.wiring.surroundings import Surroundings


class DirectSupply:
    """Implements `hil.fleet.station.Supply`, and `controllers.ups_driver.UpsPort` for its driver."""

    speaks: Protocol | None = None
    endpoint = ("", 0)
    messages = 0
    server = None
    presence = None

    def __init__(self, around: Surroundings, index: int, name: str) -> None:
        self.name = f"ups.{name}"
        self.index = index
        self._around = around
        self._section = around.scenario.ups[name]
        self.image = EngineUpsImage(around.engine, around.scenario, name)
        self._device = EmulatedUps(self.image)
        self._signals = [(signal, self._device.signal(signal)) for signal in self._section.mqtt.signals]
        self._rhythm = Rhythm(1.0 / self._section.mqtt.rate_hz)
        self._state_at = 0.0
        self._heard: Callable[[Mapping[str, Any]], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._defect: Exception | None = None

    async def start(self) -> None:
        """Give telemetry from now on."""
        loop = asyncio.get_running_loop()
        self._rhythm = Rhythm(1.0 / self._section.mqtt.rate_hz)
        self._state_at = loop.time() + STATE_EVERY_S
        self._next(loop)

    async def stop(self) -> None:
        """End. Raises what ended the telemetry, if a defect did."""
        if self._timer is not None:
            self._timer.cancel()
        if self._defect is not None:
            raise self._defect

    def driver(self, endpoint: tuple[str, int], *, led_by: str) -> UpsDriver:  # noqa: ARG002  # there is none
        """The driver. led_by: its supervisor."""
        return UpsDriver(
            self.name,
            self,
            settings=driver_settings(self._section.driver),
            event=self._around.event_of(self.name),
            acknowledged=self._around.heard(f"supervisor.{led_by}", self.name),
        )

    # The driver's port.

    async def open(self, heard: Callable[[Mapping[str, Any]], None], present: Callable[[bool], None]) -> Mapping[str, Any]:
        """Begin; returns what the device is."""
        self._heard = heard
        heard({"time_s": self._time_s(), **self._device.state()})
        present(True)
        return self._device.meta()

    async def command(self, name: str, value: float) -> None:
        """Hand a command to the firmware. Raises DeviceRefused."""
        try:
            self._device.command(name, value)
        except CommandRefused as problem:
            raise DeviceRefused(self.name, f"{name} = {value:g}: {problem}") from None

    async def close(self) -> None:
        """Hear nothing any more."""
        self._heard = None

    def _time_s(self) -> float:
        return milliseconds(self._device.time_s) / 1e3

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_at(self._rhythm.next_s(), self._telemetry, loop)

    def _telemetry(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self._tell(loop)
        except Exception as defect:  # noqa: BLE001  # told at the end, as over a wire
            self._defect = defect
        else:
            self._next(loop)

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._heard is not None:
            values: dict[str, Any] = {name: finite(read()) for name, read in self._signals}
            values["mode"] = MODES[int(values["mode"])]
            values["time_s"] = self._time_s()
            self._heard(values)
        if loop.time() >= self._state_at - 1e-9:
            self._state_at = loop.time() + STATE_EVERY_S
            if self._heard is not None:
                self._heard(self._device.state())
