"""27 on the lowest phase of a judged dip, against phase voltages from OpenDSS and the closed form of the RMS window.

The voltage of a phase steps from `v` to `w`, so the mean square over a window of `N` ticks is `v² − (v² − w²)·n/N` in the
`n`-th tick of the dip: the first below `min²` is the smallest `n` above `N·(v² − min²)/(v² − w²)`.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import harness
import numpy as np
from balanced import Site, Transformer
from harness import Figure
from rig import Rig
from three_phase import BALANCED, OPENDSS, ThreePhase, source

SITE = Site(400.0, 8.0, Transformer(70.0, 0.09, 15.0), power_factor=0.95, below=0.85)
LOAD_MW = 30.0
BEGIN, LENGTH = 37, 400  # ticks of the dip
DIPS = (("ag", 0.0), ("bg", 0.5), ("ca", 0.2), ("bcg", 0.6))
PICKUPS = (0.4, 0.55, 0.7, 0.8, 0.88)
DELAYS = (0, 1, 20, 150)
MEASURED = ((17, 0), (50, 6))  # window and delay of the measurement, ticks


@dataclass(frozen=True)
class Voltages:
    """Of the three phases at one node, before a dip and in it."""

    before: np.ndarray
    within: np.ndarray


def voltages(group: str, fault: str, residual: float) -> dict[str, Voltages]:
    """At both nodes, from OpenDSS."""
    peer = ThreePhase(SITE, group)
    load = complex(SITE.demand(np.array([1e6 * LOAD_MW]))[0])
    before = peer.in_steady_state(BALANCED, load)
    within = peer.in_steady_state(source(fault, residual), load)
    return {node: Voltages(np.abs(before[k]), np.abs(within[k])) for k, node in enumerate(("pcc", "bus"))}


def expected(at: Voltages, pickup: float, delay: int, window: int, late: int) -> int:
    """First tick of the violation; -1: none."""
    crossings = []
    for v, w in zip(at.before, at.within, strict=True):
        if w < pickup:
            crossing = window * (v**2 - pickup**2) / (v**2 - w**2)
            assert abs(crossing - round(crossing)) > 1e-6  # else the tick would be chance
            crossings.append(math.floor(crossing) + 1)
    return BEGIN + min(crossings) - 1 + late + delay if crossings else -1


def judged(
    group: str, dip: tuple[str, float], limits: list[tuple[str, float, int]], window: int, late: int
) -> tuple[Rig, list[int]]:
    """A run with relays (node, pick-up, delay), and the ticks by which each was early or late."""
    fault, residual = dip
    event = {"kind": "grid_dip", "at": f"{BEGIN} ms", "duration": f"{LENGTH} ms", "fault": fault, "residual": residual}
    relays = [
        {"name": str(k), "kind": "undervoltage", "node": node, "min": pickup, "delay": f"{delay} ms"}
        for k, (node, pickup, delay) in enumerate(limits)
    ]
    measuring = {"window": f"{window} ms", "delay": f"{late} ms"}
    sections = SITE.sections(events=[{**event, "judged": True}], limits=relays, measurement=measuring)
    sections["transformer"]["group"] = group
    rig = Rig(sections, np.full(BEGIN + LENGTH, 1e6 * LOAD_MW)).run()
    at = voltages(group, fault, residual)
    ticks = [expected(at[node], pickup, delay, window, late) for node, pickup, delay in limits]
    assert max(ticks) > BEGIN
    off = np.abs(rig.engine.states["limits"]["first_tick"] - np.array(ticks))
    return rig, off.tolist()


def figures() -> list[Figure]:
    """Exact to the tick, and the case that a relay on the positive sequence would miss."""
    found = []
    limits = list(itertools.product(("pcc", "bus"), PICKUPS, DELAYS))
    for group in ("Dyn11", "YNyn0"):
        off = [tick for dip in DIPS for setting in MEASURED for tick in judged(group, dip, limits, *setting)[1]]
        name = f"27 at PCC and bus through {group}, first ticks of {len(off)} relays: most ticks off"
        found.append(Figure(name, max(off), 0, f"{OPENDSS} and a closed form"))
    for node in ("pcc", "bus"):
        pickup = 0.7
        rig, off = judged("Dyn11", ("bg", 0.5), [(node, pickup, 20)], *MEASURED[0])
        name = f"27 at the {node} operates at {pickup} pu in bg to 0.5: pick-up over the lowest positive sequence"
        share = pickup / float(np.min(rig[f"{node}.voltage_pu"]))
        found.append(Figure(name, share if off == [0] else math.inf, 1.0, f"{OPENDSS} and a closed form"))
    return found


if __name__ == "__main__":
    harness.report("undervoltage", figures())
