"""A driver of a storage device, whatever it is reached by: owns the cycle, all writes and the safe state.

Each cycle reads the measurements and the storage, writes the set-point, and reads it back. The set-point is the supervisor's
target, plus the answer of a fast law where one is placed on the wire. A target is written only while it is fresh; every
write restarts the device's reversion timer, so a device whose controller has died, or whose supervisor has gone silent, falls
back by itself. Leaving, on whatever path, ramps to 0 W, clears the enable and reads it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from controllers.contracts import StorageSample
from hil.coroutines import Rhythm
from hil.errors import DeviceError, DeviceRefused, DeviceTimeout, ReadbackMismatch

_INSIST_S = 3.0
_REST_S = 30.0
_AT_REST = 0.01  # of the rating


@dataclass(frozen=True, slots=True)
class DriverSettings:
    """How a driver works. target_ttl_s: how long a target that is not renewed is still sent."""

    rate_hz: float = 20.0
    timeout_s: float = 0.25
    reversion_s: int = 5
    ramp_down_s: float = 2.0
    target_ttl_s: float = 1.0


class Ratings(NamedTuple):
    """What a device says it can."""

    discharge_w: float
    charge_w: float
    energy_wh: float


Measured = tuple[float | None, float | None, float | None, float | None, float | None]
"""Power, W; reactive power, var; line-to-line voltage, V; frequency, Hz; state of charge, 0 to 1. None: not implemented."""


class StoragePort(Protocol):
    """What a driver does to its device. All of it raises DeviceError."""

    async def open(self, reversion_s: int) -> Ratings:
        """Reach the device, set what it falls back to and after how long, and return its ratings."""

    async def measure(self) -> Measured:
        """What it measures."""

    async def measure_power(self) -> float | None:
        """Its power alone, W."""

    async def shown(self) -> tuple[float | None, float | None]:
        """Set-point, W, and its enable, as the device shows them."""

    async def set_power(self, power_w: float) -> None:
        """Write the set-point."""

    async def enable(self, on: float) -> None:
        """Write the enable of the set-point, 0 or 1."""

    async def beat(self, count: int) -> None:
        """Write the controller's heartbeat."""

    def close(self) -> None:
        """Let go of the device."""


class StorageDriver:
    """A storage device as an async context manager: connected and cycling inside, safe outside.

    event: hears of what happens, as a name and details. acknowledged: hears of every cycle in which the device accepted a
    fresh target. law: the answer of a fast law that is placed on the wire, W; each cycle samples it and sends law + target.
    law_sent: hears of every cycle in which the device accepted that.
    """

    def __init__(
        self,
        name: str,
        port: StoragePort,
        *,
        settings: DriverSettings | None = None,
        event: Callable[[str, dict[str, object]], None] | None = None,
        acknowledged: Callable[[], None] | None = None,
        law: Callable[[], float] | None = None,
        law_sent: Callable[[], None] | None = None,
    ) -> None:
        self._name = name
        self._port = port
        self._settings = settings or DriverSettings()
        self._event = event or (lambda _name, _details: None)
        self._acknowledged = acknowledged or (lambda: None)
        self._law = law
        self._law_sent = law_sent or (lambda: None)
        self._ratings = Ratings(0.0, 0.0, 0.0)
        self._stale_s = 2.0 / self._settings.rate_hz + self._settings.timeout_s
        self._now: Callable[[], float] = float  # the loop's, inside
        self._sample: StorageSample | None = None
        self._sampled = asyncio.Event()
        self._target_w: float | None = None
        self._target_at = 0.0
        self._sent_w = 0.0
        self._enabled = False
        self._heartbeat = 0
        self._beat_at = 0.0
        self._failing: str | None = None
        self._cycling: asyncio.Future[None] | None = None

    @property
    def name(self) -> str:
        """Name in the scenario."""
        return self._name

    @property
    def rating_w(self) -> float:
        """Most it discharges, W."""
        return self._ratings.discharge_w

    @property
    def energy_wh(self) -> float:
        """Rated energy, Wh."""
        return self._ratings.energy_wh

    async def read(self) -> StorageSample:
        """The latest sample; waits for the first. Raises DeviceTimeout when the latest is stale."""
        self._still_cycling()
        if self._sample is None:
            await self._sampled.wait()
            self._still_cycling()
        assert self._sample is not None
        age = self._now() - self._sample.time_s
        if age > self._stale_s:
            raise DeviceTimeout(self._name, f"latest sample is {age:.3f} s old")
        return self._sample

    async def set_active_power(self, power_w: float) -> None:
        """Set the target for the next cycle on. Raises ValueError beyond the rating."""
        if not -self._ratings.charge_w <= power_w <= self._ratings.discharge_w:
            least_w, most_w = -self._ratings.charge_w, self._ratings.discharge_w
            raise ValueError(f"{self._name}: {power_w:g} W: must be between {least_w:g} and {most_w:g} W")
        self._still_cycling()
        self._target_w = power_w
        self._target_at = self._now()

    def _still_cycling(self) -> None:
        """Pass on what ended the cycle, if anything but a device error did: a defect must not look like a silent device."""
        if self._cycling is not None and self._cycling.done():
            self._cycling.result()

    async def __aenter__(self) -> Self:
        self._now = asyncio.get_running_loop().time
        try:
            self._ratings = await self._port.open(self._settings.reversion_s)
        except BaseException:
            self._port.close()
            raise
        self._cycling = self._start()
        self._cycling.add_done_callback(lambda _: self._sampled.set())  # who waits for the first sample must not wait for ever
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._cycling is not None:
            self._cycling.cancel()
            await asyncio.gather(self._cycling, return_exceptions=True)
        try:
            await self._insist_on_safe()
        finally:
            self._port.close()

    async def _insist_on_safe(self) -> None:
        """Make safe; where the device does not answer, try again for as long as its reversion timer may need."""
        give_up = self._now() + self._settings.ramp_down_s + max(_INSIST_S, float(self._settings.reversion_s))
        while True:
            try:
                return await self._make_safe()
            except (DeviceError, OSError) as problem:
                if self._now() >= give_up:
                    return self._event("not_made_safe", {"problem": str(problem), "reversion_s": self._settings.reversion_s})
                await asyncio.sleep(self._settings.timeout_s)

    def _start(self) -> asyncio.Future[None]:
        """Begin to cycle; what is returned ends with what ends the cycle, and ends it when it is cancelled."""
        return asyncio.create_task(self._cycle(), name=f"{self._name} driver")

    async def _cycle(self) -> None:
        rhythm = Rhythm(1.0 / self._settings.rate_hz)
        while True:
            await self._once()
            await rhythm.wait()

    async def _once(self) -> None:
        """One cycle, and what is said of it."""
        try:
            await self._exchange()
            if self._failing is not None:
                self._event("device_back", {"after": self._failing})
                self._failing = None
        except DeviceError as problem:
            if self._failing is None:
                self._event("device_failed", {"problem": str(problem)})
            self._failing = str(problem)
            self._enabled = False  # what it holds now is not known: set it anew

    async def _exchange(self) -> None:
        """Measure, send, read back; a heartbeat once a second."""
        power_w, reactive_var, voltage_v, frequency_hz, soc = await self._port.measure()
        fresh = self._target_w is not None and self._now() - self._target_at <= self._settings.target_ttl_s
        wanted_w = self._wanted_w(fresh=fresh)
        if wanted_w is not None:
            await self._send(wanted_w)
        shown_w, shown_enable = await self._port.shown()
        setpoint_w, enabled = self._number(shown_w, "WSet"), shown_enable == 1
        if wanted_w is not None and (not enabled or abs(setpoint_w - self._sent_w) > 1.0):
            raise ReadbackMismatch(self._name, f"wrote {self._sent_w:.0f} W, enabled; reads {setpoint_w:.0f} W, {enabled}")
        now = self._now()
        self._sample = StorageSample(
            now,
            self._number(power_w, "W"),
            self._number(soc, "SoC"),
            reactive_var,
            frequency_hz,
            voltage_v,
            setpoint_w,
            enabled,
        )
        self._sampled.set()
        if fresh:
            self._acknowledged()
        if self._law is not None:
            self._law_sent()
        if now - self._beat_at >= 1.0:
            self._beat_at = now
            self._heartbeat += 1
            await self._port.beat(self._heartbeat)

    def _wanted_w(self, *, fresh: bool) -> float | None:
        """The set-point of this cycle; None: nothing to send, so that the device may fall back.

        A law on the wire is its own fresh source: where the supervisor is silent its answer goes out without a bias.
        """
        target_w = self._target_w if fresh else None
        if self._law is None:
            return target_w
        return min(max(self._law() + (target_w or 0.0), -self._ratings.charge_w), self._ratings.discharge_w)

    async def _send(self, power_w: float) -> None:
        self._sent_w = float(round(power_w))
        await self._port.set_power(self._sent_w)
        if not self._enabled:
            await self._port.enable(1.0)
            self._enabled = True

    async def _make_safe(self) -> None:
        """Ramp from the last set-point to 0 W, clear the enable, give it a cycle, read back."""
        steps = max(1, round(self._settings.ramp_down_s * self._settings.rate_hz)) if self._sent_w else 1
        start_w = self._sent_w
        began = self._now()
        for step in range(1, steps + 1):
            await self._port.set_power(float(round(start_w * (steps - step) / steps)))
            if step < steps:
                await asyncio.sleep(began + step / self._settings.rate_hz - self._now())
        await self._port.enable(0.0)
        await asyncio.sleep(1.0 / self._settings.rate_hz)  # a device applies a write in its own time
        shown_w, enable = await self._port.shown()
        if enable != 0 or shown_w != 0:
            raise ReadbackMismatch(self._name, f"wrote 0 W, disabled; reads {shown_w} W, enable {enable}")
        power_w = await self._come_to_rest()
        self._event("made_safe", {"from_w": start_w, "setpoint_w": 0.0, "enabled": False, "power_w": power_w})

    async def _come_to_rest(self) -> float:
        """What the device delivers once it is told to give nothing: its own ramp may be slower than ours.

        With a law on the wire it is waited for. One whose firmware has a law of its own goes on with that, and without any law
        the bias that was left is what the driver's ramp has taken down.
        """
        give_up = self._now() + _REST_S
        while True:
            power_w = self._number(await self._port.measure_power(), "W")
            if self._law is None or abs(power_w) <= _AT_REST * self._ratings.discharge_w:
                return power_w
            if self._now() >= give_up:
                raise ReadbackMismatch(self._name, f"told to give nothing {_REST_S:g} s ago; still gives {power_w:.0f} W")
            await asyncio.sleep(1.0 / self._settings.rate_hz)

    def _number(self, value: float | None, name: str) -> float:
        if value is None:
            raise DeviceRefused(self._name, f"does not implement {name}")
        return float(value)
