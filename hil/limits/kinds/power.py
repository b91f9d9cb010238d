"""How limits of active power are judged: what the grid sees of the load."""

from __future__ import annotations

from typing import Any

from hil.limits.channels import POWER, TRUE_POWER
from hil.limits.facts import Facts
from hil.limits.judged import Function, Judged
from hil.limits.settings import BandPass, OscillationBand

PLAUSIBLE_ORDERS = (1, 2, 4)
"""Orders of a band-pass that are judged where the source of a limit names none."""
SETTLED_WINDOWS = 2.5
"""Until both windows of a damping ratio lie behind the begin of an oscillation: two, and what window and hop are longer."""


def _peak_to_peak(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(POWER, high=limit.max_w, unit="W", value="limit.range", blanked_by="blank.voltage")]


def _dynamic_range(limit: Any, _: Facts) -> list[Judged]:
    of_w = float(limit.of_w)
    return [Judged(POWER, high=limit.max * of_w, scale=1.0 / of_w, value="limit.range", blanked_by="blank.voltage")]


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


def _detector(limit: Any, least_w: float = 0.0) -> Function:
    """Limits that want the same share it. least_w: amplitude at or below which there is no oscillation."""
    above = f"_above_{least_w:g}_w" if least_w else ""
    at = f"pcc.oscillation_{_band(limit)}_{limit.window_s:g}_s{above}"
    outputs = (f"{at}.amplitude_w", f"{at}.frequency_hz", f"{at}.damping", f"{at}.share")
    return Function(
        "oscillations",
        (TRUE_POWER,),
        outputs,
        OscillationBand(limit.band_hz[0], limit.band_hz[1], limit.window_s, "blank.voltage", least_w),
    )


def _oscillation(limit: Any, _: Facts) -> list[Judged]:
    detector = _detector(limit)
    return [Judged(detector.outputs[0], high=limit.max_w, unit="W", functions=(detector,))]


def _damping(limit: Any, _: Facts) -> list[Judged]:
    detector = _detector(limit, float(limit.above_w))
    times: dict[str, Any] = {"window_s": 2.0 * float(limit.window_s), "delay_s": SETTLED_WINDOWS * float(limit.window_s)}
    return [Judged(detector.outputs[2], low=limit.min, reference=1.0, **times, functions=(detector,))]


def _band_share(limit: Any, _: Facts) -> list[Judged]:
    detector = _detector(limit)
    return [Judged(detector.outputs[3], high=limit.max, functions=(detector,))]


def _reverse_power(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(POWER, low=-limit.max_w, unit="W", blanked_by="blank.voltage")]


def _underpower(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(POWER, low=limit.min_w, reference=2.0 * limit.min_w, unit="W", blanked_by="blank.voltage")]


HOW = {
    "peak_to_peak": _peak_to_peak,
    "dynamic_range": _dynamic_range,
    "variation": _variation,
    "oscillation": _oscillation,
    "damping": _damping,
    "band_share": _band_share,
    "reverse_power": _reverse_power,
    "underpower": _underpower,
}
