"""The table `parameters` of something of the user's own: its names with or without their units, its values in SI."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hil.errors import ScenarioError
from hil.scenario.quantity import Dimension, of_name

T = TypeVar("T")


@dataclass(frozen=True)
class Given:
    """What a scenario gives. source, key: the scenario and the table, for errors; owner: who takes it, in words."""

    source: str
    key: str
    owner: str
    table: Mapping[str, Any]

    def values(self, names: Sequence[str], read: Callable[[str, str, Any], T]) -> dict[str, T]:
        """Values by the names that the owner has for them, which end in their units; a file may leave the units out.

        read: makes the value of a name, from the key under which it was given. Raises ScenarioError.
        """
        keys = {key: name for name in names for key in (name, self.short(name, names))}
        found: dict[str, T] = {}
        for key, value in self.table.items():
            if key not in keys:
                close = difflib.get_close_matches(key, keys, n=1)
                known = ", ".join(self.short(name, names) for name in names) or "none"
                hint = f"did you mean {close[0]!r}?" if close else f"{self.owner} has: {known}"
                raise self.problem(key, f": unknown parameter; {hint}")
            name = keys[key]
            if name in found:
                raise self.problem(key, f" = {value!r}: given twice, as {self.short(name, names)} and as {name}")
            try:
                found[name] = read(name, key, value)
            except ValueError as error:
                raise self.problem(key, f" = {value!r}: {error}") from None
        return found

    def missing(self, name: str, names: Sequence[str]) -> ScenarioError:
        """The error for a parameter that has to be given."""
        return self.problem(self.short(name, names), f": missing; {self.owner} gives it no default")

    def problem(self, key: str, what: str) -> ScenarioError:
        """The error of one parameter."""
        return ScenarioError(self.source, f"{self.key}.{key}", what)

    @staticmethod
    def short(name: str, names: Sequence[str]) -> str:
        """A name without its unit, where no other has the same then."""
        stem = of_name(name)[0]
        return stem if [of_name(other)[0] for other in names].count(stem) == 1 else name


def read_quantity(dimension: Dimension, name: str, key: str, value: Any) -> float:
    """A quantity in SI; a plain number is one under the full name. Raises ValueError."""
    number = dimension.read(value, plain=key == name)
    if not math.isfinite(number):
        raise ValueError("must be a finite number")
    return number
