"""How each kind of limit is judged: which channel, by which functions, between which bounds. A module for each subject.

How a function works, what it needs before the first tick, and what becomes of a limit afterwards do not live here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hil.limits.facts import Facts
from hil.limits.judged import Judged
from hil.limits.kinds import current, frequency, power, ramp, ride, storage, ups, voltage

HOW: dict[str, Callable[[Any, Facts], list[Judged]]] = {
    **voltage.HOW,
    **frequency.HOW,
    **ramp.HOW,
    **power.HOW,
    **current.HOW,
    **storage.HOW,
    **ups.HOW,
    **ride.HOW,
}
"""By the name of the kind."""
