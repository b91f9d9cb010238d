"""A thermal image: when it operates, and how warm it is in the end."""

from __future__ import annotations

from typing import Any

from hil.limits.thermals import Thermal
from hil.verify.bench import Bench, first, signal

_SETTINGS = ("k", "base", "cooling_s", "before")


def run(given: dict[str, Any]) -> dict[str, Any]:
    """input: settings of `Thermal`, steps, dt_s. found: operates, time_s; level, at the last sample."""
    dt_s = given["dt_s"]
    thermal = Thermal(given["time_constant_s"], **{key: given[key] for key in _SETTINGS if key in given})
    bench = Bench()
    params, states = bench.add("thermals")
    thermal.fill(params[0], states[0], dt_s=dt_s, channel=0, output=1)
    output = bench.run(signal(given), outputs=1)[:, 1]
    time_s = first(output >= 1.0, dt_s)
    return {"operates": time_s is not None, "level": float(output[-1])} | ({} if time_s is None else {"time_s": time_s})
