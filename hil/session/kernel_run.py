"""A run of the kernel alone, in the hands of a script: step it, look into it, change it, go back."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.errors import ScenarioError, SnapshotRefused
from hil.kernel.engine import Engine
from hil.kernel.layout import CODES, state_dtypes
from hil.loads.source import LoadSource
from hil.scenario.model import Scenario
from hil.session.law_errors import LawErrors
from hil.session.plant import STRETCH_TICKS, top_up
from hil.session.prepare import prepare
from hil.site.record import streams

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Snapshot:
    """Everything that a tick changes: states, windows, delay lines, hash, and the load with its cursor and random numbers."""

    tick: int
    scenario: dict[str, Any]
    layout: dict[str, Any]
    states: dict[str, Any]
    source: LoadSource


def take_states(engine: Engine) -> dict[str, Any]:
    """Copies of an engine's states. Raises SnapshotRefused while somebody else acts on the run."""
    if engine.shared_with is not None:
        raise SnapshotRefused(
            f"at tick {engine.tick}: {engine.shared_with} act on this run, and their connections and tasks cannot be copied; "
            f"snapshots are for runs of the kernel alone (hil.KernelRun)"
        )
    return {name: engine.states[name].copy() for name in state_dtypes()}


class KernelRun:
    """A scenario's load, laws, firmware, plant and limits, without servers, drivers and supervisors.

    leave_out_controllers: must be said where the scenario has supervisors. parameters, states: structured NumPy arrays by
    component (`states["battery"]["soc"]`); they can be read and changed between calls. Rows state the end of their tick.

    Raises ScenarioError for what needs a controller, or cannot be run as written.
    """

    def __init__(self, scenario: Scenario, *, leave_out_controllers: bool = False) -> None:
        prepared = prepare(scenario, controllers=False, record=False)
        self.scenario = prepared.scenario
        if self.scenario.supervisor and not leave_out_controllers:
            name = next(iter(self.scenario.supervisor))
            what = ": a run of the kernel alone has no controllers; leave_out_controllers=True runs without them"
            raise ScenarioError(self.scenario.source, f"supervisor.{name}", what)
        self._source = prepared.source
        self._engine = prepared.engine
        self._torn = False
        self.parameters: Mapping[str, Any] = self._engine.parameters
        self.states: Mapping[str, Any] = self._engine.states
        self.channels = self._engine.channels
        streams(self.scenario, self.channels)  # a wrong pattern is told here as in any run

    @property
    def tick(self) -> int:
        """Ticks run so far."""
        return self._engine.tick

    @property
    def time_s(self) -> float:
        """Scenario time."""
        return self._engine.tick * self._engine.period_ns / 1e9

    @property
    def waveform_hash(self) -> str:
        """XXH64 over every channel of every judged tick so far."""
        return self._engine.waveform_hash

    def __getitem__(self, channel: str) -> float:
        """A channel of the latest row. Raises KeyError naming the channels there are."""
        if channel not in self.channels:
            raise KeyError(f"no channel {channel!r}; there are: {', '.join(self.channels)}")
        return self._engine.value(self.channels.index(channel))

    def command(self, device: str, point: str, value: float) -> None:
        """Queue a write to a device's firmware for the next tick: `command("bess.main", "set_w", 1e6)`.

        A UPS goes by its whole name and has points of its own: `command("ups.a", "recharge_w", 1e5)`; a group of UPSs too, for
        all of its units, or for one: `"ups.sites[17]"`. Faults of the equipment begin with `fault.`:
        `command("bess.main", "fault.contactor", 1)`.

        Values are not validated as a device's server would, but must be finite. Raises KeyError for an unknown device or
        point.
        """
        if not math.isfinite(value):
            raise ValueError(f"{device} {point} = {value}: must be a finite number")
        name, numbers = self._addressed(device)
        code = CODES[self._point(name, point)]
        for number in numbers:
            self._engine.command(number, code, value)

    def advance(self, until_s: float) -> None:
        """Run to a time, rounded to a tick. Raises ValueError where that is past, or an array cannot be run on.

        Interrupted while load is made, a run cannot go on: restore a snapshot. Raises RuntimeError then. What laws of one's
        own raise is told in one RuntimeWarning.
        """
        until = self._until(until_s)
        if until < self.tick:
            raise ValueError(f"{until_s:g} s is in the past of {self.time_s:g} s")
        if self._torn:
            raise RuntimeError("interrupted while its load was made: restore a snapshot, or start a new run")
        with LawErrors() as errors:
            while self.tick < until:
                try:
                    top_up(self._engine, self._source.feed)
                except BaseException:
                    self._torn = True
                    raise
                self._engine.advance(min(until, self.tick + STRETCH_TICKS))
        for reason in errors.reasons():
            warnings.warn(reason, RuntimeWarning, stacklevel=2)

    def rows(self, until_s: float) -> Floats:
        """Run to a time and return every row of it, shape (ticks, channels); fewer beyond the scenario's end."""
        ticks = min(self._until(until_s), self._engine.end_tick) - self.tick
        tap = np.zeros((max(0, ticks), len(self.channels)))
        self._engine.attach_tap(tap)
        try:
            self.advance(until_s)
        finally:
            self._engine.attach_tap(None)
        return tap

    def snapshot(self) -> Snapshot:
        """The whole state of the run, as of now; parameters are not part of it."""
        states = take_states(self._engine)
        return Snapshot(self.tick, self.scenario.document(), self._layout(), states, copy.deepcopy(self._source))

    def restore(self, snapshot: Snapshot) -> None:
        """Go back, or forth, to a snapshot of this scenario; from there on a run is the same to the bit.

        Parameters stay as they are. Raises SnapshotRefused for a snapshot of another scenario or law, before anything is
        changed.
        """
        if snapshot.scenario != self.scenario.document():
            different = _first_difference(snapshot.scenario, self.scenario.document())
            raise SnapshotRefused(f"the snapshot is of another scenario: {different} differs")
        for name, (shape, dtype) in self._layout().items():
            if snapshot.layout.get(name) != (shape, dtype):
                raise SnapshotRefused(f"the snapshot is of another law or build: {name} differs")
        source = copy.deepcopy(snapshot.source)
        for name, state in snapshot.states.items():
            self.states[name][...] = state
        self._source = source
        self._torn = False

    def _layout(self) -> dict[str, tuple[tuple[int, ...], Any]]:
        """Shape and dtype of every state, those that laws of one's own declare among them."""
        return {name: (state.shape, state.dtype) for name, state in self.states.items()}

    def _until(self, until_s: float) -> int:
        if isinstance(until_s, str) or not math.isfinite(until_s):
            raise ValueError(f"{until_s!r}: must be a time in seconds")
        return self.scenario.ticks_of(until_s)

    def _addressed(self, device: str) -> tuple[str, range]:
        """Whole name of a device, where that of a BESS may be given without its kind, and its numbers in the engine."""
        scenario = self.scenario
        named, _, unit = device.partition("[")
        for name in (named, f"bess.{named}"):
            if name in scenario.served and not unit:
                return name, range(scenario.devices.index(name), scenario.devices.index(name) + 1)
            if name.removeprefix("ups.") in scenario.ups_groups:
                first = len(scenario.bess)
                place = scenario.ups_places[name.removeprefix("ups.")]
                numbers = range(first + place.start, first + place.stop)
                if not unit:
                    return name, numbers
                if unit.endswith("]") and unit[:-1].isdecimal() and int(unit[:-1]) < len(numbers):
                    return name, numbers[int(unit[:-1]) :][:1]
        raise KeyError(f"no device {device!r}; there are: {', '.join(self.scenario.devices)}")

    @staticmethod
    def _point(device: str, point: str) -> str:
        kinds = {"": "ups_point." if device.startswith("ups.") else "point.", "fault.": "fault_point."}
        points = {
            f"{own}{code.removeprefix(kind)}": code for own, kind in kinds.items() for code in CODES if code.startswith(kind)
        }
        if point not in points:
            raise KeyError(f"no point {point!r}; there are: {', '.join(points)}")
        return points[point]


def _first_difference(one: Any, other: Any, path: str = "") -> str:
    """Path of the first key in which two documents differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            if one.get(key) != other.get(key):
                return _first_difference(one.get(key), other.get(key), f"{path}.{key}" if path else str(key))
    return path or "it"
