"""The limits in a picture, a row each along its time: how each ended, in words, and where it was worst or first violated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hil.limits.facts import facts_of
from hil.report.lettering import fitted, width_in
from hil.report.result import Result
from hil.report.words import bounds, told
from hil.verdict.outcome import Outcome

if TYPE_CHECKING:
    from hil.report.recording import Recording

VIOLATED = "#C00000"
_ROW_IN = 0.225
_BARS: dict[Outcome | None, str] = {Outcome.PASS: "#A6DCCB", Outcome.FAIL: "#F3B8A8", Outcome.INCONCLUSIVE: "#F2E2A0"}
_WORDS: dict[Outcome | None, str] = {Outcome.PASS: "#00573F", Outcome.FAIL: VIOLATED, Outcome.INCONCLUSIVE: "#7A5C00"}
_GREY = "#D5D5D5"
_HEAD = 0.3  # of a row, free above the first
_POINTS = 7.5
_WORDS_FROM = 0.3  # of the width: there the verdicts begin


@dataclass(frozen=True)
class Row:
    """What stands in the row of a limit: how it ended, in words, where it was worst, first violated, and violated again.

    outcome: None while it is not known, since the run has not finished.
    """

    name: str
    node: str
    required: bool
    told: str
    outcome: Outcome | None = None
    worst_s: float | None = None
    first_s: float | None = None
    again_s: tuple[float, ...] = ()


def rows_of(run: Recording) -> list[Row]:
    """A row for each limit of a run."""
    violated: dict[str, list[float]] = {}
    for event in run.events:
        if event["event"] == "limit_violated":
            violated.setdefault(event["limit"], []).append(event["time_s"])
    if isinstance(run, Result):
        return [
            Row(
                name=limit.name,
                node=limit.node,
                required=limit.required,
                told=told(limit),
                outcome=limit.outcome,
                worst_s=limit.at_s,
                first_s=limit.first_violation_s,
                again_s=tuple(violated.get(limit.name, [])[1:]),
            )
            for limit in run.limits.values()
        ]
    rows = []
    facts = facts_of(run.scenario)
    for limit in run.scenario.limits:
        times_s = violated.get(limit.name, [])
        first_s, again_s = next(iter(times_s), None), tuple(times_s[1:])
        so_far = "no violation so far" if first_s is None else f"violated, first at {first_s:.3f} s"
        words = f"{so_far} · {bounds(limit, facts)}"
        rows.append(Row(limit.name, limit.node, limit.required, words, first_s=first_s, again_s=again_s))
    return rows


def gid(what: str, name: str) -> str:
    """Name of a mark of a limit in an SVG file."""
    return f"{what}-" + "".join(sign if sign.isalnum() else "-" for sign in name)


def height_in(rows: list[Row]) -> float:
    """How high the axis of the rows must be."""
    return _ROW_IN * (_HEAD + max(1, len(rows)))


def draw_limits(rows: list[Row], axis: Any, run: Recording, view: tuple[float, float], across_in: float) -> None:
    """Draw the rows of a run into an axis as high as they need. view: the times that it shows, across so many inches."""
    axis.set_ylim(max(1, len(rows)), -_HEAD)
    axis.set_yticks([])
    for side in ("top", "left", "right"):
        axis.spines[side].set_visible(False)
    if not rows:
        axis.text(0.01, 0.5, "the scenario has no limits", transform=axis.transAxes, fontsize=_POINTS, va="center")
    for place, row in enumerate(rows):
        _draw_row(run, axis, place, row, view, across_in)


def _draw_row(run: Recording, axis: Any, place: int, row: Row, view: tuple[float, float], across_in: float) -> None:
    bar, middle = (place + 0.56, 0.34), place + 0.73
    axis.broken_barh([(0.0, run.duration_s)], bar, color=_BARS.get(row.outcome, _GREY), lw=0)
    axis.vlines([event.at_s for event in run.scenario.events], bar[0], sum(bar), color="black", lw=0.7, ls=":")
    words: dict[str, Any] = {"transform": axis.get_yaxis_transform(), "fontsize": _POINTS, "va": "center", "clip_on": True}
    name = f"{row.name} · {row.node}{'' if row.required else ' (not required)'}"
    weight = "bold" if row.required else "normal"
    axis.text(
        0.003,
        place + 0.3,
        fitted(name, (_WORDS_FROM - 0.01) * across_in, _POINTS, bold=row.required),
        fontweight=weight,
        **words,
    )
    words["fontsize"] *= min(1.0, (0.995 - _WORDS_FROM) * across_in / width_in(row.told, _POINTS))
    colour = VIOLATED if row.outcome is None and row.first_s is not None else _WORDS.get(row.outcome, "#404040")
    axis.text(_WORDS_FROM, place + 0.3, row.told, color=colour, **words)
    if row.worst_s is not None and view[0] <= row.worst_s <= view[1]:
        mark = {"marker": "v", "ms": 5, "color": "black", "mew": 0, "ls": "", "clip_on": False, "zorder": 4}
        axis.plot([row.worst_s], [middle], gid=gid("worst", row.name), **mark)
    again = [time_s for time_s in row.again_s if view[0] <= time_s <= view[1]]
    if again:
        axis.vlines(_apart(again, view), bar[0], sum(bar), color=VIOLATED, lw=0.8)
    if row.first_s is not None and view[0] <= row.first_s <= view[1]:
        axis.vlines([row.first_s], place + 0.5, place + 0.96, color=VIOLATED, lw=1.6)
        cross = {"marker": "x", "ms": 7, "mew": 2.2, "color": VIOLATED, "ls": "", "clip_on": False, "zorder": 5}
        axis.plot([row.first_s], [middle], gid=gid("first-violation", row.name), **cross)


def _apart(times_s: list[float], view: tuple[float, float]) -> list[float]:
    """Of times that fall on the same pixel one."""
    step_s = (view[1] - view[0]) / 1000.0
    return list({round(time_s / step_s): time_s for time_s in times_s}.values())
