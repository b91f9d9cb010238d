"""Supervisors: what decides a device's targets. One's own is a subclass with a `run`."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

from controllers.contracts import StorageDevice
from hil.coroutines import Rhythm


class Supervisor(ABC):
    """Decides the targets of one storage device."""

    @abstractmethod
    async def run(self, device: StorageDevice) -> None:
        """Supervise until cancelled. It is called again after a DeviceError."""

    @staticmethod
    async def every(period_s: float) -> AsyncIterator[float]:
        """Wake at once and then at whole periods, skipping those that are past; yields the time, s."""
        loop = asyncio.get_running_loop()
        rhythm = Rhythm(period_s)
        while True:
            yield loop.time()
            await rhythm.wait()


class SocWindowSupervisor(Supervisor):
    """Keeps the state of charge in its window by moving the bias around which the absorber acts.

    The bias would bring the state of charge to the middle of the window within `horizon_s` and is limited to `most` of the
    rating. At an edge of the window it is the limit itself.
    """

    def __init__(
        self, window: tuple[float, float], *, rate_hz: float = 10.0, horizon_s: float = 600.0, most: float = 0.2
    ) -> None:
        if not 0.0 <= window[0] < window[1] <= 1.0:
            raise ValueError(f"window {window}: must be low and high between 0 and 1")
        if rate_hz <= 0.0 or horizon_s <= 0.0 or not 0.0 <= most <= 1.0:
            raise ValueError("rate and horizon must be positive, most between 0 and 1")
        self._window = window
        self._period_s = 1.0 / rate_hz
        self._horizon_s = horizon_s
        self._most = most

    async def run(self, device: StorageDevice) -> None:
        """Read, decide, set; at every period."""
        most_w = self._most * device.rating_w
        low, high = self._window
        async for _ in self.every(self._period_s):
            soc = (await device.read()).soc
            if soc >= high:
                bias_w = most_w
            elif soc <= low:
                bias_w = -most_w
            else:
                bias_w = (soc - 0.5 * (low + high)) * device.energy_wh * 3600.0 / self._horizon_s
            await device.set_active_power(min(most_w, max(-most_w, bias_w)))
