"""What an emulated device shows and takes on a message bus, whatever carries the messages."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol


class CommandRefused(ValueError):
    """A command that the firmware does not take; the message says why, in one line."""


class EmulatedDevice(Protocol):
    """A device as those see it that publish it."""

    @property
    def time_s(self) -> float:
        """Time of the last tick."""

    def meta(self) -> dict[str, Any]:
        """What it is: kind, maker, model, serial number, ratings, signals with their units, signs, what its commands take."""

    def state(self) -> dict[str, Any]:
        """A snapshot of everything, as of the last tick; what has no value is None."""

    def signal(self, name: str) -> Callable[[], float | None]:
        """Reads a signal of `meta`, as of the last tick."""

    def command(self, name: str, value: float) -> None:
        """Queue a command for the next tick. Raises CommandRefused."""


def finite(value: float | None) -> float | None:
    """A number that JSON can hold; None for what is not finite, such as the runtime of a UPS without load."""
    return value if value is not None and math.isfinite(value) else None
