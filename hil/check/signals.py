"""From what a recording holds to the channels that limits look at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hil.check.orders import CheckFile
from hil.check.waveforms import BETWEEN, TO_GROUND, Waveforms, wave_of
from hil.errors import RecordingError
from hil.limits.channels import FREQUENCY, least_jump
from hil.recordings import Recording
from hil.waves.harmonics import TAPS, resampled

Floats = np.ndarray[Any, np.dtype[np.float64]]

_SAME = {
    "pcc.power_measured_w": "pcc.power_w",
    "pcc.power_w": "pcc.power_measured_w",
    "pcc.frequency_measured_hz": "pcc.frequency_hz",
    "pcc.frequency_hz": "pcc.frequency_measured_hz",
}
"""A recorded signal is a measured one: where a limit looks at one of these the other will do."""
_SLOWER = 1.5  # times the period of the rows: from there on a signal has a rate of its own, and is not just short of some
_DIFFERENCES = 2  # samples more, of which a change between two is taken
_EVEN = 0.1  # of a period: so far from an even grid a row may lie
_LEAST_SAMPLES = 8
"""Of a nominal cycle, below which nothing is made of waveforms."""


def _is_even(recording: Recording) -> bool:
    """Whether rows lie on an even grid, of which some may be missing."""
    if recording.is_uniform:
        return True
    apart = np.diff(recording.time_s[recording.ordered]) * recording.rate_hz
    return bool((np.abs(apart - np.rint(apart)) < _EVEN).all() and (apart > 1.0 - _EVEN).all())


def _measured(name: str) -> str:
    """The channel that jumps block, of one that they do; else the channel itself."""
    return name if least_jump(name) is None else FREQUENCY


class Signals:
    """Channels of a recording on an even grid, NaN where a sample is missing. Raises RecordingError."""

    def __init__(self, recording: Recording, orders: CheckFile) -> None:
        self.recording = recording
        self.period_s = 1.0 / recording.rate_hz
        grid = recording.uniform(self.period_s)
        self.count = grid.time_s.size
        self._there: dict[str, Floats] = {
            name: np.where(grid.invented[name], np.nan, values) if grid.invented[name].any() else values
            for name, values in grid.signals.items()
        }
        self._even = _is_even(recording)
        self._waves: dict[str, Waveforms] = {}
        for node in sorted({name.rpartition(".")[0] for name in self._there if "_wave_" in name}):
            self._waves[node] = self._waveforms(node, orders)

    def _waveforms(self, node: str, orders: CheckFile) -> Waveforms:
        asked, nominal_hz = orders.waveforms, float(orders.frequency_hz)
        if node not in asked.voltage_v:
            raise RecordingError(self.recording.path, f"waveforms of {node}: need waveforms.voltage.{node}, the nominal one")
        if self.recording.rate_hz < _LEAST_SAMPLES * nominal_hz:
            raise RecordingError(
                self.recording.path,
                f"waveforms of {node}: {self.recording.rate_hz:g} samples a second are fewer than {_LEAST_SAMPLES} a cycle of "
                f"{nominal_hz:g} Hz; were they RMS values, their signals had other names",
            )
        voltages, currents = (
            {
                phase: self._in_time(wave_of(node, phase, what))
                for phase in (*TO_GROUND, *BETWEEN)
                if wave_of(node, phase, what) in self._there
            }
            for what in ("voltage", "current")
        )
        if not voltages:
            raise RecordingError(self.recording.path, f"waveforms of {node}: no voltage, by which a period is known")
        return Waveforms(
            voltages,
            currents,
            rate_hz=self.recording.rate_hz,
            nominal_hz=nominal_hz,
            nominal_v=float(asked.voltage_v[node]),
            half=asked.rms == "half_cycle",
        )

    def _in_time(self, name: str) -> Floats:
        """A waveform at the times of the rows; that of a channel sampled later is made between its samples."""
        about, values = self.recording.about[name], self.recording.signals[name]
        if not about.skew_s or not self.recording.is_uniform or not self.recording.valid[name].all():
            return self._there[name]
        at: Floats = np.arange(values.size, dtype=np.float64) - np.float64(about.skew_s * self.recording.rate_hz)
        found: Floats = resampled(values[None], at[None])[0, 0]
        edges = np.r_[:TAPS, values.size - TAPS : values.size] % values.size
        found[edges] = np.interp(at[edges], np.arange(values.size), values)
        return found

    def waveforms(self, node: str) -> Waveforms | None:
        """The waveforms of a place; None where there are none."""
        return self._waves.get(node)

    def channel(self, name: str, *, quick: bool = False) -> Floats | None:
        """The samples of a channel, shape (n,); None where the recording does not tell it.

        quick: of what is made of waveforms as much bandwidth as there is.
        """
        if name in self._there:
            return self._there[name]
        if _SAME.get(name) in self._there:
            return self._there[_SAME[name]]
        node, _, what = name.rpartition(".")
        if (least_deg := least_jump(name)) is not None:
            measured = self.channel(FREQUENCY)
            return None if measured is None else np.where(self._waves[node].around_jumps(least_deg), np.nan, measured)
        if node in self._waves:
            return self._waves[node].channel(what, quick=quick)
        if what in ("voltage_lowest_measured_pu", "voltage_highest_measured_pu"):
            return self._extreme(node, lowest="lowest" in what)
        if what in ("voltage_a_pu", "voltage_b_pu", "voltage_c_pu"):
            return self._there.get(f"{node}.voltage_pu")
        return None

    def _extreme(self, node: str, *, lowest: bool) -> Floats | None:
        phases = [self._there[f"{node}.voltage_{phase}_pu"] for phase in "abc" if f"{node}.voltage_{phase}_pu" in self._there]
        if not phases:
            return self._there.get(f"{node}.voltage_pu")
        found: Floats = (np.min if lowest else np.max)(np.stack(phases), axis=0)  # of one that is missing nothing is known
        return found

    def missing(self, name: str, values: Floats) -> Any:
        """Samples of a channel that are not there, and are not left out because a jump of the phase blocks them."""
        least_deg = least_jump(name)
        lost = np.isnan(values)
        return lost if least_deg is None else lost & ~self._waves[name.rpartition(".")[0]].around_jumps(least_deg)

    def filled(self, name: str) -> int:
        """The first sample of a channel that can be there: of waveforms nothing is made before a window is full."""
        name = _measured(name)
        waves = self._waves.get(name.rpartition(".")[0])
        if waves is None or name in self._there or _SAME.get(name) in self._there:
            return 0
        return min(self.count, math.ceil(waves.settles_s * self.recording.rate_hz) + _DIFFERENCES)

    def strange(self, node: str) -> list[str]:
        """What makes the waveforms of a place no evidence: uneven samples, voltages far from nominal."""
        waves = self._waves.get(node)
        if waves is None:
            return []
        told = ", ".join(f"{phase} {level_pu:.3g} pu" for phase, level_pu in waves.strange.items())
        uneven = [] if self._even else [f"waveforms of {node} are not sampled evenly"]
        far = f"voltages of {node} are mostly far from nominal, {told}: is their unit right, and waveforms.voltage?"
        if bool(np.isnan(waves.fundamental.frequency_hz).all()):
            uneven.append(f"the voltages of {node} have no fundamental near {waves.nominal_hz:g} Hz")
        return [*uneven, *([far] if told else [])]

    def own_period_s(self, name: str) -> float:
        """Time between two samples of a channel's own: longer than that of rows, where it has a value in some of them."""
        periods_s = [
            1.0 / about.rate_hz for about in map(self.recording.about.get, self._sources(name)) if about and about.rate_hz
        ]
        slowest_s = max(periods_s, default=self.period_s)
        return slowest_s if slowest_s > _SLOWER * self.period_s else self.period_s

    def _sources(self, name: str) -> list[str]:
        """Recorded signals that a channel is, or is made of; none of what is made of waveforms."""
        name = _measured(name)
        for candidate in (name, _SAME.get(name, "")):
            if candidate in self._there:
                return [candidate]
        node, _, what = name.rpartition(".")
        phases = [f"{node}.voltage_{phase}_pu" for phase in "abc" if f"{node}.voltage_{phase}_pu" in self._there]
        return (phases or [f"{node}.voltage_pu"]) if what.startswith("voltage_") and node not in self._waves else []

    def notes(self) -> list[str]:
        """What is to be told of the waveforms."""
        found = []
        for node, waves in self._waves.items():
            found.append(
                f"{node}: RMS values, frequency and power of {waves.rate_hz:g} samples a second, "
                f"from {waves.settles_s:.3g} s on"
            )
            if waves.turned:
                found.append(f"{node}: its phases follow each other as a, c, b")
        return found

    def step(self, name: str) -> float:
        """Quantisation of a channel, or of what stands for it; 0 where it is not known."""
        about: Mapping[str, Any] = self.recording.about
        name = _measured(name)
        for candidate in (name, _SAME.get(name, "")):
            if candidate in about:
                return self.recording.step(candidate) or 0.0
        return 0.0
