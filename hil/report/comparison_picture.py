"""One picture of a comparison: the power of each variant over time, and beside it what it cost and saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hil.report.lettering import fitted
from hil.report.limit_rows import VIOLATED
from hil.report.picture import FORMATS, save
from hil.verdict.outcome import Outcome

if TYPE_CHECKING:
    from hil.report.comparison import Comparison, Row

_WIDTH_IN, _ROW_IN, _HEAD_IN, _FOOT_IN = 12.0, 0.95, 0.85, 0.5
_LEFT_IN, _CURVE_IN, _BAR_IN, _GAP_IN = 0.75, 4.7, 1.22, 0.28
_TITLE_IN = 0.22  # of a row, for its title
_POWER, _BAR = "#1f5fa8", "#7a9cc6"
_HELD = {Outcome.PASS: "#2e7d32", Outcome.FAIL: VIOLATED}
_LEAST_SHOWN = -150.0  # of a bar; its words say what it is


@dataclass(frozen=True)
class _Bars:
    """A column of bars: its title, the value of a variant (None: it has none), what stands beside it, its colour, a mark."""

    title: str
    value: Callable[[Row], float | None]
    words: Callable[[float], str]
    colour: Callable[[Row], str] = lambda _row: _BAR
    mark: Callable[[Row], float | None] = lambda _row: None


def _cycles(row: Row) -> float | None:
    uses = row.measured.storage.values()
    return sum(use.full_cycles for use in uses) if uses else None


def _swing(row: Row) -> float | None:
    return max((100.0 * use.soc_swing for use in row.measured.storage.values()), default=None)


_COLUMNS = (
    _Bars("energy / %", lambda row: None if row.overhead is None else 100.0 * row.overhead, lambda value: f"{value:+.2f}"),
    _Bars(
        "swing in 5 s / %\n(line: usual)",
        lambda row: 100.0 * row.share(row.measured.swing_w),
        lambda value: f"{value:.0f}",
        mark=lambda row: 100.0 * row.share(row.measured.usual_swing_w),
    ),
    _Bars(
        "least margin / %",
        lambda row: None if row.worst is None else 100.0 * row.worst[1],
        lambda value: f"{value:.0f}",
        colour=lambda row: _HELD.get(row.verdict, "#b8860b"),
    ),
    _Bars("SoC swing / %", _swing, lambda value: f"{value:.2f}"),
    _Bars("full cycles", _cycles, lambda value: f"{value:.3f}"),
)


def draw(comparison: Comparison, path: Path) -> None:
    """Draw a comparison into a PNG or an SVG file, as its name ends.

    Raises ValueError for another ending, OSError for a file that cannot be written.
    """
    save(path, lambda: _figure(comparison))


def _figure(comparison: Comparison) -> Figure:
    rows = comparison.rows
    height_in = _HEAD_IN + len(rows) * _ROW_IN + _FOOT_IN
    figure = Figure(figsize=(_WIDTH_IN, height_in))

    def axis(left_in: float, width_in: float, first: int, count: int, gap_in: float = 0.0) -> Any:
        bottom_in = _FOOT_IN + (len(rows) - first - count) * _ROW_IN
        place = (left_in / _WIDTH_IN, bottom_in / height_in, width_in / _WIDTH_IN, (count * _ROW_IN - gap_in) / height_in)
        return figure.add_axes(place)

    title = fitted(comparison.title or comparison.scenario, _WIDTH_IN - 1.0, 12.0)
    figure.text(0.5, 1.0 - 0.2 / height_in, title, ha="center", va="center", fontsize=12)
    told = f"{comparison.duration_s:g} s · seed {comparison.seed} · power at the PCC, least and largest of each column"
    figure.text(0.5, 1.0 - 0.42 / height_in, told, ha="center", va="center", fontsize=9, color="#303030")
    most_w = max(float(row.measured.power.high_w.max()) for row in rows)
    least_w = min(0.0, *(float(row.measured.power.low_w.min()) for row in rows))
    for number, row in enumerate(rows):
        beside = axis(_LEFT_IN, _CURVE_IN, number, 1, gap_in=_TITLE_IN)
        _power(beside, row, (least_w / 1e6, most_w / 1e6), last=number == len(rows) - 1)
    left_in = _LEFT_IN + _CURVE_IN + _GAP_IN
    for column in _COLUMNS:
        _bars(axis(left_in, _BAR_IN - 0.12, 0, len(rows)), rows, column)
        left_in += _BAR_IN
    return figure


def _power(axis: Any, row: Row, bounds: tuple[float, float], *, last: bool) -> None:
    power = row.measured.power
    low, high = power.low_w / 1e6, power.high_w / 1e6
    axis.fill_between(power.time_s, low, high, facecolor=_POWER, edgecolor=_POWER, lw=0.6, gid=f"power-{row.name}")
    axis.set_xlim(0.0, float(power.time_s[-1]))
    span = bounds[1] - bounds[0]
    axis.set_ylim(bounds[0] - 0.04 * span, bounds[1] + 0.04 * span)
    axis.set_title(fitted(row.title, 3.0, 9.0, bold=True), loc="left", fontsize=9, pad=2, fontweight="bold")
    words = f"{row.verdict} · {row.held} of {row.required} held"
    axis.set_title(words, loc="right", fontsize=8, pad=2, color=_HELD.get(row.verdict, "#b8860b"))
    axis.grid(visible=True, alpha=0.25)
    axis.set_ylabel("MW", fontsize=8)
    axis.tick_params(labelsize=7, labelbottom=last)
    if last:
        axis.set_xlabel("time / s", fontsize=8)


def _bars(axis: Any, rows: list[Row], column: _Bars) -> None:
    values = [column.value(row) for row in rows]
    there = [max(value, _LEAST_SHOWN) for value in values if value is not None]
    low, high = min(0.0, *there, 0.0), max(0.0, *there, 0.0)
    span = high - low or 1.0
    axis.set_xlim(low - 0.02 * span, high + 0.5 * span)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    for place, (row, value) in enumerate(zip(rows, values, strict=True)):
        number = place + 0.5 * _TITLE_IN / _ROW_IN  # beside the middle of its power
        if value is None:
            axis.text(0.0, number, " —", va="center", fontsize=7.5, color="#606060")
            continue
        axis.barh(number, max(value, _LEAST_SHOWN), height=0.45, color=column.colour(row))
        mark = column.mark(row)
        if mark is not None:
            axis.plot([mark, mark], [number - 0.3, number + 0.3], color="black", lw=1.2)
        axis.text(max(value, 0.0), number, f" {column.words(value)}", va="center", fontsize=7.5)
    axis.axvline(0.0, color="black", lw=0.7)
    axis.set_title(column.title, fontsize=8, pad=4)
    axis.set_yticks([])
    axis.tick_params(labelsize=6.5)
    axis.xaxis.set_major_locator(MaxNLocator(3))
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)


__all__ = ["FORMATS", "draw"]
