"""The battery behind the inverter: models 802 (base) and 803 (lithium-ion, one string)."""

from __future__ import annotations

from firmware_sim.image import PcsCondition, PcsPoint
from firmware_sim.registers.point import OneOf
from firmware_sim.registers.sunspec_map import Declaration, Setting
from firmware_sim.storage.device import Device
from firmware_sim.storage.models.charging import charge_status
from firmware_sim.storage.models.controlled import ENTER_STANDBY, START, STOP, alarm_reset
from hil.standards.sunspec import scale_for

STRINGS = 1
_LITHIUM_ION = 4  # 802.Typ
_CONNECT, _DISCONNECT = 1, 2  # 802.SetOp, 803.StrSetCon
_ORDERED = {STOP: 1, ENTER_STANDBY: 2, START: 3}  # 802.SetInvState by the firmware's operation
_DISCONNECTED, _INITIALIZING, _CONNECTED, _STANDBY, _SOC_PROTECTION, _FAULT = 1, 2, 3, 4, 5, 99  # 802.State
_OVER_TEMP_ALARM, _UNDER_SOC, _OVER_SOC, _CONTACTOR, _OTHER = 1 << 1, 1 << 14, 1 << 16, 1 << 20, 1 << 25  # 802.Evt1
_ENABLED, _CONTACTOR_CLOSED = 1, 2  # 803.StrSt


def _contactor(device: Device) -> Setting:
    closed = device.setting("connect", PcsPoint.CONNECT)
    return Setting(
        lambda: _CONNECT if closed.read() else _DISCONNECT,
        lambda value: closed.write(1 if value == _CONNECT else 0),
        OneOf(_CONNECT, _DISCONNECT),
    )


def _inverter(device: Device) -> Setting:
    operation = device.setting("operation", PcsPoint.OPERATION)
    orders = {state: order for order, state in _ORDERED.items()}
    return Setting(
        lambda: _ORDERED[int(operation.read() or 0)], lambda value: operation.write(orders[int(value)]), OneOf(*orders)
    )


def _state(device: Device) -> int:
    condition, (low, high) = device.condition(), device.image.soc_window
    if condition == PcsCondition.FAULT:
        return _FAULT
    if not device.image.firmware["connected"]:
        return _DISCONNECTED
    if condition == PcsCondition.STARTING:
        return _INITIALIZING
    if condition in (PcsCondition.OFF, PcsCondition.STANDBY):
        return _STANDBY
    return _CONNECTED if low < device.soc() < high else _SOC_PROTECTION


def _events(device: Device) -> int:
    (tripped, hot), (low, high) = device.faults(), device.image.soc_window
    firmware = device.image.firmware
    return (
        (_OVER_TEMP_ALARM if hot else 0)
        | (_UNDER_SOC if device.soc() <= low else 0)
        | (_OVER_SOC if device.soc() >= high else 0)
        | (_CONTACTOR if firmware["connect"] and not firmware["connected"] else 0)
        | (_OTHER if tripped else 0)
    )


def model_802(device: Device) -> dict[str, Declaration]:
    """Battery base model. Power and current above 0 discharge."""
    image = device.image
    power, volts = scale_for(device.largest_w), image.reader("dc_voltage_v")
    largest_a = 2.0 * max(image.charge_max_w, image.discharge_max_w) / max(volts(), 1.0)
    return {
        "AHRtg": image.capacity_ah,
        "WHRtg": image.energy_wh,
        "WChaRteMax": image.charge_max_w,
        "WDisChaRteMax": image.discharge_max_w,
        "SoCMax": 100.0 * image.soc_window[1],
        "SoCMin": 100.0 * image.soc_window[0],
        "SoC": lambda: 100.0 * device.soc(),
        "SoH": 100.0,
        "ChaSt": lambda: charge_status(device),
        "LocRemCtl": lambda: int(image.firmware["local"]),
        "Hb": lambda: int(image.firmware["heartbeat"]) % 65_535,
        "AlmRst": alarm_reset(device),
        "SetOp": _contactor(device),
        "SetInvState": _inverter(device),
        "Typ": _LITHIUM_ION,
        "State": lambda: _state(device),
        "Evt1": lambda: _events(device),
        "Evt2": 0,
        "EvtVnd1": 0,
        "EvtVnd2": 0,
        "V": volts,
        "A": image.reader("dc_current_a"),
        "W": image.reader("dc_power_w"),
        "AHRtg_SF": scale_for(image.capacity_ah, 65_534),
        "WHRtg_SF": scale_for(image.energy_wh, 65_534),
        "WChaDisChaMax_SF": power,
        "SoC_SF": -2,
        "SoH_SF": 0,
        "V_SF": -1,
        "A_SF": scale_for(largest_a),
        "W_SF": power,
    }


def model_803(device: Device) -> dict[str, Declaration]:
    """Lithium-ion battery. The image knows no single cells: their voltages are not there."""
    image = device.image
    amperes, degrees, volts = image.reader("dc_current_a"), image.reader("temperature_degc"), image.reader("dc_voltage_v")
    firmware = image.firmware
    largest_a = 2.0 * max(image.charge_max_w, image.discharge_max_w) / max(volts(), 1.0)
    return {
        "NStr": STRINGS,
        "NStrCon": lambda: int(firmware["connected"]),
        "ModTmpMax": degrees,
        "ModTmpMin": degrees,
        "ModTmpAvg": degrees,
        "StrVMax": volts,
        "StrVMin": volts,
        "StrVAvg": volts,
        "StrAMax": amperes,
        "StrAMin": amperes,
        "StrAAvg": amperes,
        "CellV_SF": -3,
        "ModTmp_SF": -1,
        "A_SF": scale_for(largest_a),
        "SoH_SF": 0,
        "SoC_SF": -2,
        "V_SF": -1,
        "string.0.StrNMod": 1,
        "string.0.StrSt": lambda: _ENABLED | (_CONTACTOR_CLOSED if firmware["connected"] else 0),
        "string.0.StrSoC": lambda: 100.0 * device.soc(),
        "string.0.StrSoH": 100.0,
        "string.0.StrA": amperes,
        "string.0.StrModTmpMax": degrees,
        "string.0.StrModTmpMin": degrees,
        "string.0.StrModTmpAvg": degrees,
        "string.0.StrEvt1": lambda: _events(device),
        "string.0.StrSetCon": _contactor(device),
    }
