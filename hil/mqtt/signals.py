"""What a UPS may publish as telemetry: one list for devices, drivers and scenarios."""

from __future__ import annotations

UNITS = {
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
"""Signals by name, with their units; `mode` is a number whose meaning `meta` gives."""

USUAL = ("input_power_w", "output_power_w", "battery_power_w", "soc", "mode", "input_frequency_hz")
"""Published unless said otherwise."""

LEAST = ("input_power_w", "output_power_w", "mode")
"""Without these a supervisor cannot work."""
