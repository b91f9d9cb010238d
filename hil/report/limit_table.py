"""Limits as a plain table, for where there is no terminal: the report of a test, the file of a CI server."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hil.report.words import missing, quantity, worst

if TYPE_CHECKING:
    from hil.verdict.result import LimitResult

_HEAD = ("limit", "node", "worst", "bound", "margin", "first beyond", "beyond for", "outcome")
_NUMBERS = range(2, 7)  # columns whose ends stand below each other
_NONE = "-"


def limit_table(limits: Iterable[LimitResult]) -> list[str]:
    """Lines: a head, one a limit, and beneath them why those are not decided that are not, and what was missing."""
    limits = list(limits)
    rows = [_HEAD, *(_row(limit) for limit in limits)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    reasons = [f"{limit.name}: {reason}" for limit in limits for reason in limit.reasons]
    reasons += [f"{limit.name}: {short}" for limit in limits if (short := missing(limit)) is not None]
    return [*(_line(row, widths) for row in rows), *reasons]


def bound(limit: LimitResult) -> str:
    """The bound of a limit on the side of its worst value, with its unit."""
    return _NONE if limit.limit is None or math.isnan(limit.limit) else quantity(limit.limit, limit)


def margin(limit: LimitResult) -> str:
    """What was left of its span, in percent; negative beyond."""
    return _NONE if limit.margin is None else f"{100 * limit.margin:.1f} %"


def at(time_s: float | None) -> str:
    """A time, or that there is none."""
    return _NONE if time_s is None else f"{time_s:.3f} s"


def _row(limit: LimitResult) -> tuple[str, ...]:
    return (
        limit.name,
        limit.node,
        worst(limit),
        bound(limit),
        margin(limit),
        at(limit.first_violation_s),
        at(limit.time_beyond_s or None),
        str(limit.outcome) + ("" if limit.required else " (not required)"),
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if place in _NUMBERS else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
