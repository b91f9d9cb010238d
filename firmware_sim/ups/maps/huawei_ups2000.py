"""`huawei-ups2000`: registers of Huawei's UPS2000 series, as NUT's driver of that name reads and writes them.

Addresses, gains and alarm bits are those of NUT's protocol note and driver, after Huawei's EDOC1000110696. The device answers
a value at its address and, for its number 1, 10,000 above, an alarm 1,024 above. Built for 1 to 3 kVA: what is too large for a
register stands at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace

from firmware_sim.image import UpsMode, UpsPoint
from firmware_sim.modbus.bank import Table
from firmware_sim.registers.codec import Codec, Value, number
from firmware_sim.registers.point import FLAG, Live, OneOf, Point, Range
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.ups.battery_test import DEEP_S, QUICK_S
from firmware_sim.ups.panel import Kept, Panel, bits

_FUNCTIONS = frozenset((3, 6, 16))
_OF_DEVICE_1, _ALARMS_OF_DEVICE_1 = 10_000, 1_024
_BLOCKS = ((1000, 50), (2000, 34), (9009, 1))
_ALARMS = (40_156, 27)
_INVALID = 0x7FFF  # of a value with a gain; 0xFFFF of one without, and 0xFFFFFFFF of 32 bits
_MODEL, _FIRMWARE, _PROTOCOL = "UPS2000A", "V2R1C1SPC50", "P1.0-D1.0"
# What feeds the output, register 1024. A test of the battery is taken for "on battery": that is what feeds the output then.
_ROUTE = {
    UpsMode.OFF: 0,
    UpsMode.BYPASS: 1,
    UpsMode.NORMAL: 2,
    UpsMode.BATTERY: 3,
    UpsMode.TEST: 3,
    UpsMode.ECO: 5,
}
_RESTING, _CHARGING, _DISCHARGING = 2, 3, 5
_MINUTE_S = 60.0
_MOST_MINUTES = 99.0


def registers(panel: Panel) -> RegisterMap:
    """The map of one UPS."""
    points = [*_measured(panel), *_state(panel), *_commands(panel)]
    alarms = _alarms(panel)
    twice = [replace(point, address=point.address + _OF_DEVICE_1) for point in points]
    alarms_twice = [replace(point, address=point.address + _ALARMS_OF_DEVICE_1) for point in alarms]
    blocks = [(Table.HOLDING, first + more, count) for first, count in _BLOCKS for more in (0, _OF_DEVICE_1)]
    blocks += [(Table.HOLDING, _ALARMS[0] + more, _ALARMS[1]) for more in (0, _ALARMS_OF_DEVICE_1)]
    return panel.registers(
        [*points, *twice, *alarms, *alarms_twice], functions=_FUNCTIONS, identity=_identity(panel.serial), blocks=blocks
    )


def _identity(serial: str) -> dict[int, bytes]:
    """Objects 0x87, how many devices, and 0x88, which it is, and no others; the reply must fit NUT's buffer of 128 bytes."""
    which = f"1={_MODEL};2={_FIRMWARE};3={_PROTOCOL};4={serial};5=0;6=0"
    return {
        0x87: (1).to_bytes(4, "big"),
        0x88: which.encode("ascii", "replace")[:100],
    }


def _gained(gain: float) -> Codec:
    """A value times a gain; it steps around the mark of what is invalid."""
    plain = number("u16", 1.0 / gain)

    def encode(value: Value) -> bytes:
        registers = plain.encode(value)
        return (_INVALID - 1).to_bytes(2, "big") if int.from_bytes(registers, "big") == _INVALID else registers

    return Codec(1, encode, plain.decode, plain.form)


_TENTHS, _U16 = _gained(10.0), number("u16")
_KILO_TENTHS = _gained(0.01)  # kW and kVA times 10, of W and VA


def _measured(panel: Panel) -> list[Point]:
    of, image = panel.readings, panel.image
    return [
        Point("input voltage", 1000, _TENTHS, of.input_v, unit="V"),
        Point("input frequency", 1003, _TENTHS, of.input_hz, unit="Hz"),
        Point("bypass voltage", 1004, _TENTHS, of.input_v, unit="V"),
        Point("bypass frequency", 1007, _TENTHS, of.input_hz, unit="Hz"),
        Point("output voltage", 1008, _TENTHS, of.output_v, unit="V"),
        Point("output current", 1011, _TENTHS, of.output_a, unit="A"),
        Point("output frequency", 1014, _TENTHS, of.output_hz, unit="Hz"),
        Point("output active power", 1015, _KILO_TENTHS, of.output_w, unit="W"),
        Point("output apparent power", 1018, _KILO_TENTHS, of.output_va, unit="VA"),
        Point("output load", 1021, _TENTHS, of.load_percent, unit="%"),
        Point("UPS temperature", 1027, _TENTHS, of.battery_degc, unit="°C"),
        Point("battery voltage", 2000, _TENTHS, of.battery_v, unit="V"),
        Point("battery charge", 2003, _U16, of.charge_percent, unit="%"),
        Point("battery runtime", 2004, number("u32"), of.runtime_s, unit="s"),
        Point("battery packs", 2007, _U16, 1),
        Point("battery capacity", 2033, _U16, min(image.capacity_ah, 65_534.0), unit="Ah"),
        Point("nominal power", 9009, _KILO_TENTHS, image.rating_w, unit="VA"),
    ]


def _state(panel: Panel) -> list[Point]:
    of = panel.readings

    def battery() -> int:
        return _DISCHARGING if of.discharging() else _CHARGING if of.charging() else _RESTING

    return [
        Point("output route", 1024, _U16, lambda: _ROUTE[of.mode()]),
        Point("battery state", 2002, _U16, battery),
        Point("UPS flags", 1043, _U16, bits(None, None, panel.test.in_progress, None, None, None, of.low_battery)),
    ]


def _commands(panel: Panel) -> list[Point]:
    """Orders, which read 0, and settings, which read what was written."""
    switch, test, bypass = panel.switch, panel.test, panel.writer(UpsPoint.BYPASS)
    autostart, to_bypass, silent = Kept(1), Kept(), Kept()
    off_delay, start_delay, stay_off = Kept(), Kept(1), Kept()

    def load_on(_: float) -> None:
        switch.cancel()
        bypass(0.0)
        switch.turn_on()

    def load_off(_: float) -> None:
        switch.cancel()
        if to_bypass.value:
            bypass(1.0)
            switch.turn_on()
        else:
            switch.turn_off()

    def leave_bypass(value: float) -> None:
        to_bypass.write(value)
        if not value:
            bypass(0.0)

    def shut_down(minutes: float) -> None:
        off_delay.write(minutes)
        switch.cancel_on()
        switch.turn_off(_MINUTE_S * minutes, back_s=lambda: _MINUTE_S * start_delay.value if autostart.value else None)

    def shut_down_for_good(minutes: float) -> None:
        stay_off.write(minutes)
        switch.cancel_on()
        switch.turn_off(_MINUTE_S * minutes)

    minutes, whole = Range(0.0, _MOST_MINUTES, "min"), Range(0.0, _MOST_MINUTES, "min", whole=True)
    return [
        _order("load on", 1029, load_on, commands=2),
        _order("load off", 1030, load_off, commands=2),
        _order("deep battery test", 2021, lambda _: test.start(DEEP_S)),
        _order("stop the battery test", 2023, lambda _: test.stop()),
        _order("quick battery test", 2028, lambda _: test.start(QUICK_S)),
        Point("autostart", 1044, _U16, autostart.read, autostart.write, FLAG, commands=0),
        Point("bypass while off", 1045, _U16, to_bypass.read, leave_bypass, FLAG),
        Point("beeper disabled", 1046, _U16, silent.read, silent.write, FLAG, commands=0),
        Point("shutdown delay", 1047, _TENTHS, off_delay.read, shut_down, minutes, unit="min"),
        Point("start delay", 1048, _U16, start_delay.read, start_delay.write, whole, unit="min", commands=0),
        Point("shutdown delay, stays off", 1049, _TENTHS, stay_off.read, shut_down_for_good, minutes, unit="min"),
    ]


def _order(name: str, address: int, act: Callable[[float], None], *, commands: int = 1) -> Point:
    only: Container[object] = OneOf(1)
    return Point(name, address, _U16, 0, act, only, commands=commands)


def _alarms(panel: Panel) -> list[Point]:
    """Words of alarm bits; those of what is not emulated are never set."""
    of = panel.readings
    bypass = bits(None, lambda: not of.bypass_voltage_ok(), lambda: not of.bypass_frequency_ok())
    battery = bits(None, panel.test.failed, None, of.low_battery)
    words: dict[int, Live] = {
        40_156: bits(None, None, None, of.too_hot),  # internal over-temperature
        40_161: bypass,  # abnormal bypass: 1 voltage, 2 frequency
        40_164: battery,  # 1 needs maintenance, 3 undervoltage
        40_173: bits(None, None, None, of.overload),  # output overload, 110 % to 130 %
        40_180: bits(*(None,) * 6, of.fault),  # inverter fault
    }
    return [Point(f"alarms {address}", address, _U16, word) for address, word in words.items()]
