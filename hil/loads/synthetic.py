"""Synthetic inference requests: bursts and gaps dealt from tables fitted to the Azure LLM inference traces of 2023.

A stream is a sequence of decks. A deck lasts `span_s`, the length of the trace it is fitted to, and deals `bursts` bursts,
each a number of requests, a duration and the gap after it. Each of the three is drawn by strata: every one of the
equal-probability strata of its fitted distribution comes once a deck, in random order, so no span has too few or too many
large bursts. The model, its fit (scripts/fit_requests.py) and its weaknesses: docs/loads.md.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from hil.loads.base import Floats
from hil.loads.requests import Request

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


class SyntheticRequests:
    """Endless requests in order of time; all state is plain data and the generator of random numbers."""

    def __init__(self, model: Model, rng: np.random.Generator) -> None:
        self._model, self._rng = model, rng
        self._decks = 0  # dealt so far
        self._score = float(rng.standard_normal())  # of the last burst's size
        self._deck: list[tuple[float, int, float]] = []  # start, size, duration of bursts to come, last first
        self._arrivals_s: list[float] = []  # of the burst under way, last first
        self._tokens: list[tuple[int, int]] = []  # context and generated, dealt and not yet used

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Request:
        if not self._arrivals_s:
            if not self._deck:
                self._deal_bursts()
            self._arrivals_s = self._arrivals(*self._deck.pop())
        if not self._tokens:
            self._deal_tokens()
        return Request(self._arrivals_s.pop(), *self._tokens.pop())

    def _deal_bursts(self) -> None:
        """One span of bursts and gaps, stretched to last exactly that long."""
        m = self._model
        scores = np.empty(m.bursts)
        for i, fresh in enumerate(self._rng.standard_normal(m.bursts)):
            self._score = scores[i] = m.persistence * self._score + math.sqrt(1 - m.persistence**2) * fresh
        size = np.maximum(np.rint(self._dealt(m.size, scores, 0.5)), 1)
        duration_s = np.maximum(self._dealt(m.duration_s, self._beside(scores, m.size_duration), 0.5), size / m.most_per_s)
        gap_s = self._dealt(m.gap_s, self._beside(scores, m.size_gap), 0.5)
        end_s = np.cumsum(duration_s + gap_s)
        stretch = m.span_s / end_s[-1]
        start_s = self._decks * m.span_s + stretch * np.concatenate(([0.0], end_s[:-1]))
        self._deck = list(zip(start_s.tolist(), size.astype(int).tolist(), (stretch * duration_s).tolist(), strict=True))[::-1]
        self._decks += 1

    def _deal_tokens(self) -> None:
        """Prompts and answers of the next requests."""
        m = self._model
        scores = self._rng.standard_normal(_TOKENS)
        context = self._dealt(m.context_tokens, scores)
        generated = self._dealt(m.generated_tokens, self._beside(scores, m.context_generated))
        self._tokens = list(zip(np.rint(context).astype(int).tolist(), np.rint(generated).astype(int).tolist(), strict=True))

    def _arrivals(self, start_s: float, size: int, duration_s: float) -> list[float]:
        """The arrivals of one burst, last first: a constant rate and a surge of raised-cosine shape on it."""
        m, rng = self._model, self._rng
        decks = -(-size // m.spacings)
        spacing = np.concatenate([self._dealt(m.spacing, rng.random(m.spacings)) for _ in range(decks)])[:size]
        before = (np.cumsum(spacing) - spacing) / spacing.sum()  # share of the burst's requests before each
        surge = max(0.0, 1 - m.base_rate_per_s * duration_s / size)  # share of the requests in the surge
        surge_s = min(duration_s, m.surge_s)
        time_s = duration_s * _GRID
        phase = np.clip((time_s - rng.uniform(0, duration_s - surge_s)) / surge_s, 0, 1)
        passed = (1 - surge) * _GRID + surge * (phase - np.sin(2 * np.pi * phase) / (2 * np.pi))
        arrivals_s: list[float] = (start_s + np.interp(before, passed, time_s))[::-1].tolist()
        return arrivals_s

    def _beside(self, scores: Floats, correlation: float) -> Floats:
        """Normal scores correlated with these."""
        return correlation * scores + math.sqrt(1 - correlation**2) * self._rng.standard_normal(len(scores))

    def _dealt(self, table: Floats, scores: Floats, spread: float = 1.0) -> Floats:
        """Each stratum of a table once, in the order of the scores, from the middle `spread` of the stratum."""
        stratum = np.argsort(np.argsort(scores))
        within = 0.5 + spread * (self._rng.random(len(scores)) - 0.5)
        probability = (stratum + within) / len(scores)
        return np.exp(np.interp(probability, self._model.levels[: len(table)], table))


def synthetic_requests(arrivals: str, seed: int) -> SyntheticRequests:
    """Endless requests like those of one trace, `"azure_code"` or `"azure_conversation"`."""
    model = Model.read(FITTED, arrivals.removeprefix("azure_"))
    return SyntheticRequests(model, np.random.default_rng(np.random.SeedSequence([seed, 0xA2E])))
