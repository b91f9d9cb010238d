"""Controls of the models before the 700s: 123 (connection, limit of the output) and 124 (limits of the storage).

The firmware has one limit for each direction: 123.WMaxLimPct and 124.OutWRte show the same one, in per cent of the rating and
of the largest discharging power, and so do their times.
"""

from __future__ import annotations

from firmware_sim.image import PcsPoint
from firmware_sim.registers.point import FLAG, OneOf, Range
from firmware_sim.registers.sunspec_map import Declaration, Setting
from firmware_sim.storage.device import Device
from firmware_sim.storage.models.charging import charge_status
from firmware_sim.storage.window import Window
from hil.standards.sunspec import scale_for

_DISCHARGE = 2  # bit of StorCtl_Mod and of the firmware's LIMIT_ENABLE
_GRID = 1  # ChaGriSet: may charge from the grid
_SECONDS = Range(0, 65_534, "s")


class _Seconds:
    """A window that has been written: nothing in the firmware knows of it."""

    def __init__(self) -> None:
        self.value = 0.0

    def setting(self) -> Setting:
        def write(value: float) -> None:
            self.value = value

        return Setting(lambda: self.value, write, _SECONDS, commands=0)


def _window(device: Device, name: str) -> tuple[Window, Setting]:
    seconds = _Seconds()
    key = f"{device.nameplate.seed} {device.nameplate.serial} {name}"
    return Window(key, lambda: seconds.value), seconds.setting()


def model_123(device: Device) -> dict[str, Declaration]:
    """Immediate controls. The limit is of the output: it cannot order charging. Those of reactive power are not there."""
    rating = device.image.rating_va
    connection, connection_s = _window(device, "123.Conn")
    limit, limit_s = _window(device, "123.WMaxLimPct")
    share = device.setting("limit_discharge_w", PcsPoint.LIMIT_DISCHARGE_W, Range(0, 100, "%"), full=rating)
    enabled = device.accepted.reader("limit_enable", PcsPoint.LIMIT_ENABLE)

    def limited() -> int:
        return int(enabled()) & _DISCHARGE

    def set_limited(value: float) -> None:
        others = int(enabled()) & ~_DISCHARGE
        device.command(PcsPoint.LIMIT_ENABLE, others | (_DISCHARGE if value else 0))

    return {
        "Conn_WinTms": connection_s,
        "Conn_RvrtTms": device.setting("connect_revert_s", PcsPoint.CONNECT_REVERT_S, _SECONDS),
        "Conn": connection.delayed(device.setting("connect", PcsPoint.CONNECT, FLAG)),
        "WMaxLimPct": limit.delayed(share),
        "WMaxLimPct_WinTms": limit_s,
        "WMaxLimPct_RvrtTms": device.setting("limit_revert_s", PcsPoint.LIMIT_REVERT_S, _SECONDS),
        "WMaxLimPct_RmpTms": device.setting("limit_ramp_s", PcsPoint.LIMIT_RAMP_S, _SECONDS),
        "WMaxLim_Ena": limit.delayed(Setting(lambda: int(limited() > 0), set_limited, FLAG)),
        "WMaxLimPct_SF": -2,
        "OutPFSet_SF": -2,
    }


def model_124(device: Device) -> dict[str, Declaration]:
    """Basic storage controls. Below 0 a limit forces the other direction: OutWRte charging, InWRte discharging."""
    image = device.image
    limits, limits_s = _window(device, "124.InOutWRte")
    share = Range(-100, 100, "%")
    outgoing = device.setting("limit_discharge_w", PcsPoint.LIMIT_DISCHARGE_W, share, full=image.discharge_max_w)
    incoming = device.setting("limit_charge_w", PcsPoint.LIMIT_CHARGE_W, share, full=image.charge_max_w)
    return {
        "WChaMax": image.charge_max_w,
        "StorCtl_Mod": limits.delayed(device.setting("limit_enable", PcsPoint.LIMIT_ENABLE, OneOf(0, 1, 2, 3))),
        "MinRsvPct": 100.0 * image.soc_window[0],
        "ChaState": lambda: 100.0 * device.soc(),
        "InBatV": image.reader("dc_voltage_v"),
        "ChaSt": lambda: charge_status(device),
        "OutWRte": limits.delayed(outgoing),
        "InWRte": limits.delayed(incoming),
        "InOutWRte_WinTms": limits_s,
        "InOutWRte_RvrtTms": device.setting("limit_revert_s", PcsPoint.LIMIT_REVERT_S, _SECONDS),
        "InOutWRte_RmpTms": device.setting("limit_ramp_s", PcsPoint.LIMIT_RAMP_S, _SECONDS),
        "ChaGriSet": Setting(lambda: _GRID, lambda _: None, OneOf(_GRID), commands=0),
        "WChaMax_SF": scale_for(device.largest_w, 65_534),
        "WChaDisChaGra_SF": 0,
        "MinRsvPct_SF": -2,
        "ChaState_SF": -2,
        "InBatV_SF": -1,
        "InOutWRte_SF": -2,
    }
