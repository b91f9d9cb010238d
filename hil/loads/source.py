"""The load of a scenario: its feed of blocks, and what it can say of itself at the end."""

from __future__ import annotations

import itertools
from typing import Any

from hil.loads.base import LoadFeed
from hil.loads.inference import Fleet
from hil.loads.requests import read_requests
from hil.loads.trace import trace_breakpoints
from hil.loads.training import training_breakpoints
from hil.scenario.model import Scenario


class LoadSource:
    """Feeds one run."""

    def __init__(self, scenario: Scenario) -> None:
        load = scenario.load
        self._fleet: Fleet | None = None
        if load.kind == "training":
            crashes = [event.at_s for event in scenario.events if event.kind == "load_crash"]
            pieces = training_breakpoints(load, scenario.seed, min(crashes, default=None))
        elif load.kind == "inference":
            self._fleet = Fleet(load, read_requests(load.trace, scenario.source))
            pieces = self._fleet.breakpoints()
        else:
            pieces = trace_breakpoints(load, scenario.source)
        first = next(pieces)
        self.first_w = float(first[1][0])
        self.feed = LoadFeed(itertools.chain([first], pieces), scenario.tick_s)

    def summary(self, until_s: float) -> dict[str, Any]:
        """What the load did up to a time: requests and tokens served, where it serves any."""
        if self._fleet is None:
            return {}
        served = self._fleet.served(until_s)
        return {
            "requests_served": served.requests,
            "context_tokens": served.context_tokens,
            "generated_tokens": served.generated_tokens,
        }
