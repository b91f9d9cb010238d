"""A counter: whether and when it has counted so many events within its window."""

from __future__ import annotations

from typing import Any

import numpy as np

from hil.limits.counters import Counter
from hil.verify.bench import Bench, first


def run(given: dict[str, Any]) -> dict[str, Any]:
    """input: bound, window_s, under, most, count, rest, dips (each: begin, value, how long), duration_s, dt_s.

    found: reaches, whether it has counted `count`; time_s of the first sample at which; largest, its largest count.
    """
    dt_s = given["dt_s"]
    counter = Counter(given["bound"], given["window_s"], given.get("under", True), given.get("most", 64))
    bench = Bench()
    params, _ = bench.add("counters")
    counter.fill(params[0], bench, dt_s=dt_s, channel=0, output=1)
    samples = np.full(round(given["duration_s"] / dt_s), float(given["rest"]))
    for begin_s, value, seconds in given["dips"]:
        begin = round(begin_s / dt_s)
        samples[begin : begin + round(seconds / dt_s)] = value
    output = bench.run(samples, outputs=1)[:, 1]
    time_s = first(output >= given["count"], dt_s)
    found: dict[str, Any] = {"reaches": time_s is not None, "largest": int(output.max())}
    return found | ({} if time_s is None else {"time_s": time_s})
