"""One picture of a run: powers, UPSs, voltage, frequency, state of charge and limits along one axis of time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from hil.report.event_strip import LANE_IN, draw_strip, lanes, switched
from hil.report.figures import DPI, FORMATS, save
from hil.report.lettering import fitted, width_in
from hil.report.limit_rows import VIOLATED, Row, draw_limits, gid, height_in, rows_of
from hil.report.panels import Line, Panel, panels, place_of
from hil.report.result import Result
from hil.report.traces import Sample, Trace, gather
from hil.report.words import said
from hil.verdict.outcome import Outcome

if TYPE_CHECKING:
    from hil.report.recording import Recording

_WIDTH_IN, _LEFT_IN, _RIGHT_IN = 10.0, 0.85, 0.2
_INNER_IN = _WIDTH_IN - _LEFT_IN - _RIGHT_IN
_TITLE_IN, _FOOT_IN, _GAP_IN, _LEGEND_IN = 0.55, 0.45, 0.06, 0.19
_COLUMNS = int(_INNER_IN * DPI)
_LEGEND_PT, _LABEL_IN = 7.5, 3.6


def draw(run: Recording, path: Path, *, from_s: float | None = None, to_s: float | None = None) -> None:
    """Draw a run, or its part between two times, into a PNG or an SVG file, as its name ends.

    Raises ValueError for times that are no part of the run, or another ending; OSError for a file that cannot be written.
    """
    end_s = max(run.duration_s, run.scenario.tick_s)  # one that was ended before its first tick has a picture too
    view = (0.0 if from_s is None else from_s, end_s if to_s is None else to_s)
    if not 0.0 <= view[0] < view[1] <= end_s:
        raise ValueError(f"from {view[0]:g} s to {view[1]:g} s: must be a part of the run, 0 s to {end_s:g} s")
    save(path, lambda: _Picture(run, view).figure)


class _Picture:
    """Puts the axes of a figure one below the other, each as high as it needs."""

    def __init__(self, run: Recording, view: tuple[float, float]) -> None:
        self._run = run
        self._view = view
        self._limits = rows_of(run)
        shown = panels(run)
        self._gather(shown)
        self._happened = [*run.scenario.events, *switched(run.events)]
        named, left_out = lanes(self._happened, view, _INNER_IN)
        strip_in = LANE_IN * (1 + max((name.lane for name in named), default=-1))
        legends_in = [_LEGEND_IN * -(-len(_labels(panel)) // _legend_columns(_labels(panel))) for panel in shown]
        above_in = [*(_GAP_IN + legend_in for legend_in in legends_in), _GAP_IN + _LEGEND_IN]
        heights_in = [*(panel.height_in for panel in shown), height_in(self._limits)]
        self._height_in = _TITLE_IN + strip_in + sum(above_in) + sum(heights_in) + _FOOT_IN
        self.figure = Figure(figsize=(_WIDTH_IN, self._height_in))
        self._title()
        top_in = _TITLE_IN
        if named:
            draw_strip(named, self._axis(top_in, strip_in))
        top_in += strip_in
        axes = []
        for gap_in, panel_in in zip(above_in, heights_in, strict=True):
            axes.append(self._axis(top_in + gap_in, panel_in))
            top_in += gap_in + panel_in
        for panel, axis in zip(shown, axes, strict=False):
            self._panel(panel, axis)
        self._violations(dict(zip(map(id, shown), axes, strict=False)))
        draw_limits(self._limits, axes[-1], run, view, _INNER_IN)
        self._explain_marks(axes[-1])
        for axis in axes[:-1]:
            self._events(axis)
        for axis in axes:
            axis.tick_params(labelbottom=axis is axes[-1], labelsize=8)
        axes[-1].set_xlabel("time / s" + (f"   ({left_out} more events have no name above)" if left_out else ""))

    def _axis(self, top_in: float, height_in: float) -> Any:
        bottom_in = self._height_in - top_in - height_in
        place = (_LEFT_IN / _WIDTH_IN, bottom_in / self._height_in, _INNER_IN / _WIDTH_IN, height_in / self._height_in)
        axis = self.figure.add_axes(place)
        axis.set_xlim(*self._view)
        return axis

    def _gather(self, shown: list[Panel]) -> None:
        """Read what the panels show, once: lines, and the values at which the first violations stand."""
        self._traces = {
            id(line): Trace(line, set(self._run.channels), self._view, _COLUMNS) for panel in shown for line in panel.lines
        }
        self._firsts: list[tuple[Row, Panel, Sample]] = []
        for row in self._limits:
            place = place_of(self._run, row.name, shown)
            if row.first_s is not None and place is not None and self._view[0] <= row.first_s <= self._view[1]:
                self._firsts.append((row, place[0], Sample(place[1], row.first_s)))
        gather(self._run, [*self._traces.values(), *(sample for _, _, sample in self._firsts)], self._view[1])

    def _title(self) -> None:
        run, scenario = self._run, self._run.scenario
        title = fitted(scenario.title or scenario.name, _INNER_IN, 12.0)
        self.figure.text(0.5, 1.0 - 0.2 / self._height_in, title, ha="center", va="center", fontsize=12)
        words, colour = f"not finished: rows to {run.duration_s:g} s · seed {scenario.seed}", "#303030"
        if isinstance(run, Result):
            told = f"{run.verdict} · {said(run.limits, run.expectations)}"
            words = f"{told} · {run.duration_s:g} s · seed {scenario.seed} · waveform {run.waveform_hash}"
            colour = VIOLATED if run.verdict is Outcome.FAIL else colour
        self.figure.text(0.5, 1.0 - 0.41 / self._height_in, words, ha="center", va="center", fontsize=9, color=colour)

    def _panel(self, panel: Panel, axis: Any) -> None:
        axis.set_ylabel(panel.title, fontsize=9)
        axis.yaxis.set_label_coords(-0.66 / _INNER_IN, 0.5)
        axis.grid(visible=True, alpha=0.25)
        axis.ticklabel_format(axis="y", useOffset=False)
        for line in panel.lines:
            self._line(line, panel.scale, axis)
        for index, (label, value) in enumerate(panel.thresholds.items()):
            axis.axhline(
                value,
                color="#606060",
                lw=1.0,
                ls=(0, (4, 2 + 2 * (index % 3))),
                label=fitted(label, _LABEL_IN, _LEGEND_PT),
                zorder=1.5,
            )
        labels = _labels(panel)
        axis.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=_legend_columns(labels), fontsize=_LEGEND_PT, frameon=False,
            borderaxespad=0.1, borderpad=0.0, labelspacing=0.2, handlelength=2.4, columnspacing=1.4,
        )  # fmt: skip

    def _line(self, line: Line, scale: float, axis: Any) -> None:
        label, name = fitted(line.label, _LABEL_IN, _LEGEND_PT), f"signal-{line.channels[0]}"
        trace = self._traces[id(line)]
        if trace.band is not None:
            points = trace.band.points()
            alone = {"label": label, "gid": name, "edgecolor": line.colour, "lw": line.width}
            style = {"lw": 0, "gid": f"band-{line.channels[0]}"} if trace.curve is not None else alone
            axis.fill_between(
                points.time_s, points.low * scale, points.high * scale, **{"facecolor": (line.colour, 0.35)} | style
            )
        if trace.curve is not None:
            points = trace.curve.points()
            style = {"lw": line.width, "ls": line.dash, "color": line.colour, "label": label, "gid": name}
            axis.plot(points.time_s, points.low * scale, **style)

    def _violations(self, axes: dict[int, Any]) -> None:
        """A cross where a limit was first violated, on the signal that it looks at."""
        for row, panel, sample in self._firsts:
            axis = axes[id(panel)]
            axis.axvline(row.first_s, color=VIOLATED, lw=0.9, zorder=3)
            if sample.value is not None:
                cross = {"marker": "x", "ms": 8, "mew": 2.4, "color": VIOLATED, "ls": "", "zorder": 6}
                axis.plot(
                    [row.first_s], [sample.value * panel.scale], gid=f"on-signal-{gid('first-violation', row.name)}", **cross
                )

    def _explain_marks(self, axis: Any) -> None:
        """A legend of the marks in the rows of the limits."""
        marks = []
        if isinstance(self._run, Result):
            marks.append(axis.plot([], [], marker="v", ms=5, mew=0, color="black", ls="", label="worst")[0])
        if any(row.first_s is not None for row in self._limits):
            marks += [
                axis.plot([], [], marker="x", ms=6, mew=2, color=VIOLATED, ls="", label="first violation")[0],
                axis.plot([], [], marker="|", ms=7, mew=1, color=VIOLATED, ls="", label="violated again")[0],
            ]
        axis.legend(
            handles=marks, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=_LEGEND_PT, frameon=False,
            borderaxespad=0.1, borderpad=0.0, handletextpad=0.2, columnspacing=1.4,
        )  # fmt: skip

    def _events(self, axis: Any) -> None:
        for event in self._happened:
            if self._view[0] <= event.at_s <= self._view[1]:
                axis.axvline(event.at_s, color="black", lw=0.7, ls=":", zorder=1)


def _labels(panel: Panel) -> list[str]:
    return [fitted(label, _LABEL_IN, _LEGEND_PT) for label in (*(line.label for line in panel.lines), *panel.thresholds)]


def _legend_columns(labels: list[str]) -> int:
    """How many fit beside one another."""
    widest_in = 0.5 + max(width_in(label, _LEGEND_PT) for label in labels)
    return max(1, min(len(labels), int(_INNER_IN / widest_in)))


__all__ = ["FORMATS", "draw", "save"]
