"""The load of a scenario: its feed of blocks, and what it can say of itself at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hil.draws import uniform
from hil.loads.arrivals import requests_of
from hil.loads.base import LoadFeed, Piece
from hil.loads.feeds import Ahead, RemediedFeed, Steady, SummedFeed
from hil.loads.inference import Fleet
from hil.loads.trace import TraceBreakpoints
from hil.loads.training import Crash, TrainingBreakpoints
from hil.scenario.event import LoadCrash
from hil.scenario.load import InferenceLoad, SumLoad, TraceLoad, TrainingLoad
from hil.scenario.load.sum import Part, TrainingPart
from hil.scenario.model import Scenario

_SEEDS = 2**53


class _Single:
    """One load that is no sum, from a time of its own on, with its schedule and remedies."""

    def __init__(
        self,
        load: TrainingLoad | InferenceLoad | TraceLoad,
        scenario: Scenario,
        crashes: list[Crash],
        *,
        seed: int,
        lead_s: float = 0.0,
        checkpoint_later_s: float = 0.0,
    ) -> None:
        self._fleet: Fleet | None = None
        self._job: TrainingBreakpoints | None = None
        self._trace: TraceBreakpoints | None = None
        self._lead_s = lead_s
        pieces: Iterator[Piece]
        if isinstance(load, TrainingLoad):
            pieces = self._job = TrainingBreakpoints(load, seed, crashes, checkpoint_later_s=checkpoint_later_s)
            self._tells = load.failure_every_s is not None or bool(crashes)
        elif isinstance(load, InferenceLoad):
            self._fleet = Fleet(load, requests_of(load, seed, scenario.source), count_from_s=lead_s)
            pieces = self._fleet.breakpoints()
        else:
            pieces = self._trace = TraceBreakpoints(load, scenario.source)
        self.plain = LoadFeed(pieces if lead_s == 0.0 else Ahead(pieces, lead_s), scenario.tick_s)
        self.remedied = RemediedFeed(Steady(self.plain), load, scenario.tick_s)

    @property
    def sampled_s(self) -> float | None:
        """Time between two samples of a recorded load; None where nothing lies between what it is made of."""
        return None if self._trace is None else self._trace.sampled_s

    def summary(self, until_s: float) -> dict[str, Any]:
        """What it did up to a time: requests and tokens served, how often it was recorded, failures, what remedies came to."""
        found: dict[str, Any] = {}
        if self._fleet is not None:
            served = self._fleet.served(until_s + self._lead_s)
            found = {
                "requests_served": served.requests,
                "context_tokens": served.context_tokens,
                "generated_tokens": served.generated_tokens,
            }
        elif self.sampled_s is not None:
            found = {"sampled_s": self.sampled_s}
        elif self._job is not None and self._tells:
            found = self._job.outages(self._lead_s, until_s + self._lead_s)
        return found | self.remedied.figures()


class LoadSource:
    """Feeds one run. Copied in mid-run, copy and original go on alike."""

    feed: LoadFeed | RemediedFeed
    first_w: float

    def __init__(self, scenario: Scenario) -> None:
        load = scenario.load
        self._single: _Single | None = None
        self._parts: dict[str, list[_Single]] = {}
        if isinstance(load, SumLoad):
            self._sum(load, scenario)
            return
        self._single = _Single(load, scenario, _crashes(scenario, None), seed=scenario.seed)
        if load.schedule is None and not self._single.remedied.figures():
            self.feed, self.first_w = self._single.plain, self._single.plain.first_w
        else:
            self.feed, self.first_w = self._single.remedied, self._single.remedied.first_w

    def _sum(self, load: SumLoad, scenario: Scenario) -> None:
        """Every part with its copies, then what acts on all of them."""
        jobs = [part for part in load.part.values() if isinstance(part, TrainingLoad) and part.checkpoint_every_s is not None]
        spread = sum(part.copies for part in jobs) if load.spread_checkpoints else 0
        feeds: dict[str, tuple[Steady | RemediedFeed, float]] = {}
        job = 0
        for name, part in load.part.items():
            self._parts[name] = []
            for copy in range(part.copies):
                later_s = 0.0
                if spread and isinstance(part, TrainingPart) and part.checkpoint_every_s is not None:
                    later_s, job = part.checkpoint_every_s * job / spread, job + 1
                one = _Single(
                    part,
                    scenario,
                    _crashes(scenario, name, lead_s=(lead_s := _lead_s(part, copy))),
                    seed=part_seed(scenario.seed, name, copy),
                    lead_s=lead_s,
                    checkpoint_later_s=later_s,
                )
                self._parts[name].append(one)
                feeds[f"{name}.{copy}"] = one.remedied, float(part.scale) if isinstance(part, TrainingPart) else 1.0
        self._summed = SummedFeed(feeds, scenario.tick_s)
        self._whole = RemediedFeed(self._summed, load, scenario.tick_s)
        self.feed, self.first_w = self._whole, self._whole.first_w

    @property
    def sampled_s(self) -> float | None:
        """Time between two samples of a recorded load, the longest of a sum; None where it is made of none."""
        singles = [self._single] if self._single is not None else [one for copies in self._parts.values() for one in copies]
        return max((one.sampled_s for one in singles if one.sampled_s is not None), default=None)

    def summary(self, until_s: float) -> dict[str, Any]:
        """What the load did up to a time, of a sum also each part: requests served, failures, what remedies came to."""
        if self._single is not None:
            return self._single.summary(until_s)
        parts = {}
        for name, copies in self._parts.items():
            told = [
                {"energy_j": self._summed.energy_j(f"{name}.{copy}")} | one.summary(until_s) for copy, one in enumerate(copies)
            ]
            alone = len(told) == 1
            parts[name] = told[0] if alone else {"energy_j": sum(one["energy_j"] for one in told), "copies": told}
        sampled = {} if self.sampled_s is None else {"sampled_s": self.sampled_s}
        return {"part": parts} | sampled | self._whole.figures()


def part_seed(seed: int, name: str, copy: int) -> int:
    """The seed of a copy of a part: it depends on no other part."""
    return int(uniform(seed, "load", copy, name) * _SEEDS)


def _lead_s(part: Part, copy: int) -> float:
    """How far a copy of a part is ahead."""
    return float(part.shift_s) + copy * float(part.copies_apart_s)


def _crashes(scenario: Scenario, part: str | None, lead_s: float = 0.0) -> list[Crash]:
    """The scripted crashes of a load, or of a part of it, in its own time."""
    return [
        Crash(event.at_s + lead_s, event.fall_s, event.to_w, event.restart_after_s, event.restart_ramp_s)
        for event in scenario.events
        if isinstance(event, LoadCrash) and event.load == part
    ]
