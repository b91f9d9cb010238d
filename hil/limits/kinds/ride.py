"""How it is judged whether a site rides a disturbance through, and comes back."""

from __future__ import annotations

from typing import Any

from hil.limits.channels import FREQUENCY, POWER, TRUE_POWER, breaker_channels
from hil.limits.envelopes import Envelope, Threshold
from hil.limits.facts import Facts
from hil.limits.judged import BELOW_ONE, Function, Judged, at_ups
from hil.scenario.limit_rules import limit_slug


def _recovery(limit: Any, _: Facts) -> list[Judged]:
    channel = f"{limit.node}.input_w" if at_ups(limit) else POWER
    return [Judged(channel, high=limit.max_s, unit="s", value="limit.recovery")]


def _times(level: float, nominal: float) -> float:
    """In the unit of what is measured; 0.9733 recurring of 60 Hz is 58.4 Hz, and not a rounding beside it."""
    return level if nominal == 1.0 else float(f"{level * nominal:.14g}")


def _line(limit: Any, nominal: float) -> Threshold:
    (upper, upper_s), (lower, lower_s) = ((_times(level, nominal), float(time_s)) for level, time_s in limit.below_line)
    slope_s = float(f"{(upper_s - lower_s) / (upper - lower):.12g}")  # 4 s a unit, and not a rounding beside it
    return Threshold(upper, upper_s, under=True, inclusive=limit.at_level, slope_s=slope_s, least_s=lower_s)


def _ride_through(limit: Any, facts: Facts) -> list[Judged]:
    """Dips go by the lowest phase, swells by the highest: an envelope each."""
    at = "bus" if at_ups(limit) else "pcc"
    power = f"{limit.node}.input_w" if at_ups(limit) else TRUE_POWER
    apart = breaker_channels(limit.node)[:1] if limit.node in facts.breakers else ()
    found = []
    for side, steps in (("below", limit.below), ("above", limit.above)):
        if not steps and not (side == "below" and limit.below_line):
            continue
        nominal, signal = 1.0, f"{at}.voltage_{'lowest' if side == 'below' else 'highest'}_measured_pu"
        if limit.signal == "frequency":
            nominal, signal = facts.frequency_hz, FREQUENCY
        thresholds = tuple(
            Threshold(_times(level, nominal), float(time_s), under=side == "below", inclusive=limit.at_level)
            for level, time_s in steps
        )
        if side == "below" and limit.below_line:
            thresholds = (_line(limit, nominal), *thresholds)
        envelope = Envelope(
            thresholds,
            window_s=float(limit.window_s),
            stays=float(limit.share),
            relative=True,
            recovery_s=float(limit.recovery_s),
            mean_s=float(limit.mean_s),
        )
        at_limit = f"limits.{limit_slug(limit.name)}.{side}"
        function = Function("envelopes", (signal, power, *apart), (f"{at_limit}_time_share", f"{at_limit}_let_go"), envelope)
        found.append(Judged(function.outputs[1], high=BELOW_ONE, variant=side, agree=False, functions=(function,)))
    return found


HOW = {
    "recovery": _recovery,
    "ride_through": _ride_through,
}
