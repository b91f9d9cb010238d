"""Stages of relays on one channel: which operates first, and when."""

from __future__ import annotations

from typing import Any

from hil.verify.bench import Bench, first, signal
from hil.verify.published import STAGES


def run(given: dict[str, Any]) -> dict[str, Any]:
    """input: profile by name, stage (all of them), steps, dt_s. found: operates; stage, the first to, and time_s."""
    dt_s = given["dt_s"]
    stages = STAGES[given["profile"]].stages
    if "stage" in given:
        stages = {given["stage"]: stages[given["stage"]]}
    bench = Bench()
    params, _ = bench.add("relays", len(stages))
    for i, relay in enumerate(stages.values()):
        relay.fill(params[i], bench, dt_s=dt_s, channel=0, output=1 + i)
    rows = bench.run(signal(given), outputs=len(stages))
    times = {name: first(rows[:, 1 + i] >= 1.0, dt_s) for i, name in enumerate(stages)}
    operated = {name: time_s for name, time_s in times.items() if time_s is not None}
    if not operated:
        return {"operates": False}
    name = min(operated, key=operated.__getitem__)
    return {"operates": True, "stage": name, "time_s": operated[name]}
