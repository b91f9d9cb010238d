"""A training job as break-points of power. Parameters, equations and sources: docs/loads.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from hil.loads.base import Floats, Piece
from hil.loads.straggling import Straggling
from hil.scenario.load.training import DESIGN_WINDOW_S, SPREAD, TrainingLoad

_PIECE_ITERATIONS = 64
_IDLE_PIECE_S = 3600.0
_LEAST_S = 1e-9  # of a fall


@dataclass(frozen=True, slots=True)
class Crash:
    """A scripted end of the job; what is None is as the load has it. to_w: power to which it falls, W."""

    at_s: float
    fall_s: float | None = None
    to_w: float | None = None
    restart_after_s: float | None = None
    restart_ramp_s: float | None = None


class TrainingBreakpoints:
    """Break-points of the job, endless.

    Each iteration is a compute, a communication and an optimiser phase, with linear edges. Checkpoints wait for the end of
    the iteration under way. At `stop` the power falls to idle within one edge and stays there; at a crash or a failure it
    falls, and comes back where a restart is asked for. checkpoint_later_s: on top of `checkpoint_offset`.
    """

    def __init__(
        self, load: TrainingLoad, seed: int, crashes: Sequence[Crash] = (), *, checkpoint_later_s: float = 0.0
    ) -> None:
        self._load = load
        self._rng = _stream(seed, 0x10AD)
        self._failing = _stream(seed, 0xFA11)
        self._straggling = Straggling(load, _stream(seed, 0x57A6)) if load.straggle_s > 0.0 else None
        self._high_w = load.full_w
        self._idle_w = load.idle_share * self._high_w
        self._low_w, self._checkpoint_w = load.communication_power * self._high_w, load.checkpoint_power * self._high_w
        self._optimiser_w = load.optimiser_power * self._high_w
        self._crashes = sorted(crashes, key=lambda crash: crash.at_s)
        self._stop_s: float | None = load.stop_s
        self._down_w: float | None = None  # once it has stopped or fallen: its power, from _down_from_s
        self._down_from_s = 0.0
        self._recovery: Piece | None = None
        self._falls: list[tuple[float, str]] = []
        self._ups: list[float] = []
        self._times, self._powers = [0.0], [self._high_w]
        self._now_s = load.start_s
        if load.start_s > 0.0 or load.start_ramp_s > 0.0:
            self._times = [0.0, load.start_s, load.start_s + load.start_ramp_s]
            self._powers = [self._idle_w, self._idle_w, self._high_w]
            self._now_s += load.start_ramp_s
        self._level_w = self._high_w
        later_s = float(load.checkpoint_offset_s) + checkpoint_later_s
        self._next_checkpoint_s = None if load.checkpoint_every_s is None else load.start_s + load.checkpoint_every_s + later_s
        self._failure_s = self._next_failure(self._now_s)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Piece:
        if self._recovery is not None:
            time_s, power_w = self._recovery
            self._recovery, self._down_w = None, None
        elif self._down_w is not None:
            self._down_from_s += _IDLE_PIECE_S
            time_s, power_w = np.array([self._down_from_s]), np.array([self._down_w])
        else:
            time_s, power_w = self._iterations()
        while (at_s := self._next_end()) <= time_s[-1]:
            time_s, power_w = self._ended(time_s, power_w, at_s)
        return time_s, power_w

    def outages(self, from_s: float, until_s: float) -> dict[str, Any]:
        """Failures and crashes between two times that the break-points have passed, and how long the job was down for them."""
        falls = [(at_s, cause) for at_s, cause in self._falls if at_s <= until_s]
        down_s, down_from = 0.0, math.inf
        changes = [(at_s, 0) for at_s, _ in falls] + [(up_s, 1) for up_s in self._ups if up_s <= until_s]
        for at_s, up in [*sorted(changes), (until_s, 1)]:
            if up and down_from < math.inf:
                down_s, down_from = down_s + max(0.0, at_s - max(down_from, from_s)), math.inf
            elif not up:
                down_from = min(down_from, at_s)
        causes = [cause for at_s, cause in falls if at_s >= from_s]
        return {"failures": causes.count("failure"), "crashes": causes.count("crash"), "down_s": down_s}

    def _next_failure(self, up_s: float) -> float:
        """When a job that is up from a time on fails."""
        every_s = self._load.failure_every_s
        return math.inf if every_s is None else up_s + float(self._failing.exponential(every_s))

    def _next_end(self) -> float:
        """When its power next falls for good, for now or further."""
        stop_s = math.inf if self._stop_s is None else float(self._stop_s)
        crash_s = self._crashes[0].at_s if self._crashes else math.inf
        return min(stop_s, crash_s, self._failure_s)

    def _ended(self, time_s: Floats, power_w: Floats, at_s: float) -> Piece:
        """A piece that goes beyond the next end, cut there, with the fall after it."""
        load = self._load
        if self._stop_s is not None and self._stop_s == at_s:
            self._stop_s, self._crashes, self._failure_s = None, [], math.inf
            fall_s, to_w, restart_s = float(load.edge_s), self._idle_w, None
            ramp_s = 0.0
        else:
            crash = self._crashes.pop(0) if self._crashes and self._crashes[0].at_s == at_s else Crash(at_s)
            self._falls.append((at_s, "failure" if at_s == self._failure_s else "crash"))
            self._failure_s = math.inf
            fall_s = float(_first(crash.fall_s, load.fall_s, load.edge_s))
            to_w = float(_first(crash.to_w, self._idle_w))
            restart_s = _first(crash.restart_after_s, load.restart_after_s)
            ramp_s = float(_first(crash.restart_ramp_s, load.restart_ramp_s))
            if restart_s is None and to_w == self._idle_w and not self._crashes:
                self._stop_s = None  # there is nothing left to stop
        before = time_s < at_s
        at_end_w = float(np.interp(at_s, time_s, power_w))
        self._ups = [up_s for up_s in self._ups if up_s <= at_s]
        self._recovery, self._down_w = None, to_w
        self._down_from_s = at_s + max(fall_s, _LEAST_S)
        if restart_s is not None:
            self._recover(max(at_s + float(restart_s), self._down_from_s), ramp_s)
        return (
            np.append(time_s[before], [at_s, self._down_from_s]),
            np.append(power_w[before], [at_end_w, to_w]),
        )

    def _recover(self, from_s: float, ramp_s: float) -> None:
        """Plan the way back: what was down from a time on reads its checkpoint and rises."""
        load = self._load
        edge_s, restore_s = float(load.edge_s), float(load.restore_s)
        times, powers = [from_s], [float(self._down_w or 0.0)]
        if restore_s > 0.0:
            times += [from_s + min(edge_s, restore_s), from_s + restore_s]
            powers += [self._checkpoint_w, self._checkpoint_w]
        up_s = from_s + restore_s + max(ramp_s, edge_s)
        self._recovery = np.array([*times, up_s]), np.array([*powers, self._high_w])
        self._ups.append(up_s)
        self._times, self._powers = [], []
        self._now_s, self._level_w = up_s, self._high_w
        if load.checkpoint_every_s is not None:
            self._next_checkpoint_s = up_s + load.checkpoint_every_s
        self._failure_s = self._next_failure(up_s)

    def _go(self, time_s: float, to_w: float) -> float:
        """Edge from the present level, starting at a time; returns its end."""
        self._times.extend((time_s, time_s + self._load.edge_s))
        self._powers.extend((self._level_w, to_w))
        self._level_w = to_w
        return time_s + float(self._load.edge_s)

    def _begin_compute(self, time_s: float, until_s: float) -> None:
        """The rise to full power, with its overshoot, in a phase that lasts until a time."""
        load = self._load
        if load.overshoot == 1.0:
            self._go(time_s, self._high_w)
            return
        before_w, peak_w, hold_w = self._level_w, load.overshoot * self._high_w, load.hold_w(self._level_w)
        window_from_s = time_s + load.edge_s * (hold_w - before_w) / (peak_w - before_w)
        top_s = self._go(time_s, peak_w) + load.overshoot_time_s
        self._go(top_s, hold_w)
        back_s = window_from_s + DESIGN_WINDOW_S
        if back_s + load.edge_s <= until_s - SPREAD * load.straggle_s:
            self._go(back_s, self._high_w)

    def _end_compute(self, time_s: float) -> None:
        """The fall to the communication phase, node by node where they straggle."""
        if self._straggling is None:
            self._go(time_s, self._low_w)
            return
        later_s, share = self._straggling.fall()
        self._times.extend(time_s + later_s)
        self._powers.extend(self._level_w + (self._low_w - self._level_w) * share)
        self._level_w = self._low_w

    def _iterations(self) -> Piece:
        """The next iterations, with the checkpoints between them."""
        load, usual_s = self._load, self._load.length_s
        for _ in range(_PIECE_ITERATIONS):
            if self._next_checkpoint_s is not None and self._now_s >= self._next_checkpoint_s:
                self._now_s = self._go(self._now_s, self._checkpoint_w) + load.checkpoint_duration_s
                self._next_checkpoint_s += load.checkpoint_every_s or 0.0
            stretch = 1.0 + load.jitter * float(np.clip(self._rng.standard_normal(), -3.0, 3.0)) if load.jitter else 1.0
            length_s = usual_s * stretch
            if load.compute_share > 0.0:
                end_s = self._now_s + load.compute_share * length_s
                if self._level_w != self._high_w:
                    self._begin_compute(self._now_s, end_s)
                if load.communicates:
                    self._end_compute(end_s)
            elif load.communicates and self._level_w != self._low_w:
                self._go(self._now_s, self._low_w)
            if load.optimiser_share > 0.0 and self._level_w != self._optimiser_w:
                self._go(self._now_s + (1.0 - load.optimiser_share) * length_s, self._optimiser_w)
            self._now_s += length_s
        piece = np.array([*self._times, self._now_s]), np.array([*self._powers, self._level_w])
        self._times, self._powers = [], []
        return piece


def _stream(seed: int, of: int) -> np.random.Generator:
    """Random numbers of one purpose."""
    return np.random.default_rng(np.random.SeedSequence([seed, of]))


def _first(*values: Any) -> Any:
    """The first that is given; None where none is."""
    return next((value for value in values if value is not None), None)
