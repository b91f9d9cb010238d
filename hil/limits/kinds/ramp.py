"""How ramps of active power are judged: a way for each form that a grid code gives them."""

from __future__ import annotations

import math
from typing import Any

from hil.limits.channels import POWER
from hil.limits.facts import Facts
from hil.limits.judged import Function, Judged
from hil.limits.trends import Blocks, Slope
from hil.scenario.limit.ramp import FORMS

_BLANK = "blank.voltage"


def _ramp(limit: Any, _: Facts) -> list[Judged]:
    """What a source that states no form may mean must agree; a range has no direction, so it is none of one way only."""
    forms = [limit.form]
    if limit.form == "unstated":
        forms = [form for form in FORMS if form != "range" or limit.direction == "both"]
    return [_form(limit, form, form.replace("_", " ") if len(forms) > 1 else "") for form in forms]


def _form(limit: Any, form: str, variant: str) -> Judged:
    window_s = float(limit.window_s)
    bounds: dict[str, Any] = {
        "low": -math.inf if limit.direction == "up" else -limit.max_w_per_s,
        "high": math.inf if limit.direction == "down" else limit.max_w_per_s,
        "unit": "W/s",
        "window_s": window_s,
        "blanked_by": _BLANK,
        "variant": variant,
    }
    if form == "range":
        bounds |= {"low": -math.inf, "high": limit.max_w_per_s * window_s, "scale": 1.0 / window_s}
        return Judged(POWER, value="limit.range", **bounds)
    if form == "slope":
        channel = f"pcc.power_slope_{window_s:g}_s_w_per_s"
        function = Function("slopes", (POWER,), (channel,), Slope(window_s, _BLANK))
        return Judged(channel, functions=(function,), **bounds)
    if form == "block_average" and limit.block_start_s is not None:
        start_s = float(limit.block_start_s)
        channel = f"pcc.power_blocks_{window_s:g}_s_from_{start_s:g}_s_w_per_s"
        function = Function("blocks", (POWER,), (channel,), Blocks(window_s, start_s, _BLANK))
        return Judged(channel, mean_s=2.0 * window_s, functions=(function,), **bounds)
    # Blocks that may begin at any sample: the worst of them is that of a rolling mean as long as a block.
    mean_s = {"endpoint": 0.0, "mean_difference": limit.averaged_s, "block_average": window_s}[form]
    return Judged(POWER, value="limit.ramp", mean_s=mean_s, **bounds)


HOW = {"ramp": _ramp}
