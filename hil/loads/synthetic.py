"""Synthetic inference requests: bursts and gaps dealt from tables fitted to the Azure LLM inference traces of 2023.

A stream is a sequence of decks. A deck lasts `span_s`, the length of the trace it is fitted to, and deals `bursts` bursts,
each a number of requests, a duration and the gap after it. Each of the three is drawn by strata: every one of the
equal-probability strata of its fitted distribution comes once a deck, in random order, so no span has too few or too many
large bursts. The model, its fit (scripts/fit_requests.py) and its weaknesses: docs/loads.md.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from hil.loads.base import Floats
from hil.loads.requests import Batch, Request, Wholes

FITTED = Path(__file__).with_name("azure_2023.json")
_GRID = np.linspace(0.0, 1.0, 257)
_TOKENS = 256  # prompts and answers in one deck


@dataclass(frozen=True)
class Model:
    """The fitted numbers of one trace; a table holds the logarithms of quantiles at `levels`, or of a constant."""

    span_s: float
    bursts: int
    base_rate_per_s: float  # what a burst has above this is one surge
    most_per_s: float  # the highest mean rate of a burst
    surge_s: float  # the longest a surge lasts
    spacings: int  # waits between requests in one deck of them
    persistence: float  # correlation of the sizes of consecutive bursts
    size_duration: float  # correlations, of normal scores
    size_gap: float
    context_generated: float
    levels: Floats
    size: Floats
    duration_s: Floats
    gap_s: Floats
    spacing: Floats  # between requests of a burst, times the rate
    context_tokens: Floats
    generated_tokens: Floats

    def __deepcopy__(self, _memo: object) -> Self:
        """It never changes."""
        return self

    @classmethod
    def read(cls, path: Path, name: str) -> Self:
        """The model of one trace from the file of fitted numbers."""
        fitted: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        numbers = {"levels": fitted["levels"], **fitted[name]}
        floats = {key: np.array(value) for key, value in numbers.items() if isinstance(value, list)}
        tables = {key: value if key == "levels" else np.log(value) for key, value in floats.items()}
        return cls(**{**numbers, **tables})


class SyntheticBatches:
    """Endless requests in order of time, a burst at a time; all state is plain data and the generator of random numbers.

    rate: how many times the requests of the fitted trace; each burst has so many more, within the same time.
    """

    def __init__(self, model: Model, rng: np.random.Generator, rate: float = 1.0) -> None:
        self._model, self._rng, self._rate = model, rng, rate
        self._decks = 0  # dealt so far
        self._score = float(rng.standard_normal())  # of the last burst's size
        self._deck: list[tuple[float, int, float]] = []  # start, size, duration of bursts to come, last first
        self._tokens: tuple[Wholes, Wholes] = (np.empty(0, np.int64), np.empty(0, np.int64))  # dealt and not yet used

    @property
    def span_s(self) -> float:
        """Length of a deck."""
        return self._model.span_s

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        if not self._deck:
            self._deal_bursts()
        arrival_s = self._arrivals(*self._deck.pop())
        count = arrival_s.size
        self._deal_tokens(count - self._tokens[0].size)
        context, generated = self._tokens
        self._tokens = context[count:], generated[count:]
        return arrival_s, context[:count], generated[:count]

    def _deal_bursts(self) -> None:
        """One span of bursts and gaps, stretched to last exactly that long."""
        m, rate = self._model, self._rate
        scores = np.empty(m.bursts)
        for i, fresh in enumerate(self._rng.standard_normal(m.bursts)):
            self._score = scores[i] = m.persistence * self._score + math.sqrt(1 - m.persistence**2) * fresh
        size = np.maximum(np.rint(rate * self._dealt(m.size, scores, 0.5)), 1)
        duration_s = self._dealt(m.duration_s, self._beside(scores, m.size_duration), 0.5)
        duration_s = np.maximum(duration_s, size / (rate * m.most_per_s))
        gap_s = self._dealt(m.gap_s, self._beside(scores, m.size_gap), 0.5)
        end_s = np.cumsum(duration_s + gap_s)
        stretch = m.span_s / end_s[-1]
        start_s = self._decks * m.span_s + stretch * np.concatenate(([0.0], end_s[:-1]))
        self._deck = list(zip(start_s.tolist(), size.astype(int).tolist(), (stretch * duration_s).tolist(), strict=True))[::-1]
        self._decks += 1

    def _deal_tokens(self, wanted: int) -> None:
        """Prompts and answers of so many more requests, in whole decks."""
        decks = max(0, -(-wanted // _TOKENS))
        if not decks:
            return
        m, rng = self._model, self._rng
        scores, beside = np.empty((2, decks, _TOKENS))
        within = np.empty((2, decks, _TOKENS))
        for i in range(decks):
            scores[i], within[0, i] = rng.standard_normal(_TOKENS), rng.random(_TOKENS)
            beside[i], within[1, i] = rng.standard_normal(_TOKENS), rng.random(_TOKENS)
        beside = m.context_generated * scores + math.sqrt(1 - m.context_generated**2) * beside
        dealt = (
            self._from_strata(m.context_tokens, scores, within[0]),
            self._from_strata(m.generated_tokens, beside, within[1]),
        )
        # The last of a deck comes first.
        context, generated = (np.rint(tokens[:, ::-1]).astype(np.int64).ravel() for tokens in dealt)
        self._tokens = np.concatenate([self._tokens[0], context]), np.concatenate([self._tokens[1], generated])

    def _arrivals(self, start_s: float, size: int, duration_s: float) -> Floats:
        """The arrivals of one burst: a constant rate and a surge of raised-cosine shape on it."""
        m, rng = self._model, self._rng
        draws = rng.random((-(-size // m.spacings), 2, m.spacings))
        spacing = self._from_strata(m.spacing, draws[:, 0], draws[:, 1]).ravel()[:size]
        before = (np.cumsum(spacing) - spacing) / spacing.sum()  # share of the burst's requests before each
        surge = max(0.0, 1 - self._rate * m.base_rate_per_s * duration_s / size)  # share of the requests in the surge
        surge_s = min(duration_s, m.surge_s)
        time_s = duration_s * _GRID
        phase = np.clip((time_s - rng.uniform(0, duration_s - surge_s)) / surge_s, 0, 1)
        passed = (1 - surge) * _GRID + surge * (phase - np.sin(2 * np.pi * phase) / (2 * np.pi))
        return np.asarray(start_s + np.interp(before, passed, time_s))

    def _beside(self, scores: Floats, correlation: float) -> Floats:
        """Normal scores correlated with these."""
        return correlation * scores + math.sqrt(1 - correlation**2) * self._rng.standard_normal(len(scores))

    def _dealt(self, table: Floats, scores: Floats, spread: float = 1.0) -> Floats:
        """Each stratum of a table once, in the order of the scores, from the middle `spread` of the stratum."""
        return self._from_strata(table, scores, 0.5 + spread * (self._rng.random(len(scores)) - 0.5))

    def _from_strata(self, table: Floats, scores: Floats, within: Floats) -> Floats:
        """Rows of scores as values of a table: each stratum once a row; within: where in it, 0 to 1."""
        stratum = np.argsort(np.argsort(scores, axis=-1), axis=-1)
        probability = (stratum + within) / scores.shape[-1]
        return np.asarray(np.exp(np.interp(probability, self._model.levels[: len(table)], table)))


class SyntheticRequests:
    """The requests of such batches, one by one."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches
        self._left: list[Request] = []  # of the batch under way, last first

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Request:
        while not self._left:
            columns = (column.tolist() for column in next(self._batches))
            self._left = [Request(*row) for row in zip(*columns, strict=True)][::-1]
        return self._left.pop()


def synthetic_batches(arrivals: str, seed: int, rate: float = 1.0, stream: int = 0) -> SyntheticBatches:
    """Endless requests like those of one trace, `"azure_code"` or `"azure_conversation"`; each stream has draws of its own."""
    model = Model.read(FITTED, arrivals.removeprefix("azure_"))
    words = [seed, 0xA2E] if stream == 0 else [seed, 0xA2E, stream]
    return SyntheticBatches(model, np.random.default_rng(np.random.SeedSequence(words)), rate)


def synthetic_requests(arrivals: str, seed: int) -> SyntheticRequests:
    """The requests of one stream, one by one."""
    return SyntheticRequests(synthetic_batches(arrivals, seed))
