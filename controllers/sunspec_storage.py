"""Driver of a SunSpec storage inverter (models 701, 702, 704, 713, 715): owns the cycle, all writes and the safe state.

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
from typing import Self

from controllers.contracts import StorageSample
from controllers.modbus import ModbusConnection
from controllers.sunspec_client import SunSpecClient
from hil.errors import DeviceError, DeviceRefused, DeviceTimeout, ReadbackMismatch

_NEEDED = {701: "measurements", 702: "ratings", 704: "set-point", 713: "state of charge", 715: "heartbeat"}
_WATTS = 1
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


class SunSpecStorage:
    """A storage device as an async context manager: connected and cycling inside, safe outside.

    event: hears of what happens, as a name and details. acknowledged: hears of every cycle in which the device accepted a
    fresh target. law: the answer of a fast law that is placed on the wire, W; each cycle samples it and sends law + target.
    law_sent: hears of every cycle in which the device accepted that.
    """

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
        self._name = name
        self._settings = settings or DriverSettings()
        self._connection = ModbusConnection(name, host, port, unit_id=unit_id, timeout_s=self._settings.timeout_s)
        self._client = SunSpecClient(self._connection)
        self._event = event or (lambda _name, _details: None)
        self._acknowledged = acknowledged or (lambda: None)
        self._law = law
        self._law_sent = law_sent or (lambda: None)
        self._rating_w = self._charge_w = self._energy_wh = 0.0
        self._sample: StorageSample | None = None
        self._sampled = asyncio.Event()
        self._target_w: float | None = None
        self._target_at = 0.0
        self._sent_w = 0.0
        self._enabled = False
        self._heartbeat = 0
        self._beat_at = 0.0
        self._failing: str | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """Name in the scenario."""
        return self._name

    @property
    def rating_w(self) -> float:
        """Most it discharges, W."""
        return self._rating_w

    @property
    def energy_wh(self) -> float:
        """Rated energy, Wh."""
        return self._energy_wh

    async def read(self) -> StorageSample:
        """The latest sample; waits for the first. Raises DeviceTimeout when the latest is stale."""
        self._still_cycling()
        await self._sampled.wait()
        assert self._sample is not None
        age = _now() - self._sample.time_s
        if age > 2.0 / self._settings.rate_hz + self._settings.timeout_s:
            raise DeviceTimeout(self._name, f"latest sample is {age:.3f} s old")
        return self._sample

    async def set_active_power(self, power_w: float) -> None:
        """Set the target for the next cycle on. Raises ValueError beyond the rating."""
        if not -self._charge_w <= power_w <= self._rating_w:
            raise ValueError(f"{self._name}: {power_w:g} W: must be between {-self._charge_w:g} and {self._rating_w:g} W")
        self._still_cycling()
        self._target_w = power_w
        self._target_at = _now()

    def _still_cycling(self) -> None:
        """Pass on what ended the cycle, if anything but a device error did: a defect must not look like a silent device."""
        if self._task is not None and self._task.done():
            self._task.result()

    async def __aenter__(self) -> Self:
        await self._connection.connect()
        try:
            await self._client.scan(_NEEDED)
            ratings = await self._client.read(702, "WMaxRtg", "WChaRteMaxRtg", "WDisChaRteMaxRtg")
            capacity = await self._client.read(713, "WHRtg")
            self._rating_w = self._number(ratings, "WDisChaRteMaxRtg", "WMaxRtg")
            self._charge_w = self._number(ratings, "WChaRteMaxRtg", "WMaxRtg")
            self._energy_wh = self._number(capacity, "WHRtg")
            await self._prepare()
        except BaseException:
            self._connection.close()
            raise
        self._task = asyncio.create_task(self._cycle(), name=f"{self._name} driver")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self._insist_on_safe()
        finally:
            self._connection.close()

    async def _insist_on_safe(self) -> None:
        """Make safe; where the device does not answer, try again for as long as its reversion timer may need."""
        give_up = _now() + self._settings.ramp_down_s + max(_INSIST_S, float(self._settings.reversion_s))
        while True:
            try:
                return await self._make_safe()
            except (DeviceError, OSError) as problem:
                if _now() >= give_up:
                    return self._event("not_made_safe", {"problem": str(problem), "reversion_s": self._settings.reversion_s})
                await asyncio.sleep(self._settings.timeout_s)

    async def _prepare(self) -> None:
        """Values first, enable last: what the device falls back to, and after how long."""
        await self._client.write(704, {"WSetMod": _WATTS})
        await self._client.write(704, {"WSet": 0.0, "WSetRvrt": 0.0})
        await self._client.write(704, {"WSetEnaRvrt": 0.0, "WSetRvrtTms": float(self._settings.reversion_s)})

    async def _cycle(self) -> None:
        start = _now()
        period = 1.0 / self._settings.rate_hz
        count = 0
        while True:
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
            count = max(count + 1, int((_now() - start) / period + 1e-9) + 1)
            await asyncio.sleep(start + count * period - _now())

    async def _exchange(self) -> None:
        """One cycle: four transactions, and a heartbeat once a second."""
        ac = await self._client.read(701, "W", "Var", "LLV", "Hz")
        storage = await self._client.read(713, "SoC")
        fresh = self._target_w is not None and _now() - self._target_at <= self._settings.target_ttl_s
        wanted_w = self._wanted_w(fresh=fresh)
        if wanted_w is not None:
            await self._send(wanted_w)
        shown = await self._client.read(704, "WSetEna", "WSet")
        setpoint_w, enabled = self._number(shown, "WSet"), shown["WSetEna"] == 1
        if wanted_w is not None and (not enabled or abs(setpoint_w - self._sent_w) > 1.0):
            raise ReadbackMismatch(self._name, f"wrote {self._sent_w:.0f} W, enabled; reads {setpoint_w:.0f} W, {enabled}")
        self._sample = StorageSample(
            time_s=_now(),
            active_power_w=self._number(ac, "W"),
            soc=self._number(storage, "SoC") / 100.0,
            reactive_power_var=_optional(ac["Var"]),
            frequency_hz=_optional(ac["Hz"]),
            voltage_v=_optional(ac["LLV"]),
            setpoint_w=setpoint_w,
            setpoint_enabled=enabled,
        )
        self._sampled.set()
        if fresh:
            self._acknowledged()
        if self._law is not None:
            self._law_sent()
        if _now() - self._beat_at >= 1.0:
            self._beat_at = _now()
            self._heartbeat += 1
            await self._client.write(715, {"ControllerHb": float(self._heartbeat)})

    def _wanted_w(self, *, fresh: bool) -> float | None:
        """The set-point of this cycle; None: nothing to send, so that the device may fall back.

        A law on the wire is its own fresh source: where the supervisor is silent its answer goes out without a bias.
        """
        target_w = self._target_w if fresh else None
        if self._law is None:
            return target_w
        return min(max(self._law() + (target_w or 0.0), -self._charge_w), self._rating_w)

    async def _send(self, power_w: float) -> None:
        self._sent_w = float(round(power_w))
        await self._client.write(704, {"WSet": self._sent_w})
        if not self._enabled:
            await self._client.write(704, {"WSetEna": 1.0})
            self._enabled = True

    async def _make_safe(self) -> None:
        """Ramp from the last set-point to 0 W, clear the enable, give it a cycle, read back."""
        steps = max(1, round(self._settings.ramp_down_s * self._settings.rate_hz)) if self._sent_w else 1
        start_w = self._sent_w
        began = _now()
        for step in range(1, steps + 1):
            await self._client.write(704, {"WSet": float(round(start_w * (steps - step) / steps))})
            if step < steps:
                await asyncio.sleep(began + step / self._settings.rate_hz - _now())
        await self._client.write(704, {"WSetEna": 0.0})
        await asyncio.sleep(1.0 / self._settings.rate_hz)  # a device applies a write in its own time
        shown = await self._client.read(704, "WSetEna", "WSet")
        if shown["WSetEna"] != 0 or shown["WSet"] != 0:
            raise ReadbackMismatch(self._name, f"wrote 0 W, disabled; reads {shown['WSet']} W, enable {shown['WSetEna']}")
        power_w = await self._come_to_rest()
        self._event("made_safe", {"from_w": start_w, "setpoint_w": 0.0, "enabled": False, "power_w": power_w})

    async def _come_to_rest(self) -> float:
        """What the device delivers once it is told to give nothing: its own ramp may be slower than ours.

        With a law on the wire it is waited for. One whose firmware has a law of its own goes on with that, and without any law
        the bias that was left is what the driver's ramp has taken down.
        """
        give_up = _now() + _REST_S
        while True:
            power_w = self._number(await self._client.read(701, "W"), "W")
            if self._law is None or abs(power_w) <= _AT_REST * self._rating_w:
                return power_w
            if _now() >= give_up:
                raise ReadbackMismatch(self._name, f"told to give nothing {_REST_S:g} s ago; still gives {power_w:.0f} W")
            await asyncio.sleep(1.0 / self._settings.rate_hz)

    def _number(self, values: dict[str, float | str | None], *names: str) -> float:
        """First of the named points that the device implements."""
        for name in names:
            value = values.get(name)
            if isinstance(value, (int, float)):
                return float(value)
        raise DeviceRefused(self._name, f"does not implement {' or '.join(names)}")


def _optional(value: float | str | None) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _now() -> float:
    return asyncio.get_running_loop().time()
