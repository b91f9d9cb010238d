"""How the power of many nodes falls where they do not end a phase together. Equations: docs/loads.md."""

from __future__ import annotations

import math

import numpy as np

from hil.loads.base import Floats, Piece
from hil.scenario.load.training import SPREAD, TrainingLoad

_INTERVALS = 96  # of the distribution: the straight lines between are within 3e-4 of it


class Straggling:
    """Share of the nodes' step that is done, over time: of nodes that are drawn, or of their distribution.

    Each node ends its phase at a normal time, cut at 3 σ, and falls within one edge.
    """

    def __init__(self, load: TrainingLoad, rng: np.random.Generator) -> None:
        self._sigma_s, self._edge_s = float(load.straggle_s), float(load.edge_s)
        self._nodes = load.nodes
        self._rng = rng
        self._many = _distribution(self._sigma_s, self._edge_s)

    def fall(self) -> Piece:
        """Times from the phase's mean end, s, and the share of the step that is done by then; straight lines between."""
        if self._nodes is None:
            return self._many
        z = self._rng.standard_normal(self._nodes)
        while np.any(outside := np.abs(z) > SPREAD):
            z[outside] = self._rng.standard_normal(int(outside.sum()))
        begin = np.sort(z) * self._sigma_s
        done = np.arange(self._nodes + 1) / self._nodes
        if self._edge_s == 0.0:
            return np.repeat(begin, 2), np.repeat(done, 2)[1:-1]
        knots = np.union1d(begin, begin + self._edge_s)
        began, ended = np.searchsorted(begin, knots, side="right"), np.searchsorted(begin + self._edge_s, knots, side="right")
        total = np.concatenate([[0.0], np.cumsum(begin)])
        under_way = (began - ended) * knots - (total[began] - total[ended])
        return knots, (ended + under_way / self._edge_s) / self._nodes


def _distribution(sigma_s: float, edge_s: float) -> Piece:
    """The same of endlessly many nodes: the distribution of their times, its mean over the edge."""
    times = np.linspace(-SPREAD * sigma_s, SPREAD * sigma_s + edge_s, _INTERVALS + 1)
    if edge_s == 0.0:
        return times, np.array([_done(time / sigma_s) for time in times])
    past: Floats = np.array([_area(time / sigma_s) - _area((time - edge_s) / sigma_s) for time in times])
    return times, np.clip(past * sigma_s / edge_s, 0.0, 1.0)


def _below(z: float) -> float:
    """Share of a normal distribution below `z`."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


_CUT = _below(-SPREAD)


def _done(z: float) -> float:
    """Share below `z` of a normal distribution that is cut."""
    return min(1.0, max(0.0, (_below(z) - _CUT) / (1.0 - 2.0 * _CUT)))


def _area(z: float) -> float:
    """Integral of that share up to `z`."""
    inside = min(max(z, -SPREAD), SPREAD)
    density = (math.exp(-inside * inside / 2.0) - math.exp(-SPREAD * SPREAD / 2.0)) / math.sqrt(2.0 * math.pi)
    within = (inside * _below(inside) + SPREAD * _CUT + density - (inside + SPREAD) * _CUT) / (1.0 - 2.0 * _CUT)
    return within + max(0.0, z - SPREAD)
