"""Load steps against pandapower: what a loss of load does to the voltage, and the flicker of a load that steps on and off."""

from __future__ import annotations

import itertools

import harness
import numpy as np
import point_on_wave
from balanced import Case, Site, Transformer, power_flow
from harness import Figure, largest
from rig import H, Rig

from hil.verify.flickermeter import flickermeter, measure

BOUND = 1e-3  # what is asked of a network solution
METERS = 0.01  # between two flickermeters: validation/flicker.py
PEER_RATE_HZ = 6000
LAMP, MAINS_HZ = "120 V", 60.0
SECONDS, SETTLE_S = 720, 120
STEP = 3  # ticks a load stands
SITE_MW = 100.0
LOSSES = (0.01, 0.05, 0.1, 0.3, 0.6, 0.84, 1.0)  # of the site's load

SITES = [
    Site(short_circuit, x_over_r, transformer, power_factor=power_factor)
    for (short_circuit, x_over_r, transformer), power_factor in zip(
        itertools.product(
            (450.0, 1000.0, 3000.0),
            (3.0, 12.0, 30.0),
            (None, Transformer(140.0, 0.08, 20.0), Transformer(140.0, 0.1, 30.0, tap=-4)),
        ),
        itertools.cycle((1.0, 0.97, 0.95)),
        strict=False,
    )
]
# Load in MW, low and high, and changes a minute.
COURSES = ((10.0, 18.0, 2.0), (10.0, 16.0, 39.0), (20.0, 24.0, 120.0), (10.0, 12.0, 1000.0))
FLICKERING = Site(500.0, 10.0, Transformer(60.0, 0.1, 18.0), power_factor=0.97)


def changes() -> list[Figure]:
    """Relative change of the voltage by losses of 1 % to all of a site's load, from voltages before and after."""
    loads = np.array([load for share in LOSSES for load in (SITE_MW, SITE_MW * (1.0 - share))])
    worst = dict.fromkeys(("PCC", "bus"), 0.0)
    for site in SITES:
        rig = Rig(site.sections(), np.repeat(1e6 * loads, STEP)).run()
        theirs = power_flow([Case(site, complex(power)) for power in site.demand(1e6 * loads)])
        ticks = np.arange(1, len(loads) + 1) * STEP - 1
        for place, their in (("PCC", theirs.pcc), ("bus", theirs.bus)):
            our = rig[f"{place.lower()}.voltage_pu"][ticks]
            change = [(voltage[1::2] - voltage[::2]) / voltage[::2] for voltage in (our, their)]
            worst[place] = max(worst[place], largest(change[0], change[1], np.abs(change[1])))
    count = len(SITES) * len(LOSSES)
    return [
        Figure(f"{count} losses of load: relative change of the voltage at the {place}, share of it", value, BOUND, peer())
        for place, value in worst.items()
    ]


def course(low_mw: float, high_mw: float, per_minute: float) -> np.ndarray:
    """Load of each tick, MW: two changes are one period."""
    phase = np.floor(np.arange(round(SECONDS / H)) * H * per_minute / 60.0 + 1e-9)
    return np.where(phase % 2 == 0, low_mw, high_mw)


def flicker() -> list[Figure]:
    """Pst at the bus by the flickermeter in a run, by the same one on pandapower's voltages, and by another on a carrier."""
    limit = {"name": "flicker", "kind": "flicker", "node": "bus", "lamp": LAMP, "max": 100.0}
    worst = {"voltage": 0.0, "meter": 0.0}
    for low_mw, high_mw, per_minute in COURSES:
        load_mw = course(low_mw, high_mw, per_minute)
        rig = Rig(FLICKERING.sections(duration=f"{SECONDS} s", limits=[limit]), 1e6 * load_mw).run()
        ours = float(rig[f"bus.flicker_a_{LAMP.replace(' ', '').lower()}.pst"][-1])
        cases = [Case(FLICKERING, complex(FLICKERING.demand(np.array(1e6 * mw)))) for mw in (low_mw, high_mw)]
        low, high = power_flow(cases).bus
        envelope = np.where(load_mw == low_mw, low, high)
        same_meter = float(measure(flickermeter(tick_s=H, lamp=LAMP, frequency_hz=MAINS_HZ), envelope).pst[-1])
        held = np.repeat(envelope, round(PEER_RATE_HZ * H))
        levels = point_on_wave.level(held, PEER_RATE_HZ, LAMP, round(MAINS_HZ))
        other_meter = point_on_wave.pst(levels[round(SETTLE_S * PEER_RATE_HZ) :])
        worst["voltage"] = max(worst["voltage"], abs(ours / same_meter - 1.0))
        worst["meter"] = max(worst["meter"], abs(ours / other_meter - 1.0))
    what = f"Pst of {len(COURSES)} loads that step on and off, 2 to 1,000 changes a minute"
    return [
        Figure(f"{what}: in a run, share", worst["voltage"], BOUND, f"the same flickermeter on voltages of {peer()}"),
        Figure(
            f"{what}: in a run, share", worst["meter"], METERS, f"the chain on a carrier, by {harness.peer('scipy')}, likewise"
        ),
    ]


def peer() -> str:
    """Whose voltages they are."""
    return harness.peer("pandapower")


def figures() -> list[Figure]:
    """Voltage and flicker."""
    return [*changes(), *flicker()]


if __name__ == "__main__":
    harness.report("load_step", figures())
