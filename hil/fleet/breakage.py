"""What breaks in the equipment of a device, as commands to firmware and plant: set by an event, set back after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from firmware_sim.image import FaultPoint, FirmwareImage
from hil.scenario import fault

Setting = tuple[FaultPoint, float, float]  # point, its value while broken, and when whole

_SETTINGS: Mapping[type, Callable[[Any], list[Setting]]] = {
    fault.ContactorOpen: lambda _: [(FaultPoint.CONTACTOR, 1.0, 0.0)],
    fault.PllLoss: lambda _: [(FaultPoint.PLL, 1.0, 0.0)],
    fault.Derating: lambda event: [(FaultPoint.DERATING, event.left, 1.0)],
    fault.DeviceTrip: lambda _: [(FaultPoint.TRIP, 1.0, 0.0)],
    fault.PowerReading: lambda event: [(FaultPoint.POWER_GAIN, event.factor, 1.0)],
    fault.WeakCells: lambda event: [
        (FaultPoint.CAPACITY, event.capacity, 1.0),
        (FaultPoint.RESISTANCE, event.resistance, 1.0),
    ],
    fault.BatteryDead: lambda _: [(FaultPoint.DEAD, 1.0, 0.0)],
    fault.BatteryHot: lambda event: [(FaultPoint.TEMPERATURE, event.rise_k, 0.0)],
    fault.SocDrift: lambda event: [(FaultPoint.SOC_DRIFT, event.per_hour, 0.0)],
    fault.RectifierFault: lambda _: [(FaultPoint.RECTIFIER, 1.0, 0.0)],
}


def breakage(event: fault.EquipmentFault, image: FirmwareImage) -> tuple[Callable[[], None], Callable[[], None]]:
    """What breaks a device, and what makes it whole again; both act at the next tick."""
    settings = _SETTINGS[type(event)](event)

    def broken() -> None:
        for point, value, _ in settings:
            image.command(point, value)

    def whole() -> None:
        for point, _, value in settings:
            image.command(point, value)

    return broken, whole
