"""How limits of active power are judged: what the grid sees of the load."""

from __future__ import annotations

import math
from typing import Any

from hil.limits.channels import POWER, TRUE_POWER
from hil.limits.facts import Facts
from hil.limits.judged import Function, Judged
from hil.limits.settings import BandPass, OscillationBand

PLAUSIBLE_ORDERS = (1, 2, 4)
"""Orders of a band-pass that are judged where the source of a limit names none."""


def _ramp(limit: Any, _: Facts) -> list[Judged]:
    low = -math.inf if limit.direction == "up" else -limit.max_w_per_s
    high = math.inf if limit.direction == "down" else limit.max_w_per_s
    return [Judged(POWER, low=low, high=high, unit="W/s", value="limit.ramp", blanked_by="blank.voltage")]


def _peak_to_peak(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(POWER, high=limit.max_w, unit="W", value="limit.range", blanked_by="blank.voltage")]


def _variation(limit: Any, _: Facts) -> list[Judged]:
    found = []
    orders = PLAUSIBLE_ORDERS if limit.order is None else (limit.order,)
    for order in orders:
        channel = f"pcc.power_{_band(limit)}_order_{order}_w"
        band_pass = Function(
            "filters", (TRUE_POWER,), (channel,), BandPass(limit.band_hz[0], limit.band_hz[1], order, "blank.voltage")
        )
        variant = f"order {order}" if len(orders) > 1 else ""
        found.append(Judged(channel, high=limit.max_w, unit="W", value="limit.range", variant=variant, functions=(band_pass,)))
    return found


def _band(limit: Any) -> str:
    low, high = limit.band_hz
    return f"{low:g}_{high:g}_hz"


def _detector(limit: Any) -> Function:
    at = f"pcc.oscillation_{_band(limit)}_{limit.window_s:g}_s"
    outputs = (f"{at}.amplitude_w", f"{at}.frequency_hz", f"{at}.damping", f"{at}.share")
    return Function(
        "oscillations",
        (TRUE_POWER,),
        outputs,
        OscillationBand(limit.band_hz[0], limit.band_hz[1], limit.window_s, "blank.voltage"),
    )


def _oscillation(limit: Any, _: Facts) -> list[Judged]:
    detector = _detector(limit)
    return [Judged(detector.outputs[0], high=limit.max_w, unit="W", functions=(detector,))]


def _band_share(limit: Any, _: Facts) -> list[Judged]:
    detector = _detector(limit)
    return [Judged(detector.outputs[3], high=limit.max, functions=(detector,))]


def _reverse_power(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(POWER, low=-limit.max_w, unit="W", blanked_by="blank.voltage")]


def _underpower(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(POWER, low=limit.min_w, reference=2.0 * limit.min_w, unit="W", blanked_by="blank.voltage")]


HOW = {
    "ramp": _ramp,
    "peak_to_peak": _peak_to_peak,
    "variation": _variation,
    "oscillation": _oscillation,
    "band_share": _band_share,
    "reverse_power": _reverse_power,
    "underpower": _underpower,
}
