"""Functions on the bench: their arrays, their arena, and rows for a `Replay`, without a site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.kernel.arena import Arena
from hil.kernel.layout import parameter_dtypes, state_dtypes
from hil.kernel.protection.replay import Replay

Column = npt.NDArray[np.float64]

bend: list[Callable[[dict[str, Any], dict[str, Any]], None]] = []
"""What is done to parameters and states before they run: nothing, but that mutants of them put themselves here."""


class Bench(Arena):
    """Arrays of a few functions; each `add` gives those of one more."""

    def __init__(self) -> None:
        super().__init__()
        self.parameters: dict[str, Any] = {}
        self.states: dict[str, Any] = {}

    def add(self, family: str, count: int = 1) -> tuple[Any, Any]:
        """Make parameters and states (none for what has no state) of `count` functions of a family, all zero."""
        self.parameters[family] = np.zeros(count, parameter_dtypes()[family])
        if family in state_dtypes():
            self.states[family] = np.zeros(count, state_dtypes()[family])
        return self.parameters[family], self.states.get(family)

    def run(self, *columns: Column, outputs: int) -> npt.NDArray[np.float64]:
        """Play signals, one a channel, all of one length; return the rows, the outputs behind the signals."""
        rows = np.zeros((len(columns[0]), len(columns) + outputs))
        for i, column in enumerate(columns):
            rows[:, i] = column
        states = self.states | {"arena": self.array()}
        for change in bend:
            change(self.parameters, states)
        Replay(self.parameters, states).run(rows)
        return rows


def signal(given: dict[str, Any], key: str = "steps") -> Column:
    """The samples that a vector plays.

    steps: each a value and for how many seconds it stands, or two values and the seconds from the one to the other; `repeat`:
    so many times over. sine: mean, amplitude, frequency_hz, seconds; from its mean, it grows smoothly over the first fade_s.
    """
    dt_s = given["dt_s"]
    if key not in given:
        sine = given["sine"]
        time_s = np.arange(round(sine["seconds"] / dt_s)) * dt_s
        grown = np.sin(np.pi / 2.0 * np.minimum(time_s / sine["fade_s"], 1.0)) ** 2
        wave: Column = sine["amplitude"] * grown * np.sin(2.0 * np.pi * sine["frequency_hz"] * time_s)
        return wave + float(sine["mean"])
    parts = []
    for *values, seconds in given[key]:
        n = round(seconds / dt_s)
        parts.append(
            np.linspace(values[0], values[-1], n, endpoint=False) if len(values) > 1 else np.full(n, float(values[0]))
        )
    return np.tile(np.concatenate(parts), given.get("repeat", 1))


def first(mask: npt.NDArray[np.bool_], dt_s: float) -> float | None:
    """Time of the first sample of a mask; None where there is none."""
    at = int(mask.argmax())
    return at * dt_s if mask[at] else None
