"""How limits of voltage are judged."""

from __future__ import annotations

from typing import Any

from hil.limits.channels import NEGATIVE_SEQUENCE
from hil.limits.facts import Facts
from hil.limits.judged import Function, Judged, at_ups
from hil.limits.kinds.relay import as_relay
from hil.limits.ratios import Ratio
from hil.limits.settings import Flickermeter


def _undervoltage(limit: Any, facts: Facts) -> list[Judged]:
    if at_ups(limit):  # a dip must not come through: nothing there is blanked
        return as_relay(limit, facts, Judged(f"{limit.node}.output_voltage_pu", low=limit.min, unit="pu", reference=1.0))
    channel = f"{limit.node}.voltage_lowest_measured_pu"
    return as_relay(limit, facts, Judged(channel, low=limit.min, unit="pu", reference=1.0, blanked_by="blank.voltage"))


def _overvoltage(limit: Any, facts: Facts) -> list[Judged]:
    channel = f"{limit.node}.voltage_highest_measured_pu"
    return as_relay(limit, facts, Judged(channel, high=limit.max, unit="pu", reference=1.0, blanked_by="blank.voltage"))


def _negative_sequence_voltage(limit: Any, facts: Facts) -> list[Judged]:
    channel = NEGATIVE_SEQUENCE[limit.node]
    return as_relay(limit, facts, Judged(channel, high=limit.max, unit="pu", blanked_by="blank.voltage"))


def _volts_per_hertz(limit: Any, facts: Facts) -> list[Judged]:
    channel = "pcc.volts_per_hertz_pu"
    inputs = ("pcc.voltage_highest_measured_pu", "pcc.frequency_measured_hz")
    ratio = Function("ratios", inputs, (channel,), Ratio("quotient", facts.frequency_hz))
    return [Judged(channel, high=limit.max, unit="pu", reference=1.0, blanked_by="blank.voltage", functions=(ratio,))]


def _flicker(limit: Any, facts: Facts) -> list[Judged]:
    lamp = limit.lamp.replace(" ", "").lower()
    at = f"{limit.node}.flicker_{limit.phase}_{lamp}"
    outputs = (f"{at}.instantaneous", f"{at}.pst", f"{at}.plt")
    meter = Function(
        "flickers", (f"{limit.node}.voltage_{limit.phase}_pu",), outputs, Flickermeter(limit.lamp, facts.frequency_hz)
    )
    return [Judged(outputs[1 if limit.term == "short" else 2], high=limit.max, functions=(meter,))]


HOW = {
    "undervoltage": _undervoltage,
    "overvoltage": _overvoltage,
    "negative_sequence_voltage": _negative_sequence_voltage,
    "volts_per_hertz": _volts_per_hertz,
    "flicker": _flicker,
}
