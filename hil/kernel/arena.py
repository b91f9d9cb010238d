"""Arrays on their way to the kernel, and the arena: one of float64 in which windows and delay lines get their place."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.kernel.layout import parameter_dtypes, state_dtypes

_BLOCK = 64  # samples in a block of an Extremum: so many cost the tick in which it ends about a tenth of a microsecond


class Arena:
    """Hands out places; `array` is what the engine gets."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray[Any, np.dtype[np.float64]]] = []
        self._size = 0

    def place(self, length: int, fill: float = 0.0) -> int:
        """Reserve `length` values, set to `fill`; return their offset."""
        offset = self._size
        self._parts.append(np.full(length, fill))
        self._size += length
        return offset

    def put(self, values: npt.ArrayLike) -> int:
        """Reserve the place of `values`, and put them there; return their offset."""
        offset = self._size
        part = np.array(values, np.float64).ravel()
        self._parts.append(part)
        self._size += len(part)
        return offset

    def mean(self, slot: Any, length: int, fill: float, *, signals: int = 1) -> None:
        """Give a MeanWindow, or a window of several signals side by side, its place, filled."""
        slot["offset"] = self.place(signals * length, fill)
        slot["length"] = length
        slot["total"] = fill * length

    def delay(self, slot: Any, length: int, fill: float, *, signals: int = 1) -> None:
        """Give a DelayLine, or one of several signals side by side, its place, filled."""
        slot["offset"] = self.place(signals * length, fill)
        slot["length"] = length

    def extremum(self, slot: Any, span: int) -> None:
        """Give an Extremum of the last `span` samples its place."""
        block = max(1, min(_BLOCK, span // 2))
        block -= block % 4 if block > 4 else 0
        blocks = span // block + 2
        candidates = 1 << blocks.bit_length()
        slot["offset"] = self.place(blocks * block)
        self.place(block, -math.inf)
        self.place(2 * candidates)
        slot["ring"], slot["block"], slot["span"] = blocks * block, block, span
        slot["mask"], slot["newest"] = candidates - 1, -math.inf

    def array(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """All parts in one array."""
        return np.concatenate([*self._parts, np.zeros(1)])


@dataclass
class Arrays:
    """Parameters and states by the names of `hil.kernel.layout`, as they are made."""

    arena: Arena = field(default_factory=Arena)
    parameters: dict[str, Any] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)

    def make(self, name: str, count: int) -> tuple[Any, Any]:
        """Parameters and states of `count` components, all zero."""
        return self.make_parameters(name, count), self.make_states(name, count)

    def make_parameters(self, name: str, count: int) -> Any:
        """Parameters alone."""
        self.parameters[name] = np.zeros(count, dtype=parameter_dtypes()[name])
        return self.parameters[name]

    def make_states(self, name: str, count: int) -> Any:
        """States alone."""
        self.states[name] = np.zeros(count, dtype=state_dtypes()[name])
        return self.states[name]
