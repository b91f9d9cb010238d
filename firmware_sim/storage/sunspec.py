"""An emulated storage inverter as SunSpec models 1, 701, 702, 704, 713, 715 and 802 over its process image.

Signs are SunSpec's: positive power discharges. Undeclared points read "not implemented".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container

from firmware_sim.image import PcsPoint, StorageImage
from firmware_sim.registers.accepted import Accepted
from firmware_sim.registers.point import ANY, FLAG, OneOf, Range
from firmware_sim.registers.sunspec_map import Declaration, Setting, SunSpecMap
from hil.standards.sunspec import scale_for

_WATTS = 1  # WSetMod: the set-point is in watts
_VARS = 4  # VarSetMod: in vars
_THREE_PHASE = 2
_LFP = 4  # 802.Typ: lithium-ion
_MOST_SECONDS = 86_400


class SunSpecBess:
    """The register map of one emulated storage system (`registers`)."""

    def __init__(self, image: StorageImage, *, model_name: str = "Emulated BESS", serial: str = "0001") -> None:
        self._image = image
        self._accepted = Accepted(image)
        power = scale_for(1.25 * max(image.rating_va, image.charge_max_w, image.discharge_max_w))
        energy = scale_for(image.energy_wh, 65_534)
        rated_a = image.rating_va / (math.sqrt(3.0) * image.grid_voltage_v)
        soc = _shown(image.reader("soc"))
        self.registers = SunSpecMap(
            {
                1: {"Mn": "Ridethrough", "Md": model_name, "Opt": "LFP", "Vr": "0.1.0", "SN": serial, "DA": 1},
                701: self._measurements(power, rated_a),
                702: self._capacity(power, rated_a),
                704: self._controls(),
                713: {
                    "WHRtg": image.energy_wh,
                    "WHAvail": lambda: image.energy_wh * soc(),
                    "SoC": lambda: 100.0 * soc(),
                    "SoH": 100.0,
                    "Sta": 0,
                    "WH_SF": energy,
                    "Pct_SF": -2,
                },
                715: {
                    "LocRemCtl": 0,
                    "DERHb": lambda: int(image.firmware["heartbeat"]),
                    "ControllerHb": self._setting("controller_heartbeat", PcsPoint.CONTROLLER_HEARTBEAT, ANY),
                    "OpCtl": self._setting("operation", PcsPoint.OPERATION, FLAG),
                },
                802: self._battery(power, energy),
            },
            generation=lambda: image.tick,
            room=lambda: image.room,
            identity=("Ridethrough", model_name, "0.1.0"),
        )

    def _setting(self, field: str, point: PcsPoint, allowed: Container[object]) -> Setting:
        """A setting of the firmware. field: where its state keeps it."""
        return Setting(self._accepted.reader(field, point), self._accepted.writer(point), allowed)

    def _measurements(self, power: int, rated_a: float) -> dict[str, Declaration]:
        image = self._image
        watts, var, current_pu = (image.reader(name) for name in ("power_w", "reactive_var", "current_pu"))
        voltage_pu, hertz = image.reader("bus.voltage_measured_pu"), image.reader("pcc.frequency_measured_hz")
        line_v, phase_v = image.grid_voltage_v, image.grid_voltage_v / math.sqrt(3.0)
        current = scale_for(20.0 * rated_a) - 1

        def apparent_va() -> float:
            return math.hypot(watts(), var())

        def power_factor() -> float | None:
            va = apparent_va()
            return watts() / va if va > 1e-3 * image.rating_va else None

        return {
            "ACType": _THREE_PHASE,
            "St": lambda: int(image.firmware["operation"] != 0),
            "InvSt": lambda: 0 if image.firmware["operation"] == 0 else 4 if image.firmware["limited"] else 3,
            "ConnSt": 1,
            "Alrm": 0,
            "W": watts,
            "VA": apparent_va,
            "Var": var,
            "PF": power_factor,
            "A": lambda: rated_a * current_pu(),
            "LLV": lambda: line_v * voltage_pu(),
            "LNV": lambda: phase_v * voltage_pu(),
            "Hz": hertz,
            "A_SF": current,
            "V_SF": scale_for(2.0 * image.grid_voltage_v, 65_534),
            "Hz_SF": -3,
            "W_SF": power,
            "PF_SF": -3,
            "VA_SF": power,
            "Var_SF": power,
        }

    def _capacity(self, power: int, rated_a: float) -> dict[str, Declaration]:
        image = self._image
        voltage = image.grid_voltage_v
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
            "AMaxRtg": rated_a,
            "W_SF": power,
            "VA_SF": power,
            "Var_SF": power,
            "V_SF": scale_for(2.0 * voltage, 65_534),
            "A_SF": scale_for(20.0 * rated_a) - 1,
        }

    def _controls(self) -> dict[str, Declaration]:
        image = self._image

        power = Range(-image.charge_max_w, image.discharge_max_w, "W")
        reactive = Range(-image.rating_va, image.rating_va, "var")

        def remaining_s() -> float:
            at = int(image.firmware["revert_at"])
            return 0.0 if at < 0 else math.ceil((at - image.tick) * image.period_ns / 1e9)

        return {
            "WSetEna": self._setting("set_enable", PcsPoint.SET_ENABLE, FLAG),
            "WSetMod": Setting(lambda: _WATTS, lambda _: None, OneOf(_WATTS), commands=0),
            "WSet": self._setting("set_w", PcsPoint.SET_W, power),
            "WSetRvrt": self._setting("revert_w", PcsPoint.REVERT_W, power),
            "WSetEnaRvrt": self._setting("revert_enable", PcsPoint.REVERT_ENABLE, FLAG),
            "WSetRvrtTms": self._setting("revert_s", PcsPoint.REVERT_S, Range(0, _MOST_SECONDS, "s")),
            "WSetRvrtRem": remaining_s,
            "VarSetEna": self._setting("var_enable", PcsPoint.VAR_ENABLE, FLAG),
            "VarSetMod": Setting(lambda: _VARS, lambda _: None, OneOf(_VARS), commands=0),
            "VarSet": self._setting("set_var", PcsPoint.SET_VAR, reactive),
            "WSet_SF": 0,
            "VarSet_SF": 0,
        }

    def _battery(self, power: int, energy: int) -> dict[str, Declaration]:
        image = self._image
        soc, volts = _shown(image.reader("soc")), image.reader("dc_voltage_v")
        amperes, watts = image.reader("dc_current_a"), image.reader("dc_power_w")
        capacity = scale_for(image.capacity_ah, 65_534)
        current = scale_for(2.0 * max(image.charge_max_w, image.discharge_max_w) / max(volts(), 1.0))

        operation = self._setting("operation", PcsPoint.OPERATION, FLAG)

        def inverter_state() -> int:
            return 3 if operation.read() else 1

        def set_inverter_state(value: float) -> None:
            operation.write(1.0 if value == 3 else 0.0)

        def charge_status() -> int:
            low, high = image.soc_window
            if abs(watts()) > 0.005 * image.rating_va:
                return 3 if watts() > 0 else 4
            return 2 if soc() <= low else 5 if soc() >= high else 6

        return {
            "AHRtg": image.capacity_ah,
            "WHRtg": image.energy_wh,
            "WChaRteMax": image.charge_max_w,
            "WDisChaRteMax": image.discharge_max_w,
            "SoCMax": 100.0 * image.soc_window[1],
            "SoCMin": 100.0 * image.soc_window[0],
            "SoC": lambda: 100.0 * soc(),
            "SoH": 100.0,
            "ChaSt": charge_status,
            "LocRemCtl": 0,
            "Hb": lambda: int(image.firmware["heartbeat"]) % 65_535,
            "AlmRst": Setting(lambda: 0, lambda _: None, FLAG, commands=0),
            "SetOp": Setting(lambda: 1, lambda _: None, OneOf(1), commands=0),  # connected; this battery has no contactor
            "SetInvState": Setting(inverter_state, set_inverter_state, OneOf(1, 2, 3)),
            "Typ": _LFP,
            "State": 3,
            "Evt1": 0,
            "Evt2": 0,
            "EvtVnd1": 0,
            "EvtVnd2": 0,
            "V": volts,
            "A": amperes,
            "W": watts,
            "AHRtg_SF": capacity,
            "WHRtg_SF": energy,
            "WChaDisChaMax_SF": power,
            "SoC_SF": -2,
            "SoH_SF": 0,
            "V_SF": -1,
            "A_SF": current,
            "W_SF": power,
        }


def _shown(soc: Callable[[], float]) -> Callable[[], float]:
    """A state of charge as a battery management system tells it: between empty and full, whatever the cells hold."""
    return lambda: min(1.0, max(0.0, soc()))
