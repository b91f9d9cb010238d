"""A rate of change, and the relay behind it: 81R."""

from __future__ import annotations

from typing import Any

import numpy as np

from hil.kernel.layout import CODES
from hil.limits.rates import Rate
from hil.limits.relays import Relay
from hil.verify.bench import Bench, first, signal


def run(given: dict[str, Any]) -> dict[str, Any]:
    """input: pickup, dropout, delay_s of the relay; window_s, steps, dt_s; blanked_s, for which a stimulus acts at first.

    found: operates, time_s; rate, at the last sample; known_s, of the first at which there is a rate.
    """
    dt_s = given["dt_s"]
    bench, column = Bench(), signal(given)
    params, states = bench.add("rates")
    rate = Rate(given["window_s"], "blank.frequency")
    rate.fill(params[0], states[0], bench, dt_s=dt_s, channel=0, output=1, before=float(column[0]))
    params, _ = bench.add("relays")
    relay = Relay(given["pickup"], dropout=given.get("dropout"), delay_s=given.get("delay_s", 0.0), magnitude=True)
    relay.fill(params[0], bench, dt_s=dt_s, channel=1, output=2)
    bench.states["blank_until"] = np.zeros(CODES["blank.kinds"], np.int64)
    bench.states["blank_until"][CODES["blank.frequency"]] = round(given.get("blanked_s", 0.0) / dt_s)
    rows = bench.run(column, outputs=2)
    time_s = first(rows[:, 2] >= 1.0, dt_s)
    found: dict[str, Any] = {"operates": time_s is not None, "rate": float(rows[-1, 1])}
    found["known_s"] = first(~np.isnan(rows[:, 1]), dt_s)
    return found if time_s is None else found | {"time_s": time_s}
