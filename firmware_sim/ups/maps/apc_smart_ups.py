"""`apc-smart-ups`: registers of APC's Smart-UPS, as NUT's `apc_modbus` sees them (Schneider 990-9840, MPAO-98KJ7F).

Numbers are binary fractions, 32 bits have the high word first. There is one group of outlets, the main one. Dates and the
energy counter are not emulated and read 0. Built for kVA: what is too large for a register stands at its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from firmware_sim.image import UpsMode, UpsPoint
from firmware_sim.modbus.bank import Table
from firmware_sim.registers.codec import Codec, number, string
from firmware_sim.registers.point import Live, OneOf, Point, Range
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.ups.battery_test import DEEP_S, QUICK_S
from firmware_sim.ups.panel import MODEL, VERSION, Kept, Panel, bits

_FUNCTIONS = frozenset((3, 16))
_BLOCKS = ((0, 27), (128, 44), (516, 120), (1026, 22), (1536, 8))
_U16, _U32 = number("u16"), number("u32")
_NOT_ACTIVE = -1.0
# Causes of the last change of state, register 2.
_INITIALIZATION, _LOW_INPUT_VOLTAGE, _ACCEPTABLE_INPUT, _PROTOCOL_COMMAND = 0, 2, 8, 12
# Efficiency that is none, register 154.
_OUTPUT_OFF, _ON_BATTERY, _IN_BYPASS, _BATTERY_CHARGING = -3, -4, -5, -6
# Bits of OutletCommand, register 1538.
_CANCEL, _ON, _OFF, _SHUTDOWN, _REBOOT = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4
_COLD_BOOT, _USE_ON_DELAY, _USE_OFF_DELAY, _MAIN_GROUP, _OTHER_GROUPS = 1 << 5, 1 << 6, 1 << 7, 1 << 8, 0b1110 << 8
_ORDERS = _CANCEL | _ON | _OFF | _SHUTDOWN | _REBOOT
# Of UPSCommand, register 1536; of tests, 1541 and 1542.
_INTO_BYPASS, _OUT_OF_BYPASS, _CLEAR_FAULTS = 1 << 4, 1 << 5, 1 << 9
_START, _ABORT = 1, 2
_STAY_OFF_S = 8.0  # assumed, like the other delays, which are 0
_MOST_DELAY_S, _MOST_STAY_OFF_S = 32_767.0, 604_800.0  # what the register holds; a week, assumed


def registers(panel: Panel) -> RegisterMap:
    """The map of one UPS."""
    points = [*_status(panel), *_dynamic(panel), *_inventory(panel), *_outlets(panel), *_commands(panel)]
    blocks = [(Table.HOLDING, first, count) for first, count in _BLOCKS]
    return panel.registers(points, functions=_FUNCTIONS, blocks=blocks)


def _fraction(places: int, *, signed: bool = False) -> Codec:
    return number("i16" if signed else "u16", 2.0**-places)


def _status(panel: Panel) -> list[Point]:
    of, switch, test = panel.readings, panel.switch, panel.test

    def cause() -> int:
        if of.off() and of.off_as_ordered():
            return _PROTOCOL_COMMAND
        if of.without_line():
            return _LOW_INPUT_VOLTAGE
        return _INITIALIZATION if of.transfers() == 0 else _ACCEPTABLE_INPUT

    def waits_for_line() -> bool:
        return switch.on_in_s() == 0.0

    states = bits(
        None,
        lambda: of.mode() in (UpsMode.NORMAL, UpsMode.ECO),
        of.on_battery,
        of.on_bypass,
        of.off,
        of.fault,
        lambda: not of.line_ok(),
        test.in_progress,
        *(None,) * 5,
        lambda: of.mode() == UpsMode.ECO,
        *(None,) * 7,
        of.overload,
    )
    outlets = bits(
        lambda: not of.off(),
        of.off,
        *(None,) * 6,
        lambda: bool(switch.on_in_s()),
        lambda: switch.off_in_s() is not None,
        waits_for_line,
        *(None,) * 3,
        of.low_battery,
    )
    return [
        Point("UPSStatus_BF", 0, _U32, states),
        Point("UPSStatusChangeCause_EN", 2, _U16, cause),
        Point("MOG.OutletStatus_BF", 3, _U32, outlets),
        Point("SimpleSignalingStatus_BF", 18, _U16, bits(of.without_line, of.low_battery)),
        Point("PowerSystemError_BF", 20, _U32, bits(of.overload)),
        Point("BatterySystemError_BF", 22, _U16, bits(None, None, test.failed, of.too_hot)),
        Point(
            "ReplaceBatteryTestStatus_BF", 23, _U16, bits(None, test.in_progress, test.passed, test.failed, None, test.aborted)
        ),
        Point("RunTimeCalibrationStatus_BF", 24, _U16, 0),
    ]


def _dynamic(panel: Panel) -> list[Point]:
    of, switch = panel.readings, panel.switch

    def efficiency() -> float:
        if of.off():
            return _code(_OUTPUT_OFF)
        if of.on_battery():
            return _code(_ON_BATTERY)
        if of.on_bypass():
            return _code(_IN_BYPASS)
        if of.charging() or of.input_w() <= 0.0:
            return _code(_BATTERY_CHARGING)
        return 100.0 * of.output_w() / of.input_w()

    def apparent_percent() -> float:
        return 100.0 * of.output_va() / of.image.rating_w

    low_pu, high_pu = of.image.input_window_pu
    inputs = bits(
        of.line_ok,
        None,
        lambda: of.lowest_pu() < low_pu,
        lambda: of.highest_pu() > high_pu,
    )
    return [
        Point("RunTimeRemaining", 128, _U32, of.runtime_s, unit="s"),
        Point("StateOfCharge_Pct", 130, _fraction(9), of.charge_percent, unit="%"),
        Point("Battery.Positive.VoltageDC", 131, _fraction(5, signed=True), of.battery_v, unit="V"),
        Point("Battery.Temperature", 135, _fraction(7, signed=True), of.battery_degc, unit="°C"),
        Point("Output[0].RealPower_Pct", 136, _fraction(8), of.load_percent, unit="%"),
        Point("Output[0].ApparentPower_Pct", 138, _fraction(8), apparent_percent, unit="%"),
        Point("Output[0].CurrentAC", 140, _fraction(5), of.output_a, unit="A"),
        Point("Output[0].VoltageAC", 142, _fraction(6), of.output_v, unit="V"),
        Point("Output.Frequency", 144, _fraction(7), of.output_hz, unit="Hz"),
        Point("InputStatus_BF", 150, _U16, inputs),
        Point("Input[0].VoltageAC", 151, _fraction(6), of.input_v, unit="V"),
        Point("Efficiency_EN", 154, _fraction(7, signed=True), efficiency, unit="%"),
        Point("MOG.TurnOffCountdown", 155, number("i16"), _left(switch.off_in_s), unit="s"),
        Point("MOG.TurnOnCountdown", 156, number("i16"), _left(switch.on_in_s), unit="s"),
        Point("MOG.StayOffCountdown", 157, number("i32"), _left(switch.on_in_s), unit="s"),
    ]


def _code(count: int) -> float:
    """A count that stands for itself where a fraction of 128 is read."""
    return count / 128.0


def _left(read: Callable[[], float | None]) -> Live:
    return lambda: _NOT_ACTIVE if (value := read()) is None else value


def _inventory(panel: Panel) -> list[Point]:
    image = panel.image
    return [
        Point("FWVersion_STR", 516, string(8), VERSION),
        Point("Model_STR", 532, string(16), MODEL),
        Point("SerialNumber_STR", 564, string(8), panel.serial),
        Point("Output.ApparentPowerRating", 588, _U16, image.rating_w, unit="VA"),
        Point("Output.RealPowerRating", 589, _U16, image.rating_w, unit="W"),
        Point("SOGRelayConfigSetting_BF", 590, _U16, 1),
        Point("Name_STR", 596, string(8), panel.serial),
        Point("MOG.Name_STR", 604, string(8), "main"),
    ]


@dataclass(frozen=True, slots=True)
class _OutletOrder:
    """What OutletCommand takes: one order, for the main group."""

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, (int, float)):
            return False
        word = int(value)
        return (word & _ORDERS).bit_count() == 1 and not word & _OTHER_GROUPS

    def __str__(self) -> str:
        return "one of cancel, on, off, shutdown, reboot, for the main group of outlets"


def _outlets(panel: Panel) -> list[Point]:
    """Delays of the main group, which orders use, and the orders."""
    image, switch = panel.image, panel.switch
    phase_v = image.nominal_voltage_v / 3.0**0.5
    low_v, high_v = (phase_v * limit for limit in image.input_window_pu)
    off_delay, on_delay, stay_off = Kept(), Kept(), Kept(_STAY_OFF_S)

    def back_s() -> float:
        return stay_off.value + on_delay.value

    def order(value: float) -> None:
        word = int(value)
        after_s = off_delay.value if word & _USE_OFF_DELAY else 0.0
        switch.cancel()
        if word & _ON:
            switch.turn_on(on_delay.value if word & _USE_ON_DELAY else 0.0)
        elif word & _OFF:
            switch.turn_off(after_s)
        elif word & (_SHUTDOWN | _REBOOT):
            switch.turn_off(after_s, back_s=back_s, with_line=not word & _COLD_BOOT)

    delay, long = Range(0.0, _MOST_DELAY_S, "s"), Range(0.0, _MOST_STAY_OFF_S, "s")
    return [
        Point("AllowedOperatingModeSetting.High", 1026, _U16, high_v, unit="V"),
        Point("AllowedOperatingModeSetting.Low", 1027, _U16, low_v, unit="V"),
        Point(
            "MOG.TurnOffCountdownSetting", 1029, number("i16"), off_delay.read, off_delay.write, delay, unit="s", commands=0
        ),
        Point("MOG.TurnOnCountdownSetting", 1030, number("i16"), on_delay.read, on_delay.write, delay, unit="s", commands=0),
        Point("MOG.StayOffCountdownSetting", 1031, number("i32"), stay_off.read, stay_off.write, long, unit="s", commands=0),
        Point("OutletCommand_BF", 1538, _U32, 0, order, _OutletOrder()),
    ]


def _commands(panel: Panel) -> list[Point]:
    test, bypass, reset = panel.test, panel.writer(UpsPoint.BYPASS), panel.writer(UpsPoint.RESET)

    def command(value: float) -> None:
        if value == _CLEAR_FAULTS:
            reset(1.0)
        else:
            bypass(1.0 if value == _INTO_BYPASS else 0.0)

    def order(duration_s: float) -> Callable[[float], None]:
        return lambda value: test.start(duration_s) if value == _START else test.stop()

    return [
        Point("UPSCommand_BF", 1536, _U32, 0, command, OneOf(_INTO_BYPASS, _OUT_OF_BYPASS, _CLEAR_FAULTS)),
        Point("ReplaceBatteryTestCommand_BF", 1541, _U16, 0, order(QUICK_S), OneOf(_START, _ABORT)),
        Point("RunTimeCalibrationCommand_BF", 1542, _U16, 0, order(DEEP_S), OneOf(_START, _ABORT)),
        Point("UserInterfaceCommand_BF", 1543, _U16, 0, lambda _: None, OneOf(1, 2, 4, 8), commands=0),
    ]
