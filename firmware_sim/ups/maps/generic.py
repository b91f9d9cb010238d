"""`generic`: the objects of RFC 1628 as holding registers, where a ManageUPS adapter has them, and more beyond 0x100.

Up to 0x058 addresses, scales and units are those of Chloride's ManageUPS User's Guide 913-623 Rev A, appendix E; its pages on
the output and on true input power follow from the numbering of the pages around them. From 0x100 on the layout is ours: groups
6 to 9 of RFC 1628, the firmware's own states and settings, and 32-bit values for what 16 bits cannot hold.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from firmware_sim.image import UpsMode, UpsPoint
from firmware_sim.modbus.bank import Table
from firmware_sim.registers.codec import number
from firmware_sim.registers.point import FLAG, Live, OneOf, Point, Range
from firmware_sim.registers.register_map import RegisterMap
from firmware_sim.ups.battery_test import DEEP_S, QUICK_S
from firmware_sim.ups.panel import MANUFACTURER, MODEL, VERSION, Kept, Panel, bits, inputs
from firmware_sim.ups.readings import Readings

# RFC 1628, upsOutputSource (4.4.1) and upsBatteryStatus (4.2.1).
_NONE, _NORMAL, _BYPASS, _BATTERY = 2, 3, 4, 5
_SOURCE = {
    UpsMode.OFF: _NONE,
    UpsMode.BYPASS: _BYPASS,
    UpsMode.NORMAL: _NORMAL,
    UpsMode.BATTERY: _BATTERY,
    UpsMode.ECO: _BYPASS,
    UpsMode.TEST: _BATTERY,
}
_BATTERY_NORMAL, _BATTERY_LOW, _BATTERY_DEPLETED = 2, 3, 4

_U16, _TENTHS, _KILO_TENTHS = number("u16"), number("u16", 0.1), number("u16", 100.0)
_SIGNED_TENTHS, _U32, _I32, _I32_TENTHS = number("i16", 0.1), number("u32"), number("i32"), number("i32", 0.1)
# upsWellKnownTests (4.7.7) and upsTestResultsSummary (4.7.3).
_NO_TEST, _ABORT_TEST, _GENERAL_TEST, _QUICK_TEST, _DEEP_TEST = 1, 2, 3, 4, 5
_DONE_PASS, _DONE_ERROR, _ABORTED, _IN_PROGRESS, _NO_RESULT = 1, 3, 4, 5, 6
_IMMINENT_S = 5.0  # upsAlarmShutdownImminent

_PROTOCOL_VERSION = 0x0100
_OTHER_MANUFACTURER = 5
_MOST_SECONDS = 3600.0
_LONGEST_DELAY_S = 604_800.0  # a week; assumed
_LONGEST_REBOOT_S = 300.0  # RFC 1628, upsRebootWithDuration
_ABORT = -1.0


def registers(panel: Panel) -> RegisterMap:
    """The map of one UPS."""
    points = [
        *_ident(),
        *_battery(panel.readings),
        *_input(panel.readings),
        *_output(panel.readings),
        *_bypass(panel.readings),
        *_alarms(panel),
        *_test(panel),
        *_control(panel),
        *_config(panel),
        *_firmware(panel),
        *_wide(panel.readings),
    ]
    identity = {0: MANUFACTURER.encode(), 1: MODEL.encode(), 2: VERSION.encode(), 4: b"generic"}
    blocks = [(Table.HOLDING, 0x000, 0x059), (Table.HOLDING, 0x100, 0x080)]
    return panel.registers(points, identity=identity, blocks=blocks, alias=True)


def _ident() -> list[Point]:
    major, minor, _ = (int(part) for part in VERSION.split("."))
    return [
        Point("upsIdentModbusProtocolVersion", 0x001, _U16, _PROTOCOL_VERSION),
        Point("upsIdentManufacturer", 0x002, _U16, _OTHER_MANUFACTURER),
        Point("upsIdentUPSSoftware1Version", 0x004, _U16, 256 * major + minor),
    ]


def _battery(of: Readings) -> list[Point]:
    def status() -> int:
        return _BATTERY_DEPLETED if of.depleted() else _BATTERY_LOW if of.low_battery() else _BATTERY_NORMAL

    return [
        Point("upsBatteryStatus", 0x013, _U16, status),
        Point("upsSecondsOnBattery", 0x014, _U16, of.on_battery_s, unit="s"),
        Point("upsEstimatedSecondsRemaining", 0x015, _U16, of.runtime_s, unit="s"),
        Point("upsEstimatedChargeRemaining", 0x016, _U16, of.charge_percent, unit="%"),
        Point("upsBatteryVoltage", 0x017, _TENTHS, of.battery_v, unit="V"),
        Point("upsBatteryCurrent", 0x018, _SIGNED_TENTHS, of.battery_a, unit="A", sign="discharges"),
        Point("upsBatteryTemperature", 0x019, number("i16"), of.battery_degc, unit="°C"),
    ]


def _input(of: Readings) -> list[Point]:
    return [
        Point("upsInputLineBads", 0x01F, _U16, of.disturbances_total),
        Point("upsInputFrequency", 0x020, _TENTHS, of.input_hz, unit="Hz"),
        Point("upsInputNumLines", 0x021, _U16, 3),
        *_phases("upsInputVoltage", 0x022, lambda phase: partial(of.phase_v, phase), unit="V"),
        *_phases("upsInputCurrent", 0x025, lambda _: of.input_a, scale=0.1, unit="A"),
        *_phases("upsInputTruePower", 0x028, lambda _: lambda: of.input_w() / 3.0, scale=100.0, unit="W"),
    ]


def _output(of: Readings) -> list[Point]:
    return [
        Point("upsOutputSource", 0x031, _U16, lambda: _SOURCE[of.mode()]),
        Point("upsOutputFrequency", 0x032, _TENTHS, of.output_hz, unit="Hz"),
        Point("upsOutputNumLines", 0x033, _U16, 3),
        *_phases("upsOutputVoltage", 0x034, lambda _: of.output_v, unit="V"),
        *_phases("upsOutputCurrent", 0x037, lambda _: of.output_a, scale=0.1, unit="A"),
        *_phases("upsOutputPower", 0x03A, lambda _: lambda: of.output_w() / 3.0, scale=100.0, unit="W"),
        *_phases("upsOutputPercentLoad", 0x03D, lambda _: of.load_percent, unit="%"),
    ]


def _bypass(of: Readings) -> list[Point]:
    return [
        Point("upsBypassFrequency", 0x046, _TENTHS, of.input_hz, unit="Hz"),
        Point("upsBypassNumLines", 0x047, _U16, 3),
        *_phases("upsBypassVoltage", 0x048, lambda phase: partial(of.phase_v, phase), unit="V"),
        *_phases("upsBypassCurrent", 0x04B, lambda _: of.bypass_a, scale=0.1, unit="A"),
        *_phases("upsBypassPower", 0x04E, lambda _: lambda: of.bypass_w() / 3.0, scale=100.0, unit="W"),
    ]


def _phases(name: str, address: int, live: Callable[[int], Live], *, scale: float = 1.0, unit: str) -> list[Point]:
    return [Point(f"{name}L{phase + 1}", address + phase, number("u16", scale), live(phase), unit=unit) for phase in range(3)]


def _alarms(panel: Panel) -> list[Point]:
    """RFC 1628, upsWellKnownAlarms (6.3), by their numbers: alarm n is discrete input n - 1, and bit n - 1 of a word."""
    of, switch, test = panel.readings, panel.switch, panel.test
    never: Callable[[], object] = bool
    known: list[tuple[str, Callable[[], object]]] = [
        ("upsAlarmBatteryBad", test.failed),
        ("upsAlarmOnBattery", of.on_battery),
        ("upsAlarmLowBattery", of.low_battery),
        ("upsAlarmDepletedBattery", of.depleted),
        ("upsAlarmTempBad", of.too_hot),
        ("upsAlarmInputBad", lambda: not of.line_ok()),
        ("upsAlarmOutputBad", never),
        ("upsAlarmOutputOverload", of.overload),
        ("upsAlarmOnBypass", of.on_bypass),
        ("upsAlarmBypassBad", lambda: not (of.bypass_voltage_ok() and of.bypass_frequency_ok())),
        ("upsAlarmOutputOffAsRequested", lambda: of.off() and of.off_as_ordered()),
        ("upsAlarmUpsOffAsRequested", never),
        ("upsAlarmChargerFailed", never),
        ("upsAlarmUpsOutputOff", of.off),
        ("upsAlarmUpsSystemOff", never),
        ("upsAlarmFanFailure", never),
        ("upsAlarmFuseFailure", never),
        ("upsAlarmGeneralFault", of.fault),
        ("upsAlarmDiagnosticTestFailed", test.failed),
        ("upsAlarmCommunicationsLost", never),
        ("upsAlarmAwaitingPower", lambda: switch.on_in_s() == 0.0),
        ("upsAlarmShutdownPending", lambda: switch.off_in_s() is not None),
        ("upsAlarmShutdownImminent", lambda: (left_s := switch.off_in_s()) is not None and left_s < _IMMINENT_S),
        ("upsAlarmTestInProgress", test.in_progress),
    ]
    word = bits(*(state for _, state in known))
    return [
        *inputs(known),
        Point("upsAlarmsPresent", 0x100, _U16, lambda: int(word()).bit_count()),
        Point("upsAlarmBits", 0x101, _U32, word),
    ]


def _test(panel: Panel) -> list[Point]:
    """RFC 1628, upsTest (4.7): tests by the last number of their identifier, results as upsTestResultsSummary."""
    test, last = panel.test, Kept(_NO_TEST)

    def order(kind: float) -> None:
        if kind == _ABORT_TEST:
            test.stop()
        else:
            test.start(DEEP_S if kind == _DEEP_TEST else QUICK_S)
        last.write(kind)

    def summary() -> int:
        results = {
            _DONE_PASS: test.passed,
            _DONE_ERROR: test.failed,
            _ABORTED: test.aborted,
            _IN_PROGRESS: test.in_progress,
        }
        return next((result for result, holds in results.items() if holds()), _NO_RESULT)

    kinds = OneOf(_ABORT_TEST, _GENERAL_TEST, _QUICK_TEST, _DEEP_TEST)
    return [
        Point("upsTestId", 0x110, _U16, last.read, order, kinds),
        Point("upsTestResultsSummary", 0x111, _U16, summary),
    ]


def _control(panel: Panel) -> list[Point]:
    """RFC 1628, upsControl (4.8): delays in seconds, -1 stops a countdown; they read what is left, -1 where nothing counts."""
    switch, of, restart = panel.switch, panel.readings, Kept(1)

    def back_s() -> float | None:
        return 0.0 if restart.value == 1 and not of.line_ok() else None

    def shut_down(delay_s: float) -> None:
        if delay_s == _ABORT:
            switch.cancel_off()
        else:
            switch.turn_off(delay_s, back_s=back_s)

    def start_up(delay_s: float) -> None:
        if delay_s == _ABORT:
            switch.cancel_on()
        else:
            switch.turn_on(delay_s)

    def reboot(duration_s: float) -> None:
        if duration_s == _ABORT:
            switch.cancel()
        else:
            switch.turn_off(back_s=lambda: duration_s, with_line=False)

    def left(read: Callable[[], float | None]) -> Live:
        return lambda: _ABORT if (value := read()) is None else value

    delay, most = _I32, Range(_ABORT, _LONGEST_DELAY_S, "s", whole=True)
    reboots = Range(_ABORT, _LONGEST_REBOOT_S, "s", whole=True)
    return [
        Point("upsShutdownType", 0x120, _U16, 1),
        Point("upsShutdownAfterDelay", 0x121, delay, left(switch.off_in_s), shut_down, most, unit="s"),
        Point("upsStartupAfterDelay", 0x123, delay, left(switch.on_in_s), start_up, most, unit="s"),
        Point("upsRebootWithDuration", 0x125, delay, left(switch.on_in_s), reboot, reboots, unit="s"),
        Point("upsAutoRestart", 0x127, _U16, restart.read, restart.write, OneOf(1, 2), commands=0),
    ]


def _config(panel: Panel) -> list[Point]:
    """RFC 1628, upsConfig (4.9): what the UPS is made for."""
    image = panel.image
    phase_v = image.nominal_voltage_v / 3.0**0.5
    low, high = (phase_v * limit for limit in image.input_window_pu)
    return [
        Point("upsConfigInputVoltage", 0x130, _U16, phase_v, unit="V"),
        Point("upsConfigInputFreq", 0x131, _TENTHS, image.nominal_hz, unit="Hz"),
        Point("upsConfigOutputVoltage", 0x132, _U16, phase_v, unit="V"),
        Point("upsConfigOutputFreq", 0x133, _TENTHS, image.nominal_hz, unit="Hz"),
        Point("upsConfigOutputVA", 0x134, _U32, image.rating_w, unit="VA"),
        Point("upsConfigOutputPower", 0x136, _U32, image.rating_w, unit="W"),
        Point("upsConfigLowVoltageTransferPoint", 0x138, _U16, low, unit="V"),
        Point("upsConfigHighVoltageTransferPoint", 0x139, _U16, high, unit="V"),
    ]


def _firmware(panel: Panel) -> list[Point]:
    """What only this firmware has: its states, and the settings that MQTT has too."""
    of, image, setting = panel.readings, panel.image, panel.setting
    seconds = Range(0.0, _MOST_SECONDS, "s")
    recharge, support = Range(0.0, image.recharge_max_w, "W"), Range(0.0, image.rating_w, "W")
    return [
        Point("mode", 0x140, _U16, lambda: float(of.mode())),
        Point("rectifier", 0x141, _U16, of.rectifier),
        Point("walk_in_share", 0x142, _U16, lambda: 100.0 * of.walk_in_share(), unit="%"),
        Point("line_ok", 0x143, _U16, of.line_ok),
        Point("disturbances", 0x144, _U16, of.disturbances),
        Point("disturbances_total", 0x145, _U32, of.disturbances_total),
        Point("latched", 0x147, _U16, of.latched),
        setting("counter", 0x148, _U16, "counter", UpsPoint.COUNTER),
        Point("reset_disturbances", 0x149, _U16, 0, panel.writer(UpsPoint.RESET_DISTURBANCES), FLAG),
        setting("bypass", 0x14A, _U16, "bypass", UpsPoint.BYPASS),
        setting("operation", 0x14B, _U16, "operation", UpsPoint.OPERATION),
        setting("recharge_w", 0x14C, _U32, "recharge_w", UpsPoint.RECHARGE_W, allowed=recharge, unit="W"),
        setting("walk_in_s", 0x14E, _TENTHS, "walk_in_s", UpsPoint.WALK_IN_S, allowed=seconds, unit="s"),
        setting("walk_in_delay_s", 0x14F, _TENTHS, "walk_in_delay_s", UpsPoint.WALK_IN_DELAY_S, allowed=seconds, unit="s"),
        setting("support_w", 0x150, _U32, "support_set_w", UpsPoint.SUPPORT_W, allowed=support, unit="W"),
        setting("eco", 0x153, _U16, "eco", UpsPoint.ECO),
        Point("fault", 0x154, _U16, of.fault),
        Point("reset", 0x155, _U16, 0, panel.writer(UpsPoint.RESET), FLAG),
        Point("too_hot", 0x156, _U16, of.too_hot),
        Point("overload", 0x157, _U16, of.overload),
        setting("support_s", 0x152, _TENTHS, "support_s", UpsPoint.SUPPORT_S, allowed=seconds, unit="s"),
    ]


def _wide(of: Readings) -> list[Point]:
    return [
        Point("input_power_w", 0x160, _I32, of.input_w, unit="W", sign="draws"),
        Point("output_power_w", 0x162, _I32, of.output_w, unit="W", sign="feeds the load"),
        Point("output_apparent_va", 0x164, _U32, of.output_va, unit="VA"),
        Point("battery_power_w", 0x166, _I32, of.battery_w, unit="W", sign="discharges"),
        Point("battery_current_a", 0x168, _I32_TENTHS, of.battery_a, unit="A", sign="discharges"),
        Point("input_current_a", 0x16A, _I32_TENTHS, of.input_a, unit="A"),
        Point("output_current_a", 0x16C, _I32_TENTHS, of.output_a, unit="A"),
    ]
