"""When requests come: files, synthetic streams, many streams as one, and the course of a day. Choices: docs/loads.md."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Self

import numpy as np

from hil.loads.base import Floats
from hil.loads.requests import Batch, Batches, RequestFile
from hil.loads.synthetic import SyntheticBatches, synthetic_batches
from hil.scenario.load.inference import InferenceLoad

_WINDOW_S = 20.0
DAY_S = 86_400.0
_GRID_S = 10.0


def requests_of(load: InferenceLoad, seed: int, source: str) -> Iterator[Batch]:
    """The requests that a load serves, in batches. Raises ScenarioError for a file that cannot be read."""
    if load.trace is not None:
        return Batches(RequestFile(load.trace, source))
    streams = [synthetic_batches(load.arrivals, seed, load.rate, stream) for stream in range(load.streams)]
    requests = streams[0] if len(streams) == 1 else Superposed(streams, seed)
    return OverDay(requests, load.diurnal, load.peak_at_s) if load.diurnal else requests


class Superposed:
    """Several independent streams as one; each but the first begins at a moment of its own within its first deck."""

    def __init__(self, streams: list[SyntheticBatches], seed: int) -> None:
        rng = np.random.default_rng(np.random.SeedSequence([seed, 0x50FA]))
        self._streams = streams
        self._skipped_s = [0.0, *(stream.span_s * float(rng.random()) for stream in streams[1:])]
        self._left: list[Batch] = [(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64)) for _ in streams]
        self._end_s = 0.0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        """The requests of the next stretch of time."""
        self._end_s += _WINDOW_S
        taken = [self._take(index) for index in range(len(self._streams))]
        arrival_s = np.concatenate([batch[0] for batch in taken])
        order = np.argsort(arrival_s, kind="stable")
        return (
            arrival_s[order],
            np.concatenate([batch[1] for batch in taken])[order],
            np.concatenate([batch[2] for batch in taken])[order],
        )

    def _take(self, index: int) -> Batch:
        """What comes of one stream before the end of the stretch."""
        batch = self._left[index]
        while not batch[0].size or batch[0][-1] < self._end_s:
            arrival_s, context, generated = next(self._streams[index])
            arrival_s = arrival_s - self._skipped_s[index]
            begin = int(np.searchsorted(arrival_s, 0.0))
            more = arrival_s[begin:], context[begin:], generated[begin:]
            batch = (
                np.concatenate([batch[0], more[0]]), np.concatenate([batch[1], more[1]]), np.concatenate([batch[2], more[2]])
            )  # fmt: skip
        count = int(np.searchsorted(batch[0], self._end_s))
        self._left[index] = batch[0][count:], batch[1][count:], batch[2][count:]
        return batch[0][:count], batch[1][:count], batch[2][:count]


class OverDay:
    """Requests of an even rate as those of a day: time runs faster and slower, so that their rate follows a cosine.

    The rate at a time of the day is 1 + amplitude·cos(2π(t − peak)/24 h) of the even one, in steps of 10 s; a whole day has as
    many requests as before. The run begins at midnight.
    """

    def __init__(self, requests: Iterator[Batch], amplitude: float, peak_s: float) -> None:
        self._requests = requests
        self._time_s: Floats = np.arange(0.0, DAY_S + _GRID_S / 2, _GRID_S)
        turn = 2.0 * math.pi / DAY_S
        wave = np.sin(turn * (self._time_s - peak_s)) + math.sin(turn * peak_s)
        self._even_s: Floats = self._time_s + amplitude / turn * wave

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        even_s, context, generated = next(self._requests)
        days = np.floor(even_s / DAY_S)
        return days * DAY_S + np.interp(even_s - days * DAY_S, self._even_s, self._time_s), context, generated
