"""Cooling: its power against closed forms and scipy, its contactors to the tick, on bus voltages from pandapower.

In tick `k` cooling sees load and measured voltage of the end of tick `k − 1`: with `H` the solution of the equation in
docs/model.md, "Cooling", under the load as it is, what it draws in tick `k` follows `H(k·h)`.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass

import harness
import numpy as np
from balanced import Case, Site, Transformer, power_flow
from harness import Figure, largest
from numpy.polynomial import Polynomial
from rig import H, Rig
from scipy.integrate import solve_ivp

SITE = Site(400.0, 10.0, Transformer(70.0, 0.08, 20.0), power_factor=0.97, below=0.85)
BASE_MW, SHARE, LAG_S, POWER_FACTOR = 1.5, 0.3, 4.0, 0.92
WINDOW = 17  # ticks of the voltage's RMS


def section(**others: str | float) -> dict[str, str | float]:
    """`[cooling]`."""
    return {"base": f"{BASE_MW} MW", "share": SHARE, "lag": f"{LAG_S} s", "power_factor": POWER_FACTOR, **others}


@functools.cache
def bus_voltages(it_mw: float, cooling_mw: tuple[float, ...], residual: float = 1.0) -> np.ndarray:
    """With load and cooling: as power, or in a dip as the current of their power at the threshold."""
    cooling = np.array(cooling_mw) * complex(1.0, math.tan(math.acos(POWER_FACTOR)))
    drawn = SITE.demand(np.array([1e6 * it_mw]))[0] + cooling
    if residual == 1.0:
        return power_flow([Case(SITE, power) for power in drawn]).bus
    found = power_flow([Case(SITE, constant_current=power / SITE.below, dip=residual) for power in drawn]).bus
    assert np.max(found) < SITE.below
    return found


def steps() -> Figure:
    """Steps of the load: between them the heat approaches the load exponentially."""
    levels, length = (20.0, 32.0, 8.0, 8.5, 26.0), 3000
    load = np.repeat(levels, length)
    rig = Rig(SITE.sections(cooling=section()), 1e6 * load).run()
    heat, begins, since = levels[0], [], np.arange(length) * H
    for level in levels:
        begins.append(level + (heat - level) * np.exp(-since / LAG_S))
        heat = level + (heat - level) * math.exp(-length * H / LAG_S)
    theirs = BASE_MW + SHARE * np.concatenate(begins)
    value = largest(rig["cooling.demand_w"] / 1e6, theirs, float(np.ptp(theirs)))
    return Figure("Power under load steps, share of its range", value, 1e-9, "a closed form")


@dataclass(frozen=True)
class Contactors:
    """Setting of a drop-out, in ticks, and the dip that may cause it."""

    drop_below: float
    drop_after: int
    restart_after: int
    ramp: int
    late: int
    residual: float
    begin: int = 50
    length: int = 120
    it_mw: float = 24.0

    @property
    def settled_mw(self) -> float:
        """What cooling draws before the dip."""
        return BASE_MW + SHARE * self.it_mw

    def voltages(self) -> tuple[float, float, float, float]:
        """At the bus: before the dip, in it, in it without cooling, and after it without cooling."""
        powers = (self.settled_mw, 0.0)
        before, after = bus_voltages(self.it_mw, powers)
        within, relieved = bus_voltages(self.it_mw, powers, self.residual)
        return before, within, relieved, after

    def ticks(self) -> tuple[int, int] | None:
        """Of the drop-out and of the restart; None where the voltage is not low for long enough.

        `drop_after` ticks and one sample more: the first and the last lie further apart than `drop_after` only then. Without
        cooling the voltage may be back while the dip still lasts.
        """
        before, within, relieved, after = (voltage**2 for voltage in self.voltages())
        level, end = self.drop_below**2, self.begin + self.length
        if within >= level:
            return None
        falling = WINDOW * (before - level) / (before - within)
        drop = self.begin + math.floor(falling) + self.late + self.drop_after + 1
        low_until = end + math.ceil(WINDOW * (level - within) / (before - within)) - 1 + self.late
        if drop > low_until:
            return None
        begin, low, high = (drop, within, relieved) if relieved >= level else (end, relieved, after)
        assert begin >= (self.begin if relieved >= level else drop) + WINDOW  # the window holds one voltage where this begins
        rising = WINDOW * (level - low) / (high - low)
        assert min(abs(x - round(x)) for x in (falling, rising)) > 1e-3  # else the tick would be chance
        return drop, begin + math.ceil(rising) + self.late + self.restart_after

    def run(self, ticks: int) -> Rig:
        """By the model."""
        cooling = section(
            drop_below=self.drop_below,
            drop_after=f"{self.drop_after} ms",
            restart_after=f"{self.restart_after} ms",
            restart_ramp=f"{self.ramp} ms",
        )
        dip = {"kind": "grid_dip", "at": f"{self.begin} ms", "duration": f"{self.length} ms", "residual": self.residual}
        measuring = {"window": f"{WINDOW} ms", "delay": f"{self.late} ms"}
        sections = SITE.sections(cooling=cooling, events=[dip], measurement=measuring)
        return Rig(sections, np.full(ticks, 1e6 * self.it_mw)).run()


def contactors() -> Figure:
    """First tick without cooling, and the first with it again."""
    off, operated, stayed = [0], 0, 0
    for level, after, late, residual in itertools.product((0.55, 0.7, 0.8), (0, 5, 20, 130), (0, 7), (0.5, 0.65, 0.75)):
        case = Contactors(level, after, 90, 60, late, residual)
        running = case.run(600)["cooling.demand_w"] > 0.0
        expected = case.ticks()
        if expected is None:
            stayed += 1
            off.append(0 if running.all() else 600)
            continue
        operated += 1
        drop, restart = expected
        off += [abs(int(np.argmin(running)) - drop), abs(drop + int(np.argmax(running[drop:])) - restart)]
    assert min(operated, stayed) > 10
    name = f"Contactors, {operated} that drop out and restart, {stayed} that do not: most ticks off"
    return Figure(name, max(off), 0, f"{harness.peer('pandapower')} and a closed form")


def through_a_dip() -> Figure:
    """The whole course: heat of the delivered load, drop-out, restart, and the ramp back."""
    case = Contactors(0.7, 20, 300, 500, 4, 0.55, begin=1000, length=1500)
    ticks, end, expected = 6000, case.begin + case.length, case.ticks()
    assert expected is not None
    drop, restart = expected
    powers = np.linspace(0.5, 1.0, 7) * case.settled_mw
    delivered = Polynomial.fit(powers, bus_voltages(case.it_mw, tuple(powers), case.residual) / SITE.below, 4)
    relieved = case.voltages()[2] / SITE.below
    course = (
        (case.begin, lambda _: 1.0),
        (drop, lambda heat: delivered(BASE_MW + SHARE * heat)),
        (end, lambda _: relieved),
        (ticks, lambda _: 1.0),
    )
    heat, begin, found = case.it_mw, 0, []
    for until, share in course:
        solved = solve_ivp(
            lambda _, h, share=share: (case.it_mw * share(h) - h) / LAG_S,
            (begin * H, until * H),
            [heat],
            "DOP853",
            np.arange(begin, until + 1) * H,
            rtol=1e-10,
            atol=1e-12,
        )
        found.append(solved.y[0, :-1])
        heat, begin = solved.y[0, -1], until
    running = np.ones(ticks)
    running[drop:restart] = 0.0
    running[restart:] = np.minimum(np.arange(1, ticks - restart + 1) / case.ramp, 1.0)
    theirs = running * (BASE_MW + SHARE * np.concatenate(found))
    value = largest(case.run(ticks)["cooling.demand_w"] / 1e6, theirs, float(np.ptp(theirs)))
    name = "Power through dip, drop-out and restart, share of its range"
    return Figure(name, value, 1e-3, harness.peer("scipy", "pandapower"))


def figures() -> list[Figure]:
    """Waveforms, and ticks of the contactors."""
    return [steps(), through_a_dip(), contactors()]


if __name__ == "__main__":
    harness.report("cooling", figures())
