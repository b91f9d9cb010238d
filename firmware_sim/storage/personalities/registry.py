"""The personalities by name."""

from __future__ import annotations

from firmware_sim.image import StorageImage
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.storage.device import Device, Nameplate
from firmware_sim.storage.personalities.foxess_h3 import FOXESS_H3
from firmware_sim.storage.personalities.fronius_gen24 import FRONIUS_GEN24
from firmware_sim.storage.personalities.kaco_gridsave import KACO_GRIDSAVE
from firmware_sim.storage.personalities.personality import Personality
from firmware_sim.storage.personalities.sma_cyclic import SMA_CYCLIC
from firmware_sim.storage.personalities.solaredge_storedge import SOLAREDGE_STOREDGE
from firmware_sim.storage.personalities.sungrow_sh import SUNGROW_SH
from firmware_sim.storage.personalities.sunspec_generic import SUNSPEC
from firmware_sim.storage.personalities.victron_ess import VICTRON_ESS

PERSONALITIES: dict[str, Personality] = {
    each.name: each
    for each in (
        SUNSPEC,
        KACO_GRIDSAVE,
        VICTRON_ESS,
        SUNGROW_SH,
        SOLAREDGE_STOREDGE,
        FRONIUS_GEN24,
        SMA_CYCLIC,
        FOXESS_H3,
    )
}
"""What `bess.NAME.firmware` may be; the first is the default."""


def bank_of(
    image: StorageImage, name: str, nameplate: Nameplate | None = None, *, unit_id: int | None = None
) -> dict[int, RegisterMap]:
    """The register maps of a device by Modbus unit, the one with its set-point first. Raises KeyError for an unknown name.

    unit_id: of the first, in place of the vendor's.
    """
    personality = PERSONALITIES[name]
    first, *others = personality.unit_ids
    maps = personality.maps(Device(image, nameplate or Nameplate()))
    return dict(zip((unit_id or first, *others), maps, strict=True))
