"""FoxESS H3: remote control with a time-out that is a register, and a work mode that it falls back to.

Source of addresses and values: FoxESS's H3 registers as evcc (fox-ess-h3) uses them, which writes every 30 s for a time-out of
60 s.
"""

from __future__ import annotations

from firmware_sim.registers.codec import number
from firmware_sim.registers.point import FLAG, OneOf, Point, Range
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.storage.device import Device, RemoteControl
from firmware_sim.storage.personalities.personality import Personality, Watchdog, register_map

SELF_USE, FEED_IN, BACKUP = 0, 1, 2  # of 41000


class _Remote:
    """Enable, time-out and power; and the work mode, which is what the device does by itself."""

    def __init__(self, device: Device, timeout_s: float) -> None:
        self._control = RemoteControl(device)
        self._timeout_s = timeout_s
        self._set_w = 0.0
        self._work_mode: float = SELF_USE

    def enabled(self) -> float:
        return self._control.active()

    def timeout_s(self) -> float:
        return self._timeout_s

    def power_w(self) -> float:
        return self._control.set_w() if self._control.active() else self._set_w

    def work_mode(self) -> float:
        return self._work_mode

    def enable(self, value: float) -> None:
        if value:
            self._control.power(self.power_w(), self._timeout_s)
        else:
            self._control.release()
        self._set_w = 0.0

    def set_timeout(self, value: float) -> None:
        self._timeout_s = value
        if self._control.active():
            self._control.refresh(value)

    def set_power(self, value: float) -> None:
        if self._control.active():
            self._control.power(value, self._timeout_s)
        else:
            self._set_w = value

    def set_work_mode(self, value: float) -> None:
        self._work_mode = value


def _maps(device: Device) -> list[RegisterMap]:
    image, remote, every = device.image, _Remote(device, FOXESS_H3.timeout_s(device)), RemoteControl.COMMANDS
    u16, i32, seconds = number("u16"), number("i32"), Range(0, 65_535, "s")
    least, most = image.soc_window
    power = device.power_range
    points = [
        Point("work mode", 41000, u16, remote.work_mode, remote.set_work_mode, OneOf(SELF_USE, FEED_IN, BACKUP), commands=0),
        Point("least state of charge", 41009, u16, 100.0 * least, unit="%"),
        Point("most state of charge", 41010, u16, 100.0 * most, unit="%"),
        Point("remote enable", 44000, u16, remote.enabled, remote.enable, FLAG, commands=every),
        Point("remote timeout", 44001, u16, remote.timeout_s, remote.set_timeout, seconds, unit="s", commands=every),
        Point(
            "remote power", 44002, i32, remote.power_w, remote.set_power, power, unit="W", sign="discharges", commands=every
        ),
    ]
    return [register_map(device, FOXESS_H3, *points)]


FOXESS_H3 = Personality(
    name="foxess-h3",
    device="FoxESS H3",
    setpoint="remote power (44002), below 0 charges",
    maps=_maps,
    watchdog=Watchdog(
        60,
        "remote timeout (44001)",
        ("remote enable", "remote timeout", "remote power"),
        "its work mode (41000); 44000 reads 0",
    ),
    unit_ids=(247,),
    assumed=(
        "the default of the time-out; that 44000 shows its end, and the set-point starts from 0 W again; "
        "that each work mode is its own control. No measurements"
    ),
)
