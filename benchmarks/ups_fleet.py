"""A thousand UPSs, no two alike, in one section: six dips in 82 s latch 84 % of them, the others recharge.

Figures: `realtime_factor` at 1 kHz, wall clock, load and hash included; `processor_factor`, the same over the processor time
of the thread, which what else runs on the machine touches less; `unit_ns`, that time for a unit and a tick, from end to end,
and `calm_unit_ns` before the first dip; `alone_ratio`, processor time of a group of fifty over that of fifty sections of one
UPS each, which must come to the same states and the same power at the PCC, to the bit; `latched`, the share that has latched.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from bench import interleaved, median_ratio, report, seconds

import hil
from hil.scenario import Scenario
from hil.scenario.files import from_document

ROUNDS = 3
UNITS = 1000
FEW = 50
DURATION_S = 150.0
CALM_S = 20.0
SPREAD = {
    "counter_disturbances": {"values": [3, 0], "shares": [0.84, 0.16]},
    "input_low": ["0.70 pu", "0.90 pu"],
    "transfer": ["2 ms", "12 ms"],
    "qualify": ["3 s", "10 s"],
    "walk_in": ["5 s", "15 s"],
    "soc": [0.9, 1.0],
    "autonomy": ["2 min", "8 min"],
}


def site(units: int) -> Scenario:
    """Six dips, 16.4 s apart, after `CALM_S`."""
    dips = [
        {"kind": "grid_dip", "at": f"{CALM_S + 16.4 * k:g} s", "duration": "50 ms", "residual": 0.25 + 0.03 * k}
        for k in range(6)
    ]
    return from_document(
        {
            "duration": f"{DURATION_S:g} s",
            "seed": 7,
            "grid": {"short_circuit": f"{20 * units} MVA"},
            "load": {"kind": "training", "power": f"{units} MW", "jitter": 0.01},
            "ups": {"sites": {"count": units, "rating": "1.2 MW", "spread": SPREAD}},
            "events": dips,
        }
    )


def alone(scenario: Scenario) -> Scenario:
    """The same with a section for each unit."""
    document: dict[str, Any] = scenario.document()
    units = scenario.ups["sites"].units(scenario.seed, "sites")
    sections = [unit.model_dump(mode="json", by_alias=True, exclude_none=True) for unit in units]
    return from_document(document | {"ups": {f"u{number:03}": section for number, section in enumerate(sections)}})


def processor_s(work: Callable[[], object]) -> float:
    """Processor time of this thread in one call."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


def same(one: hil.KernelRun, other: hil.KernelRun) -> bool:
    """Whether two runs stand at the same states of their UPSs and the same power at the PCC."""
    states = all(np.array_equal(one.states[name], other.states[name]) for name in ("ups", "ups_power", "ups_battery"))
    return states and one["pcc.power_w"] == other["pcc.power_w"]


def main() -> None:
    """Measure and report."""
    fleet, few = site(UNITS), site(FEW)
    singly = alone(few)
    factors: list[float] = []
    calm: list[float] = []
    latched: list[float] = []
    ended: dict[str, hil.KernelRun] = {}

    def thousand() -> float:
        run = hil.KernelRun(fleet)
        before = time.thread_time()
        calm_wall = seconds(lambda: run.advance(CALM_S))
        calm.append(time.thread_time() - before)
        rest = [0.0]
        spent = processor_s(lambda: rest.append(seconds(lambda: run.advance(DURATION_S))))
        factors.append(DURATION_S / (calm_wall + rest[-1]))
        latched.append(run["ups.sites.latched"] / UNITS)
        return calm[-1] + spent

    def fifty(name: str, scenario: Scenario) -> float:
        ended[name] = hil.KernelRun(scenario)
        return processor_s(lambda: ended[name].advance(DURATION_S))

    taken = interleaved(
        ROUNDS, {"all": thousand, "group": lambda: fifty("group", few), "alone": lambda: fifty("alone", singly)}
    )
    if not same(ended["group"], ended["alone"]):
        raise SystemExit("a group of UPSs is not its units")
    ticks = fleet.ticks
    report(
        "ups_fleet",
        {
            "realtime_factor": statistics.median(factors[1:]),
            "processor_factor": DURATION_S / statistics.median(taken["all"]),
            "unit_ns": statistics.median(taken["all"]) * 1e9 / (ticks * UNITS),
            "calm_unit_ns": statistics.median(calm[1:]) * 1e9 / (fleet.ticks_of(CALM_S) * UNITS),
            "alone_ratio": median_ratio(taken["group"], taken["alone"]),
            "latched": latched[-1],
        },
        ROUNDS,
    )


if __name__ == "__main__":
    main()
