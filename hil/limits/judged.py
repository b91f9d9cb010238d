"""How each kind of limit is judged: which channel, by which functions, between which bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hil.limits.counters import Counter
from hil.limits.envelopes import Envelope, Threshold
from hil.limits.facts import Facts, facts_of
from hil.limits.ratios import Ratio
from hil.limits.relays import IEC_EI, IEC_LTI, IEC_SI, IEC_VI, IEEE_EI, IEEE_MI, IEEE_VI, Relay
from hil.limits.settings import BandPass, Flickermeter, OscillationBand
from hil.limits.thermals import Thermal
from hil.scenario.limit import Limit
from hil.scenario.limit_rules import limit_slug

if TYPE_CHECKING:
    from hil.scenario.model import Scenario

BELOW_ONE = math.nextafter(1.0, 0.0)
"""Upper bound of a share at which a function operates: beyond it is 1 and more."""

PLAUSIBLE_ORDERS = (1, 2, 4)
"""Orders of a band-pass that are judged where the source of a limit names none."""


OVERCURRENT_CURVES = {
    "iec_standard_inverse": IEC_SI,
    "iec_very_inverse": IEC_VI,
    "iec_extremely_inverse": IEC_EI,
    "iec_long_time_inverse": IEC_LTI,
    "ieee_moderately_inverse": IEEE_MI,
    "ieee_very_inverse": IEEE_VI,
    "ieee_extremely_inverse": IEEE_EI,
}
_MOST_COUNTED = 1001


@dataclass(frozen=True)
class Function:
    """A protection function that makes channels of others.

    family: of `hil.kernel.layout.FUNCTIONS`. inputs, outputs: channels. settings: what the family's builder takes.
    """

    family: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: Hashable


@dataclass(frozen=True)
class Judged:
    """One channel between two bounds, infinite where there is none.

    value: what is made of the channel, by the names in `hil.kernel.layout.CODES` ("limit.level"). unit: of worst and bound.
    reference: from where margins count. window_s, mean_s, delay_s: as the limit has them. blanked_by: the stimulus that voids
    samples. variant: what tells it from others that the same limit is judged by; empty where there is one. agree: whether
    these must agree, else each must hold. functions: what makes the channel, in their order.
    """

    channel: str
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    value: str = "limit.level"
    reference: float = 0.0
    window_s: float = 0.0
    mean_s: float = 0.0
    delay_s: float = 0.0
    blanked_by: str = "blank.never"
    variant: str = ""
    agree: bool = True
    functions: tuple[Function, ...] = ()


def judged(limit: Limit, facts: Facts) -> list[Judged]:
    """How a limit is judged; by several variants where its source leaves one thing open and they must agree."""
    found = _HOW[limit.kind](limit, facts)
    window_s, mean_s, delay_s = (float(getattr(limit, f"{key}_s", 0.0)) for key in ("window", "mean", "delay"))
    if limit.kind == "overcurrent":  # whose delay is the relay's
        delay_s = 0.0
    return [replace(how, window_s=window_s, mean_s=mean_s, delay_s=delay_s) for how in found]


def entries(scenario: Scenario) -> list[tuple[Limit, Judged]]:
    """Each limit of a scenario with each way in which it is judged, in the order in which the kernel has them."""
    facts = facts_of(scenario)
    return [(limit, how) for limit in scenario.limits for how in judged(limit, facts)]


def entry_details(scenario: Scenario) -> list[dict[str, object]]:
    """How the event log names the entries."""
    found: list[dict[str, object]] = []
    for limit, how in entries(scenario):
        found.append({"limit": limit.name, "variant": how.variant} if how.variant else {"limit": limit.name})
    return found


def _at_ups(limit: Any) -> bool:
    return bool(limit.node.startswith("ups."))


def _undervoltage(limit: Any, _: Facts) -> list[Judged]:
    if _at_ups(limit):  # a dip must not come through: nothing there is blanked
        return [Judged(f"{limit.node}.output_voltage_pu", low=limit.min, unit="pu", reference=1.0)]
    channel = f"{limit.node}.voltage_lowest_measured_pu"
    return [Judged(channel, low=limit.min, unit="pu", reference=1.0, blanked_by="blank.voltage")]


def _overvoltage(limit: Any, _: Facts) -> list[Judged]:
    channel = f"{limit.node}.voltage_highest_measured_pu"
    return [Judged(channel, high=limit.max, unit="pu", reference=1.0, blanked_by="blank.voltage")]


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


_FREQUENCY = "pcc.frequency_measured_hz"


def _frequency(limit: Any) -> dict[str, Any]:
    """The channel of a frequency, and what blocks it."""
    if limit.block_below is None:
        return {"channel": _FREQUENCY, "blanked_by": "blank.frequency"}
    channel = f"pcc.frequency_blocked_below_{limit.block_below:g}_pu_hz"
    inputs = (_FREQUENCY, "pcc.voltage_lowest_measured_pu")
    gate = Function("ratios", inputs, (channel,), Ratio("gate", least=float(limit.block_below)))
    return {"channel": channel, "blanked_by": "blank.frequency", "functions": (gate,)}


def _underfrequency(limit: Any, facts: Facts) -> list[Judged]:
    return [Judged(low=limit.min_hz, unit="Hz", reference=facts.frequency_hz, **_frequency(limit))]


def _overfrequency(limit: Any, facts: Facts) -> list[Judged]:
    return [Judged(high=limit.max_hz, unit="Hz", reference=facts.frequency_hz, **_frequency(limit))]


def _rocof(limit: Any, _: Facts) -> list[Judged]:
    most = limit.max_hz_per_s
    return [Judged(low=-most, high=most, unit="Hz/s", value="limit.rate", **_frequency(limit))]


_POWER = "pcc.power_measured_w"
_TRUE_POWER = "pcc.power_w"


def _ramp(limit: Any, _: Facts) -> list[Judged]:
    low = -math.inf if limit.direction == "up" else -limit.max_w_per_s
    high = math.inf if limit.direction == "down" else limit.max_w_per_s
    return [Judged(_POWER, low=low, high=high, unit="W/s", value="limit.ramp", blanked_by="blank.voltage")]


def _peak_to_peak(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(_POWER, high=limit.max_w, unit="W", value="limit.range", blanked_by="blank.voltage")]


def _variation(limit: Any, _: Facts) -> list[Judged]:
    found = []
    orders = PLAUSIBLE_ORDERS if limit.order is None else (limit.order,)
    for order in orders:
        channel = f"pcc.power_{_band(limit)}_order_{order}_w"
        band_pass = Function(
            "filters", (_TRUE_POWER,), (channel,), BandPass(limit.band_hz[0], limit.band_hz[1], order, "blank.voltage")
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
        (_TRUE_POWER,),
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
    return [Judged(_POWER, low=-limit.max_w, unit="W", blanked_by="blank.voltage")]


def _underpower(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(_POWER, low=limit.min_w, reference=2.0 * limit.min_w, unit="W", blanked_by="blank.voltage")]


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
    inputs = (_TRUE_POWER, "pcc.reactive_var", "pcc.voltage_pu")
    return channel, (Function("ratios", inputs, (channel,), Ratio("current", 1.0 / limit.base_va)),)


def _overcurrent(limit: Any, facts: Facts) -> list[Judged]:
    current, made = _current(limit, facts)
    channel = f"limits.{limit_slug(limit.name)}.operating_share"
    relay = Relay(
        limit.pickup,
        dropout=limit.dropout * limit.pickup,
        delay_s=limit.delay_s,
        curve=OVERCURRENT_CURVES.get(limit.curve),
        dial=limit.multiplier,
        reset=limit.reset,
        reset_s=limit.reset_time_s,
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


def _soc_window(limit: Any, _: Facts) -> list[Judged]:
    low, high = (float(bound) for bound in limit.window)
    if high == 1.0 and _at_ups(limit):  # full is how a UPS stands by
        return [Judged(f"{limit.node}.soc", low=low, reference=1.0)]
    return [Judged(f"{limit.node}.soc", low=low, high=high, reference=0.5 * (low + high))]


def _battery_temperature(limit: Any, facts: Facts) -> list[Judged]:
    ambient_degc = facts.devices[limit.node].ambient_degc
    return [Judged(f"{limit.node}.temperature_degc", high=limit.max_degc, unit="degC", reference=ambient_degc)]


def _c_rate(limit: Any, facts: Facts) -> list[Judged]:
    current = f"{limit.node}.{'battery' if _at_ups(limit) else 'dc'}_current_a"
    channel = f"{limit.node}.c_rate_per_h"
    ratio = Function("ratios", (current,), (channel,), Ratio("magnitude", 1.0 / facts.devices[limit.node].capacity_ah))
    return [Judged(channel, high=limit.max, unit="1/h", functions=(ratio,))]


def _on_battery(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(f"{limit.node}.on_battery", high=limit.max_s, unit="s", value="limit.time")]


def _overload(limit: Any, facts: Facts) -> list[Judged]:
    channel = f"{limit.node}.load_pu"
    ratio = Function(
        "ratios", (f"{limit.node}.output_w",), (channel,), Ratio("magnitude", 1.0 / facts.devices[limit.node].rating)
    )
    return [Judged(channel, high=limit.max, unit="pu", functions=(ratio,))]


def _transfers(limit: Any, _: Facts) -> list[Judged]:
    channel = f"{limit.node}.transfers_{limit.window_s:g}_s"
    counted = Counter(0.5, limit.window_s, under=False, most=_MOST_COUNTED)
    counter = Function("counters", (f"{limit.node}.on_battery",), (channel,), counted)
    return [Judged(channel, high=float(limit.max), reference=-1.0, functions=(counter,))]


def _dc_link(limit: Any, _: Facts) -> list[Judged]:
    return [Judged(f"{limit.node}.dc_link_pu", low=limit.min, unit="pu", reference=1.0)]


def _recovery(limit: Any, _: Facts) -> list[Judged]:
    channel = f"{limit.node}.input_w" if _at_ups(limit) else _POWER
    return [Judged(channel, high=limit.max_s, unit="s", value="limit.recovery")]


def _times(level: float, nominal: float) -> float:
    """In the unit of what is measured; 0.9733 recurring of 60 Hz is 58.4 Hz, and not a rounding beside it."""
    return level if nominal == 1.0 else float(f"{level * nominal:.14g}")


def _ride_through(limit: Any, facts: Facts) -> list[Judged]:
    """Dips go by the lowest phase, swells by the highest: an envelope each."""
    at = "bus" if _at_ups(limit) else "pcc"
    power = f"{limit.node}.input_w" if _at_ups(limit) else _TRUE_POWER
    found = []
    for side, steps in (("below", limit.below), ("above", limit.above)):
        if not steps:
            continue
        nominal, signal = 1.0, f"{at}.voltage_{'lowest' if side == 'below' else 'highest'}_measured_pu"
        if limit.signal == "frequency":
            nominal, signal = facts.frequency_hz, _FREQUENCY
        thresholds = tuple(
            Threshold(_times(level, nominal), float(time_s), under=side == "below", inclusive=limit.at_level)
            for level, time_s in steps
        )
        envelope = Envelope(
            thresholds,
            window_s=float(limit.window_s),
            stays=float(limit.share),
            relative=True,
            recovery_s=float(limit.recovery_s),
            mean_s=float(limit.mean_s),
        )
        at_limit = f"limits.{limit_slug(limit.name)}.{side}"
        function = Function("envelopes", (signal, power), (f"{at_limit}_time_share", f"{at_limit}_let_go"), envelope)
        found.append(Judged(function.outputs[1], high=BELOW_ONE, variant=side, agree=False, functions=(function,)))
    return found


_HOW: dict[str, Callable[[Any, Facts], list[Judged]]] = {
    "undervoltage": _undervoltage,
    "overvoltage": _overvoltage,
    "volts_per_hertz": _volts_per_hertz,
    "flicker": _flicker,
    "underfrequency": _underfrequency,
    "overfrequency": _overfrequency,
    "rocof": _rocof,
    "ramp": _ramp,
    "peak_to_peak": _peak_to_peak,
    "variation": _variation,
    "oscillation": _oscillation,
    "band_share": _band_share,
    "reverse_power": _reverse_power,
    "underpower": _underpower,
    "overcurrent": _overcurrent,
    "thermal_overload": _thermal_overload,
    "converter_current": _converter_current,
    "soc_window": _soc_window,
    "battery_temperature": _battery_temperature,
    "c_rate": _c_rate,
    "on_battery": _on_battery,
    "overload": _overload,
    "transfers": _transfers,
    "dc_link": _dc_link,
    "recovery": _recovery,
    "ride_through": _ride_through,
}
