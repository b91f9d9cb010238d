"""The site of benchmarks/limits.py: every kind of limit, its load, and some of its functions over rows of few columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import hil
from hil.kernel.engine import Engine
from hil.kernel.protection.replay import Replay
from hil.limits.entries import entries
from hil.loads.source import LoadSource
from hil.site.build import build_engine

FILE = Path(__file__).parent / "limits_site.toml"
Array = npt.NDArray[np.float64]

INPUTS = (
    "pcc.power_w",
    "pcc.reactive_var",
    "pcc.voltage_pu",
    "pcc.voltage_a_pu",
    "pcc.voltage_lowest_measured_pu",
    "bess.main.current_pu",
    "ups.a.on_battery",
)
OUTPUTS = (
    "pcc.current_1e+07_va_pu",
    "limits.51.operating_share",
    "limits.49.thermal_level",
    "pcc.power_0.1_5_hz_order_2_w",
    "ups.a.transfers_60_s",
    "limits.ride_through.below_time_share",
    "limits.ride_through.below_let_go",
    "pcc.flicker_a_120v.instantaneous",
    "pcc.flicker_a_120v.pst",
    "pcc.flicker_a_120v.plt",
)
COLUMNS = (*INPUTS, *OUTPUTS)
WORDS = 20  # of a row of the selection
CHOSEN = {  # by family, the first output of the one that is in the selection
    "ratios": "pcc.current_1e+07_va_pu",
    "relays": "limits.51.operating_share",
    "thermals": "limits.49.thermal_level",
    "filters": "pcc.power_0.1_5_hz_order_2_w",
    "counters": "ups.a.transfers_60_s",
    "envelopes": "limits.ride_through.below_time_share",
    "flickers": "pcc.flicker_a_120v.instantaneous",
}
RANGE = ("variation, slow", "order 2")


@dataclass(frozen=True)
class LimitedSite:
    """The site and its load, one value a tick."""

    first_w: float
    load_w: Array

    def engine(self, *, limits: bool = True, short: bool = False) -> Engine:
        """A fresh one, with all limits or none. short: its flickermeter does not settle, and a block of it is half the run."""
        scenario = hil.load(FILE, [] if limits else ["limits=[]"])
        engine = build_engine(scenario, self.first_w, record=False)
        if short:
            engine.parameters["flickers"]["settle_ticks"] = 0
            engine.parameters["flickers"]["block_ticks"] = self.load_w.size // 2
        return engine


def limited_site(ticks: int) -> LimitedSite:
    """With so many ticks of load."""
    source = LoadSource(hil.load(FILE))
    return LimitedSite(source.first_w, source.feed.block(ticks))


def rows_of(site: LimitedSite) -> Array:
    """Rows of the selection, shape (ticks, WORDS): its inputs from a run of the whole site, its outputs not there yet."""
    engine = site.engine()
    at = [engine.channels.index(name) for name in INPUTS]
    rows = np.zeros((site.load_w.size, WORDS))
    for begin in range(0, site.load_w.size, engine.load_room):
        load_w = site.load_w[begin : begin + engine.load_room]
        tapped = np.empty((load_w.size, len(engine.channels)))
        engine.attach_tap(tapped)
        engine.feed(load_w)
        engine.advance(begin + load_w.size)
        rows[begin : begin + load_w.size, : len(at)] = tapped[:, at]
    return rows


def selection(site: LimitedSite, *, short: bool = False) -> Replay:
    """The chosen functions and the range behind the band-pass, as a fresh engine has them, over the few columns."""
    engine = site.engine(short=short)
    parameters: dict[str, Any] = {}
    states = {name: engine.states[name] for name in ("arena", "blank_until")}
    for family, output in CHOSEN.items():
        given = engine.parameters[family]
        chosen = given["output"] == engine.channels.index(output)
        assert chosen.sum() == 1
        parameters[family] = _moved(given[chosen], engine.channels)
        if family in engine.states:
            states[family] = engine.states[family][chosen]
    found = entries(hil.load(FILE))
    (at,) = (i for i, (limit, how) in enumerate(found) if (limit.name, how.variant) == RANGE)
    parameters["limits"] = _moved(engine.parameters["limits"][at : at + 1], engine.channels)
    states["limits"] = engine.states["limits"][at : at + 1].copy()
    return Replay(parameters, states)


def _moved(params: Any, channels: tuple[str, ...]) -> Any:
    """A copy whose channels are columns of the selection; those that it does not use are the first."""
    moved = params.copy()
    for name in {"channel", "output", "second", "third", "subject", "voltage"} & set(moved.dtype.names):
        wanted = channels[int(moved[name][0])]
        moved[name] = COLUMNS.index(wanted) if wanted in COLUMNS else 0
    return moved
