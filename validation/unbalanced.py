"""Unbalanced dips phase by phase against OpenDSS: every fault through every transformer group, at the PCC and at the bus."""

from __future__ import annotations

from collections.abc import Sequence

import harness
import numpy as np
from balanced import Site, Transformer
from harness import Figure, largest
from network import ENABLED, STORAGE, VARS, WATTS
from rig import Rig
from three_phase import GROUPS, OPENDSS, TURN, ThreePhase, source

BOUND = 1e-6
MAGNETISED = 1e-4  # the bound of Yyn0, which OpenDSS cannot do without a magnetising current (three_phase.py)
FAULTS = ("ag", "bg", "cg", "ab", "bc", "ca", "abg", "bcg", "cag")
DIPS = [(fault, residual) for fault in FAULTS for residual in (0.0, 0.35, 0.7)]
DIPS += [("abc", residual) for residual in (0.2, 0.35, 0.8)]
SITES = (
    Site(300.0, 12.0, Transformer(60.0, 0.08, 20.0), power_factor=0.95, below=0.8),
    Site(500.0, 4.0, Transformer(55.0, 0.12, 6.0, tap=-2), source=1.01, power_factor=0.9, below=0.8),
)
LOAD_MW, GIVEN = 28.0, 6 + 3j
EVERY, LENGTH = 80, 60  # ticks from dip to dip, and of a dip: until converters have measured it


def run(site: Site, group: str | None) -> Rig:
    """All dips one after the other."""
    events = [
        {"kind": "grid_dip", "at": f"{EVERY * (k + 1)} ms", "duration": f"{LENGTH} ms", "fault": fault, "residual": residual}
        for k, (fault, residual) in enumerate(DIPS)
    ]
    limits = [{"name": node, "kind": "negative_sequence_voltage", "node": node, "max": 0.9} for node in ("pcc", "bus")]
    sections = site.sections(events=events, bess={"x": STORAGE}, measurement={"window": "1 ms"}, limits=limits)
    if group is None:
        sections.pop("transformer")
    else:
        sections["transformer"]["group"] = group
    commands = [*ENABLED, (0, WATTS, 1e6 * GIVEN.real), (0, VARS, 1e6 * GIVEN.imag)]
    return Rig(sections, np.full(EVERY * (len(DIPS) + 1), 1e6 * LOAD_MW)).run(commands)


def through(group: str | None) -> dict[str, float]:
    """Differences of all dips on both sites, through one group."""
    found: dict[str, float] = {}
    for site in SITES:
        rig, peer = run(site, group), ThreePhase(site, group)
        load = complex(site.demand(np.array([1e6 * LOAD_MW]))[0])
        ticks = EVERY * np.arange(1, len(DIPS) + 1) + LENGTH - 1
        pcc, bus, power = zip(*(peer.in_steady_state(site.source * source(*dip), load, GIVEN) for dip in DIPS), strict=True)
        ours = (rig["pcc.power_w"][ticks] + 1j * rig["pcc.reactive_var"][ticks]) / 1e6
        values = {
            "phase voltages at the PCC, pu": largest(phases(rig, "pcc", ticks), np.abs(pcc), 1.0),
            "phase voltages at the bus, pu": largest(phases(rig, "bus", ticks), np.abs(bus), 1.0),
            "negative sequence at PCC and bus, pu": largest(sequences(rig, ticks), negative(pcc, bus), 1.0),
            "P + jQ at the PCC, share of apparent power": largest(ours, np.array(power), np.abs(power)),
        }
        found = {name: max(found.get(name, 0.0), value) for name, value in values.items()}
    return found


def phases(rig: Rig, node: str, ticks: np.ndarray) -> np.ndarray:
    """Voltages of the three phases, a row for each tick."""
    return np.column_stack([rig[f"{node}.voltage_{phase}_pu"][ticks] for phase in "abc"])


def sequences(rig: Rig, ticks: np.ndarray) -> np.ndarray:
    """What 47 looks at, PCC and bus side by side, a row for each tick."""
    return np.column_stack([rig[f"{node}.voltage_negative_sequence_measured_pu"][ticks] for node in ("pcc", "bus")])


def negative(*nodes: Sequence[np.ndarray]) -> np.ndarray:
    """Magnitudes of the negative sequence of phase voltages, a column for each node."""
    turn = np.array([1.0, TURN**2, TURN]) / 3.0
    return np.abs(np.stack([np.array(phases) @ turn for phases in nodes], axis=1))


def figures() -> list[Figure]:
    """Of every group, and of none."""
    return [
        Figure(f"Dips through {group or 'no transformer'}: {name}", value, MAGNETISED if group == "Yyn0" else BOUND, OPENDSS)
        for group in (None, *GROUPS)
        for name, value in through(group).items()
    ]


if __name__ == "__main__":
    harness.report("unbalanced", figures())
