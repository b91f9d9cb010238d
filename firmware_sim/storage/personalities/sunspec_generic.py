"""A storage inverter as the SunSpec models describe it, of no vendor in particular."""

from __future__ import annotations

from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.registers.sunspec_map import FUNCTIONS
from firmware_sim.storage.device import Device
from firmware_sim.storage.personalities.personality import Personality, Watchdog
from firmware_sim.storage.sunspec import sunspec_bess


def _maps(device: Device) -> list[RegisterMap]:
    return [sunspec_bess(device)]


SUNSPEC = Personality(
    name="sunspec",
    device="SunSpec storage inverter",
    setpoint="704.WSet or WSetPct, below 0 charges",
    maps=_maps,
    watchdog=Watchdog(
        0,
        "704.WSetRvrtTms",
        ("704.WSet", "704.WSetPct", "704.WSetEna", "704.WSetRvrtTms"),
        "704.WSetRvrt or WSetPctRvrt, and WSetEnaRvrt; for 123 and 124, whose own times they have: no limit, connected",
    ),
    functions=FUNCTIONS,
)
