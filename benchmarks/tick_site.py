"""The frozen site of benchmarks/tick.py: the engine that runs it, what its twins are given, and how waveforms are compared.

The site is the packaged scenario `training_job` without controllers and without a record. Its twins, in C and in pure Python,
get their parameters by name from the arrays of the engine, so that no number stands twice.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import hil
from hil.kernel.engine import Engine
from hil.kernel.layout import CODES
from hil.loads.source import LoadSource
from hil.site.build import build_engine

TOLERANCE = 1e-12  # of the largest magnitude that the channel has in the product's run
MOST_DIPS = 5
LIMIT_KINDS = ("ramp", "peak_to_peak", "undervoltage", "overvoltage", "underfrequency", "overfrequency", "soc_window")
LIMITS = (*LIMIT_KINDS, "converter_current")
COUNTED = ("valid_ticks", "blank_ticks", "beyond_ticks", "excursions", "first_tick")
WORST = ("highest", "lowest")
# A shallow dip that is judged, one below the constant-current threshold, one without a solution, two unbalanced ones. The one
# without a solution is shorter than the measuring window: what rounding leaves in the sum of a window of nothing, 1e-18, has a
# root of 1e-9, and no two programs agree on that.
DIPS = (
    ("abc", 0.93, "150 ms", True),
    ("abc", 0.5, "200 ms", False),
    ("abc", 0.05, "12 ms", False),
    ("bc", 0.5, "250 ms", False),
    ("ag", 0.0, "120 ms", False),
)


def mirror(name: str, whole: str = "", real: str = "", **others: Any) -> type[ctypes.Structure]:
    """A ctypes mirror of a struct of site.h: reals, then whole numbers, then others."""
    fields = [(field, ctypes.c_double) for field in real.split()]
    fields += [(field, ctypes.c_int64) for field in whole.split()]
    return type(name, (ctypes.Structure,), {"_fields_": [*fields, *others.items()]})


Network = mirror("Network", real="base_va source_pu resistance_pu reactance_pu constant_current_below_pu")
Area = mirror("Area", real="nominal_hz base_va inertia_s damping_pu droop_pu governor_s governor_limit_pu deadband_pu")
Law = mirror("Law", real="share rise_w_per_s fall_w_per_s")
Pcs = mirror(
    "Pcs",
    real="rating_va charge_max_w discharge_max_w current_limit_pu setpoint_ramp_w_per_s slew_w_per_s soc_min soc_max "
    "cease_below_pu",
    whole="priority ticks_per_second",
)
Converter = mirror("Converter", real="rating_va gain standby_w linear_loss quadratic_loss")
Battery = mirror(
    "Battery",
    real="capacity_as r0_ohm r1_ohm g1_siemens decay1 decay1_half r2_ohm g2_siemens decay2 decay2_half thermal_k_per_w "
    "thermal_decay ambient_degc",
    ocv_v=ctypes.c_double * 21,
)
Windows = mirror("Windows", whole="power voltage frequency load phase ramp_mean ramp_past range")
Limit = mirror("Limit", real="low high per_second", whole="delay_ticks")
Dip = mirror(
    "Dip",
    **dict.fromkeys(("start_tick", "end_tick", "blanks", "blank_ticks"), ctypes.c_int64),
    **dict.fromkeys(("value", "negative_re", "negative_im", "zero_re", "zero_im"), ctypes.c_double),
)
Parameters = mirror(
    "Parameters",
    real="dt load_tan_phi first_load_w soc",
    whole="dip_count",
    network=Network,
    area=Area,
    law=Law,
    pcs=Pcs,
    converter=Converter,
    battery=Battery,
    windows=Windows,
    limits=Limit * len(LIMITS),
    dips=Dip * MOST_DIPS,
)


@dataclass(frozen=True)
class FrozenSite:
    """A scenario with its load, one value a tick."""

    scenario: hil.Scenario
    first_w: float
    load_w: np.ndarray[Any, np.dtype[np.float64]]

    def engine(self) -> Engine:
        """The product's, at its first tick."""
        return build_engine(self.scenario, self.first_w, record=False)


def frozen_site(ticks: int, *, dips: bool = False, overrides: Sequence[str] = ()) -> FrozenSite:
    """The flagship for so many ticks, its load's crash as far in as it is there. dips: with all of DIPS spread over it."""
    changes = [f"duration='{ticks} ms'", *overrides]
    events = [f"{{kind='load_crash', at='{ticks * 114 // 180} ms'}}"]
    if dips:
        step = ticks // (len(DIPS) + 1)
        events += [
            f"{{kind='grid_dip', at='{(i + 1) * step} ms', fault='{fault}', residual={residual}, duration='{duration}', "
            f"judged={str(judged).lower()}}}"
            for i, (fault, residual, duration, judged) in enumerate(DIPS)
        ]
    changes.append(f"events=[{', '.join(events)}]")
    scenario = hil.load("training_job", changes)
    source = LoadSource(scenario)
    load_w = source.feed.block(ticks)
    assert load_w.size == ticks
    return FrozenSite(scenario, source.first_w, load_w)


def parameters(site: FrozenSite) -> Any:
    """What the twins are given, from the arrays of a fresh engine. Refuses a site that is more than they know."""
    engine = site.engine()
    given, states = engine.parameters, engine.states
    _check_frozen(site, given, states)
    out = Parameters(dt=engine.period_ns * 1e-9, first_load_w=site.first_w, dip_count=len(given["events"]))
    out.load_tan_phi = float(np.tan(np.arccos(site.scenario.load.power_factor)))
    out.soc = float(states["battery"][0]["soc"])
    for name in ("network", "area", "law", "pcs", "converter", "battery"):
        _fill(getattr(out, name), given[name][0])
    for index in range(len(LIMITS)):
        _fill(out.limits[index], given["limits"][index])
    for index in range(len(given["events"])):
        _fill(out.dips[index], given["events"][index])
    for name in ("power", "voltage", "frequency", "load"):
        setattr(out.windows, name, int(states["measured"][CODES[f"measured.{name}"]]["window"]["length"]))
    out.windows.phase = int(states["meters"][0]["squares"]["length"])
    out.windows.ramp_mean = int(states["limits"][0]["mean"]["length"])
    out.windows.ramp_past = int(states["limits"][0]["past"]["length"])
    out.windows.range = int(states["limits"][1]["top"]["span"])
    return out


def _fill(struct: Any, row: Any) -> None:
    """Copy a row of a structured array into a struct, by name."""
    for name, kind in struct._fields_:
        value = row[name]
        setattr(struct, name, kind(*value) if hasattr(kind, "_length_") else value.item())


def _check_frozen(site: FrozenSite, given: Any, states: Any) -> None:
    """What the twins leave out is not there."""
    assert tuple(limit.kind for limit in site.scenario.limits) == LIMITS
    assert not given["cooling"][0]["present"]
    assert not given["network"][0]["transformer"]
    assert given["network"][0]["ratio"] == 1.0
    assert len(given["law"]) == 1
    assert given["law"][0]["kind"] == CODES["law.ramp_limit"]
    assert given["law"][0]["placement"] == CODES["placement.device"]
    assert given["law"][0]["update_ticks"] == 1
    assert (states["measured"]["delay"]["length"] == 0).all()
    assert states["pcs"][0]["state"] == CODES["pcs.running"]
    assert states["faults"][0]["capacity"] == states["faults"][0]["resistance"] == states["faults"][0]["derating"] == 1.0
    assert (given["events"]["kind"] == CODES["event.dip"]).all()
    assert len(given["events"]) <= MOST_DIPS


def product_rows(site: FrozenSite) -> tuple[Engine, np.ndarray[Any, np.dtype[np.float64]]]:
    """Every channel of every tick, from the product."""
    engine = site.engine()
    rows = np.empty((site.load_w.size, len(engine.channels)))
    engine.attach_tap(rows)
    for begin, end in blocks(engine, site):
        engine.feed(site.load_w[begin:end])
        engine.advance(end)
    return engine, rows


def blocks(engine: Engine, site: FrozenSite) -> list[tuple[int, int]]:
    """First and last tick of each block that the engine takes at once."""
    room = engine.load_room
    ticks = site.load_w.size
    return [(begin, min(begin + room, ticks)) for begin in range(0, ticks, room)]


def deviation(rows: np.ndarray[Any, np.dtype[np.float64]], others: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Largest difference in any channel and tick, relative to the largest magnitude of that channel in `rows`."""
    assert np.isfinite(others).all()
    scale = np.abs(rows).max(axis=0)
    difference = np.abs(rows - others).max(axis=0)
    assert not difference[scale == 0.0].any()
    return float((difference[scale > 0.0] / scale[scale > 0.0]).max())


def check_same(engine: Engine, rows: Any, other_rows: Any, others: Any) -> float:
    """Assert that a twin's run is the product's: rows, limits, totals. others: results by name. Returns the deviation.

    Worst values may differ by the tolerance times the largest magnitude of the limit's channel, for a ramp over its window.
    """
    found = deviation(rows, other_rows)
    assert found <= TOLERANCE, f"waveforms differ by {found:.3g}"
    given = engine.parameters["limits"]
    for kind, p, ours, theirs in zip(LIMITS, given, engine.states["limits"], others.limits, strict=True):
        for name in COUNTED:
            assert ours[name] == getattr(theirs, name), (kind, name, ours[name], getattr(theirs, name))
        scale = np.abs(rows[:, p["channel"]]).max() * (p["per_second"] if kind == "ramp" else 1.0)
        for name in WORST:
            value = getattr(theirs, name)
            # Infinite where a limit has no bound on that side.
            assert ours[name] == value or abs(ours[name] - value) <= TOLERANCE * scale, (kind, name, ours[name], value)
    assert abs(engine.load_energy_j - others.energy_j) <= TOLERANCE * engine.load_energy_j
    assert engine.largest_demand_w == others.largest_demand_w
    assert engine.states["network"][0]["collapsed_ticks"] == others.collapsed_ticks
    assert engine.states["battery"][0]["starved_ticks"] == others.starved_ticks
    assert engine.states["pcs"][0]["heartbeat"] == others.heartbeats
    return found
