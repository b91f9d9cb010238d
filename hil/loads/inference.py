"""A fleet that serves inference requests, as break-points of power. Model, parameters and sources: docs/loads.md.

Each replica prefills one prompt at a time, and while it does its decoding sequences stand still; else it decodes a batch, and
its power is that of the batch. What happens when is reckoned by compiled code (fleet.pyx).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from hil.loads import fleet
from hil.loads.base import Floats, Piece
from hil.loads.requests import Batch, Batches, Request, Wholes
from hil.scenario.load.inference import InferenceLoad

_PIECE_S = 8.0
_ROOM = 1 << 16
KEPT_S = 600.0
"""For how long a fleet remembers what was complete when: longer than load is made ahead of the ticks."""


@dataclass(frozen=True, slots=True)
class Served:
    """What the fleet has served up to a time."""

    requests: int
    context_tokens: int
    generated_tokens: int


class Fleet:
    """Serves requests and tells the power it draws, as a stream of break-points (`breakpoints`).

    count_from_s: what is complete by then is not counted as served.
    """

    def __init__(self, load: InferenceLoad, requests: Iterable[Request | Batch], *, count_from_s: float = 0.0) -> None:
        self._load = load
        self._count_from_s = count_from_s
        self._batches = Batches(requests)
        self._offered_s = -np.inf  # arrival of the last request known
        self._replica_w = float(load.scale * load.gpus_per_replica * load.gpu_power_w)
        self._idle_w = self._replica_w * load.idle_power * load.replicas
        decode_w = self._replica_w * (np.array(load.decode_levels()) - load.idle_power)
        decode_w[0] = 0.0
        self._replicas = fleet.Replicas(load.replicas, decode_w, load.prefill_tokens_per_s, load.decode_tokens_per_s)
        self._complete: deque[tuple[Floats, Wholes]] = deque()  # when, and the tokens of each
        self._earlier = np.zeros(3, np.int64)  # requests, context and generated tokens, complete before those
        self._forgotten_s = 0.0

    def request_energy_j(self, request: Request) -> float:
        """Energy that one request adds to the idle energy of the site, J. Raises ValueError where that depends on others."""
        load = self._load
        if load.decode_curve != "linear":
            raise ValueError("decode_curve is not linear: the energy of a request depends on what it is batched with")
        prefill_s = request.context_tokens / load.prefill_tokens_per_s
        decode_s = request.generated_tokens / load.decode_tokens_per_s
        sequence_w = self._replica_w * (load.decode_power - load.idle_power) / load.max_batch
        return float(self._prefill_w(np.array([request.context_tokens]))[0] * prefill_s + sequence_w * decode_s)

    def _prefill_w(self, context_tokens: Wholes) -> Floats:
        """Power above idle of a replica while it prefills prompts."""
        load = self._load
        level = np.full(context_tokens.size, float(load.prefill_power))
        if load.prefill_peak is not None:
            share = np.minimum(context_tokens / load.prefill_peak_tokens, 1.0)
            level += (load.prefill_peak - load.prefill_power) * share
        return np.asarray(self._replica_w * (level - load.idle_power))

    @property
    def idle_w(self) -> float:
        """Power of the site with nothing to serve, W."""
        return float(self._idle_w)

    def served(self, until_s: float) -> Served:
        """What was complete by a time that the break-points have passed, KEPT_S ago at most. Raises ValueError before that."""
        if until_s <= self._count_from_s:
            return Served(0, 0, 0)
        if until_s < self._forgotten_s:
            raise ValueError(f"{until_s:g} s: what was complete is known from {self._forgotten_s:g} s on")
        total = self._earlier.copy()
        for time_s, tokens in self._complete:
            count = int(np.searchsorted(time_s, until_s, side="right"))
            total += self._sums(time_s[:count], tokens[:count])
            if count < time_s.size:
                break
        return Served(*total.tolist())

    def breakpoints(self) -> FleetBreakpoints:
        """Endless pieces of its power."""
        return FleetBreakpoints(self, self._load.edge_s)

    def power_w(self) -> float:
        """Power as of the latest step, W."""
        return float(self._idle_w + self._replicas.power_w)

    def steps(self, until_s: float) -> tuple[Floats, Floats]:
        """Serve up to a time; when the power has steps, s, and their sizes, W."""
        found: list[tuple[Floats, Floats]] = []
        while True:
            step_s, step_w, done_s, done = np.empty(_ROOM), np.empty(_ROOM), np.empty(_ROOM), np.empty((_ROOM, 2), np.int64)
            why, steps, complete = self._replicas.serve(until_s, step_s, step_w, done_s, done)
            if steps:
                found.append((step_s[:steps].copy(), step_w[:steps].copy()))
            if complete:
                self._complete.append((done_s[:complete].copy(), done[:complete].copy()))
            if why == fleet.REACHED:
                break
            if why == fleet.NEEDS_NODES:
                self._replicas.grow()
            elif why == fleet.NEEDS_REQUESTS:
                self._offer(until_s)
        self._forget(until_s - KEPT_S)
        if not found:
            return np.empty(0), np.empty(0)
        return np.concatenate([times for times, _ in found]), np.concatenate([sizes for _, sizes in found])

    def _offer(self, until_s: float) -> None:
        """Take requests until one arrives later, or there are no more."""
        taken: list[Batch] = []
        while self._offered_s < until_s:
            batch = next(self._batches, None)
            if batch is None:
                self._replicas.end()
                break
            if batch[0].size:
                taken.append(batch)
                self._offered_s = float(batch[0][-1])
        if taken:
            arrival_s = np.concatenate([batch[0] for batch in taken])
            context, generated = (np.concatenate([batch[column] for batch in taken]) for column in (1, 2))
            self._replicas.offer(arrival_s, context, generated, self._prefill_w(context))

    def _forget(self, before_s: float) -> None:
        """Keep only the sums of what was complete before a time."""
        while self._complete and self._complete[0][0][-1] < before_s:
            time_s, tokens = self._complete.popleft()
            self._earlier += self._sums(time_s, tokens)
            self._forgotten_s = float(time_s[-1])

    def _sums(self, time_s: Floats, tokens: Wholes) -> Wholes:
        """Requests, context and generated tokens of those that count."""
        begin = int(np.searchsorted(time_s, self._count_from_s, side="right")) if self._count_from_s > 0.0 else 0
        return np.array([time_s.size - begin, *tokens[begin:].sum(axis=0)])


class FleetBreakpoints:
    """The power of a fleet; each step of it is smoothed to a straight line over `edge`, which keeps its energy."""

    def __init__(self, fleet: Fleet, edge_s: float) -> None:
        self._fleet = fleet
        self._edge_s = edge_s
        self._pending: tuple[Floats, Floats] = (np.empty(0), np.empty(0))  # steps still on their way: times, sizes
        self._start_s = 0.0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Piece:
        start, end = self._start_s, self._start_s + _PIECE_S
        self._start_s = end
        power_w = self._fleet.power_w()
        time_s, size_w = self._fleet.steps(end)
        if self._edge_s == 0.0:
            levels = np.repeat(power_w + np.concatenate([[0.0], np.cumsum(size_w)]), 2)
            return np.concatenate([[start], np.repeat(time_s, 2), [end]]), levels
        level_w = power_w - float(self._pending[1].sum())
        time_s, size_w = np.concatenate([self._pending[0], time_s]), np.concatenate([self._pending[1], size_w])
        left = int(np.searchsorted(time_s + self._edge_s, end, side="right"))
        self._pending = time_s[left:].copy(), size_w[left:].copy()
        return fleet.ramped(time_s, size_w, self._edge_s, start, end, level_w)
