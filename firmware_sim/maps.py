"""Register maps of emulated devices by name: each makes a bank of registers over a device's process image.

A device of a scenario names its map with the key `firmware`. What is added here can be served: `hil serve bess --map NAME`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from firmware_sim.image import StorageImage
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.storage.sunspec import SunSpecBess

Image = TypeVar("Image")


@dataclass(frozen=True)
class NamedMap(Generic[Image]):
    """A map. meaning: what it is, in a few words; bank: makes its registers, of an image and the device's serial number."""

    meaning: str
    bank: Callable[[Image, str], RegisterMap]


STORAGE_MAPS: dict[str, NamedMap[StorageImage]] = {
    "sunspec": NamedMap(
        "SunSpec models 1, 701, 702, 704, 713, 715 and 802", lambda image, serial: SunSpecBess(image, serial=serial).registers
    ),
}
