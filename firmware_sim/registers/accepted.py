"""Settings of a device's firmware as its registers show them."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from firmware_sim.image import FirmwareImage
from firmware_sim.modbus.bank import ExceptionCode, ModbusFault


class Accepted:
    """Reads and writes settings: one that was written reads what was accepted, even before the tick that applies it."""

    def __init__(self, image: FirmwareImage) -> None:
        self._image = image
        self._pending: dict[IntEnum, float] = {}
        self._pending_tick = -1

    def reader(self, field: str, point: IntEnum) -> Callable[[], float]:
        """Reads a setting. field: where the firmware's state keeps it; point: that sets it."""
        image = self._image
        stored = image.firmware_reader(field)

        def read() -> float:
            if self._pending_tick == image.tick and point in self._pending:
                return self._pending[point]
            return stored()

        return read

    def writer(self, point: IntEnum) -> Callable[[float], None]:
        """Queues a setting for the next tick. It raises ModbusFault where the firmware takes no more."""
        image = self._image

        def write(value: float) -> None:
            if self._pending_tick != image.tick:
                self._pending.clear()
                self._pending_tick = image.tick
            try:
                image.command(point, value)
            except OverflowError as error:
                raise ModbusFault(ExceptionCode.DEVICE_FAILURE, str(error)) from None
            self._pending[point] = value

        return write
