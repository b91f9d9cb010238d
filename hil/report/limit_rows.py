"""The limits in a picture, a row each along its time: how each ended, in words, and where it was worst or first violated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hil.report.lettering import fitted, width_in
from hil.report.words import told
from hil.verdict.outcome import Outcome

if TYPE_CHECKING:
    from hil.report.result import Result
    from hil.verdict.limits import LimitResult

VIOLATED = "#C00000"
_ROW_IN = 0.225
_BARS = {Outcome.PASS: "#A6DCCB", Outcome.FAIL: "#F3B8A8", Outcome.INCONCLUSIVE: "#F2E2A0"}
_WORDS = {Outcome.PASS: "#00573F", Outcome.FAIL: VIOLATED, Outcome.INCONCLUSIVE: "#7A5C00"}
_GREY = "#D5D5D5"
_HEAD = 0.3  # of a row, free above the first
_POINTS = 7.5
_WORDS_FROM = 0.3  # of the width: there the verdicts begin


def gid(what: str, limit: LimitResult) -> str:
    """Name of a mark in an SVG file."""
    return f"{what}-" + "".join(sign if sign.isalnum() else "-" for sign in limit.name)


def height_in(result: Result) -> float:
    """How high the axis of the rows must be."""
    return _ROW_IN * (_HEAD + max(1, len(result.limits)))


def draw_limits(result: Result, axis: Any, view: tuple[float, float], across_in: float) -> None:
    """Draw a row for each limit into an axis as high as they need. view: the times that it shows, across so many inches."""
    limits = list(result.limits.values())
    axis.set_ylim(max(1, len(limits)), -_HEAD)
    axis.set_yticks([])
    for side in ("top", "left", "right"):
        axis.spines[side].set_visible(False)
    if not limits:
        axis.text(0.01, 0.5, "the scenario has no limits", transform=axis.transAxes, fontsize=_POINTS, va="center")
    for row, limit in enumerate(limits):
        _draw_row(result, axis, row, limit, view, across_in)


def _draw_row(result: Result, axis: Any, row: int, limit: LimitResult, view: tuple[float, float], across_in: float) -> None:
    bar, middle = (row + 0.56, 0.34), row + 0.73
    axis.broken_barh([(0.0, result.duration_s)], bar, color=_BARS.get(limit.outcome, _GREY), lw=0)
    axis.vlines([event.at_s for event in result.scenario.events], bar[0], sum(bar), color="black", lw=0.7, ls=":")
    words: dict[str, Any] = {"transform": axis.get_yaxis_transform(), "fontsize": _POINTS, "va": "center", "clip_on": True}
    name = f"{limit.name} · {limit.node}{'' if limit.required else ' (not required)'}"
    weight = "bold" if limit.required else "normal"
    axis.text(
        0.003,
        row + 0.3,
        fitted(name, (_WORDS_FROM - 0.01) * across_in, _POINTS, bold=limit.required),
        fontweight=weight,
        **words,
    )
    verdict = told(limit)
    words["fontsize"] *= min(1.0, (0.995 - _WORDS_FROM) * across_in / width_in(verdict, _POINTS))
    axis.text(_WORDS_FROM, row + 0.3, verdict, color=_WORDS.get(limit.outcome, "#404040"), **words)
    if limit.at_s is not None and view[0] <= limit.at_s <= view[1]:
        mark = {"marker": "v", "ms": 5, "color": "black", "mew": 0, "ls": "", "clip_on": False, "zorder": 4}
        axis.plot([limit.at_s], [middle], gid=gid("worst", limit), **mark)
    again = [event["time_s"] for event in result.events if event["event"] == "limit_violated" and event["limit"] == limit.name]
    again = [time_s for time_s in again[1:] if view[0] <= time_s <= view[1]]
    if again:
        axis.vlines(_apart(again, view), bar[0], sum(bar), color=VIOLATED, lw=0.8)
    first_s = limit.first_violation_s
    if first_s is not None and view[0] <= first_s <= view[1]:
        axis.vlines([first_s], row + 0.5, row + 0.96, color=VIOLATED, lw=1.6)
        cross = {"marker": "x", "ms": 7, "mew": 2.2, "color": VIOLATED, "ls": "", "clip_on": False, "zorder": 5}
        axis.plot([first_s], [middle], gid=gid("first-violation", limit), **cross)


def _apart(times_s: list[float], view: tuple[float, float]) -> list[float]:
    """Of times that fall on the same pixel one."""
    step_s = (view[1] - view[0]) / 1000.0
    return list({round(time_s / step_s): time_s for time_s in times_s}.values())
