"""For how long scripted stimuli void samples: of a site that runs, and of the record of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.kernel.layout import CODES
from hil.scenario.event import GenerationLoss, GridDip, GridOutage, Stimulus

if TYPE_CHECKING:
    from hil.scenario.model import Scenario

FOR_GOOD = 2**62
"""A tick that never comes."""


def lasting_ticks(scenario: Scenario, event: Stimulus) -> int | None:
    """How many ticks an event acts; None: for good."""
    return None if event.duration_s is None else max(1, scenario.ticks_of(event.duration_s))


def blank_ticks(scenario: Scenario, event: Stimulus) -> int:
    """How many ticks after its end an event still voids samples."""
    if event.duration_s is None:
        return 0
    measuring = scenario.measurement
    window_s = measuring.frequency_window_s if isinstance(event, GenerationLoss) else measuring.window_s
    return scenario.ticks_of(event.settle_s + window_s + measuring.delay_s)


def blanked(scenario: Scenario) -> list[tuple[int, int, int]]:
    """What a script voids: code of the blanking (`CODES["blank.…"]`), first tick, and the tick after the last."""
    found = []
    for event in scenario.events:
        if isinstance(event, (GridDip, GridOutage, GenerationLoss)) and not event.judged:
            code = CODES["blank.frequency" if isinstance(event, GenerationLoss) else "blank.voltage"]
            start, lasts = scenario.ticks_of(event.at_s), lasting_ticks(scenario, event)
            found.append((code, start, FOR_GOOD if lasts is None else start + lasts + blank_ticks(scenario, event)))
    return found
