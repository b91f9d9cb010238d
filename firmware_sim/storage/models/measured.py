"""Measurements: models 701 and 713, and before them 103 and 160."""

from __future__ import annotations

import math
from collections.abc import Callable

from firmware_sim.image import PcsCondition
from firmware_sim.registers.sunspec_map import Declaration
from firmware_sim.storage.device import Device
from hil.standards.sunspec import scale_for

_THREE_PHASE = 2
_OFF = (PcsCondition.OFF, PcsCondition.FAULT)
_INV_ST = {
    PcsCondition.OFF: 0,
    PcsCondition.STARTING: 2,
    PcsCondition.STANDBY: 7,
    PcsCondition.RUNNING: 3,
    PcsCondition.STOPPING: 5,
    PcsCondition.FAULT: 6,
}
_INV_ST_THROTTLED = 4
_ST = {
    PcsCondition.OFF: 1,
    PcsCondition.STARTING: 3,
    PcsCondition.STANDBY: 8,
    PcsCondition.RUNNING: 4,
    PcsCondition.STOPPING: 6,
    PcsCondition.FAULT: 7,
}
_ST_THROTTLED = 5
_AC_DISCONNECT, _GRID_DISCONNECT, _OVER_TEMP, _MANUFACTURER = 1 << 2, 1 << 4, 1 << 7, 1 << 16  # of 701.Alrm, 103.Evt1


def alarms(device: Device) -> int:
    """701.Alrm."""
    image = device.image
    tripped, hot = device.faults()
    return (
        (0 if image.firmware["connected"] else _AC_DISCONNECT)
        | (0 if image.firmware["synchronised"] else _GRID_DISCONNECT)
        | (_OVER_TEMP if hot else 0)
        | (_MANUFACTURER if tripped else 0)
    )


def inverter_state(device: Device) -> int:
    """701.InvSt."""
    return _INV_ST_THROTTLED if device.throttled() else _INV_ST[PcsCondition(int(device.condition()))]


def operating_state(device: Device) -> int:
    """St of models 101 to 103."""
    return _ST_THROTTLED if device.throttled() else _ST[PcsCondition(int(device.condition()))]


def power_factor(device: Device) -> Callable[[], float | None]:
    """Reads it; None where there is next to no power."""
    watts, var = device.image.reader("power_w"), device.image.reader("reactive_var")

    def read() -> float | None:
        va = math.hypot(watts(), var())
        return watts() / va if va > 1e-3 * device.image.rating_va else None

    return read


def model_701(device: Device) -> dict[str, Declaration]:
    """DER AC measurement."""
    image, rated_a = device.image, device.rated_a
    watts, var, current_pu = (image.reader(name) for name in ("power_w", "reactive_var", "current_pu"))
    voltage_pu, line_v = image.reader("bus.voltage_measured_pu"), image.grid_voltage_v
    power = scale_for(device.largest_w)
    return {
        "ACType": _THREE_PHASE,
        "St": lambda: int(device.condition() not in _OFF),
        "InvSt": lambda: inverter_state(device),
        "ConnSt": lambda: int(image.firmware["connected"]),
        "Alrm": lambda: alarms(device),
        "W": watts,
        "VA": lambda: math.hypot(watts(), var()),
        "Var": var,
        "PF": power_factor(device),
        "A": lambda: 3.0 * rated_a * current_pu(),
        **dict.fromkeys(("AL1", "AL2", "AL3"), lambda: rated_a * current_pu()),
        "LLV": lambda: line_v * voltage_pu(),
        "LNV": lambda: line_v / math.sqrt(3.0) * voltage_pu(),
        "Hz": image.reader("pcc.frequency_measured_hz"),
        "A_SF": scale_for(60.0 * rated_a) - 1,
        "V_SF": scale_for(2.0 * line_v, 65_534),
        "Hz_SF": -3,
        "W_SF": power,
        "PF_SF": -3,
        "VA_SF": power,
        "Var_SF": power,
    }


def model_713(device: Device) -> dict[str, Declaration]:
    """DER storage capacity."""
    energy_wh = device.image.energy_wh
    return {
        "WHRtg": energy_wh,
        "WHAvail": lambda: energy_wh * device.soc(),
        "SoC": lambda: 100.0 * device.soc(),
        "SoH": 100.0,
        "Sta": 0,
        "WH_SF": scale_for(energy_wh, 65_534),
        "Pct_SF": -2,
    }


def model_103(device: Device) -> dict[str, Declaration]:
    """Three-phase inverter, integers with scale factors. The energy counter and the cabinet's temperature are not there."""
    image, rated_a = device.image, device.rated_a
    watts, var, current_pu = (image.reader(name) for name in ("power_w", "reactive_var", "current_pu"))
    voltage_pu, line_v = image.reader("bus.voltage_measured_pu"), image.grid_voltage_v
    power = scale_for(device.largest_w)

    def phase_a() -> float:
        return rated_a * current_pu()

    def line() -> float:
        return line_v * voltage_pu()

    def phase() -> float:
        return line() / math.sqrt(3.0)

    return {
        "A": lambda: 3.0 * phase_a(),
        "AphA": phase_a,
        "AphB": phase_a,
        "AphC": phase_a,
        "A_SF": scale_for(20.0 * rated_a) - 1,
        "PPVphAB": line,
        "PPVphBC": line,
        "PPVphCA": line,
        "PhVphA": phase,
        "PhVphB": phase,
        "PhVphC": phase,
        "V_SF": scale_for(2.0 * line_v, 65_534),
        "W": watts,
        "W_SF": power,
        "Hz": image.reader("pcc.frequency_measured_hz"),
        "Hz_SF": -2,
        "VA": lambda: math.hypot(watts(), var()),
        "VA_SF": power,
        "VAr": var,
        "VAr_SF": power,
        "PF": power_factor(device),
        "PF_SF": -3,
        "WH_SF": 0,
        "DCV": image.reader("dc_voltage_v"),
        "DCV_SF": -1,
        "DCW": image.reader("dc_power_w"),
        "DCW_SF": power,
        "TmpOt": image.reader("temperature_degc"),
        "Tmp_SF": -1,
        "St": lambda: operating_state(device),
        "Evt1": lambda: alarms(device) & 0xFFFF,
        "Evt2": 0,
    }


def model_160(device: Device, charging: int, discharging: int, modules: int) -> dict[str, Declaration]:
    """Inputs on the DC side, of which two are the battery's, by direction; the others, of PV, do not exist."""
    image = device.image
    watts, volts = image.reader("dc_power_w"), image.reader("dc_voltage_v")
    power = scale_for(device.largest_w, 65_534)
    declared: dict[str, Declaration] = {"DCA_SF": -2, "DCV_SF": -1, "DCW_SF": power, "DCWH_SF": 0, "N": modules}

    def share(sign: float) -> Callable[[], float]:
        return lambda: max(0.0, sign * watts())

    for index in range(modules):
        declared[f"module.{index}.ID"] = index + 1
    for index, sign in ((charging, -1.0), (discharging, 1.0)):
        declared |= {f"module.{index}.DCV": volts, f"module.{index}.DCW": share(sign)}
    return declared
