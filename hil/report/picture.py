"""One picture of a run: powers, voltage and frequency, state of charge, with limits and events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hil.scenario.event import Event

if TYPE_CHECKING:
    from hil.report.result import Result

_COLOURS = {"load": "#8a8a8a", "grid": "#0b5fa5", "storage": "#d97706", "soc": "#15803d", "limit": "#b91c1c"}
_MOST_NAMED = 8  # devices in a legend


def draw(result: Result, path: Path) -> None:
    """Draw what the record holds of a run into a PNG file."""
    scenario = result.scenario
    panels: list[Callable[[Any], None]] = []
    if "pcc.power_w" in result.channels or "load.power_w" in result.channels:
        panels.append(lambda axis: _powers(result, axis))
    if "pcc.voltage_lowest_measured_pu" in result.channels:
        panels.append(lambda axis: _voltage(result, axis))
    if any(f"ups.{name}.input_w" in result.channels for name in scenario.ups):
        panels.append(lambda axis: _upss(result, axis))
    if any(f"{device}.soc" in result.channels for device in scenario.devices):
        panels.append(lambda axis: _soc(result, axis))
    if not panels:
        return
    figure = Figure(figsize=(10, 1.2 + 2.4 * len(panels)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for panel, axis in zip(panels, axes, strict=True):
        panel(axis)
        axis.grid(visible=True, alpha=0.25)
        axis.margins(x=0)
        for event in scenario.events:
            _mark(axis, event)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=6, fontsize=8, frameon=False, borderaxespad=0.2)
    axes[-1].set_xlabel("time / s")
    held = sum(limit.required and limit.outcome == "PASS" for limit in result.limits.values())
    required = sum(limit.required for limit in result.limits.values())
    figure.suptitle(f"{scenario.title or scenario.name}: {result.verdict}, {held} of {required} required limits held")
    figure.savefig(path, dpi=110)


def _plot(result: Result, axis: Any, channel: str, scale: float, label: str | None, **style: Any) -> None:
    if channel in result.channels:
        time_s, values = result.signal(channel)
        axis.plot(time_s, values * scale, label=label, lw=0.9, **style)


def _powers(result: Result, axis: Any) -> None:
    _plot(result, axis, "load.power_w", 1e-6, "load", color=_COLOURS["load"])
    for name in result.scenario.bess:
        _plot(result, axis, f"bess.{name}.power_w", 1e-6, f"bess.{name} (+ discharges)", color=_COLOURS["storage"])
    _plot(result, axis, "pcc.power_w", 1e-6, "grid", color=_COLOURS["grid"])
    axis.set_ylabel("power / MW")
    for limit in result.limits.values():
        if limit.kind in ("ramp", "peak_to_peak") and limit.first_violation_s is not None:
            axis.axvline(limit.first_violation_s, color=_COLOURS["limit"], lw=1.2, label=f"{limit.name} violated")


def _voltage(result: Result, axis: Any) -> None:
    _plot(result, axis, "pcc.voltage_lowest_measured_pu", 1.0, "voltage", color=_COLOURS["grid"])
    axis.set_ylabel("voltage / pu")
    for limit in result.limits.values():
        if limit.kind in ("undervoltage", "overvoltage") and limit.node == "pcc":
            axis.axhline(limit.limit, color=_COLOURS["limit"], lw=0.8, ls="--", label=limit.name)


def _upss(result: Result, axis: Any) -> None:
    """What each draws: in a dip it lets go, and comes back along its walk-in. Beyond a few they have no names."""
    names = list(result.scenario.ups)
    for name in names:
        _plot(result, axis, f"ups.{name}.input_w", 1e-6, f"ups.{name} input" if len(names) <= _MOST_NAMED else None)
    axis.set_ylabel("UPS input / MW")


def _soc(result: Result, axis: Any) -> None:
    devices = result.scenario.devices
    for device in devices:
        colour = {"color": _COLOURS["soc"]} if device.startswith("bess.") else {}
        _plot(result, axis, f"{device}.soc", 100.0, f"{device} SoC" if len(devices) <= _MOST_NAMED else None, **colour)
    axis.set_ylabel("SoC / %")
    for limit in result.scenario.limits:
        if limit.kind == "soc_window":
            for edge in (edge for edge in limit.window if 0.0 < edge < 1.0):
                axis.axhline(100.0 * edge, color=_COLOURS["limit"], lw=0.8, ls="--")


def _mark(axis: Any, event: Event) -> None:
    axis.axvline(event.at_s, color="black", lw=0.7, ls=":")
    top = axis.get_xaxis_transform()
    axis.text(event.at_s, 0.02, f" {event.kind.replace('_', ' ')}", transform=top, fontsize=7, va="bottom")
