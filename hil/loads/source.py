"""The load of a scenario: its feed of blocks, and what it can say of itself at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hil.loads.arrivals import requests_of
from hil.loads.base import LoadFeed, Piece
from hil.loads.inference import Fleet
from hil.loads.trace import TraceBreakpoints
from hil.loads.training import TrainingBreakpoints
from hil.scenario.model import Scenario


class LoadSource:
    """Feeds one run. Copied in mid-run, copy and original go on alike."""

    def __init__(self, scenario: Scenario) -> None:
        load = scenario.load
        self._fleet: Fleet | None = None
        self._trace: TraceBreakpoints | None = None
        pieces: Iterator[Piece]
        if load.kind == "training":
            crashes = [event.at_s for event in scenario.events if event.kind == "load_crash"]
            pieces = TrainingBreakpoints(load, scenario.seed, min(crashes, default=None))
        elif load.kind == "inference":
            self._fleet = Fleet(load, requests_of(load, scenario.seed, scenario.source))
            pieces = self._fleet.breakpoints()
        else:
            pieces = self._trace = TraceBreakpoints(load, scenario.source)
        self.feed = LoadFeed(pieces, scenario.tick_s)
        self.first_w = self.feed.first_w

    @property
    def sampled_s(self) -> float | None:
        """Time between two samples of a recorded load; None where nothing lies between what it is made of."""
        return None if self._trace is None else self._trace.sampled_s

    def summary(self, until_s: float) -> dict[str, Any]:
        """What the load did up to a time: requests and tokens served, where it serves any; how often it was recorded."""
        if self._fleet is None:
            return {} if self.sampled_s is None else {"sampled_s": self.sampled_s}
        served = self._fleet.served(until_s)
        return {
            "requests_served": served.requests,
            "context_tokens": served.context_tokens,
            "generated_tokens": served.generated_tokens,
        }
