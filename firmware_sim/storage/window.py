"""Settings that take effect at a random moment within a window (SunSpec's WinTms)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from firmware_sim.modbus.bank import ModbusFault
from firmware_sim.registers.sunspec_map import Setting
from hil.draws import uniform


class Window:
    """What has been written waits for one moment, together.

    seconds: of the window; 0: at once. key: of the draws; the same key gives the same delays in every run.
    """

    def __init__(self, key: str, seconds: Callable[[], float]) -> None:
        self._key = key
        self._seconds = seconds
        self._draws = 0
        self._waiting: dict[Callable[[float], None], float] = {}

    def delayed(self, setting: Setting) -> Setting:
        """The setting, as it is written through the window; it reads what it will be."""

        def read() -> float:
            value = self._waiting.get(setting.write)
            return setting.read() if value is None else value  # type: ignore[return-value]  # a number, as it is written

        def write(value: float) -> None:
            if not self._waiting:
                seconds = self._seconds()
                loop = _loop()
                if seconds <= 0 or loop is None:
                    setting.write(value)
                    return
                delay_s = seconds * uniform(self._draws, self._key)
                self._draws += 1
                loop.call_later(delay_s, self._due)
            self._waiting[setting.write] = value

        return replace(setting, read=read, write=write)

    def _due(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for write, value in waiting.items():
            with suppress(ModbusFault):  # the firmware takes no more in this tick: there is nobody to tell
                write(value)


def _loop() -> asyncio.AbstractEventLoop | None:
    """What keeps the time; None where nothing does, and what is written takes effect at once."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
