"""KACO blueplanet gridsave: SunSpec with the vendor's model 64201, whose watchdog is the best documented of the trade.

Source of points, values and the rule of the watchdog: the vendor's models as OpenEMS reads them. WATCHDOG holds the time-out
in seconds and every write of it restarts it; 0 switches it off; it should be written again before half has elapsed.
"""

from __future__ import annotations

from firmware_sim.image import PcsCondition, PcsPoint
from firmware_sim.registers.point import OneOf, Range
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.registers.sunspec_map import FUNCTIONS, Declaration, Setting
from firmware_sim.storage.device import Device, RemoteControl
from firmware_sim.storage.models.measured import model_103
from firmware_sim.storage.models.rated import model_120, model_121, model_122
from firmware_sim.storage.personalities.personality import Personality, Watchdog
from firmware_sim.storage.sunspec import common, sunspec_map
from hil.standards.sunspec import scale_for, vendor_model

NUMBER = 64201


def _reserved(first: int, last: int) -> list[tuple[str, str, str | None, bool]]:
    return [(f"RESERVED_{at}", "pad", None, False) for at in range(first, last + 1)]


LAYOUT = vendor_model(
    NUMBER,
    "bidirectional_inverter_control",
    [
        ("VERSION_MAJOR", "uint16", None, False),
        ("VERSION_MINOR", "uint16", None, False),
        ("REQUESTED_STATE", "enum16", None, True),
        ("CURRENT_STATE", "enum16", None, False),
        ("CONTROL_MODE", "enum16", None, True),
        *_reserved(5, 5),
        ("WATCHDOG", "uint16", None, True),
        ("W_SET_PCT", "int16", "W_SET_PCT_SF", True),
        ("VAR_SET_PCT", "int16", "VAR_SET_PCT_SF", True),
        *_reserved(9, 13),
        ("ST_VND", "enum16", None, False),
        ("ST_PU", "enum16", None, False),
        ("ST_PCU", "enum16", None, False),
        ("ERR_PCU", "enum16", None, False),
        ("WPARAM_RMP_TMS", "uint16", "RMP_TMS_SF", True),
        ("WPARAM_RMP_DEC_TMM", "uint16", "RMP_INC_DEC_SF", True),
        ("WPARAM_RMP_INC_TMM", "uint16", "RMP_INC_DEC_SF", True),
        *_reserved(21, 22),
        ("W_PARAM_ENA", "enum16", None, True),
        ("VAR_PARAM_RMP_TMS", "uint16", "RMP_TMS_SF", True),
        ("VAR_PARAM_RMP_DEC_TMM", "uint16", "RMP_INC_DEC_SF", True),
        ("VAR_PARAM_RMP_INC_TMM", "uint16", "RMP_INC_DEC_SF", True),
        *_reserved(27, 28),
        ("VAR_PARAM_ENA", "enum16", None, True),
        ("PH_VPH_A", "uint16", "V_SF", False),
        ("PH_VPH_B", "uint16", "V_SF", False),
        ("PH_VPH_C", "uint16", "V_SF", False),
        ("W", "int16", "W_SF", False),
        ("V_AR", "int16", "V_AR_SF", False),
        ("HZ", "uint16", "HZ_SF", False),
        *_reserved(36, 43),
        ("W_SET_PCT_SF", "sunssf", None, False),
        ("VAR_SET_PCT_SF", "sunssf", None, False),
        ("RMP_TMS_SF", "sunssf", None, False),
        ("RMP_INC_DEC_SF", "sunssf", None, False),
        ("V_SF", "sunssf", None, False),
        ("W_SF", "sunssf", None, False),
        ("V_AR_SF", "sunssf", None, False),
        ("HZ_SF", "sunssf", None, False),
    ],
)
OFF, STARTING, SHUTTING_DOWN, FAULT, STANDBY, PRE_CONNECTED, CONNECTED = 1, 3, 6, 7, 8, 10, 11
_CURRENT = {
    PcsCondition.OFF: OFF,
    PcsCondition.STARTING: STARTING,
    PcsCondition.STANDBY: STANDBY,
    PcsCondition.RUNNING: CONNECTED,
    PcsCondition.STOPPING: SHUTTING_DOWN,
    PcsCondition.FAULT: FAULT,
}
_OPERATION = {OFF: 0, STANDBY: 2, PRE_CONNECTED: 2, CONNECTED: 1}
_REQUESTED = {0: OFF, 1: CONNECTED, 2: STANDBY}
_QFIX = 1  # CONTROL_MODE: reactive power as VAR_SET_PCT says


class _Control:
    """The points of model 64201 that are written."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._remote = RemoteControl(device)
        self._operation = device.accepted.reader("operation", PcsPoint.OPERATION)
        self._watchdog_s = device.accepted.reader("revert_s", PcsPoint.REVERT_S)
        self._full_w = device.image.rating_va

    def points(self) -> dict[str, Declaration]:
        device, full = self._device, self._full_w
        power = device.power_range
        share = Range(100.0 * power.least / full, 100.0 * power.most / full, "%")
        return {
            "REQUESTED_STATE": Setting(self._requested, self._request, OneOf(*_OPERATION), commands=2),
            "CONTROL_MODE": device.setting("var_enable", PcsPoint.VAR_ENABLE, OneOf(0, _QFIX)),
            "WATCHDOG": Setting(
                self._watchdog_s, self._remote.refresh, Range(0, 65_534, "s"), commands=RemoteControl.COMMANDS
            ),
            "W_SET_PCT": Setting(self._share, self._set_share, share, commands=RemoteControl.COMMANDS),
            "VAR_SET_PCT": device.setting("set_var", PcsPoint.SET_VAR, Range(-100, 100, "%"), full=full),
        }

    def _requested(self) -> int:
        return _REQUESTED[int(self._operation())]

    def _request(self, state: float) -> None:
        if state == OFF:  # it also acknowledges an error whose cause is gone
            self._device.command(PcsPoint.RESET, 1)
        self._device.command(PcsPoint.OPERATION, _OPERATION[int(state)])

    def _share(self) -> float:
        return 100.0 * self._remote.set_w() / self._full_w

    def _set_share(self, share: float) -> None:
        self._remote.power(share * self._full_w / 100.0, self._watchdog_s(), restarts=False)


def _model_64201(device: Device) -> dict[str, Declaration]:
    image, volts = device.image, scale_for(2.0 * device.image.grid_voltage_v, 65_534)
    ac, power = model_103(device), scale_for(device.largest_w)
    return {
        "VERSION_MAJOR": 1,
        "VERSION_MINOR": 0,
        "CURRENT_STATE": lambda: _CURRENT[PcsCondition(int(device.condition()))],
        **_Control(device).points(),
        "PH_VPH_A": ac["PhVphA"],
        "PH_VPH_B": ac["PhVphB"],
        "PH_VPH_C": ac["PhVphC"],
        "W": ac["W"],
        "V_AR": ac["VAr"],
        "HZ": image.reader("pcc.frequency_measured_hz"),
        "W_SET_PCT_SF": -1,
        "VAR_SET_PCT_SF": -1,
        "RMP_TMS_SF": 0,
        "RMP_INC_DEC_SF": 0,
        "V_SF": volts,
        "W_SF": power,
        "V_AR_SF": power,
        "HZ_SF": -2,
    }


def _maps(device: Device) -> list[RegisterMap]:
    models = {
        1: common(device, "KACO new energy", "blueplanet gridsave (emulated)"),
        103: model_103(device),
        120: model_120(device),
        121: model_121(device),
        122: model_122(device),
        NUMBER: _model_64201(device),
    }
    return [sunspec_map(device, models, {NUMBER: LAYOUT})]


KACO_GRIDSAVE = Personality(
    name="kaco-gridsave",
    device="KACO blueplanet gridsave",
    setpoint="64201.W_SET_PCT, below 0 charges",
    maps=_maps,
    watchdog=Watchdog(0, "64201.WATCHDOG", ("64201.WATCHDOG",), "0 W, W_SET_PCT too"),
    functions=FUNCTIONS,
    assumed=(
        "what the watchdog falls back to; that W_SET_PCT written after it has expired starts it anew; the scale factors; "
        "the ramp parameters are not there"
    ),
)
