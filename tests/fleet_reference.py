"""The fleet of docs/loads.md in plain Python: lists, heaps and a search through all replicas. A peer for the compiled one.

Each replica prefills one prompt at a time, at full power, and while it does its decoding sequences stand still; else its
power is idle plus an equal part for each sequence it decodes. So every request adds its own energy to the idle energy,
whatever it was batched with, and only *when* it is spent depends on the others.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from hil.loads.base import Floats, Piece
from hil.loads.requests import Request
from hil.scenario.load.inference import InferenceLoad

_PIECE_S = 8.0


@dataclass(slots=True)
class _Replica:
    """One model server. Decode work is measured on a clock of its own, which stands still while it prefills."""

    queue: deque[Request] = field(default_factory=deque)
    prefilling: Request | None = None
    decoding: list[tuple[float, int, Request]] = field(default_factory=list)  # heap: end on the decode clock
    decode_clock: float = 0.0
    since: float = 0.0
    version: int = 0

    @property
    def outstanding(self) -> int:
        return len(self.queue) + len(self.decoding) + (self.prefilling is not None)


@dataclass(frozen=True, slots=True)
class Served:
    """What the fleet has served up to a time."""

    requests: int
    context_tokens: int
    generated_tokens: int


class Fleet:
    """Serves requests and tells the power it draws, as a stream of break-points (`breakpoints`)."""

    def __init__(self, load: InferenceLoad, requests: Iterable[Request]) -> None:
        self._load = load
        self._requests = iter(requests)
        self._replicas = [_Replica() for _ in range(load.replicas)]
        self._events: list[tuple[float, int, int, int]] = []  # time, order, replica, version
        self._order = 0
        self._prefilling = 0
        self._decoding = 0  # sequences on replicas that do not prefill
        self._done_s = array("d")
        self._done_context = array("q", [0])
        self._done_generated = array("q", [0])
        replica_w = load.scale * load.gpus_per_replica * load.gpu_power_w
        self._idle_w = replica_w * load.idle_power * load.replicas
        self._prefill_w = replica_w * (load.prefill_power - load.idle_power)
        self._sequence_w = replica_w * (load.decode_power - load.idle_power) / load.max_batch
        self._next = next(self._requests, None)

    def request_energy_j(self, request: Request) -> float:
        """Energy that one request adds to the idle energy of the site, J."""
        prefill_s = request.context_tokens / self._load.prefill_tokens_per_s
        decode_s = request.generated_tokens / self._load.decode_tokens_per_s
        return float(self._prefill_w * prefill_s + self._sequence_w * decode_s)

    @property
    def idle_w(self) -> float:
        """Power of the site with nothing to serve, W."""
        return float(self._idle_w)

    def served(self, until_s: float) -> Served:
        """What was complete by a time that the break-points have already passed."""
        count = bisect_right(self._done_s, until_s)
        return Served(count, self._done_context[count], self._done_generated[count])

    def breakpoints(self) -> FleetBreakpoints:
        """Endless pieces of its power."""
        return FleetBreakpoints(self, self._load.edge_s)

    def power_w(self) -> float:
        """Power as of the latest step, W."""
        return float(self._idle_w + self._prefilling * self._prefill_w + self._decoding * self._sequence_w)

    def steps(self, until_s: float) -> list[tuple[float, float]]:
        """Serve up to a time; steps of power as (time, size)."""
        steps: list[tuple[float, float]] = []
        power = self.power_w()
        while True:
            arrival = self._next.arrival_s if self._next is not None else float("inf")
            due = self._events[0][0] if self._events else float("inf")
            now = min(arrival, due)
            if now >= until_s:
                return steps
            if due <= arrival:
                _, _, index, version = heapq.heappop(self._events)
                if version != self._replicas[index].version:
                    continue
                self._finish(index, now)
            else:
                assert self._next is not None
                index = min(range(len(self._replicas)), key=lambda i: self._replicas[i].outstanding)
                self._replicas[index].queue.append(self._next)
                self._next = next(self._requests, None)
                if self._replicas[index].prefilling is None:
                    self._decode_until(self._replicas[index], now)
            self._start(index, now)
            if self.power_w() != power:
                steps.append((now, self.power_w() - power))
                power = self.power_w()

    def _decode_until(self, replica: _Replica, now: float) -> None:
        replica.decode_clock += now - replica.since
        replica.since = now

    def _finish(self, index: int, now: float) -> None:
        """A prefill ends, or the sequence with the least work left does."""
        replica = self._replicas[index]
        if replica.prefilling is not None:
            request, replica.prefilling = replica.prefilling, None
            self._prefilling -= 1
            self._decoding += len(replica.decoding)
            replica.since = now
            if request.generated_tokens == 0:
                self._done(request, now)
                return
            end = replica.decode_clock + request.generated_tokens / self._load.decode_tokens_per_s
            self._order += 1
            heapq.heappush(replica.decoding, (end, self._order, request))
            self._decoding += 1
        else:
            end, _, request = heapq.heappop(replica.decoding)
            replica.decode_clock, replica.since = end, now
            self._decoding -= 1
            self._done(request, now)

    def _done(self, request: Request, now: float) -> None:
        self._done_s.append(now)
        self._done_context.append(self._done_context[-1] + request.context_tokens)
        self._done_generated.append(self._done_generated[-1] + request.generated_tokens)

    def _start(self, index: int, now: float) -> None:
        """Begin the next prefill if there is room, and set the replica's next event."""
        replica = self._replicas[index]
        if replica.prefilling is not None:
            return
        if replica.queue and len(replica.decoding) < self._load.max_batch:
            replica.prefilling = replica.queue.popleft()
            self._prefilling += 1
            self._decoding -= len(replica.decoding)
            due = now + replica.prefilling.context_tokens / self._load.prefill_tokens_per_s
        elif replica.decoding:
            due = now + max(0.0, replica.decoding[0][0] - replica.decode_clock)
        else:
            replica.version += 1
            return
        replica.version += 1
        self._order += 1
        heapq.heappush(self._events, (due, self._order, index, replica.version))


class FleetBreakpoints:
    """The power of a fleet; each step of it is smoothed to a straight line over `edge`, which keeps its energy."""

    def __init__(self, fleet: Fleet, edge_s: float) -> None:
        self._fleet = fleet
        self._edge_s = edge_s
        self._level_w = fleet.idle_w
        self._pending: list[tuple[float, float]] = []  # steps still on their way: time, size
        self._start_s = 0.0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Piece:
        start, end = self._start_s, self._start_s + _PIECE_S
        self._start_s = end
        steps = self._fleet.steps(end)
        if self._edge_s == 0.0:
            times = np.repeat([time for time, _ in steps], 2)
            levels = self._level_w + np.concatenate([[0.0], np.cumsum([size for _, size in steps])])
            self._level_w = float(levels[-1])
            return np.concatenate([[start], times, [end]]), np.repeat(levels, 2)
        active = self._pending + steps
        begin = np.array([time for time, _ in active])
        size = np.array([step for _, step in active])
        knots = np.unique(np.concatenate([[start, end], begin, begin + self._edge_s]))
        knots = knots[(knots >= start) & (knots <= end)]
        order = np.argsort(begin, kind="stable")
        power_w = self._level_w + _ramps(knots, begin[order], size[order], self._edge_s)
        self._pending = [(time, step) for time, step in active if time + self._edge_s > end]
        self._level_w += sum(step for time, step in active if time + self._edge_s <= end)
        if not self._pending:
            self._level_w = self._fleet.power_w()
        return knots, power_w


def _ramps(knots: Floats, begin: Floats, size: Floats, edge: float) -> Floats:
    """Sum at each knot of straight ramps of length `edge`; `begin` is sorted."""
    total = np.concatenate([[0.0], np.cumsum(size)])
    done = np.searchsorted(begin + edge, knots, side="right")
    started = np.searchsorted(begin, knots, side="right")
    weight = np.concatenate([[0.0], np.cumsum(size * begin)])
    running, moment = total[started] - total[done], weight[started] - weight[done]
    return np.asarray(total[done] + (running * knots - moment) / edge)
