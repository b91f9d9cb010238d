"""A synchronous training job as break-points of power. Parameters and sources: docs/loads.md."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hil.loads.base import Floats
from hil.scenario.load import TrainingLoad

_PIECE_ITERATIONS = 64


def training_breakpoints(load: TrainingLoad, seed: int, crash_s: float | None = None) -> Iterator[tuple[Floats, Floats]]:
    """Break-points of the job, endless.

    Each iteration is a compute phase at full power and a communication phase, with linear edges. Checkpoints wait for the end
    of the iteration under way. At `stop` or a crash the power falls to idle within one edge and stays there.
    """
    stops = [time for time in (load.stop_s, crash_s) if time is not None]
    end_s = min(stops) if stops else float("inf")
    for time_s, power_w in _pieces(load, seed):
        if time_s[-1] < end_s:
            yield time_s, power_w
            continue
        before = time_s < end_s
        at_end = float(np.interp(end_s, time_s, power_w))
        yield (
            np.append(time_s[before], [end_s, end_s + max(load.edge_s, 1e-9)]),
            np.append(power_w[before], [at_end, load.idle_power * load.power_w]),
        )
        break
    time = end_s + max(load.edge_s, 1e-9)
    while True:
        time += 3600.0
        yield np.array([time]), np.array([load.idle_power * load.power_w])


def _pieces(load: TrainingLoad, seed: int) -> Iterator[tuple[Floats, Floats]]:
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x10AD]))
    idle_w, high_w = load.idle_power * load.power_w, load.power_w
    low_w, checkpoint_w = load.communication_power * load.power_w, load.checkpoint_power * load.power_w
    times, powers = [0.0], [high_w]
    now = load.start_s
    if load.start_s > 0.0 or load.start_ramp_s > 0.0:
        times, powers = [0.0, load.start_s, load.start_s + load.start_ramp_s], [idle_w, idle_w, high_w]
        now += load.start_ramp_s
    level_w = high_w
    next_checkpoint = None if load.checkpoint_every_s is None else load.start_s + load.checkpoint_every_s

    def go(time: float, to_w: float) -> float:
        """Edge from the present level, starting at `time`; returns its end."""
        nonlocal level_w
        times.extend((time, time + load.edge_s))
        powers.extend((level_w, to_w))
        level_w = to_w
        return time + float(load.edge_s)

    while True:
        for _ in range(_PIECE_ITERATIONS):
            if next_checkpoint is not None and now >= next_checkpoint:
                now = go(now, checkpoint_w) + load.checkpoint_duration_s
                next_checkpoint += load.checkpoint_every_s or 0.0
            stretch = 1.0 + load.jitter * float(np.clip(rng.standard_normal(), -3.0, 3.0)) if load.jitter else 1.0
            length = load.iteration_s * stretch
            if load.compute_share > 0.0:
                if level_w != high_w:
                    go(now, high_w)
                if load.compute_share < 1.0:
                    go(now + load.compute_share * length, low_w)
            elif level_w != low_w:
                go(now, low_w)
            now += length
        times.append(now)
        powers.append(level_w)
        yield np.array(times), np.array(powers)
        times, powers = [], []
