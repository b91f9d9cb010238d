"""A relay: whether and when it operates, and how long its disc takes to turn back."""

from __future__ import annotations

from typing import Any

from hil.limits.relays import CURVES, Relay
from hil.verify.bench import Bench, first, signal

_SETTINGS = ("under", "inclusive", "dropout", "delay_s", "dial", "dial_divisor", "most", "reset", "reset_s", "tr_s")
_MORE = ("cumulative", "window_s", "magnitude")


def run(given: dict[str, Any]) -> dict[str, Any]:
    """input: pickup (1), curve by name, settings of `Relay`, steps, dt_s.

    found: operates; time_s, of the first sample at which it has; share, the output at the last sample; reset_s, from the first
    step after `turns_back_after` seconds to an output of 0.
    """
    dt_s = given["dt_s"]
    curve = CURVES[given["curve"]] if "curve" in given else None
    relay = Relay(given.get("pickup", 1.0), curve=curve, **{key: given[key] for key in (*_SETTINGS, *_MORE) if key in given})
    bench = Bench()
    params, _ = bench.add("relays")
    relay.fill(params[0], bench, dt_s=dt_s, channel=0, output=1)
    output = bench.run(signal(given), outputs=1)[:, 1]
    time_s = first(output >= 1.0, dt_s)
    found: dict[str, Any] = {"operates": time_s is not None, "share": float(output[-1])}
    if time_s is not None:
        found["time_s"] = time_s
    if "turns_back_after" in given:
        begin = round(given["turns_back_after"] / dt_s)
        found["reset_s"] = first(output[begin:] <= 0.0, dt_s)
    return found
