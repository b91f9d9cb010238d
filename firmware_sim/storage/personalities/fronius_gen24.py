"""Fronius GEN24: SunSpec integers with scale factors at the addresses that clients of this device take for granted.

The battery is commanded by the limits of model 124 alone: below 0, OutWRte forces charging. Source: Fronius manual
42,0410,2649, and the addresses that redpomodoro/fronius_modbus reads (model 1 with 65 registers, model 160 with four inputs).
What has been written in InOutWRte_RvrtTms stays for every later writer, whose limits end with it without a word (evcc issue
33037).
"""

from __future__ import annotations

from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.registers.sunspec_map import FUNCTIONS
from firmware_sim.storage.device import Device
from firmware_sim.storage.models.immediate import model_123, model_124
from firmware_sim.storage.models.measured import model_103, model_160
from firmware_sim.storage.models.rated import model_120, model_121, model_122
from firmware_sim.storage.personalities.personality import Personality, Watchdog
from firmware_sim.storage.sunspec import common, sunspec_map
from hil.standards.sunspec import model

_INPUTS = 4  # of model 160: two of PV, then the battery's, charging and discharging
_CHARGING, _DISCHARGING = 2, 3


def _maps(device: Device) -> list[RegisterMap]:
    models = {
        1: common(device, "Fronius", "GEN24 (emulated)"),
        103: model_103(device),
        120: model_120(device),
        121: model_121(device),
        122: model_122(device),
        123: model_123(device),
        160: model_160(device, _CHARGING, _DISCHARGING, _INPUTS),
        124: model_124(device),
    }
    return [sunspec_map(device, models, {1: model(1, length=65), 160: model(160, repeats=_INPUTS)})]


FRONIUS_GEN24 = Personality(
    name="fronius-gen24",
    device="Fronius GEN24 Plus with a battery",
    setpoint="124.OutWRte with StorCtl_Mod 2, below 0 charges; InWRte with StorCtl_Mod 1",
    maps=_maps,
    watchdog=Watchdog(
        0,
        "124.InOutWRte_RvrtTms",
        ("124.StorCtl_Mod", "124.OutWRte", "124.InWRte", "124.InOutWRte_RvrtTms"),
        "no limits: StorCtl_Mod reads 0, the rates what was written",
    ),
    functions=FUNCTIONS,
    exceptions=frozenset((1, 2, 3, 4, 6, 11)),
    assumed="123.WMaxLimPct and 124.OutWRte are one limit; ChaGriSet stands at GRID, for there is no PV",
)
