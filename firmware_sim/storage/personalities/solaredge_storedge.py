"""SolarEdge StorEdge: remote control by command modes, with a time-out to a default mode; one client at a time.

32-bit values low word first. Source of addresses and values: the registers at 0xE004 and 0xE100 as solaredge-modbus-multi uses
them; the reversion at the time-out is its issue 872. The inverter here has no PV: a mode that charges from PV alone gives 0 W.
"""

from __future__ import annotations

from firmware_sim.registers.codec import number
from firmware_sim.registers.point import OneOf, Point, Range
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.storage.device import MOST_SECONDS, Device, RemoteControl, charging
from firmware_sim.storage.personalities.personality import Personality, Watchdog, register_map

REMOTE = 4  # of 0xE004, the control mode: 0 disabled, 1 self-consumption, 2 time of use, 3 backup only
OFF, CLIPPED, FROM_PV, FROM_PV_AND_GRID, MOST_EXPORT, LEAST_IMPORT, SELF_CONSUMPTION = 0, 1, 2, 3, 4, 5, 7
_MODES = OneOf(OFF, CLIPPED, FROM_PV, FROM_PV_AND_GRID, MOST_EXPORT, LEAST_IMPORT, SELF_CONSUMPTION)
_CONTROLS = OneOf(0, 1, 2, 3, REMOTE)


class _Remote:
    """Control mode, command mode and limits, which together make a set-point."""

    def __init__(self, device: Device, timeout_s: float) -> None:
        image = device.image
        self._control = RemoteControl(device)
        self._reversions = image.firmware_reader("reversions")
        self._reversions_before = 0.0  # at the last write that has restarted the time-out
        self.held: dict[str, float] = {
            "control mode": 1,
            "AC charge policy": 1,
            "default mode": SELF_CONSUMPTION,
            "command timeout": timeout_s,
            "command mode": SELF_CONSUMPTION,
            "charge limit": image.charge_max_w,
            "discharge limit": image.discharge_max_w,
        }

    def point(self, name: str, address: int, codec: object, allowed: object, unit: str = "") -> Point:
        """A register of what is held; each write gives the firmware the set-point that all of them make."""

        def write(value: float) -> None:
            self.held[name] = value
            self._order(restarts=name not in ("default mode", "AC charge policy"))

        return Point(
            name, address, codec, lambda: self.held[name], write, allowed, unit=unit,  # type: ignore[arg-type]
            commands=RemoteControl.COMMANDS,
        )  # fmt: skip

    def _power_w(self, mode: float) -> float:
        if mode == FROM_PV_AND_GRID:
            return -self.held["charge limit"]
        return self.held["discharge limit"] if mode == MOST_EXPORT else 0.0

    def _order(self, *, restarts: bool) -> None:
        if self.held["control mode"] != REMOTE:
            self._control.release()
            return
        fallback = self._power_w(self.held["default mode"]) or None
        timeout_s = self.held["command timeout"]
        if restarts:
            self._reversions_before = self._reversions()
        elif not self._control.active() or self._reversions() != self._reversions_before:  # the command mode is over
            if fallback is None:
                self._control.release()
            else:
                self._control.power(fallback, timeout_s, fallback, restarts=False)
            return
        self._control.power(self._power_w(self.held["command mode"]), timeout_s, fallback, restarts=restarts)


def _maps(device: Device) -> list[RegisterMap]:
    image = device.image
    remote = _Remote(device, SOLAREDGE_STOREDGE.timeout_s(device))
    u16, u32, f32 = number("u16"), number("u32", little_words=True), number("f32", little_words=True)
    charge, discharge = Range(0, image.charge_max_w, "W"), Range(0, image.discharge_max_w, "W")
    points = [
        remote.point("control mode", 0xE004, u16, _CONTROLS),
        remote.point("AC charge policy", 0xE005, u16, OneOf(0, 1, 2, 3)),
        remote.point("default mode", 0xE00A, u16, _MODES),
        remote.point("command timeout", 0xE00B, u32, Range(0, MOST_SECONDS, "s"), "s"),
        remote.point("command mode", 0xE00D, u16, _MODES),
        remote.point("charge limit", 0xE00E, f32, charge, "W"),
        remote.point("discharge limit", 0xE010, f32, discharge, "W"),
        Point("battery rated energy", 0xE142, f32, image.energy_wh, unit="Wh"),
        Point("battery charging power", 0xE144, f32, image.charge_max_w, unit="W"),
        Point("battery discharging power", 0xE146, f32, image.discharge_max_w, unit="W"),
        Point("battery voltage", 0xE170, f32, image.reader("dc_voltage_v"), unit="V"),
        Point("battery current", 0xE172, f32, charging(image.reader("dc_current_a")), unit="A", sign="charges"),
        Point("battery power", 0xE174, f32, charging(image.reader("dc_power_w")), unit="W", sign="charges"),
        Point("battery state of energy", 0xE184, f32, lambda: 100.0 * device.soc(), unit="%"),
    ]
    return [register_map(device, SOLAREDGE_STOREDGE, *points)]


SOLAREDGE_STOREDGE = Personality(
    name="solaredge-storedge",
    device="SolarEdge StorEdge",
    setpoint="command mode 3 charges with the charge limit, 4 discharges with the discharge limit (0xE00D to 0xE010)",
    maps=_maps,
    watchdog=Watchdog(
        3600,
        "command timeout (0xE00B)",
        ("command timeout", "command mode", "charge limit", "discharge limit", "control mode"),
        "the default mode (0xE00A); the command mode still reads what was written",
    ),
    port=1502,
    little_words=True,
    most_connections=1,
    assumed="which writes restart the time-out; that one of 0 never ends; that the default mode has the same limits",
)
