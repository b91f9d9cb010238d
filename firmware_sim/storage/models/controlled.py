"""Controls of today's models: 704 (active and reactive power) and 715 (operation)."""

from __future__ import annotations

from firmware_sim.image import PcsPoint
from firmware_sim.registers.point import ANY, FLAG, OneOf, Range
from firmware_sim.registers.sunspec_map import Declaration, Setting
from firmware_sim.storage.device import MOST_SECONDS, Device

PER_CENT, _WATTS = 0, 1  # WSetMod: how the set-point stands
_VARS = 4  # VarSetMod: in vars
STOP, START, ENTER_STANDBY, EXIT_STANDBY = 0, 1, 2, 3  # OpCtl


class _TwoUnits:
    """A set-point, and what it falls back to, in watts and in per cent of the rating; the mode says which points count.

    What is written to the others waits for its mode; until then they show the same power in their unit.
    """

    def __init__(self, device: Device) -> None:
        self._mode: float = _WATTS
        self._waiting: dict[str, float] = {}
        watts, full = device.power_range, device.image.rating_va
        share = Range(100.0 * watts.least / full, 100.0 * watts.most / full, "%")
        self._points = {
            name: (unit, device.setting(field, point, allowed, full=full if unit == PER_CENT else 0.0))
            for name, unit, field, point, allowed in (
                ("WSet", _WATTS, "set_w", PcsPoint.SET_W, watts),
                ("WSetPct", PER_CENT, "set_w", PcsPoint.SET_W, share),
                ("WSetRvrt", _WATTS, "revert_w", PcsPoint.REVERT_W, watts),
                ("WSetPctRvrt", PER_CENT, "revert_w", PcsPoint.REVERT_W, share),
            )
        }

    def points(self) -> dict[str, Declaration]:
        """The four, and the mode."""
        declared: dict[str, Declaration] = {name: self._point(name) for name in self._points}
        declared["WSetMod"] = Setting(lambda: self._mode, self._choose, OneOf(PER_CENT, _WATTS), commands=2)
        return declared

    def _choose(self, mode: float) -> None:
        if mode == self._mode:
            return
        self._mode = mode
        waiting, self._waiting = self._waiting, {}
        for name, value in waiting.items():
            self._points[name][1].write(value)

    def _point(self, name: str) -> Setting:
        unit, setting = self._points[name]

        def read() -> float:
            return self._waiting.get(name, setting.read())  # type: ignore[arg-type, return-value]  # numbers

        def write(value: float) -> None:
            if unit == self._mode:
                setting.write(value)
            else:
                self._waiting[name] = value

        return Setting(read, write, setting.allowed)


def model_704(device: Device) -> dict[str, Declaration]:
    """DER AC controls: the set-points, and the reversion of that of active power, which `*Rvrt` are copied into at its end."""
    reactive = Range(-device.image.rating_va, device.image.rating_va, "var")
    return {
        "WSetEna": device.setting("set_enable", PcsPoint.SET_ENABLE, FLAG),
        **_TwoUnits(device).points(),
        "WSetEnaRvrt": device.setting("revert_enable", PcsPoint.REVERT_ENABLE, FLAG),
        "WSetRvrtTms": device.setting("revert_s", PcsPoint.REVERT_S, Range(0, MOST_SECONDS, "s")),
        "WSetRvrtRem": device.remaining_s("revert_at"),
        "VarSetEna": device.setting("var_enable", PcsPoint.VAR_ENABLE, FLAG),
        "VarSetMod": Setting(lambda: _VARS, lambda _: None, OneOf(_VARS), commands=0),
        "VarSet": device.setting("set_var", PcsPoint.SET_VAR, reactive),
        "WSet_SF": 0,
        "WSetPct_SF": -2,
        "VarSet_SF": 0,
    }


def alarm_reset(device: Device) -> Setting:
    """A point whose write of 1 resets what has tripped, once its cause is gone; it reads 0."""

    def write(value: float) -> None:
        if value:
            device.command(PcsPoint.RESET, 1)

    return Setting(lambda: 0, write, FLAG)


def model_715(device: Device) -> dict[str, Declaration]:
    """DER control."""
    firmware = device.image.firmware
    operation = device.setting("operation", PcsPoint.OPERATION)

    def operate(value: float) -> None:
        if value != EXIT_STANDBY:
            operation.write(value)
        elif operation.read() == ENTER_STANDBY:
            operation.write(START)

    return {
        "LocRemCtl": lambda: int(firmware["local"]),
        "DERHb": lambda: int(firmware["heartbeat"]),
        "ControllerHb": device.setting("controller_heartbeat", PcsPoint.CONTROLLER_HEARTBEAT, ANY),
        "AlarmReset": alarm_reset(device),
        "OpCtl": Setting(operation.read, operate, OneOf(STOP, START, ENTER_STANDBY, EXIT_STANDBY)),
    }
