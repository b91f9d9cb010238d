"""What a UPS and a meter may publish as telemetry: one list of each for devices, drivers and scenarios."""

from __future__ import annotations

UPS_UNITS = {
    "input_power_w": "W",
    "output_power_w": "W",
    "battery_power_w": "W",
    "soc": "1",
    "mode": "",
    "input_voltage_pu": "pu",
    "input_frequency_hz": "Hz",
    "output_voltage_pu": "pu",
    "runtime_s": "s",
}
"""Signals of a UPS by name, with their units; `mode` is a number whose meaning `meta` gives."""

USUAL = ("input_power_w", "output_power_w", "battery_power_w", "soc", "mode", "input_frequency_hz")
"""Published of a UPS unless said otherwise."""

LEAST = ("input_power_w", "output_power_w", "mode")
"""Without these a supervisor cannot work."""

METER_UNITS = {
    "power_w": "W",
    "reactive_var": "var",
    "apparent_va": "VA",
    "power_factor": "1",
    "voltage_a_v": "V",
    "voltage_b_v": "V",
    "voltage_c_v": "V",
    "voltage_ab_v": "V",
    "voltage_bc_v": "V",
    "voltage_ca_v": "V",
    "current_a": "A",
    "frequency_hz": "Hz",
    "imported_wh": "Wh",
    "exported_wh": "Wh",
}
"""Likewise of a meter; the current is that of each phase."""

METER_USUAL = ("power_w", "reactive_var", "voltage_a_v", "voltage_b_v", "voltage_c_v", "frequency_hz")
"""Published of a meter unless said otherwise."""
