"""A kind of limit as a file has it, on the signals of a device: from its keys to what it counts."""

from __future__ import annotations

import math
from typing import Any

from pydantic import TypeAdapter

from hil.kernel.protection.replay import Replay
from hil.limits.build import on_columns
from hil.limits.entries import judged
from hil.limits.facts import DeviceFacts, Facts
from hil.scenario.limit import Limit
from hil.verify import bench

_LIMIT: TypeAdapter[Limit] = TypeAdapter(Limit)


def run(given: dict[str, Any]) -> dict[str, Any]:
    """input: limit, its keys; device, what is known of the one it is at; signals, steps by channel, of one length; dt_s.

    found: violated; time_s, of the first sample at which; beyond_s, how long in all; worst, of the way in which it is judged
    that is violated, else of the first.
    """
    dt_s = given["dt_s"]
    limit = _LIMIT.validate_python({"name": "x", **given["limit"]}, context={"file": True}, by_alias=True, by_name=False)
    devices = {limit.node: DeviceFacts(**given["device"])} if "device" in given else {}
    ways = judged(limit, Facts(round(1e9 * dt_s), 60.0, devices))
    columns = {name: bench.signal({"steps": steps, "dt_s": dt_s}) for name, steps in given["signals"].items()}
    parts, rows = on_columns([(limit, how) for how in ways], columns, Facts(round(1e9 * dt_s), 60.0, devices))
    states = parts.states | {"arena": parts.arena.array()}
    for change in bench.bend:
        change(parts.parameters, states)
    Replay(parts.parameters, states).run(rows)
    ends = list(zip(ways, states["limits"], strict=True))
    beyond = [(how, state) for how, state in ends if state["beyond_ticks"] > 0]
    how, state = min(beyond, key=lambda end: int(end[1]["first_tick"])) if beyond else ends[0]
    below = math.isfinite(how.low) and (state["lowest"] < how.low or not math.isfinite(how.high))
    found: dict[str, Any] = {"violated": bool(beyond), "worst": float(state["lowest" if below else "highest"])}
    if beyond:
        found["time_s"] = int(state["first_tick"]) * dt_s
        found["beyond_s"] = int(state["beyond_ticks"]) * dt_s
    return found
