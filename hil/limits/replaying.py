"""Limits, and the functions behind them, judged over signals that came from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hil.kernel.protection.replay import Replay
from hil.limits.build import functions_of, on_columns, relays_of
from hil.limits.facts import Facts
from hil.limits.judged import Judged
from hil.scenario.limit import Limit

Floats = np.ndarray[Any, np.dtype[np.float64]]


def replayed(
    found: Sequence[tuple[Limit, Judged]], signals: Mapping[str, Floats], facts: Facts
) -> tuple[list[Any], dict[str, Any], dict[str, Floats]]:
    """State of each way in which a limit was judged, those of relays by their channels, and all channels, of functions too.

    signals: samples of channels, all of one length, a sample a tick; each was for ever before what its first number is. Raises
    ValueError for what cannot be judged with such samples.
    """
    parts, rows = on_columns(found, signals, facts)
    Replay(parts.parameters, parts.states | {"arena": parts.arena.array()}).run(rows)
    functions = functions_of(found)
    names = [*signals, *(name for function in functions for name in function.outputs)]
    return list(parts.states["limits"]), relays_of(functions, parts.states), dict(zip(names, rows.T, strict=True))
