"""The balanced network against pandapower: load steps, transformers, storage, and dips in which load is a constant current."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import harness
import numpy as np
from balanced import Case, Site, Solution, Transformer, power_flow
from harness import Figure, largest
from rig import Rig

from hil.kernel.layout import CODES

BOUND = 1e-6  # both sides solve algebraic equations to more than that
STEP = 3  # ticks a load stands

TRANSFORMERS = (
    Transformer(60.0, 0.08, 20.0),
    Transformer(80.0, 0.10, 10.0, tap=-4),
    Transformer(50.0, 0.06, 35.0, tap=2),
    Transformer(55.0, 0.04, 3.0, tap=1),
)
STORAGE = {
    "rating": "100 MVA",
    "energy": "100 MWh",
    "current_limit": 3.0,
    "setpoint_ramp": "1000 GW/s",
    "slew": "1000 GW/s",
    "converter_lag": "0 s",
}
WATTS, VARS = CODES["point.set_w"], CODES["point.set_var"]
ENABLED = [(0, CODES["point.set_enable"], 1.0), (0, CODES["point.var_enable"], 1.0)]


def sites(transformers: tuple[Transformer | None, ...], **others: Any) -> list[Site]:
    """Weak to strong grids, resistive to reactive, in front of each transformer; power factors in turn."""
    places = itertools.product((200.0, 350.0, 600.0), (3.0, 12.0, 30.0), transformers)
    factors = itertools.cycle((1.0, 0.97, 0.95))
    return [Site(*place, power_factor=factor, **others) for place, factor in zip(places, factors, strict=False)]


def differences(rig: Rig, ticks: np.ndarray, theirs: Solution) -> dict[str, float]:
    """Of voltages, per unit, and of power, as a share of its apparent power."""
    power = (rig["pcc.power_w"][ticks] + 1j * rig["pcc.reactive_var"][ticks]) / 1e6
    apparent = np.abs(theirs.power)
    return {
        "voltage at the PCC, pu": largest(rig["pcc.voltage_pu"][ticks], theirs.pcc, 1.0),
        "voltage at the bus, pu": largest(rig["bus.voltage_pu"][ticks], theirs.bus, 1.0),
        "P at the PCC, share of apparent power": largest(power.real, theirs.power.real, apparent),
        "Q at the PCC, share of apparent power": largest(power.imag, theirs.power.imag, apparent),
    }


def compare(what: str, of: list[Site], run: Callable[[Site], Rig], ticks: np.ndarray, theirs: Solution) -> list[Figure]:
    """Worst of all sites; `theirs` has the cases site by site."""
    found: dict[str, float] = {}
    for number, site in enumerate(of):
        part = slice(number * ticks.size, (number + 1) * ticks.size)
        own = Solution(theirs.pcc[part], theirs.bus[part], theirs.power[part])
        for name, value in differences(run(site), ticks, own).items():
            found[name] = max(found.get(name, 0.0), value)
    return [Figure(f"{what}: {name}", value, BOUND, harness.peer("pandapower")) for name, value in found.items()]


def load_steps(what: str, of: list[Site]) -> list[Figure]:
    """5 to 45 MW, up and down."""
    load = np.repeat([5e6, 25e6, 45e6, 15e6, 35e6, 5e6], STEP)
    ticks = np.arange(STEP - 1, load.size, STEP)
    cases = [Case(site, power) for site in of for power in site.demand(load[ticks])]
    return compare(what, of, lambda site: Rig(site.sections(), load).run(), ticks, power_flow(cases))


def storage() -> list[Figure]:
    """Load and storage in all four quadrants, each step another pair."""
    of = sites((None, *TRANSFORMERS), source=1.02)
    load = np.repeat([10e6, 45e6, 30e6, 20e6, 40e6, 5e6], STEP)
    given = np.array([4 + 3j, 15 - 6j, -8 + 9j, -12 - 7j, 10 + 0j, 20 + 5j])
    ticks = np.arange(STEP - 1, load.size, STEP)
    commands = ENABLED + [
        (k * STEP, point, 1e6 * value)
        for k, power in enumerate(given)
        for point, value in ((WATTS, power.real), (VARS, power.imag))
    ]
    cases = [Case(site, power) for site in of for power in site.demand(load[ticks]) - given]
    return compare(
        "Load and storage",
        of,
        lambda site: Rig(site.sections(bess={"x": STORAGE}), load).run(commands),
        ticks,
        power_flow(cases),
    )


def dips_of_load() -> list[Figure]:
    """Balanced dips: the load is its power at the threshold as a constant current."""
    of = sites((None, *TRANSFORMERS), below=0.88)
    of = [site for site in of if site.short_circuit_mva > 200.0]  # 30 MW must find 0.88 pu before the dip
    residuals = (0.8, 0.65, 0.5, 0.45)  # deeper ones in unbalanced.py: the Newton of pandapower does not get there
    load = np.full(20 * len(residuals), 30e6)
    dips = [
        {"kind": "grid_dip", "at": f"{20 * k + 10} ms", "duration": "8 ms", "residual": residual}
        for k, residual in enumerate(residuals)
    ]
    ticks = np.arange(len(residuals)) * 20 + 12
    cases = [
        Case(site, constant_current=complex(site.demand(load[:1])[0]) / site.below, dip=residual)
        for site in of
        for residual in residuals
    ]
    theirs = power_flow(cases)
    assert np.max(theirs.bus) < 0.88
    return compare("Balanced dip, load", of, lambda site: Rig(site.sections(events=dips), load).run(), ticks, theirs)


def dips_with_storage() -> list[Figure]:
    """A dip tick by tick: a converter holds its command at the voltage it measures, an RMS window that arrives late."""
    window, delay, begin, length = 5, 2, 8, 16
    of = [site for site in sites((None, TRANSFORMERS[0], TRANSFORMERS[2]), below=0.85) if site.short_circuit_mva > 200.0]
    load, given = np.full(begin + length, 30e6), 8 + 5j
    demand = [complex(site.demand(load[:1])[0]) for site in of]
    before = power_flow([Case(site, power - given) for site, power in zip(of, demand, strict=True)]).bus
    resting = power_flow([Case(site, power) for site, power in zip(of, demand, strict=True)]).bus  # before the first tick
    voltages = [*[resting] * (window + delay), *[before] * begin]
    solved: list[Solution] = []
    for _ in range(length):
        seen = np.sqrt(np.mean(np.square(voltages[len(voltages) - window - delay : len(voltages) - delay]), axis=0))
        currents = [power / site.below - given / v for site, power, v in zip(of, demand, seen, strict=True)]
        solved.append(power_flow([Case(site, constant_current=i, dip=0.6) for site, i in zip(of, currents, strict=True)]))
        voltages.append(solved[-1].bus)
    theirs = Solution(*(np.array([getattr(s, name) for s in solved]).T.ravel() for name in ("pcc", "bus", "power")))
    sections = {
        "bess": {"x": STORAGE},
        "events": [{"kind": "grid_dip", "at": f"{begin} ms", "duration": "1 s", "residual": 0.6}],
        "measurement": {"window": f"{window} ms", "delay": f"{delay} ms"},
    }
    commands = [*ENABLED, (0, WATTS, 1e6 * given.real), (0, VARS, 1e6 * given.imag)]
    ticks = np.arange(begin, begin + length)
    return compare(
        "Balanced dip, load and storage, every tick",
        of,
        lambda site: Rig(site.sections(**sections), load).run(commands),
        ticks,
        theirs,
    )


def figures() -> list[Figure]:
    """All of the balanced network."""
    return [
        *load_steps("Load steps, no transformer", sites((None,))),
        *load_steps("Load steps, transformer", sites(TRANSFORMERS)),
        *storage(),
        *dips_of_load(),
        *dips_with_storage(),
    ]


if __name__ == "__main__":
    harness.report("network", figures())
