"""What an emulated UPS measures and tells of itself, in SI units, whatever map or protocol shows it."""

from __future__ import annotations

import math

from firmware_sim.image import UpsImage, UpsMode

WALK_IN = 2
"""Of the firmware's `rectifier` (firmware_sim/kernel/ups.pxd)."""

_AT_REST = 1e-4  # of the rating: battery power below which it neither charges nor discharges
_PHASES = ("a", "b", "c")


class Readings:
    """Present values, each a method without arguments, so that a point of a map can read it.

    Powers: input > 0 draws, output > 0 feeds the load, battery > 0 discharges. Voltages are those of a phase to neutral,
    currents those of one of three equal phases.
    """

    def __init__(self, image: UpsImage) -> None:
        self.image = image
        self._phase_v = image.nominal_voltage_v / math.sqrt(3.0)
        read, field = image.reader, image.firmware_reader
        self.input_w, self._input_var, self.output_w = read("input_w"), read("input_var"), read("output_w")
        self._output_pu = read("output_voltage_pu")
        self.battery_w, self.battery_v = read("battery_w"), read("battery_voltage_v")
        self.battery_a, self.battery_degc = read("battery_current_a"), read("temperature_degc")
        self.runtime_s, self._soc = read("runtime_s"), read("soc")
        self.input_hz, self._input_pu = read("pcc.frequency_measured_hz"), read("bus.voltage_measured_pu")
        self.lowest_pu = read("bus.voltage_lowest_measured_pu")
        self.highest_pu = read("bus.voltage_highest_measured_pu")
        self._phase_pu = [read(f"bus.voltage_{phase}_pu") for phase in _PHASES]
        self._mode, self._mode_since = field("mode"), field("mode_since")
        self.rectifier, self.walk_in_share = field("rectifier"), field("walk_in_share")
        self.line_ok, self.low_battery, self.depleted = field("line_ok"), field("low_battery"), field("shutdown")
        self.latched, self.disturbances = field("latched"), field("disturbances")
        self.disturbances_total, self.operation = field("disturbances_total"), field("operation")
        self.transfers, self.fault, self.too_hot = field("transfers"), field("fault"), field("hot")
        self.overload = field("overload")

    # States.

    def mode(self) -> UpsMode:
        """What feeds the output, and why."""
        return UpsMode(int(self._mode()))

    def on_battery(self) -> bool:
        """Whether the battery feeds the output, for want of a line or for a test."""
        return self.mode() in (UpsMode.BATTERY, UpsMode.TEST)

    def without_line(self) -> bool:
        """Whether the battery feeds the output for want of a line."""
        return self.mode() == UpsMode.BATTERY

    def on_battery_s(self) -> float:
        """For how long it has done so."""
        if not self.on_battery():
            return 0.0
        return (self.image.tick - self._mode_since()) * self.image.period_ns / 1e9

    def on_bypass(self) -> bool:
        """Whether the line feeds the output directly and the inverter is not at hand."""
        return self.mode() == UpsMode.BYPASS

    def walk_in(self) -> bool:
        """Whether the rectifier takes its load over step by step."""
        return self.rectifier() == WALK_IN

    def off(self) -> bool:
        """Whether nothing feeds the output."""
        return self.mode() == UpsMode.OFF

    def off_as_ordered(self) -> bool:
        """Whether that was ordered."""
        return self.operation() == 0

    def discharging(self) -> bool:
        """Whether the battery gives power."""
        return self.battery_w() > _AT_REST * self.image.rating_w

    def charging(self) -> bool:
        """Whether it takes power."""
        return self.battery_w() < -_AT_REST * self.image.rating_w

    def bypass_voltage_ok(self) -> bool:
        """Whether the voltage of every phase is good enough for the bypass."""
        deviation_pu = self.image.bypass_window[0]
        return self.lowest_pu() >= 1.0 - deviation_pu and self.highest_pu() <= 1.0 + deviation_pu

    def bypass_frequency_ok(self) -> bool:
        """Whether the frequency is."""
        return abs(self.input_hz() - self.image.nominal_hz) <= self.image.bypass_window[1]

    # Battery.

    def charge_percent(self) -> float:
        """State of charge as a battery management system tells it: between empty and full, whatever the cells hold."""
        return 100.0 * min(1.0, max(0.0, self._soc()))

    # Input and bypass: one feed.

    def input_v(self) -> float:
        """Positive-sequence voltage, measured."""
        return self._phase_v * self._input_pu()

    def phase_v(self, phase: int) -> float:
        """Voltage of phase 0, 1 or 2."""
        return self._phase_v * self._phase_pu[phase]()

    def input_a(self) -> float:
        """Current of a phase."""
        return _current_a(math.hypot(self.input_w(), self._input_var()), self.input_v())

    def bypass_w(self) -> float:
        """Power through the bypass."""
        return self.output_w() if self.mode() in (UpsMode.BYPASS, UpsMode.ECO) else 0.0

    def bypass_a(self) -> float:
        """Current through it."""
        return self.output_a() if self.mode() in (UpsMode.BYPASS, UpsMode.ECO) else 0.0

    # Output.

    def output_v(self) -> float:
        """Voltage of a phase."""
        return self._phase_v * self._output_pu()

    def output_va(self) -> float:
        """Apparent power."""
        return self.output_w() / self.image.load_power_factor

    def output_a(self) -> float:
        """Current of a phase."""
        return _current_a(self.output_va(), self.output_v())

    def output_hz(self) -> float:
        """The line's while there is one to follow, nominal on battery, 0 while off."""
        if self.off():
            return 0.0
        return self.input_hz() if self.line_ok() or self.on_bypass() else self.image.nominal_hz

    def load_percent(self) -> float:
        """Output power of the rated."""
        return 100.0 * self.output_w() / self.image.rating_w


def _current_a(apparent_va: float, phase_v: float) -> float:
    return apparent_va / (3.0 * phase_v) if phase_v > 0.0 else 0.0
