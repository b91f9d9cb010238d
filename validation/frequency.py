"""Frequency after load steps, a dip and losses of generation: swing equation by scipy, network power by pandapower."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import harness
import numpy as np
from balanced import Case, Site, Transformer, power_flow
from harness import Figure, largest
from rig import H, Rig
from scipy.integrate import solve_ivp

BOUND = 1e-3  # of the range: the model takes steps of a millisecond
EVERY = 5  # ticks between two points of a waveform
SITE = Site(500.0, 10.0, Transformer(60.0, 0.1, 18.0, tap=1), power_factor=0.95, below=0.85)


@dataclass(frozen=True)
class Area:
    """Parameters of "Frequency"."""

    base_mva: float
    inertia_s: float
    damping: float
    droop: float
    governor_s: float
    governor_limit: float
    deadband_hz: float
    nominal_hz: float = 60.0
    interconnection: str | None = None  # which gives base and limit

    def section(self) -> dict[str, str | float]:
        """Keys of `[grid]`."""
        own = {"area": f"{self.base_mva} MVA", "governor_limit": self.governor_limit}
        return {
            **({"interconnection": self.interconnection} if self.interconnection else own),
            "inertia": f"{self.inertia_s} s",
            "damping": self.damping,
            "droop": self.droop,
            "governor_time": f"{self.governor_s} s",
            "deadband": f"{self.deadband_hz} Hz",
            "frequency": f"{self.nominal_hz} Hz",
        }

    def wanted(self, w: float) -> float:
        """What the governor asks for."""
        beyond = max(abs(w) - self.deadband_hz / self.nominal_hz, 0.0)
        return -math.copysign(min(beyond / self.droop, self.governor_limit), w)

    def rates(self, _t: float, y: np.ndarray, missing: float) -> list[float]:
        """Swing equation and governor."""
        w, g = y
        return [
            (g - missing - self.damping * w) / (2.0 * self.inertia_s),
            (self.wanted(w) - g) / self.governor_s,
        ]

    def settled(self, missing: float) -> float:
        """Deviation at which both rates are zero, short of the governor's limit or at it."""
        size, dead = abs(missing), self.deadband_hz / self.nominal_hz
        inside = (size + dead / self.droop) / (self.damping + 1.0 / self.droop)
        within = size / self.damping if inside < dead else inside
        at_limit = (size - self.governor_limit) / self.damping
        return -math.copysign(max(within, at_limit), missing)


@dataclass(frozen=True)
class Stretch:
    """Ticks in which nothing changes."""

    ticks: int
    load_mw: float
    lost_mw: float = 0.0
    dip: float = 1.0


def waveform(area: Area, stretches: list[Stretch]) -> tuple[np.ndarray, np.ndarray, float]:
    """Ticks, frequency at the end of each, and where it would settle."""
    demand = [complex(SITE.demand(np.array([1e6 * s.load_mw]))[0]) for s in stretches]
    power = power_flow(
        [
            Case(SITE, power) if s.dip == 1.0 else Case(SITE, constant_current=power / SITE.below, dip=s.dip)
            for s, power in zip(stretches, demand, strict=True)
        ]
    )
    inside = [voltage >= SITE.below for voltage in power.bus]
    assert inside == [s.dip == 1.0 for s in stretches]
    state, begin, at, found, missing = np.zeros(2), 0, [], [], 0.0
    for stretch, drawn in zip(stretches, power.power.real, strict=True):
        missing = (drawn - power.power[0].real + stretch.lost_mw) / area.base_mva
        ends = np.arange(begin + EVERY, begin + stretch.ticks + 1, EVERY)
        solved = solve_ivp(
            area.rates,
            (begin * H, (begin + stretch.ticks) * H),
            state,
            "DOP853",
            ends * H,
            args=(missing,),
            rtol=1e-10,
            atol=1e-13,
            max_step=0.05,
        )
        at.append(ends - 1)
        found.append(solved.y[0])
        state, begin = solved.y[:, -1], begin + stretch.ticks
    return (
        np.concatenate(at),
        area.nominal_hz * (1.0 + np.concatenate(found)),
        area.nominal_hz * (1.0 + area.settled(missing)),
    )


def run(area: Area, stretches: list[Stretch]) -> Rig:
    """The same by the model."""
    events = []
    for begin, stretch in zip(itertools.accumulate((s.ticks for s in stretches), initial=0), stretches, strict=False):
        when = {"at": f"{begin} ms", "duration": f"{stretch.ticks} ms"}
        if stretch.lost_mw:
            events.append({"kind": "generation_loss", "power": f"{stretch.lost_mw} MW", **when})
        if stretch.dip < 1.0:
            events.append({"kind": "grid_dip", "residual": stretch.dip, **when})
    load = np.repeat([1e6 * s.load_mw for s in stretches], [s.ticks for s in stretches])
    return Rig(SITE.sections(grid=area.section(), events=events), load).run()


AREA = Area(800.0, 3.5, 1.2, 0.05, 0.6, 0.08, 0.036)
SLOW = Area(600.0, 5.0, 0.8, 0.04, 1.5, 0.03, 0.02, nominal_hz=50.0)
ERCOT = Area(2600.0 * 60.0 / (0.4 + 0.364 / 0.05), 4.0, 1.0, 0.05, 0.5, 0.2, 0.036, interconnection="ercot")
RUNS = {
    "Load step": (AREA, [Stretch(2000, 10.0), Stretch(18_000, 45.0)]),
    "Generation loss": (AREA, [Stretch(1000, 20.0), Stretch(20_000, 20.0, lost_mw=40.0)]),
    "Generation loss, governor at its limit": (SLOW, [Stretch(1000, 20.0), Stretch(150_000, 20.0, lost_mw=24.0)]),
    "Loss of 2,600 MW of load in ERCOT's area": (ERCOT, [Stretch(1000, 20.0), Stretch(60_000, 20.0, lost_mw=-2600.0)]),
    "Load steps, loss and dip": (
        AREA,
        [
            Stretch(1000, 10.0),
            Stretch(3000, 45.0),
            Stretch(500, 45.0, dip=0.6),
            Stretch(3000, 45.0),
            Stretch(3000, 5.0, lost_mw=30.0),
            Stretch(12_000, 5.0),
        ],
    ),
}


def figures() -> list[Figure]:
    """Waveform, peak and settling value of each run, as shares of the waveform's range."""
    against = harness.peer("scipy", "pandapower")
    found = []
    for what, (area, stretches) in RUNS.items():
        ticks, theirs, settled = waveform(area, stretches)
        ours = run(area, stretches)["pcc.frequency_hz"]
        span, nominal = float(np.ptp(theirs)), area.nominal_hz
        peak = np.max(np.abs(ours - nominal)) - np.max(np.abs(theirs - nominal))
        values = {
            "whole waveform": largest(ours[ticks], theirs, span),
            "peak deviation": abs(float(peak)) / span,
            "settling value": abs(float(ours[-1]) - settled) / span,
        }
        found += [Figure(f"{what}: {name}, share of the range", value, BOUND, against) for name, value in values.items()]
    return found


if __name__ == "__main__":
    harness.report("frequency", figures())
