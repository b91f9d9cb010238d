"""Limits, and the functions behind them, judged over signals that came from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hil.kernel.protection.replay import Replay
from hil.limits.build import functions_of, on_columns, relays_of
from hil.limits.facts import Facts
from hil.limits.judged import Judged
from hil.scenario.limit import Limit

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Replayed(NamedTuple):
    """States of the ways in which limits were judged, those of relays by channel, and all channels, of functions too."""

    states: list[Any]
    relays: dict[str, Any]
    channels: dict[str, Floats]


def replayed(
    found: Sequence[tuple[Limit, Judged]],
    signals: Mapping[str, Floats],
    facts: Facts,
    *,
    before: Mapping[str, float] | None = None,
    run: Callable[[Replay, Floats], None] = Replay.run,
) -> Replayed:
    """What came of limits over all samples.

    signals: samples of channels, all of one length, a sample a tick. before: what each was for ever before that; without it
    what its first number is. run: runs the rows, shape (samples, channels). Raises ValueError for what cannot be judged with
    such samples.
    """
    parts, rows = on_columns(found, signals, facts, before)
    run(Replay(parts.parameters, parts.states | {"arena": parts.arena.array()}), rows)
    functions = functions_of(found)
    names = [*signals, *(name for function in functions for name in function.outputs)]
    return Replayed(list(parts.states["limits"]), relays_of(functions, parts.states), dict(zip(names, rows.T, strict=True)))
