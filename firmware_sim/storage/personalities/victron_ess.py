"""Victron ESS behind a GX device: mode 3, in which the set-point of the AC side lasts until a time-out, then passes through.

Units: 100 is the system, 227 the VE.Bus inverter of a Cerbo. Source of addresses and values: attributes.csv and unitid2di.csv
of victronenergy/dbus_modbustcp. The time-out is documented as 60 s; users report about 10 s (openWB/core issue 3355): it is a
parameter (`Nameplate.watchdog_s`). Positive set-points import, that is: they charge.
"""

from __future__ import annotations

from functools import partial

from firmware_sim.image import PcsPoint
from firmware_sim.registers.codec import number
from firmware_sim.registers.point import FLAG, OneOf, Point, Range
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.storage.device import Device, RemoteControl, charging
from firmware_sim.storage.models.charging import CHARGING, DISCHARGING, charge_status
from firmware_sim.storage.personalities.personality import Personality, Watchdog, register_map

WITH_COMPENSATION, WITHOUT_COMPENSATION, EXTERNAL = 1, 2, 3  # 2902, Hub4Mode; 3 is "mode 3"
ON, OFF = 3, 4  # of 33, the switch
_PHASES = 3
_I16 = 32_767.0


class _Ess:
    """What the GX device sends to the inverter: the grid's set-point, or in mode 3 those of the phases."""

    def __init__(self, device: Device, timeout_s: float) -> None:
        self._device = device
        self._control = RemoteControl(device)
        self._timeout_s = timeout_s
        self._mode: float = WITH_COMPENSATION
        self._grid_w = 0.0
        self._phases_w = [0.0] * _PHASES

    def mode(self) -> float:
        return self._mode

    def set_mode(self, mode: float) -> None:
        if mode == self._mode == EXTERNAL:  # said once more: the set-points go on
            return
        self._mode = mode
        self._phases_w = [0.0] * _PHASES
        if mode == EXTERNAL:
            self._control.release()
        else:
            self._control.power(-self._grid_w, timeout_s=0)

    def grid_w(self) -> float:
        return self._grid_w

    def set_grid(self, value: float) -> None:
        self._grid_w = value
        if self._mode != EXTERNAL:
            self._control.power(-value, timeout_s=0)

    def phase_w(self, phase: int) -> float:
        return self._phases_w[phase] if self._mode == EXTERNAL and self._control.active() else 0.0

    def set_phase(self, phase: int, value: float) -> None:
        if self._mode != EXTERNAL:
            return
        if not self._control.active():
            self._phases_w = [0.0] * _PHASES
        self._phases_w[phase] = value
        self._control.power(-sum(self._phases_w), self._timeout_s)


def _system(device: Device, ess: _Ess) -> RegisterMap:
    image, every = device.image, RemoteControl.COMMANDS
    u16, i16, i32 = number("u16"), number("i16"), number("i32")
    modes, grid = OneOf(WITH_COMPENSATION, WITHOUT_COMPENSATION, EXTERNAL), device.power_range
    narrow = Range(max(grid.least, -_I16), min(grid.most, _I16), "W")

    def state() -> int:
        return {CHARGING: 1, DISCHARGING: 2}.get(charge_status(device), 0)

    return register_map(
        device,
        VICTRON_ESS,
        Point("battery voltage", 840, number("u16", 0.1), image.reader("dc_voltage_v"), unit="V"),
        Point("battery current", 841, number("i16", 0.1), charging(image.reader("dc_current_a")), unit="A", sign="charges"),
        Point("battery power", 842, i16, charging(image.reader("dc_power_w")), unit="W", sign="charges"),
        Point("battery state of charge", 843, u16, lambda: 100.0 * device.soc(), unit="%"),
        Point("battery state", 844, u16, state),
        Point("grid set-point", 2700, i16, ess.grid_w, ess.set_grid, narrow, unit="W", sign="imports", commands=every),
        Point("grid set-point, volatile", 2716, i32, ess.grid_w, ess.set_grid, grid, unit="W", sign="imports", commands=every),
        Point("ESS mode", 2902, u16, ess.mode, ess.set_mode, modes, commands=every),
        alias=True,
    )


def _inverter(device: Device, ess: _Ess) -> RegisterMap:
    i16, i32, u16, every = number("i16"), number("i32"), number("u16"), RemoteControl.COMMANDS
    wide = device.power_range
    narrow = Range(max(wide.least, -_I16), min(wide.most, _I16), "W")
    operation = device.accepted.reader("operation", PcsPoint.OPERATION)
    limited = device.accepted.reader("limit_enable", PcsPoint.LIMIT_ENABLE)

    def disabled(bit: int, limit: PcsPoint, name: str, address: int) -> Point:
        def write(value: float) -> None:
            device.command(limit, 0)
            device.command(PcsPoint.LIMIT_ENABLE, int(limited()) & ~bit | (bit if value else 0))

        return Point(name, address, u16, lambda: int(limited()) & bit != 0, write, FLAG, commands=2)

    points = [
        Point(
            "switch", 33, u16, lambda: ON if operation() else OFF,
            lambda value: device.command(PcsPoint.OPERATION, value == ON), OneOf(ON, OFF),
        ),
        disabled(1, PcsPoint.LIMIT_CHARGE_W, "disable charge", 38),
        disabled(2, PcsPoint.LIMIT_DISCHARGE_W, "disable feed-in", 39),
    ]  # fmt: skip
    for phase, (short, long) in enumerate(((37, 96), (40, 98), (41, 100))):
        read, write = partial(ess.phase_w, phase), partial(ess.set_phase, phase)
        for address, codec, allowed in ((short, i16, narrow), (long, i32, wide)):
            name = f"AC power set-point L{phase + 1} ({16 * codec.size} bits)"
            points.append(Point(name, address, codec, read, write, allowed, unit="W", sign="charges", commands=every))
    return register_map(device, VICTRON_ESS, *points, alias=True)


def _maps(device: Device) -> list[RegisterMap]:
    ess = _Ess(device, VICTRON_ESS.timeout_s(device))
    return [_system(device, ess), _inverter(device, ess)]


VICTRON_ESS = Personality(
    name="victron-ess",
    device="Victron ESS on a GX device",
    setpoint="AC power set-points L1 to L3 (unit 227: 37, 40, 41), above 0 charges; in mode 3 alone (unit 100: 2902)",
    maps=_maps,
    watchdog=Watchdog(60, "", ("AC power set-point of any phase",), "passes through: 0 W, the set-points read 0"),
    unit_ids=(100, 227),
    assumed=(
        "that the set-points read 0 then. Outside mode 3 the device adds the negative of the grid's set-point to its own law, "
        "which holds the grid at 0 W or does not; positions 1 and 2 of the switch are refused"
    ),
)
