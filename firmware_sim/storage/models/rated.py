"""What a storage inverter is rated for and set up as: model 702, and before it 120 to 122."""

from __future__ import annotations

from firmware_sim.image import PcsCondition
from firmware_sim.registers.sunspec_map import Declaration
from firmware_sim.storage.device import Device
from hil.standards.sunspec import scale_for

_PV_AND_STORAGE = 82  # the one of the two types of model 120 that has a storage
_CONNECTED, _AVAILABLE, _OPERATING = 1, 2, 4  # 122.StorConn
_FIXED_W = 1  # 122.StActCtl


def model_702(device: Device) -> dict[str, Declaration]:
    """DER capacity."""
    image = device.image
    voltage, power = image.grid_voltage_v, scale_for(device.largest_w)
    return {
        "WMaxRtg": image.rating_va,
        "VAMaxRtg": image.rating_va,
        "VarMaxInjRtg": image.rating_va,
        "VarMaxAbsRtg": image.rating_va,
        "WChaRteMaxRtg": image.charge_max_w,
        "WDisChaRteMaxRtg": image.discharge_max_w,
        "VAChaRteMaxRtg": image.rating_va,
        "VADisChaRteMaxRtg": image.rating_va,
        "VNomRtg": voltage,
        "AMaxRtg": device.rated_a,
        "W_SF": power,
        "VA_SF": power,
        "Var_SF": power,
        "V_SF": scale_for(2.0 * voltage, 65_534),
        "A_SF": scale_for(20.0 * device.rated_a) - 1,
    }


def model_120(device: Device) -> dict[str, Declaration]:
    """Nameplate."""
    image = device.image
    power = scale_for(device.largest_w)
    return {
        "DERTyp": _PV_AND_STORAGE,
        "WRtg": image.rating_va,
        "WRtg_SF": power,
        "VARtg": image.rating_va,
        "VARtg_SF": power,
        "VArRtgQ1": image.rating_va,
        "VArRtgQ2": image.rating_va,
        "VArRtgQ3": -image.rating_va,
        "VArRtgQ4": -image.rating_va,
        "VArRtg_SF": power,
        "ARtg": device.rated_a,
        "ARtg_SF": scale_for(20.0 * device.rated_a) - 1,
        "PFRtg_SF": -2,
        "WHRtg": image.energy_wh,
        "WHRtg_SF": scale_for(image.energy_wh, 65_534),
        "AhrRtg": image.capacity_ah,
        "AhrRtg_SF": scale_for(image.capacity_ah, 65_534),
        "MaxChaRte": image.charge_max_w,
        "MaxChaRte_SF": power,
        "MaxDisChaRte": image.discharge_max_w,
        "MaxDisChaRte_SF": power,
    }


def model_121(device: Device) -> dict[str, Declaration]:
    """Basic settings. They are the ratings and cannot be changed."""
    image = device.image
    power, volts = scale_for(device.largest_w), scale_for(2.0 * image.grid_voltage_v, 65_534)
    return {
        "WMax": image.rating_va,
        "VRef": image.grid_voltage_v,
        "VRefOfs": 0.0,
        "VAMax": image.rating_va,
        "WMax_SF": power,
        "VRef_SF": volts,
        "VRefOfs_SF": 0,
        "VAMax_SF": power,
    }


def model_122(device: Device) -> dict[str, Declaration]:
    """Extended status. Energies are not counted: they read 0, as the standard wants of counters that are not there."""
    firmware = device.image.firmware

    def storage() -> int:
        running = device.condition() == PcsCondition.RUNNING
        available = device.condition() not in (PcsCondition.FAULT, PcsCondition.OFF)
        connected = _CONNECTED if firmware["connected"] else 0
        return connected | (_AVAILABLE if available else 0) | (_OPERATING if running else 0)

    return {
        "PVConn": 0,
        "StorConn": storage,
        "ECPConn": lambda: int(firmware["connected"]),
        "StActCtl": lambda: _FIXED_W if device.enabled() else 0,
    }
