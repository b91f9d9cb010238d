"""SMA Sunny Island and storage inverters: a set-point that is written again and again, or the device goes back to itself.

Values big-endian, NaN 0x80000000 (S32) and 0xFFFFFFFF (U32). Source of addresses and values: SMA's Modbus tables as OpenEMS
(EssSmaSunnyIsland) and evcc (sma-si-modbus, a cycle of less than 60 s) use them.
"""

from __future__ import annotations

from firmware_sim.image import PcsPoint
from firmware_sim.registers.codec import number
from firmware_sim.registers.point import OneOf, Point, Range
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.storage.device import Device, RemoteControl
from firmware_sim.storage.personalities.personality import Personality, Watchdog, register_map

ACTIVE, INACTIVE = 802, 803  # of 40151
_NAN_S32, _NAN_U32 = -0x8000_0000, 0xFFFF_FFFF


class _External:
    """The set-point, which counts while the control by communication is active."""

    def __init__(self, device: Device, timeout_s: float) -> None:
        self._control = RemoteControl(device)
        self._timeout_s = timeout_s
        self._set_w = 0.0

    def mode(self) -> float:
        return ACTIVE if self._control.active() else INACTIVE

    def power_w(self) -> float:
        return self._control.set_w() if self._control.active() else self._set_w

    def set_mode(self, value: float) -> None:
        if value == ACTIVE:
            self._control.power(self.power_w(), self._timeout_s)
        else:
            self._control.release()
        self._set_w = 0.0

    def set_power(self, value: float) -> None:
        if self._control.active():
            self._control.power(value, self._timeout_s)
        else:
            self._set_w = value


def _maps(device: Device) -> list[RegisterMap]:
    image, external = device.image, _External(device, SMA_CYCLIC.timeout_s(device))
    s32, u32 = number("i32", missing=_NAN_S32), number("u32", missing=_NAN_U32)
    every = RemoteControl.COMMANDS
    reactive = device.setting("set_var", PcsPoint.SET_VAR, Range(-image.rating_va, image.rating_va, "var"))
    points = [
        Point("maximum apparent power", 30231, u32, image.rating_va, unit="VA"),
        Point("metering energy", 30513, number("u64", missing=(1 << 64) - 1), unit="Wh"),
        Point("active power", 30775, s32, image.reader("power_w"), unit="W", sign="discharges"),
        Point(
            "grid frequency",
            30803,
            number("u32", 0.01, missing=_NAN_U32),
            image.reader("pcc.frequency_measured_hz"),
            unit="Hz",
        ),
        Point("battery state of charge", 30845, u32, lambda: 100.0 * device.soc(), unit="%"),
        Point(
            "active power set-point",
            40149,
            s32,
            external.power_w,
            external.set_power,
            device.power_range,
            unit="W",
            sign="discharges",
            commands=every,
        ),
        Point(
            "control by communication", 40151, u32, external.mode, external.set_mode, OneOf(ACTIVE, INACTIVE), commands=every
        ),
        Point("reactive power set-point", 40153, s32, reactive.read, reactive.write, reactive.allowed, unit="var"),
        Point("maximum charging power", 40189, u32, image.charge_max_w, unit="W"),
        Point("maximum discharging power", 40191, u32, image.discharge_max_w, unit="W"),
    ]
    return [register_map(device, SMA_CYCLIC, *points, alias=True)]


SMA_CYCLIC = Personality(
    name="sma-cyclic",
    device="SMA Sunny Island, cyclic set-point",
    setpoint="active power set-point (40149), below 0 charges",
    maps=_maps,
    watchdog=Watchdog(
        60, "", ("active power set-point", "control by communication"), "its own control (40151 reads 803), without a word"
    ),
    unit_ids=(3,),
    functions=frozenset((3, 4, 16)),
    assumed="that 40151 shows the end, and the set-point starts from 0 W again; 40153 is held and not followed",
)
