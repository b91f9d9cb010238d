"""How limits of current are judged."""

from __future__ import annotations

import math
from typing import Any

from hil.limits.channels import TRUE_POWER
from hil.limits.facts import Facts
from hil.limits.judged import BELOW_ONE, Function, Judged
from hil.limits.ratios import Ratio
from hil.limits.relays import (
    GE_IEC_A,
    GE_IEC_B,
    GE_IEC_C,
    IEC_EI,
    IEC_LTI,
    IEC_SI,
    IEC_VI,
    IEEE_EI,
    IEEE_MI,
    IEEE_VI,
    Curve,
    Relay,
)
from hil.limits.thermals import Thermal
from hil.scenario.limit_rules import limit_slug

OVERCURRENT_CURVES = {
    "iec_standard_inverse": IEC_SI,
    "iec_very_inverse": IEC_VI,
    "iec_extremely_inverse": IEC_EI,
    "iec_long_time_inverse": IEC_LTI,
    "ieee_moderately_inverse": IEEE_MI,
    "ieee_very_inverse": IEEE_VI,
    "ieee_extremely_inverse": IEEE_EI,
    "ge_iec_a": GE_IEC_A,
    "ge_iec_b": GE_IEC_B,
    "ge_iec_c": GE_IEC_C,
}


def _current(limit: Any, facts: Facts) -> tuple[str, tuple[Function, ...]]:
    """The channel of a current in per unit, and what makes it where the site does not have it."""
    if limit.node != "pcc":
        rating_va = facts.devices[limit.node].rating
        scale = 1.0 if limit.base_va is None else rating_va / limit.base_va
        if scale == 1.0:
            return f"{limit.node}.current_pu", ()
        channel = f"{limit.node}.current_{limit.base_va:g}_va_pu"
        return channel, (Function("ratios", (f"{limit.node}.current_pu",), (channel,), Ratio("magnitude", scale)),)
    channel = f"pcc.current_{limit.base_va:g}_va_pu"
    inputs = (TRUE_POWER, "pcc.reactive_var", "pcc.voltage_pu")
    return channel, (Function("ratios", inputs, (channel,), Ratio("current", 1.0 / limit.base_va)),)


def _curve(limit: Any) -> Curve | None:
    if limit.curve == "user":
        return Curve("user", limit.a_s, limit.exponent, limit.b_s or 0.0)
    return OVERCURRENT_CURVES.get(limit.curve)


def _overcurrent(limit: Any, facts: Facts) -> list[Judged]:
    current, made = _current(limit, facts)
    channel = f"limits.{limit_slug(limit.name)}.operating_share"
    relay = Relay(
        limit.pickup,
        dropout=limit.dropout * limit.pickup,
        delay_s=limit.delay_s,
        curve=_curve(limit),
        dial=limit.multiplier,
        dial_divisor=limit.multiplier_divisor,
        most=math.inf if limit.flat_above is None else limit.flat_above,
        reset=limit.reset,
        reset_s=limit.reset_time_s,
        tr_s=limit.disc_time_s,
    )
    made = (*made, Function("relays", (current,), (channel,), relay))
    return [Judged(channel, high=BELOW_ONE, functions=made)]


def _thermal_overload(limit: Any, facts: Facts) -> list[Judged]:
    current, made = _current(limit, facts)
    channel = f"limits.{limit_slug(limit.name)}.thermal_level"
    image = Function("thermals", (current,), (channel,), Thermal(limit.time_constant_s, k=limit.factor))
    return [Judged(channel, high=BELOW_ONE, functions=(*made, image))]


def _converter_current(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(f"{limit.node}.current_pu", high=limit.max, unit="pu")]


HOW = {
    "overcurrent": _overcurrent,
    "thermal_overload": _thermal_overload,
    "converter_current": _converter_current,
}
