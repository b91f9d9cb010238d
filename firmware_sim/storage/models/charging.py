"""What a battery is doing, as ChaSt of models 124 and 802 tells it."""

from __future__ import annotations

from firmware_sim.image import PcsCondition
from firmware_sim.storage.device import Device

OFF, EMPTY, DISCHARGING, CHARGING, FULL, HOLDING = 1, 2, 3, 4, 5, 6
_AT_WORK = 0.005  # share of the rating above which it charges or discharges


def charge_status(device: Device) -> int:
    """ChaSt."""
    image = device.image
    watts = image.reader("dc_power_w")()
    if abs(watts) > _AT_WORK * image.rating_va:
        return DISCHARGING if watts > 0 else CHARGING
    if device.condition() in (PcsCondition.OFF, PcsCondition.FAULT):
        return OFF
    low, high = image.soc_window
    return EMPTY if device.soc() <= low else FULL if device.soc() >= high else HOLDING
