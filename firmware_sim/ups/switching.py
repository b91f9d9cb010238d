"""The timers of a UPS that switch its output off and on again, in scenario time: what shutdown commands of every map set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from firmware_sim.image import UpsImage, UpsPoint
from firmware_sim.modbus.bank import ModbusFault
from firmware_sim.registers.accepted import Accepted

_LOOK_S = 1.0  # how often one that waits for the line looks at it


class OutputSwitch:
    """Counts down to "off" and to "on", each once at a time; an order without delay acts at the next tick."""

    def __init__(self, image: UpsImage, accepted: Accepted) -> None:
        self._line_ok = image.firmware_reader("line_ok")
        self._tick_s = image.period_ns / 1e9
        self._set = accepted.writer(UpsPoint.OPERATION)
        self._off: asyncio.TimerHandle | None = None
        self._on: asyncio.TimerHandle | None = None

    def off_in_s(self) -> float | None:
        """Time until it goes off; None where that is not ordered."""
        return _left_s(self._off)

    def on_in_s(self) -> float | None:
        """Time until it goes on, 0 while it waits for the line; None where that is not ordered."""
        return _left_s(self._on)

    def turn_off(
        self, delay_s: float = 0.0, *, back_s: Callable[[], float | None] | None = None, with_line: bool = True
    ) -> None:
        """Go off after a delay.

        back_s: asked then for how long, None is "until told". with_line: and not on again before the line is good.
        """
        self.cancel_off()

        def due() -> None:
            self._off = None
            if not self._done(0.0):
                self._off = asyncio.get_running_loop().call_later(self._tick_s, due)
                return
            wait_s = None if back_s is None else back_s()
            if wait_s is not None:
                self.turn_on(wait_s, with_line=with_line)

        if delay_s > 0.0:
            self._off = asyncio.get_running_loop().call_later(delay_s, due)
        else:
            due()

    def turn_on(self, delay_s: float = 0.0, *, with_line: bool = False) -> None:
        """Go on after a delay. with_line: and not before the line is good."""
        self.cancel_on()

        def due() -> None:
            self._on = None
            if with_line and not self._line_ok():
                self._on = asyncio.get_running_loop().call_later(_LOOK_S, due)
            elif not self._done(1.0):
                self._on = asyncio.get_running_loop().call_later(self._tick_s, due)

        if delay_s > 0.0 or with_line:
            self._on = asyncio.get_running_loop().call_later(delay_s, due)
        else:
            due()

    def cancel_off(self) -> None:
        """Do not go off."""
        if self._off is not None:
            self._off.cancel()
            self._off = None

    def cancel_on(self) -> None:
        """Do not go on."""
        if self._on is not None:
            self._on.cancel()
            self._on = None

    def cancel(self) -> None:
        """Do neither."""
        self.cancel_off()
        self.cancel_on()

    def _done(self, operation: float) -> bool:
        """Give the order; False where the firmware takes no more in this tick."""
        try:
            self._set(operation)
        except ModbusFault:
            return False
        return True


def _left_s(timer: asyncio.TimerHandle | None) -> float | None:
    return None if timer is None else max(0.0, timer.when() - asyncio.get_running_loop().time())
