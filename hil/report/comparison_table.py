"""A comparison as tables of text: what each variant cost and saved, and the margin of each required limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hil.report.words import energy
from hil.verdict.outcome import Outcome

if TYPE_CHECKING:
    from hil.report.comparison import Comparison, Row

NONE = "—"
HEAD = (
    "remedy", "verdict", "limits held", "least margin", "energy", "peak", "15 min", "swing", "usual swing",
    "throughput", "SoC swing", "rainflow cycles", "full cycles",
)  # fmt: skip
TEXT = (0, 1, 3)
"""Columns that are words; the others are numbers, whose ends stand below each other."""


def cells(row: Row) -> tuple[str, ...]:
    """A variant in words, one a column of `HEAD`."""
    found = row.measured
    uses = list(found.storage.values())
    swing = max((use.soc_swing for use in uses), default=None)
    return (
        row.title,
        str(row.verdict),
        f"{row.held} of {row.required}",
        NONE if row.worst is None else f"{percent(row.worst[1])} {row.worst[0]}",
        NONE if row.overhead is None else f"{percent(row.overhead, signed=True)}",
        megawatts(found.peak_w),
        NONE if found.demand_w is None else megawatts(found.demand_w),
        percent(row.share(found.swing_w)),
        percent(row.share(found.usual_swing_w)),
        energy(sum(use.throughput_j for use in uses)) if uses else NONE,
        NONE if swing is None else percent(swing, digits=2),
        _cycles([(use.cycles, use.deepest) for use in uses if use.cycles is not None and use.deepest is not None]),
        f"{sum(use.full_cycles for use in uses):.3f}" if uses else NONE,
    )


def _cycles(counted: Sequence[tuple[float, float]]) -> str:
    if not counted:
        return NONE
    return f"{sum(cycles for cycles, _ in counted):g}, to {percent(max(deepest for _, deepest in counted), digits=2)}"


def margins(comparison: Comparison, limit: str) -> list[str]:
    """How a limit ended, by variant: its margin, with a mark where it was not held; a dash where the variant lacks it."""
    found = []
    for row in comparison.rows:
        one = row.limits.get(limit)
        if one is None or one.outcome is Outcome.NOT_APPLICABLE:
            found.append(NONE)
        elif one.margin is None:
            found.append(one.outcome.lower())
        else:
            mark = {Outcome.PASS: "", Outcome.FAIL: " violated"}.get(one.outcome, f" {one.outcome.lower()}")
            found.append(f"{percent(one.margin)}{mark}")
    return found


def notes(comparison: Comparison) -> list[str]:
    """What stands below the tables: whether all bear the same load, and what the figures are of."""
    base = comparison.rows[0]
    others = [row.title for row in comparison.rows if not row.same_load]
    same = f"another load in: {', '.join(others)}" if others else "the same in every run, tick for tick"
    load_w, rated_w = megawatts(base.load.largest_w), megawatts(base.load.rated_w)
    drawn = f"load without remedies: {energy(base.load.energy_j)} in {comparison.duration_s:g} s, at most {load_w}; {same}"
    of = f"swings within 5 s, as shares of {rated_w}; energy against {base.title}, less what storage holds more at the end"
    lines = [drawn, of]
    lines += [f"{row.title}: {reason}" for row in comparison.rows for reason in row.reasons]
    return lines


def markdown(comparison: Comparison) -> str:
    """Both tables and the notes as Markdown."""
    first = _table(HEAD, [cells(row) for row in comparison.rows], TEXT)
    head = ("required limit", *(row.title for row in comparison.rows))
    second = _table(head, [(limit, *margins(comparison, limit)) for limit in comparison.limits], (0,))
    lines = [*first, "", *(second if comparison.limits else []), "", *(f"- {_safe(note)}" for note in notes(comparison))]
    return "\n".join(lines) + "\n"


def percent(share: float, *, digits: int = 1, signed: bool = False) -> str:
    """A share in percent."""
    text = f"{100.0 * share:{'+' if signed else ''}.{digits}f} %"
    return text.replace("-0.0 %", "0.0 %").replace("+0.0 %", "0.0 %") if digits == 1 else text


def megawatts(power_w: float) -> str:
    """A power as people read it."""
    return f"{power_w / 1e6:.2f} MW" if abs(power_w) >= 1e6 else f"{power_w / 1e3:.1f} kW"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], text: Sequence[int]) -> list[str]:
    line = [("---" if place in text else "---:") for place in range(len(head))]
    return [f"| {' | '.join(map(_safe, row))} |" for row in (head, line, *rows)]


def _safe(text: str) -> str:
    return text.replace("|", "\\|")
