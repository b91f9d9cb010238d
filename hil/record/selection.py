"""Which channels patterns choose."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence


def chosen(channels: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Channels that any of the patterns names, in the record's order.

    Raises KeyError saying what is recorded, for a pattern that names none.
    """
    for pattern in patterns:
        if not fnmatch.filter(channels, pattern):
            raise KeyError(f"{pattern!r}: no such channel; recorded: {', '.join(channels) or 'nothing yet'}")
    return [name for name in channels if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
