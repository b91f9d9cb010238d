"""UPS: its decisions against a second implementation that goes by stretches, battery and DC link against scipy.

Everything here is written from docs/model.md, "UPS". The grid is stiff, so that the bus stands at the residual of a dip.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass, field

import harness
import numpy as np
from harness import Figure, largest, report
from rig import H, Rig
from scipy.integrate import solve_ivp

S, SHARE_LIMIT, RECTIFIER_LOSS, TICKS = 6e6, 1.3, 0.012, 180_000
TRANSFER, QUALIFY, WINDOW, COUNTER_TICKS = 4, 3_000, 17, 12_000
WALK_IN_S, RECHARGE_W, TAPER = 4.0, 0.6e6, 0.05
TAUS, LINK_LAG_S = (20.0, 300.0), 0.002
SECTION = {
    "rating": "6 MW", "autonomy": "6 min", "qualify": "3 s", "walk_in": "4 s", "soc": 0.96, "counter": True,
    "counter_disturbances": 3, "counter_window": "12 s",
}  # fmt: skip
STIFF = {"short_circuit": "5000 GVA", "area": "10000 GVA"}
Runs = list[tuple[int, int, bool]]


def inverter_w(load_w: float) -> float:
    """What the inverter takes for its load."""
    return load_w + 0.004 * S + 0.007 * load_w + 0.011 * load_w**2 / S


@dataclass
class Program:
    """Load in steps and dips at random, (tick, ticks, residual): about every ten seconds, some close together."""

    seed: int
    load_w: np.ndarray = field(init=False)
    dips: list[tuple[int, int, float]] = field(init=False)

    def __post_init__(self) -> None:
        """Draw them."""
        rng = np.random.default_rng(self.seed)
        self.load_w = np.repeat(rng.uniform(2e6, 5.6e6, TICKS // 2_500), 2_500)
        begins = np.cumsum(rng.choice([1_500, 9_000, 18_000, 30_000], 14)) + rng.integers(0, 400, 14)
        self.dips = [
            (int(at), int(rng.integers(40, 200)), float(rng.uniform(0.05, 0.5))) for at in begins if at < TICKS - 20_000
        ]

    def voltage(self) -> np.ndarray:
        """At the bus."""
        voltage = np.ones(TICKS)
        for at, length, residual in self.dips:
            voltage[at : at + length] = residual
        return voltage

    @functools.cached_property
    def rig(self) -> Rig:
        """The kernel's run."""
        events = [
            {"kind": "grid_dip", "at": f"{at} ms", "duration": f"{length} ms", "residual": residual}
            for at, length, residual in self.dips
        ]
        return Rig(
            {"ups": {"a": SECTION}, "events": events, "grid": STIFF, "measurement": {"window": "17 ms"}}, self.load_w
        ).run()


def stretches(inside: np.ndarray) -> Runs:
    """Runs of equal samples: from, to, inside."""
    edges = np.flatnonzero(np.diff(inside.astype(int))) + 1
    bounds = [0, *edges.tolist(), inside.size]
    return [(a, b, bool(inside[a])) for a, b in itertools.pairwise(bounds)]


@dataclass
class Decisions:
    """When the line is lost, when a walk-in begins, and when the counter latches: by whole stretches."""

    lost: list[int] = field(default_factory=list)
    walk_ins: list[int] = field(default_factory=list)
    latched_at: int = TICKS


def decisions(program: Program) -> Decisions:
    """From the voltage alone."""
    squares = np.concatenate([np.ones(WINDOW - 1), program.voltage() ** 2])
    rms = np.sqrt(np.convolve(squares, np.full(WINDOW, 1.0 / WINDOW), "valid"))
    found, on = Decisions(), True
    for begin, end, inside in stretches(np.concatenate([[True], rms[:-1] >= 0.85])):
        if not inside and end - begin > TRANSFER:
            at = begin + TRANSFER
            found.lost.append(at)
            on = False
            if len(found.lost) >= 3 and at - found.lost[-3] <= COUNTER_TICKS:
                found.latched_at = at
                return found
        elif inside and not on and end - begin > QUALIFY:
            found.walk_ins.append(begin + QUALIFY)
            on = True
    return found


def shares(found: Decisions) -> np.ndarray:
    """The walk-in share of every tick."""
    share = np.ones(TICKS)
    for at in found.lost:
        again = next((begin for begin in found.walk_ins if begin > at), TICKS)
        share[at:again] = 0.0
        share[again:] = np.minimum(1.0, np.arange(1, TICKS - again + 1) * H / WALK_IN_S)
    return share


def decided() -> list[Figure]:
    """Ticks in which the walk-in share, the counter's latch or the mode differ, over ten programs."""
    wrong = latches = walk_ins = 0
    for seed in range(10):
        program = Program(seed)
        found = decisions(program)
        rig, share = program.rig, shares(found)
        latched = np.arange(TICKS) >= found.latched_at
        wrong += int(np.sum(np.abs(rig["ups.a.walk_in_share"] - share) > 1e-9)) + int(np.sum(rig["ups.a.latched"] != latched))
        wrong += int(np.sum((rig["ups.a.mode"] == 3) & (share >= 1.0))) + int(
            np.sum((rig["ups.a.mode"] != 3) & (share <= 0.0))
        )
        latches += found.latched_at < TICKS
        walk_ins += len(found.walk_ins)
    assert 0 < latches < 10 < walk_ins  # both ends of the table
    return [Figure("Ticks in which a decision differs, of 1.8 million", float(wrong), 0.0, "a second implementation")]


class Cell:
    """The battery's equations with the parameters that the page derives."""

    def __init__(self) -> None:
        self.ocv = np.linspace(1.96, 2.14, 21) * 240.0
        self.c = S * 1.022 * 360.0 / np.trapezoid(self.ocv, np.linspace(0.0, 1.0, 21))
        self.r0, self.r1, self.r2 = (share * 480.0**2 / S for share in (0.03, 0.01, 0.01))

    def rates(self, y: np.ndarray, power_w: float) -> list[float]:
        """Right-hand side: SoC and RC pairs."""
        soc, v1, v2 = y
        u = 1.96 * 240.0 + 0.18 * 240.0 * soc - v1 - v2
        i = 2.0 * power_w / (u + math.sqrt(u * u - 4.0 * self.r0 * power_w))
        return [-i / self.c, (self.r1 * i - v1) / TAUS[0], (self.r2 * i - v2) / TAUS[1]]


def battery_w(soc: float, share: float, load_w: float, voltage: float, *, low: bool) -> float:
    """Discharge in a tick whose bus voltage is given. low: the measured voltage forbids recharge."""
    held = inverter_w(load_w)
    charge = RECHARGE_W * min(1.0, (1.0 - soc) / TAPER) if share >= 1.0 and not low else 0.0
    asked = min((held + charge) / (1.0 - RECTIFIER_LOSS), SHARE_LIMIT * S * min(share, max(voltage, 0.9)))
    drawn = asked if voltage > 0.9 else min(asked, SHARE_LIMIT * S * voltage)
    return max(held - drawn * (1.0 - RECTIFIER_LOSS), -charge)


def battery(seed: int) -> Figure:
    """State of charge through dips, walk-ins and recharges, share of its range."""
    program = Program(seed)
    share, voltage, rig, cell = shares(decisions(program)), program.voltage(), program.rig, Cell()
    # Constant but for the walk-ins and what follows the SoC: between these ticks the right-hand side is smooth.
    signals = (program.load_w, voltage, share >= 1.0, share <= 0.0)
    marks = {0, TICKS} | {int(k) + 1 for signal in signals for k in np.flatnonzero(np.diff(np.asarray(signal, dtype=float)))}
    bounds = sorted(marks)
    state, error, low_until = np.array([0.96, 0.0, 0.0]), 0.0, 0
    for begin, end in itertools.pairwise(bounds):
        walking = 0.0 < share[begin] < 1.0
        if voltage[begin] < 1.0:
            low_until = end + WINDOW

        def rates(
            t: float,
            y: np.ndarray,
            begin: int = begin,
            walking: bool = walking,
            low: bool = begin < low_until,
        ) -> list[float]:
            now = share[begin] + (t / H - begin - 0.5) * H / WALK_IN_S if walking else share[begin]
            return cell.rates(y, battery_w(y[0], now, program.load_w[begin], voltage[begin], low=low))

        solution = solve_ivp(rates, (begin * H, end * H), state, rtol=1e-9, atol=1e-12, max_step=0.1)
        state = solution.y[:, -1]
        error = max(error, abs(state[0] - rig["ups.a.soc"][end - 1]))
    span = float(np.ptp(rig["ups.a.soc"]))
    assert span > 0.02
    return Figure("State of charge, share of its range", error / span, 1e-3, harness.peer("scipy"))


def link() -> Figure:
    """Energy of the DC link under load steps beyond what the battery may give, share of its range."""
    tick_s, limit_w, nominal_j = 1e-4, 3e6, 0.06 * S
    levels, length = (2e6, 5e6, 1e6, 4.5e6, 0.5e6, 3.5e6, 2e6), 300
    load = np.repeat(levels, length)
    keys = {
        **SECTION, "soc": 0.8, "battery_limit": 0.5, "dc_link": "60 ms", "qualify": "100 s", "counter": False,
        "dc_low": 0.1, "transfer": "0 s",
    }  # fmt: skip
    dip = {"kind": "grid_dip", "at": "0 s", "duration": "500 s", "residual": 0.0}
    sections = {"ups": {"a": keys}, "events": [dip], "grid": STIFF, "tick": "0.1 ms"}
    rig = Rig({**sections, "measurement": {"window": "0.1 ms"}}, load).run()

    def rates(_t: float, y: np.ndarray, load_w: float) -> list[float]:
        taken = inverter_w(load_w)
        return [min(max(taken + (nominal_j - y[0]) / LINK_LAG_S, 0.0), limit_w) - taken]

    state, theirs = nominal_j, []
    for k, load_w in enumerate(levels):
        at = np.arange(k * length + 1, (k + 1) * length + 1) * tick_s
        span = (k * length * tick_s, at[-1])
        found = solve_ivp(rates, span, [state], t_eval=at, args=(load_w,), rtol=1e-9, atol=1e-3, max_step=tick_s).y[0]
        state = found[-1]
        theirs.append(found)
    ours, solved = nominal_j * rig["ups.a.dc_link_pu"] ** 2, np.concatenate(theirs)
    assert np.ptp(solved) > 0.1 * nominal_j
    return Figure(
        "Energy of the DC link, share of its range", largest(ours, solved, np.ptp(solved)), 1e-4, harness.peer("scipy")
    )


def energy() -> Figure:
    """Line, battery, load and losses over a whole program, against what the DC link holds; share of the throughput."""
    rig = Program(3).rig
    losses = np.array([inverter_w(load) - load for load in rig["ups.a.output_w"]]) + RECTIFIER_LOSS * rig["ups.a.input_w"]
    surplus = np.cumsum(rig["ups.a.input_w"] + rig["ups.a.battery_w"] - rig["ups.a.output_w"] - losses) * H
    held = 0.02 * S * (rig["ups.a.dc_link_pu"] ** 2 - 1.0)
    throughput = np.sum(np.abs(rig["ups.a.input_w"]) + np.abs(rig["ups.a.battery_w"])) * H
    return Figure(
        "Energy balance, share of the throughput", float(np.max(np.abs(surplus - held)) / throughput), 1e-6, "a closed form"
    )


def figures() -> list[Figure]:
    """All figures."""
    latching = next(seed for seed in range(10) if decisions(Program(seed)).latched_at == TICKS)
    return [*decided(), battery(latching), link(), energy()]


if __name__ == "__main__":
    report("ups", figures())
