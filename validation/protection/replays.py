"""The compiled functions and limits on the same waveforms, by `hil.kernel.protection.replay.Replay`."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from hil.kernel.arena import Arena
from hil.kernel.layout import CODES, parameter_dtypes, state_dtypes
from hil.kernel.protection.replay import Replay
from hil.limits.build import on_columns
from hil.limits.entries import judged
from hil.limits.facts import DeviceFacts, Facts
from hil.scenario.limit import Limit
from protection.envelopes import Envelope
from protection.relays import Relay
from protection.storage import Device

BLANK = CODES["blank.voltage"]


class Compiled:
    """One function or limit on columns of its own; `run` takes a waveform a column and gives back all columns."""

    def __init__(self, family: str, inputs: int, outputs: int = 0) -> None:
        self.family, self.columns = family, inputs + outputs
        self.arena = Arena()
        self.params = np.zeros(1, parameter_dtypes()[family])
        self.param: Any = self.params[0]
        of = state_dtypes().get(family)
        self.states = None if of is None else np.zeros(1, of)
        if "output" in self.params.dtype.names:
            self.param["output"] = inputs

    @property
    def state(self) -> Any:
        """Of the function, before `run`."""
        return self.states[0]

    def run(self, *waveforms: np.ndarray, blanked: np.ndarray | None = None) -> np.ndarray:
        """Columns of all rows, shape (columns, samples). blanked: where a stimulus acts."""
        states = {"arena": self.arena.array()}
        if self.states is not None:
            states[self.family] = self.states
        self.replay = Replay({self.family: self.params}, states)
        rows = np.full((waveforms[0].size, self.columns), -1.0)
        for column, waveform in enumerate(waveforms):
            rows[:, column] = waveform
        for begin, end, acts in _parts(blanked, rows.shape[0]):
            self.replay.states["blank_until"][BLANK] = end if acts else 0
            self.replay.run(rows[begin:end])
        return rows.T

    def samples(self, *waveforms: np.ndarray, field: str, blanked: np.ndarray | None = None) -> np.ndarray:
        """A field of the state after each sample."""
        found = []
        self.run(*(waveform[:0] for waveform in waveforms))
        rows = np.column_stack(waveforms)
        for n, row in enumerate(rows):
            acts = blanked is not None and blanked[n]
            self.replay.states["blank_until"][BLANK] = n + 1 if acts else 0
            self.replay.run(row.reshape(1, -1))
            found.append(self.replay.states[self.family][0][field])
        return np.array(found)


def _parts(blanked: np.ndarray | None, samples: int) -> list[tuple[int, int, bool]]:
    """Stretches in which a stimulus acts, or does not."""
    if blanked is None:
        return [(0, samples, False)]
    edges = [0, *(np.flatnonzero(np.diff(blanked)) + 1).tolist(), samples]
    return [(begin, end, bool(blanked[begin])) for begin, end in itertools.pairwise(edges)]


def relay(value: np.ndarray, setting: Relay, blanked: np.ndarray | None = None) -> np.ndarray:
    """What the compiled relay puts out."""
    compiled = Compiled("relays", 1, 1)
    param = compiled.param
    param["blank"] = BLANK
    param["timing"] = CODES["timing.inverse" if setting.inverse else "timing.definite"]
    param["reset"] = CODES[f"reset.{setting.reset}"]
    param["delay_ticks"], param["reset_ticks"] = setting.delay_samples, setting.reset_samples
    if setting.cumulative:
        param["timing"], param["window_ticks"] = CODES["timing.cumulative"], setting.window
        param["offset"] = compiled.arena.place(setting.window)
    for name in ("under", "inclusive", "magnitude", "pickup", "dropout", "a", "b", "exponent", "dial", "most", "tr", "dt"):
        param[name] = getattr(setting, name)
    return compiled.run(value, blanked=blanked)[1]


def rate(value: np.ndarray, window: int, first: float, dt: float, blanked: np.ndarray) -> np.ndarray:
    """The compiled rate of change. first: what the signal was for ever before."""
    compiled = Compiled("rates", 1, 1)
    compiled.param["blank"], compiled.param["per_second"] = BLANK, 1.0 / (window * dt)
    compiled.arena.delay(compiled.state["past"], window, first)
    return compiled.run(value, blanked=blanked)[1]


def thermal(current: np.ndarray, per_square: float, heating: float, cooling: float, begin: float, dt: float) -> np.ndarray:
    """The compiled image; time constants in seconds."""
    compiled = Compiled("thermals", 1, 1)
    compiled.param["per_square"] = per_square
    compiled.param["heating"], compiled.param["cooling"] = -math.expm1(-dt / heating), -math.expm1(-dt / cooling)
    compiled.states.view(np.float64)[:] = begin  # the level, and what the latest sample drives it to
    return compiled.run(current)[1]


def counter(value: np.ndarray, bound: float, window: int, *, under: bool) -> np.ndarray:
    """The compiled counter."""
    compiled = Compiled("counters", 1, 1)
    compiled.param["bound"], compiled.param["window_ticks"], compiled.param["under"] = bound, window, under
    compiled.param["ring"] = window // 2 + 2  # more passings do not fit into a window
    compiled.param["offset"] = compiled.arena.place(window // 2 + 2)
    return compiled.run(value)[1]


def envelope(value: np.ndarray, subject: np.ndarray, setting: Envelope, before: float) -> tuple[np.ndarray, np.ndarray]:
    """Both outputs of the compiled envelope. before: the subject until the first sample."""
    compiled = Compiled("envelopes", 2, 2)
    param = compiled.param
    param["subject"] = 1
    param["thresholds"] = len(setting.thresholds)
    for i, threshold in enumerate(setting.thresholds):
        param["level"][i], param["under"][i] = threshold.level, threshold.under
        param["inclusive"][i] = threshold.inclusive
        param["allowed_ticks"][i] = -1 if threshold.allowed is None else threshold.allowed
    param["window_ticks"], param["recovery_ticks"] = setting.window, setting.recovery
    param["relative"], param["mean_gain"] = setting.relative, setting.gain
    param["low"], param["high"], param["stays"] = setting.low, setting.high, setting.stays
    param["offset"] = compiled.arena.place(setting.window)
    compiled.state["before"] = before
    _, _, share, let_go = compiled.run(value, subject)
    return share, let_go


def ratio(kind: str, columns: list[np.ndarray], scale: float, least: float) -> np.ndarray:
    """The compiled ratio of up to three channels."""
    compiled = Compiled("ratios", 3, 1)
    compiled.param["kind"] = CODES[f"ratio.{kind}"]
    compiled.param["second"], compiled.param["third"] = 1, 2
    compiled.param["scale"], compiled.param["least"] = scale, least
    return compiled.run(*(columns[min(k, len(columns) - 1)] for k in range(3)))[3]


def filtered(value: np.ndarray, sections: np.ndarray, settled: np.ndarray, blanked: np.ndarray) -> np.ndarray:
    """The compiled cascade. settled: memories of each section, shape (sections, 2)."""
    compiled = Compiled("filters", 1, 1)
    compiled.param["blank"], compiled.param["sections"] = BLANK, len(sections)
    words = np.column_stack([sections[:, [0, 1, 2, 4, 5]], settled])
    compiled.param["offset"] = compiled.arena.place(words.size)
    compiled.state["held"] = value[0]
    placed = compiled.arena.array()
    placed[compiled.param["offset"] : compiled.param["offset"] + words.size] = words.ravel()
    compiled.arena.array = lambda: placed  # type: ignore[method-assign]
    return compiled.run(value, blanked=blanked)[1]


_LIMIT: TypeAdapter[Limit] = TypeAdapter(Limit)


def kind(keys: dict[str, Any], device: Device, columns: dict[str, np.ndarray], dt: float) -> np.ndarray:
    """Samples at which the compiled limit of a kind is violated, in one of the ways in which it is judged."""
    limit = _LIMIT.validate_python({"name": "x", **keys})
    volts = 3.2 * device.cells
    facts = Facts(
        round(1e9 * dt), 60.0, {limit.node: DeviceFacts(device.rating, device.capacity, 25.0, volts, volts / device.cells)}
    )
    parts, rows = on_columns([(limit, how) for how in judged(limit, facts)], columns, facts)
    replay = Replay(parts.parameters, parts.states | {"arena": parts.arena.array()})
    found = np.zeros(rows.shape[0], dtype=bool)
    for n in range(rows.shape[0]):
        replay.run(rows[n : n + 1])
        found[n] = bool(replay.states["limits"]["beyond"].any())
    return found


def slope(value: np.ndarray, window: int, first: float, blanked: np.ndarray, dt: float) -> np.ndarray:
    """The compiled slope."""
    compiled, length = Compiled("slopes", 1, 1), window + 1
    param, state = compiled.param, compiled.state
    param["blank"], param["length"], param["per_second"] = BLANK, length, 12.0 / (length * (length**2 - 1.0) * dt)
    param["offset"] = compiled.arena.place(length)
    state["origin"] = state["held"] = first
    return compiled.run(value, blanked=blanked)[1]


def blocks(value: np.ndarray, length: int, start: int, first: float, blanked: np.ndarray, dt: float) -> np.ndarray:
    """The compiled change of block averages."""
    compiled = Compiled("blocks", 1, 1)
    param, state = compiled.param, compiled.state
    param["blank"], param["length"], param["per_second"] = BLANK, length, 1.0 / (length * dt)
    state["origin"], state["held"], state["count"] = first, first, -start % length
    return compiled.run(value, blanked=blanked)[1]


def limit(kind: str, *, low: float = -math.inf, high: float = math.inf, delay: int = 0, inputs: int = 1) -> Compiled:
    """A compiled limit without the windows of its kind."""
    compiled = Compiled("limits", inputs)
    param, state = compiled.param, compiled.state
    param["kind"] = CODES[f"limit.{kind}"]
    param["low"], param["high"], param["delay_ticks"] = low, high, delay
    param["has_low"], param["has_high"] = math.isfinite(low), math.isfinite(high)
    param["blank"], param["ticks_per_second"] = BLANK, 1
    state["highest"], state["lowest"], state["first_tick"] = -math.inf, math.inf, -1
    if delay:
        for name, used in (("held_high", param["has_high"]), ("held_low", param["has_low"])):
            if used:
                compiled.arena.extremum(state[name], delay + 1)
    return compiled


def limit_ramp(mean: int, window: int, first: float, dt: float, **bounds: Any) -> Compiled:
    """A compiled ramp of the mean."""
    compiled = limit("ramp", **bounds)
    compiled.param["per_second"] = 1.0 / (window * dt)
    compiled.arena.mean(compiled.state["mean"], mean, first)
    compiled.arena.delay(compiled.state["past"], window, first)
    compiled.state["last"] = first
    return compiled


def limit_range(window: int, first: float, **bounds: Any) -> Compiled:
    """A compiled peak to peak."""
    compiled = limit("range", **bounds)
    for name in ("top", "bottom"):
        compiled.arena.extremum(compiled.state[name], window + 1)
    compiled.state["last"] = first
    return compiled


def limit_rate(window: int, first: float, dt: float, **bounds: Any) -> Compiled:
    """A compiled rate of change."""
    compiled = limit("rate", **bounds)
    compiled.param["per_second"] = 1.0 / (window * dt)
    compiled.arena.delay(compiled.state["past"], window, first)
    return compiled


def limit_time(counted: float, *, total: bool, **bounds: Any) -> Compiled:
    """A compiled time spent, in samples."""
    compiled = limit("time", **bounds)
    compiled.param["counted"], compiled.param["total"] = counted, total
    return compiled


def limit_recovery(before: float, late: int, mean: int, hold: int, **keys: float) -> Compiled:
    """A compiled recovery, in samples; the power is column 0, the voltage column 1."""
    compiled = limit("recovery", inputs=2, high=keys.pop("high"))
    compiled.param["voltage"], compiled.param["hold_ticks"] = 1, hold
    for name in ("below", "share", "slack"):
        compiled.param[name] = keys[name]
    compiled.state["before"] = before
    compiled.arena.mean(compiled.state["mean"], mean, before)
    compiled.arena.delay(compiled.state["past"], late, before)
    return compiled
