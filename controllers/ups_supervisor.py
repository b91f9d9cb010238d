"""Supervisors of UPSs: what decides recharge, return and support of a group that hangs on one grid connection."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controllers.contracts import UpsDevice, UpsMode, UpsSample
from controllers.supervisor import Supervisor
from hil.errors import DeviceError

_ON_LINE = (UpsMode.NORMAL, UpsMode.ECO)
_FORGETS_S = 60.0  # time constant with which a peak of the load is forgotten
_CHANGED = 0.1  # a plan that differs by less is not sent anew
_USABLE = 0.8  # of the runtime that a device estimates
_RECHARGE_STEPS = 100


class UpsSupervisor(ABC):
    """Decides the settings of a group of UPSs. One's own is a subclass with a `run`."""

    every = staticmethod(Supervisor.every)

    @abstractmethod
    async def run(self, devices: Sequence[UpsDevice]) -> None:
        """Supervise until cancelled. It is called again after a DeviceError."""


@dataclass(frozen=True, slots=True)
class UpsGroupSettings:
    """What a group is held to.

    ramp_w_per_s: of the grid, while the group comes back. staged: whether the walk-in is set at all. recharge_share: of that
    ramp, with which the recharge rises once all are back. recharge_w: most of one UPS; None: its own limit. support_w: most
    that one UPS takes over from the grid, between support_below_hz (nothing) and support_full_hz (all of it).
    """

    ramp_w_per_s: float
    staged: bool = True
    recharge_share: float = 0.25
    recharge_w: float | None = None
    support_w: float = 0.0
    support_below_hz: float = 0.0
    support_full_hz: float = 0.0
    rate_hz: float = 2.0


class UpsGroupSupervisor(UpsSupervisor):
    """Brings a group back one after the other, so that the grid's ramp holds, and recharges only when all are back.

    The walk-in is set while all is well: it stands in the devices when the dip comes, whatever becomes of the network then.
    The UPS with the least autonomy goes first; where autonomy does not last for the ramp, the ramp gives way.
    """

    def __init__(self, settings: UpsGroupSettings) -> None:
        if settings.ramp_w_per_s <= 0.0 or settings.rate_hz <= 0.0:
            raise ValueError("ramp and rate must be positive")
        if not 0.0 < settings.recharge_share <= 1.0:
            raise ValueError("recharge_share must be above 0 and at most 1")
        if settings.support_w > 0.0 and not 0.0 < settings.support_full_hz < settings.support_below_hz:
            raise ValueError("support needs support_full below support_below")
        self._settings = settings
        self._peak_w: dict[str, float] = {}
        self._planned: dict[str, tuple[float, float]] = {}
        self._recharge_w = 0.0

    async def run(self, devices: Sequence[UpsDevice]) -> None:
        """Read all, decide, set; at every period. A device that cannot be read is left as it is."""
        period_s = 1.0 / self._settings.rate_hz
        async for _ in self.every(period_s):
            samples: dict[str, UpsSample] = {}
            problem: DeviceError | None = None
            for device in devices:
                try:
                    samples[device.name] = await device.read()
                except DeviceError as error:
                    problem = error
            if problem is not None and not samples:
                raise problem
            there = [device for device in devices if device.name in samples]
            self._remember_peaks(samples, period_s)
            back = len(there) == len(devices) and all(sample.mode in _ON_LINE for sample in samples.values())
            if back and self._settings.staged:
                self._stage(there, samples)
            self._recharge(there, period_s, back=back)
            self._support(there, samples)

    def _remember_peaks(self, samples: Mapping[str, UpsSample], period_s: float) -> None:
        """The load swings faster than plans should: they go by its recent peak."""
        for name, sample in samples.items():
            faded = self._peak_w.get(name, 0.0) * math.exp(-period_s / _FORGETS_S)
            self._peak_w[name] = max(faded, sample.output_power_w, sample.input_power_w)

    def _stage(self, devices: Sequence[UpsDevice], samples: Mapping[str, UpsSample]) -> None:
        """Delay and duration of each walk-in, one after the other along the ramp; sent where they have changed enough.

        A walk-in goes on to the limit of the rectifier: at the ramp that takes longer than until the load is carried, which is
        when the next may begin.
        """
        order = sorted(devices, key=lambda device: _runtime(samples[device.name]))
        plan: dict[str, tuple[float, float]] = {}
        delay_s = 0.0
        gives_way = 1.0
        for device in order:
            most_s = math.floor(device.walk_in_max_s)
            carried_s = max(1.0, self._peak_w[device.name] / self._settings.ramp_w_per_s)
            duration_s = max(carried_s, device.input_limit_w / self._settings.ramp_w_per_s)
            plan[device.name] = (min(delay_s, most_s), min(duration_s, most_s))
            on_battery_s = delay_s + 0.5 * carried_s
            gives_way = min(gives_way, _USABLE * _runtime(samples[device.name]) / on_battery_s)
            delay_s += carried_s
        if plan.keys() == self._planned.keys() and all(_alike(plan[name], self._planned[name], gives_way) for name in plan):
            return
        for device in devices:
            delay_s, duration_s = (float(math.ceil(gives_way * seconds)) for seconds in plan[device.name])
            self._planned[device.name] = (delay_s, duration_s)
            device.set_walk_in(delay_s, duration_s)

    def _recharge(self, devices: Sequence[UpsDevice], period_s: float, *, back: bool) -> None:
        """Nothing until all are back, then slowly more, up to what each may take."""
        settings = self._settings
        step_w = settings.recharge_share * settings.ramp_w_per_s * period_s / max(1, len(devices))
        self._recharge_w = self._recharge_w + step_w if back else 0.0
        for device in devices:
            most_w = device.recharge_max_w if settings.recharge_w is None else min(settings.recharge_w, device.recharge_max_w)
            step = most_w / _RECHARGE_STEPS
            device.set_recharge_power(min(most_w, step * int(self._recharge_w / step)) if step > 0.0 else 0.0)

    def _support(self, devices: Sequence[UpsDevice], samples: Mapping[str, UpsSample]) -> None:
        """In proportion to how far the frequency has fallen; renewed as long as it lasts, ended once when it is back."""
        settings = self._settings
        if settings.support_w <= 0.0:
            return
        seen = [sample.input_frequency_hz for sample in samples.values() if sample.input_frequency_hz is not None]
        if not seen:
            return
        span_hz = settings.support_below_hz - settings.support_full_hz
        share = min(1.0, max(0.0, (settings.support_below_hz - min(seen)) / span_hz))
        for device in devices:
            running = samples[device.name].mode is UpsMode.NORMAL
            device.set_support(min(share * settings.support_w, device.rating_w) if running else 0.0)


def _runtime(sample: UpsSample) -> float:
    return math.inf if sample.runtime_s is None else sample.runtime_s


def _alike(plan: tuple[float, float], sent: tuple[float, float], gives_way: float) -> bool:
    """Whether a plan is near enough to what was sent; rounding up to whole seconds does not count."""
    return all(abs(gives_way * new - old) <= _CHANGED * old + 1.0 for new, old in zip(plan, sent, strict=True))
