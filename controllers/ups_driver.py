"""Driver of one UPS: keeps the latest sample, sends settings until they are answered, renews what would run out.

It knows a `UpsPort`, not what carries it. Leaving, on whatever path, ends the support of the grid and gives the battery back
the recharge power that was found; the walk-in stays as slow as it was set, which protects the grid and costs the load nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from controllers.contracts import UpsMode, UpsSample
from hil.coroutines import Rhythm
from hil.errors import DeviceError, DeviceLost, DeviceRefused, DeviceTimeout

_NEEDED = ("recharge_w", "walk_in_s", "walk_in_delay_s", "support_w", "support_s", "reset_disturbances")
_FIRST = {"mode", "input_power_w", "output_power_w", "battery_power_w", "soc", "recharge_w", "walk_in_s", "walk_in_delay_s"}
_INSIST_S = (3.0, 30.0)  # least and most
_SAME = 1e-6  # of a setting


@dataclass(frozen=True, slots=True)
class UpsDriverSettings:
    """How a driver works.

    rate_hz: of the cycle that sends settings. timeout_s: for one answer, and for the first word of the device. stale_after_s:
    age at which a sample is no longer one. support_s: how long the device goes on supporting without a renewal. target_ttl_s:
    how long support that its supervisor does not renew is still sent.
    """

    rate_hz: float = 2.0
    timeout_s: float = 1.0
    stale_after_s: float = 2.0
    support_s: float = 5.0
    target_ttl_s: float = 2.0


class UpsPort(Protocol):
    """What carries commands to a UPS and news from it."""

    async def open(self, heard: Callable[[Mapping[str, Any]], None], present: Callable[[bool], None]) -> Mapping[str, Any]:
        """Begin; returns what the device is (`meta`). Raises DeviceTimeout, DeviceLost.

        heard: of signals and state as they come, with `time_s`. present: whether the device is there.
        """

    async def command(self, name: str, value: float) -> None:
        """Have a command carried out. Raises DeviceTimeout, DeviceLost, DeviceRefused."""

    async def close(self) -> None:
        """End."""


class UpsDriver:
    """A UPS as an async context manager: followed and commanded inside, safe outside. Implements `UpsDevice`.

    event: hears of what happens. acknowledged: hears of every cycle in which all is as its supervisor wants it, while that is
    alive: it has read or set something within the life of a target.
    """

    def __init__(
        self,
        name: str,
        port: UpsPort,
        *,
        settings: UpsDriverSettings | None = None,
        event: Callable[[str, dict[str, object]], None] | None = None,
        acknowledged: Callable[[], None] | None = None,
    ) -> None:
        self._name = name
        self._port = port
        self._settings = settings or UpsDriverSettings()
        self._event = event or (lambda _name, _details: None)
        self._acknowledged = acknowledged or (lambda: None)
        self._meta: Mapping[str, Any] = {}
        self._values: dict[str, Any] = {}
        self._complete = asyncio.Event()
        self._present = False
        self._wanted: dict[str, float] = {}
        self._answered: dict[str, float] = {}
        self._support_at = self._led_at = -1e9
        self._found: dict[str, float] = {}
        self._failing: str | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """Name in the scenario."""
        return self._name

    @property
    def rating_w(self) -> float:
        """Rated output power, W."""
        return float(self._meta["rating_w"])

    @property
    def energy_wh(self) -> float:
        """Rated energy, Wh."""
        return float(self._meta["energy_wh"])

    @property
    def recharge_max_w(self) -> float:
        """Most with which it recharges, W."""
        return float(self._meta["commands"]["recharge_w"]["max"])

    @property
    def input_limit_w(self) -> float:
        """Most that its rectifier draws, W."""
        return float(self._meta["input_limit_w"])

    @property
    def walk_in_max_s(self) -> float:
        """Longest delay, and longest duration, of a walk-in, s."""
        commands = self._meta["commands"]
        return float(min(commands["walk_in_delay_s"]["max"], commands["walk_in_s"]["max"]))

    async def read(self) -> UpsSample:
        """The latest sample; waits for the first. Raises DeviceTimeout when it is stale, DeviceLost when nobody is there."""
        self._still_cycling()
        self._led_at = _now()
        await self._complete.wait()
        return self._latest()

    def _latest(self) -> UpsSample:
        if not self._present:
            raise DeviceLost(self._name, "is offline")
        values = self._values
        age_s = _now() - values["time_s"]
        if age_s > self._settings.stale_after_s:
            raise DeviceTimeout(self._name, f"latest sample is {age_s:.3f} s old")
        return UpsSample(
            time_s=values["time_s"],
            mode=UpsMode(values["mode"]),
            input_power_w=values["input_power_w"],
            output_power_w=values["output_power_w"],
            battery_power_w=values["battery_power_w"],
            soc=values["soc"],
            input_frequency_hz=values.get("input_frequency_hz"),
            input_voltage_pu=values.get("input_voltage_pu"),
            runtime_s=values.get("runtime_s"),
            latched=bool(values.get("latched")),
            low_battery=bool(values.get("low_battery")),
            settings={name: values[name] for name in _NEEDED if name in values},
        )

    def set_recharge_power(self, power_w: float) -> None:
        """Target of the recharge power, W. Raises ValueError beyond what the device takes."""
        self._want(recharge_w=power_w)

    def set_walk_in(self, delay_s: float, duration_s: float) -> None:
        """Target of delay and duration of the walk-in, s. Raises ValueError beyond what the device takes."""
        self._want(walk_in_delay_s=delay_s, walk_in_s=duration_s)

    def set_support(self, power_w: float) -> None:
        """Target of the support, W. Raises ValueError beyond what the device takes."""
        self._want(support_w=power_w)
        self._support_at = _now()

    async def reset_disturbances(self) -> None:
        """Release a UPS that has latched off the grid. Raises DeviceError."""
        await self._port.command("reset_disturbances", 1.0)

    def _want(self, **settings: float) -> None:
        """All of them, or none where one is beyond what the device takes."""
        for setting, value in settings.items():
            limits = self._meta["commands"][setting]
            if not limits["min"] <= value <= limits["max"]:
                unit = limits["unit"]
                span = f"must be between {limits['min']:g} and {limits['max']:g} {unit}"
                raise ValueError(f"{self._name}: {setting} = {value:g} {unit}: {span}")
        self._still_cycling()
        self._led_at = _now()
        self._wanted |= settings

    def _still_cycling(self) -> None:
        """Pass on what ended the cycle, if anything but a device error did: a defect must not look like a silent device."""
        if self._task is not None and self._task.done():
            self._task.result()

    async def __aenter__(self) -> Self:
        try:
            self._meta = await self._port.open(self._heard, self._is_present)
            missing = [name for name in _NEEDED if name not in self._meta["commands"]]
            if missing:
                raise DeviceRefused(self._name, f"does not take {', '.join(missing)}")
            async with asyncio.timeout(self._settings.timeout_s):
                await self._complete.wait()
            self._found = {name: float(self._values[name]) for name in ("recharge_w", "walk_in_s", "walk_in_delay_s")}
            self._wanted["support_s"] = self._settings.support_s  # before any support
        except TimeoutError as error:
            await self._port.close()
            if isinstance(error, DeviceError):
                raise
            raise DeviceTimeout(self._name, "no state came") from None
        except BaseException:
            await self._port.close()
            raise
        self._task = asyncio.create_task(self._cycle(), name=f"{self._name} driver")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self._make_safe()
        finally:
            await self._port.close()

    async def _make_safe(self) -> None:
        """End the support, give back the recharge power; where the device does not answer, try again for a while.

        For as long as the support lasts of its own, within bounds: who leaves is not to wait for an hour.
        """
        least_s, most_s = _INSIST_S
        give_up = _now() + min(most_s, max(least_s, self._settings.support_s))
        todo = {"support_w": 0.0}
        if "recharge_w" in self._wanted:
            todo["recharge_w"] = self._found["recharge_w"]
        while True:
            try:
                for name, value in todo.items():
                    await self._port.command(name, value)
            except (DeviceError, OSError) as problem:
                if _now() >= give_up:
                    details: dict[str, object] = {"problem": str(problem), "support_ends_after_s": self._settings.support_s}
                    return self._event("not_made_safe", details)
                await asyncio.sleep(min(1.0, 1.0 / self._settings.rate_hz))
            else:
                return self._event("made_safe", dict(todo))

    # News of the device.

    def _heard(self, values: Mapping[str, Any]) -> None:
        self._values.update(values)
        self._look_whether_complete()

    def _is_present(self, present: bool) -> None:  # a state, told as it is
        if present and not self._present:
            self._answered.clear()  # it may have restarted: set it anew
        self._present = present
        self._look_whether_complete()

    def _look_whether_complete(self) -> None:
        if self._present and not self._complete.is_set() and self._values.keys() >= _FIRST:
            self._complete.set()

    # The cycle.

    async def _cycle(self) -> None:
        rhythm = Rhythm(1.0 / self._settings.rate_hz)
        while True:
            try:
                await self._send_wanted()
                self._latest()
            except DeviceError as problem:
                if self._failing is None:
                    self._event("device_failed", {"problem": str(problem)})
                self._failing = str(problem)
            else:
                if self._failing is not None:
                    self._event("device_back", {"after": self._failing})
                    self._failing = None
                if _now() - self._led_at <= self._settings.target_ttl_s:
                    self._acknowledged()
            await rhythm.wait()

    async def _send_wanted(self) -> None:
        """Every setting that the device has not answered yet, and support for as long as it is wanted."""
        if not self._present:
            raise DeviceLost(self._name, "is offline")
        if self._wanted.get("support_w") and _now() - self._support_at > self._settings.target_ttl_s:
            self._event("support_stale", {"after_s": self._settings.target_ttl_s})
            self._wanted["support_w"] = 0.0
        for name, value in list(self._wanted.items()):
            renewed = name == "support_w" and value > 0.0
            answered = self._answered.get(name)
            if renewed or answered is None or abs(answered - value) > _SAME * max(1.0, abs(value)):
                await self._port.command(name, value)
                self._answered[name] = value


def _now() -> float:
    return asyncio.get_running_loop().time()
