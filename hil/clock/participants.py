"""Who is acting: a context variable that everything a participant starts inherits.

Wake-ups of one instant are released in the order in which their participants were named.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Participant:
    """A place in the order of wake-ups, and a name for messages."""

    order: int
    name: str


NOBODY = Participant(0, "run")
current: ContextVar[Participant] = ContextVar("participant", default=NOBODY)


@contextmanager
def acting_as(order: int, name: str) -> Iterator[Participant]:
    """Tasks, servers and timers started inside belong to this participant."""
    participant = Participant(order, name)
    token = current.set(participant)
    try:
        yield participant
    finally:
        current.reset(token)
