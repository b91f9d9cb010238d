"""Sungrow SH hybrid inverters: forced charging and discharging by command words; no watchdog.

Addresses on the wire, which are those of the vendor's document less 1; 32-bit values low word first. Source of addresses and
values: protocol TI_20240924 V1.1.5, as the configurations of Home Assistant and evcc use it.
"""

from __future__ import annotations

from firmware_sim.image import PcsCondition
from firmware_sim.modbus.bank import Table
from firmware_sim.registers.codec import number
from firmware_sim.registers.point import OneOf, Point, Range
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.storage.device import Device, RemoteControl
from firmware_sim.storage.personalities.personality import Personality, register_map

SELF_CONSUMPTION, FORCED = 0, 2
CHARGE, DISCHARGE, STOP = 0xAA, 0xBB, 0xCC
_STATES = {
    PcsCondition.OFF: 0x0002,
    PcsCondition.STARTING: 0x0020,
    PcsCondition.STANDBY: 0x0008,
    PcsCondition.RUNNING: 0x0040,
    PcsCondition.STOPPING: 0x0040,
    PcsCondition.FAULT: 0x0100,
}
_MOST_W = 65_535.0  # of one register


class _Forced:
    """EMS mode, command word and power: three registers, written in any order, that make one set-point."""

    def __init__(self, device: Device) -> None:
        self._control = RemoteControl(device)
        self._command, self._power_w = float(STOP), 0.0

    def mode(self) -> float:
        return FORCED if self._control.active() else SELF_CONSUMPTION

    def command(self) -> float:
        return self._command

    def power_w(self) -> float:
        return self._power_w

    def set_mode(self, value: float) -> None:
        if value == FORCED:
            self._order()
        else:
            self._control.release()

    def set_command(self, value: float) -> None:
        self._command = value
        if self._control.active():
            self._order()

    def set_power(self, value: float) -> None:
        self._power_w = value
        if self._control.active():
            self._order()

    def _order(self) -> None:
        sign = {CHARGE: -1.0, DISCHARGE: 1.0}.get(int(self._command), 0.0)
        self._control.power(sign * self._power_w, timeout_s=0)


def _maps(device: Device) -> list[RegisterMap]:
    image, forced, every = device.image, _Forced(device), RemoteControl.COMMANDS
    u16, s32, tens = number("u16"), number("i32", little_words=True), number("u16", 10.0)
    power = Range(0.0, min(image.charge_max_w, image.discharge_max_w, _MOST_W), "W")
    commands = OneOf(CHARGE, DISCHARGE, STOP)
    shown, positive = Table.INPUT, "discharges"
    return [
        register_map(
            device,
            SUNGROW_SH,
            Point("battery power", 5213, s32, image.reader("power_w"), table=shown, unit="W", sign=positive),
            Point("system state", 12999, u16, lambda: _STATES[PcsCondition(int(device.condition()))], table=shown),
            Point("battery level", 13022, number("u16", 0.1), lambda: 100.0 * device.soc(), table=shown, unit="%"),
            Point("EMS mode", 13049, u16, forced.mode, forced.set_mode, OneOf(SELF_CONSUMPTION, FORCED), commands=every),
            Point("command", 13050, u16, forced.command, forced.set_command, commands, commands=every),
            Point("power", 13051, u16, forced.power_w, forced.set_power, power, unit="W", commands=every),
            Point("most charging power", 33046, tens, image.charge_max_w, unit="W"),
            Point("most discharging power", 33047, tens, image.discharge_max_w, unit="W"),
        )
    ]


SUNGROW_SH = Personality(
    name="sungrow-sh",
    device="Sungrow SH hybrid inverter",
    setpoint="power (13051), its sign by the command word (13050)",
    maps=_maps,
    watchdog=None,
    little_words=True,
    assumed="the codes of the system state. EMS modes 3 (external) and 4 (VPP), with their heartbeat, are refused",
)
