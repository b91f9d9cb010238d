"""Times as whole ticks, and places in the arena: what every builder needs."""

from __future__ import annotations

from typing import Protocol


class Places(Protocol):
    """Hands out places in the arena, as that of a site does."""

    def place(self, length: int, fill: float = 0.0) -> int:
        """Reserve `length` values, set to `fill`; return their offset."""
        ...


def ticks_of(seconds: float, dt_s: float) -> int:
    """Ticks nearest to a time."""
    return round(seconds / dt_s)
