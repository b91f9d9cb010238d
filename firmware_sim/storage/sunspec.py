"""Register maps of emulated storage inverters as SunSpec models over their process image.

Signs are SunSpec's: positive power discharges. Points that are not declared read "not implemented".
"""

from __future__ import annotations

from collections.abc import Mapping

from firmware_sim.registers.sunspec_map import Declared, SunSpecMap
from firmware_sim.storage.device import Device
from firmware_sim.storage.models.batteries import STRINGS, model_802, model_803
from firmware_sim.storage.models.controlled import model_704, model_715
from firmware_sim.storage.models.immediate import model_123, model_124
from firmware_sim.storage.models.measured import model_103, model_701, model_713
from firmware_sim.storage.models.rated import model_120, model_121, model_122, model_702
from hil.standards.sunspec import Model, model

_VERSION = "0.1.0"


def sunspec_bess(device: Device) -> SunSpecMap:
    """Every model that a storage system can fill."""
    models = {
        1: common(device, "Ridethrough", device.nameplate.model_name),
        701: model_701(device),
        702: model_702(device),
        704: model_704(device),
        713: model_713(device),
        802: model_802(device),
        803: model_803(device),
        715: model_715(device),
        103: model_103(device),
        120: model_120(device),
        121: model_121(device),
        122: model_122(device),
        123: model_123(device),
        124: model_124(device),
    }
    return sunspec_map(device, models, {803: model(803, repeats=STRINGS)})


def common(device: Device, maker: str, product: str) -> Declared:
    """Model 1."""
    return {"Mn": maker, "Md": product, "Opt": "LFP", "Vr": _VERSION, "SN": device.nameplate.serial, "DA": 1}


def sunspec_map(
    device: Device, models: Mapping[int, Declared], layouts: Mapping[int, Model] | None = None, base: int = 40000
) -> SunSpecMap:
    """A map over a device. layouts: of models that are not the standard's, or repeat groups."""
    image, named = device.image, models[1]
    return SunSpecMap(
        models,
        generation=lambda: image.tick,
        room=lambda: image.room,
        identity=(str(named["Mn"]), str(named["Md"]), _VERSION),
        base=base,
        layouts=layouts,
    )
