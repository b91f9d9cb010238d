"""A synchronous training job as break-points of power. Parameters and sources: docs/loads.md."""

from __future__ import annotations

from typing import Self

import numpy as np

from hil.loads.base import Piece
from hil.scenario.load.training import TrainingLoad

_PIECE_ITERATIONS = 64
_IDLE_PIECE_S = 3600.0


class TrainingBreakpoints:
    """Break-points of the job, endless.

    Each iteration is a compute phase at full power and a communication phase, with linear edges. Checkpoints wait for the end
    of the iteration under way. At `stop` or a crash the power falls to idle within one edge and stays there.
    """

    def __init__(self, load: TrainingLoad, seed: int, crash_s: float | None = None) -> None:
        self._load = load
        self._rng = np.random.default_rng(np.random.SeedSequence([seed, 0x10AD]))
        self._idle_w, self._high_w = load.idle_power * load.power_w, load.power_w
        self._low_w, self._checkpoint_w = load.communication_power * load.power_w, load.checkpoint_power * load.power_w
        self._end_s = min((time for time in (load.stop_s, crash_s) if time is not None), default=float("inf"))
        self._idle_from_s: float | None = None  # once it has stopped: where its break-points have come
        self._times, self._powers = [0.0], [self._high_w]
        self._now_s = load.start_s
        if load.start_s > 0.0 or load.start_ramp_s > 0.0:
            self._times = [0.0, load.start_s, load.start_s + load.start_ramp_s]
            self._powers = [self._idle_w, self._idle_w, self._high_w]
            self._now_s += load.start_ramp_s
        self._level_w = self._high_w
        self._next_checkpoint_s = None if load.checkpoint_every_s is None else load.start_s + load.checkpoint_every_s

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Piece:
        if self._idle_from_s is not None:
            self._idle_from_s += _IDLE_PIECE_S
            return np.array([self._idle_from_s]), np.array([self._idle_w])
        time_s, power_w = self._iterations()
        if time_s[-1] < self._end_s:
            return time_s, power_w
        before = time_s < self._end_s
        at_end_w = float(np.interp(self._end_s, time_s, power_w))
        self._idle_from_s = self._end_s + max(self._load.edge_s, 1e-9)
        return (
            np.append(time_s[before], [self._end_s, self._idle_from_s]),
            np.append(power_w[before], [at_end_w, self._idle_w]),
        )

    def _go(self, time_s: float, to_w: float) -> float:
        """Edge from the present level, starting at a time; returns its end."""
        self._times.extend((time_s, time_s + self._load.edge_s))
        self._powers.extend((self._level_w, to_w))
        self._level_w = to_w
        return time_s + float(self._load.edge_s)

    def _iterations(self) -> Piece:
        """The next iterations, with the checkpoints between them."""
        load = self._load
        for _ in range(_PIECE_ITERATIONS):
            if self._next_checkpoint_s is not None and self._now_s >= self._next_checkpoint_s:
                self._now_s = self._go(self._now_s, self._checkpoint_w) + load.checkpoint_duration_s
                self._next_checkpoint_s += load.checkpoint_every_s or 0.0
            stretch = 1.0 + load.jitter * float(np.clip(self._rng.standard_normal(), -3.0, 3.0)) if load.jitter else 1.0
            length_s = load.iteration_s * stretch
            if load.compute_share > 0.0:
                if self._level_w != self._high_w:
                    self._go(self._now_s, self._high_w)
                if load.compute_share < 1.0:
                    self._go(self._now_s + load.compute_share * length_s, self._low_w)
            elif self._level_w != self._low_w:
                self._go(self._now_s, self._low_w)
            self._now_s += length_s
        piece = np.array([*self._times, self._now_s]), np.array([*self._powers, self._level_w])
        self._times, self._powers = [], []
        return piece
