"""What the panels of a picture show: which channels, which thresholds, and where a limit's violation is marked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from hil.limits.entries import entries
from hil.limits.judged import Judged
from hil.scenario.limit import Limit

if TYPE_CHECKING:
    from hil.report.recording import Recording

# Okabe and Ito's palette, which the colour-blind can tell apart ("Color Universal Design", 2008).
LOAD, GRID = "#A0A0A0", "#0072B2"
_DEVICES = ("#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#000000", "#D55E00", "#0072B2", "#999999")
_MOST_NAMED = len(_DEVICES)  # devices of a kind with a line each; of more there is one band

_LEVELS = ("undervoltage", "overvoltage", "underfrequency", "overfrequency", "soc_window")
"""Kinds of limits whose bounds are values of the very signal that a panel shows."""


@dataclass(frozen=True)
class Line:
    """A channel in a panel; or of several the sum, or the band from lowest to highest."""

    label: str
    channels: tuple[str, ...]
    colour: str
    dash: str = "-"
    several: Literal["sum", "band"] = "band"
    width: float = 0.9


@dataclass
class Panel:
    """Lines over one axis, and the bounds of limits on what it shows; scale: from SI to the unit of its title."""

    title: str
    scale: float
    height_in: float
    lines: list[Line]
    thresholds: dict[str, float] = field(default_factory=dict)

    @property
    def channels(self) -> set[str]:
        """Channels that it shows."""
        return {channel for line in self.lines for channel in line.channels}


def panels(run: Recording) -> list[Panel]:
    """The panels that the record has channels for, from top to bottom."""
    scenario = run.scenario
    found_limits = entries(scenario)
    bess = [f"bess.{name}" for name in scenario.bess]
    upss = [f"ups.{name}" for name in scenario.ups]
    power = [
        Line("load", ("load.power_w",), LOAD, width=2.0),
        *_lines(run, bess, "power_w", "(+ discharges)", several="sum"),
        Line("grid", ("pcc.power_w",), GRID),
    ]
    ups = [*_lines(run, upss, "input_w", "input"), *_lines(run, upss, "battery_w", "battery (+ discharges)", dash="--")]
    found = [
        Panel("power / MW", 1e-6, 2.1, power),
        Panel("UPS / MW", 1e-6, 1.6, ups),
        Panel("voltage / pu", 1.0, 1.3, _voltages(run)),
        Panel("frequency / Hz", 1.0, 0.9, [Line("frequency", ("pcc.frequency_measured_hz",), GRID)]),
        Panel("SoC / %", 100.0, 1.3, [*_lines(run, bess, "soc", "SoC"), *_lines(run, upss, "soc", "SoC")]),
    ]
    for panel in found:
        panel.lines = [line for line in panel.lines if all(channel in run.channels for channel in line.channels)]
        _add_thresholds(panel, found_limits)
    if not _frequency_matters(run):
        del found[3]
    return [panel for panel in found if panel.lines]


def place_of(run: Recording, name: str, shown: list[Panel]) -> tuple[Panel, str] | None:
    """The panel in which a violation of a limit is marked, and the channel on which; None where nothing of it is shown."""
    how = next((how.bound for limit, how in entries(run.scenario) if limit.name == name), None)
    if how is None:
        return None
    channel = how.channel
    node = channel.rpartition(".")[0]
    for wanted in (channel, channel.replace("_measured", ""), f"{node}.power_w", f"{node}.input_w", "pcc.power_w"):
        for panel in shown:
            if wanted in panel.channels:
                return panel, wanted
    return None


def _lines(
    run: Recording,
    devices: list[str],
    channel: str,
    what: str,
    *,
    dash: str = "-",
    several: Literal["sum", "band"] = "band",
    most_named: int = _MOST_NAMED,
) -> list[Line]:
    """A line for each device, or one for all where they are many. What is drawn later is thinner: it may lie on the others."""
    if len(devices) <= most_named:
        every = run.scenario.devices
        return [
            Line(
                f"{device} {what}",
                (f"{device}.{channel}",),
                _DEVICES[every.index(device) % len(_DEVICES)],
                dash,
                width=0.9 + 0.4 * (len(devices) - 1 - place),
            )
            for place, device in enumerate(devices)
        ]
    words = "sum" if several == "sum" else "lowest to highest"
    label = f"{len(devices)} {devices[0].partition('.')[0].upper()}, {words} {what}"
    colour = _DEVICES[0 if devices[0].startswith("bess.") else 1 if dash == "-" else 2]
    return [Line(label, tuple(f"{device}.{channel}" for device in devices), colour, dash, several)]


def _voltages(run: Recording) -> list[Line]:
    """Of PCC, bus and UPS outputs what a limit looks at, and of the PCC always the lowest phase."""
    looked_at = {how.bound.channel for _, how in entries(run.scenario)}
    lines = []
    for node, colour in (("pcc", GRID), ("bus", _DEVICES[2])):
        for side, dash in (("lowest", "-"), ("highest", ":")):
            channel = f"{node}.voltage_{side}_measured_pu"
            if channel in looked_at or (node, side) == ("pcc", "lowest"):
                lines.append(Line(f"{node.upper() if node == 'pcc' else node}, {side} phase", (channel,), colour, dash))
    outputs = [f"ups.{name}" for name in run.scenario.ups if f"ups.{name}.output_voltage_pu" in looked_at]
    return [*lines, *_lines(run, outputs, "output_voltage_pu", "output", dash="--", most_named=1)]


def _add_thresholds(panel: Panel, limits: list[tuple[Limit, Judged]]) -> None:
    named: dict[float, list[str]] = {}
    for limit, how in limits:
        if limit.kind not in _LEVELS or how.bound.channel not in panel.channels:
            continue
        for bound in (how.bound.low, how.bound.high):
            if np.isfinite(bound):
                named.setdefault(panel.scale * bound, []).append(limit.name)
    for value, names in named.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        panel.thresholds[f"{names[0]}{more}, {value:g}"] = value


def _frequency_matters(run: Recording) -> bool:
    """Whether a limit looks at it, or it leaves the governors' dead band."""
    scenario, channel = run.scenario, "pcc.frequency_measured_hz"
    if any("frequency" in how.bound.channel for _, how in entries(scenario)):
        return True
    if channel not in run.channels:
        return False
    most_hz = scenario.grid.deadband_hz
    return any(bool((np.abs(hz[channel] - scenario.grid.frequency_hz) > most_hz).any()) for _, hz in run.batches([channel]))
