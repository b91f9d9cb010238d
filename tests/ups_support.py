"""A UPS on the bench, and its closed forms, written from docs/model.md, "UPS"."""

from __future__ import annotations

from typing import Any

import numpy as np
from rig import Rig

from firmware_sim.image import UpsPoint as Point

__all__ = ["INPUT_LIMIT", "UPS", "Point", "dc", "dip", "first", "rig", "stored_j"]
UPS = {"rating": "6 MW", "autonomy": "60 s", "qualify": "1 s", "walk_in": "2 s"}
INPUT_LIMIT = 1.3
RECTIFIER_LOSS = 0.012
AT_ONCE = {"window": "1 ms", "frequency_window": "1 ms"}  # what is measured is the last tick itself
STIFF = {"short_circuit": "500 GVA", "area": "1000 GVA"}


def dc(output_w: np.ndarray | float, rating_w: float = 6e6) -> np.ndarray | float:
    """What the inverter takes for an output."""
    return output_w + 0.004 * rating_w + 0.007 * output_w + 0.011 * output_w**2 / rating_w


def dip(at_s: float, duration_s: float, residual: float, **more: Any) -> dict[str, Any]:
    """An entry of `[[events]]`."""
    return {"kind": "grid_dip", "at": f"{at_s} s", "duration": f"{duration_s} s", "residual": residual, **more}


def rig(load_w: np.ndarray, ups: dict[str, Any] | None = None, events: Any = (), **sections: Any) -> Rig:
    """One UPS `ups.a` before all of a load."""
    base = {"ups": {"a": {**UPS, **(ups or {})}}, "events": list(events), "measurement": AT_ONCE, "grid": STIFF}
    return Rig(base | sections, load_w)


def first(condition: np.ndarray, start: int = 0) -> int:
    """Index of the first row from `start` on in which something holds."""
    found = np.flatnonzero(condition[start:])
    assert found.size, "never"
    return start + int(found[0])


def stored_j(engine: Any, soc: np.ndarray, rc1_v: np.ndarray, rc2_v: np.ndarray, taus: tuple[float, float]) -> np.ndarray:
    """Energy in a battery, from its state alone: C·∫U dz and its RC pairs."""
    p = engine.parameters["ups_battery"][0]
    fine = np.linspace(0.0, 1.0, 20_001)
    u = np.interp(fine, np.linspace(0, 1, 21), p["ocv_v"])
    integral = np.concatenate([[0.0], np.cumsum((u[1:] + u[:-1]) / 2 * np.diff(fine))])
    pairs = taus[0] * p["g1_siemens"] * rc1_v**2 / 2 + taus[1] * p["g2_siemens"] * rc2_v**2 / 2
    return p["capacity_as"] * np.interp(soc, fine, integral) + pairs
