"""Which channels patterns choose, and in which unit people read them."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

_UNITS = {
    "_w": ("MW", 1e-6),
    "_var": ("Mvar", 1e-6),
    "_hz": ("Hz", 1.0),
    "_pu": ("pu", 1.0),
    "_v": ("V", 1.0),
    "_a": ("A", 1.0),
    "_s": ("s", 1.0),
    "_us": ("µs", 1.0),
    "_degc": ("°C", 1.0),
    ".soc": ("%", 100.0),
}


def chosen(channels: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Channels that any of the patterns names, in the record's order.

    Raises KeyError saying what is recorded, for a pattern that names none.
    """
    for pattern in patterns:
        if not fnmatch.filter(channels, pattern):
            raise KeyError(f"{pattern!r}: no such channel; recorded: {', '.join(channels) or 'nothing yet'}")
    return [name for name in channels if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


def handy_unit(channel: str) -> tuple[str, float]:
    """The unit in which people read a channel, and what its value is multiplied by; no unit for what has none."""
    for end in (".min", ".max"):
        channel = channel.removesuffix(end)
    return next((unit for end, unit in _UNITS.items() if channel.endswith(end)), ("", 1.0))
