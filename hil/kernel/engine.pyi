"""Interface of the compiled engine."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

LOOP_CHANNELS: tuple[str, ...]
"""What can be recorded besides a row's channels: how late the kernel's thread was, and how long it took; 0 in lock-step."""

MARKS: dict[str, int]
"""Bits of a row's marks, by what began in its tick: "limit", an excursion; "reversion"; "ups", an entry of its log."""

_Float64s: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
_Int64s: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
_Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

def row_words(channels: Sequence[str]) -> int:
    """Length of a row: whole stripes of 32 bytes, as the waveform hash takes them."""

def steady_network(parameters: _Array, load_w: float, load_var: float) -> _Array:
    """State of the network with a load and storage at rest, without events; an array of one."""

class Engine:
    """A site and its ticks.

    parameters, states: structured arrays (`hil.kernel.layout`); the engine works in them, so they can be read, and changed,
    between calls of `advance`. Everything that a tick changes is in `states`. Tick k covers k*period to (k+1)*period and its
    row states the end. ups_groups: names of groups of UPSs; their units stand behind the UPSs of `ups_names` in the arrays of
    UPSs, as `parameters["ups_groups"]` says. direct_share: of the IT demand that no UPS feeds. laws: users' own, (device,
    address, offset of its state, of its parameters, an object to keep alive). record_channels: of the row, or LOOP_CHANNELS;
    `recorded` has them as the ring does. record_marks: keep for each recorded row what began in its tick.
    """

    period_ns: int
    channels: tuple[str, ...]
    recorded: tuple[str, ...]
    parameters: Mapping[str, _Array]
    states: Mapping[str, _Array]
    seen: Mapping[str, _Array]
    """The states as Python is shown them: themselves, or a pacer's picture of one tick for those it publishes."""
    dropped_rows: int
    command_valid_ticks: int
    """So long after it was given a command may be taken; later it is void. Given is where `seen` stands."""
    shared_with: str | None
    """Who else acts on this run; while anyone does, a snapshot cannot hold the whole of it."""

    def __init__(
        self,
        parameters: Mapping[str, _Array],
        states: Mapping[str, _Array],
        bess_names: Sequence[str],
        ups_names: Sequence[str] = (),
        ups_groups: Sequence[str] = (),
        *,
        period_ns: int,
        load_tan_phi: float,
        direct_share: float = 1.0,
        laws: Sequence[tuple[int, int, int, int, object]] = (),
        function_channels: Sequence[str] = (),
        record_every: int = 1,
        record_channels: Sequence[str] = (),
        record_capacity: int = 1,
        record_marks: bool = False,
    ) -> None: ...
    @property
    def tick(self) -> int:
        """Ticks run so far."""

    @property
    def end_tick(self) -> int:
        """End of the judged part of the run."""

    @property
    def load_filled(self) -> int:
        """Ticks of load written so far."""

    @property
    def underruns(self) -> int:
        """Judged ticks that had no load."""

    @property
    def load_energy_j(self) -> float:
        """Energy demanded at the bus in the judged ticks: load, UPSs, cooling."""

    @property
    def largest_demand_w(self) -> float:
        """Largest demand at the bus of a judged tick, likewise."""

    @property
    def load_room(self) -> int:
        """Ticks of load that can be fed now."""

    @property
    def record_room(self) -> int:
        """Rows that the record ring can take before it drops the newest."""

    @property
    def waveform_hash(self) -> str:
        """XXH64 over the float64 of every judged tick and channel, each row padded with zeros to a multiple of 32 bytes."""

    def feed(self, power_w: _Float64s) -> None:
        """Append a block of IT load, W per tick, shape (n,). Raises ValueError beyond `load_room`."""

    def command(self, device: int, point: int, value: float) -> None:
        """Queue a validated write for the next tick; first the BESSs, then the UPSs, units of groups last, then the grid.

        Raises IndexError, OverflowError.
        """

    def value(self, channel: int) -> float:
        """A channel of the latest row, or of the one that was last looked at."""

    def attach_tap(self, rows: _Float64s | None) -> None:
        """Copy every judged row, float64, into `rows`, shape (n, channels), from the next tick until it is full.

        Raises RuntimeError while a pacer runs the ticks, ValueError for another number of columns.
        """

    def close(self) -> None:
        """End the judged part of the run at this tick, or where a pacer is; later ticks still move the plant."""

    def twin(self) -> Engine:
        """An engine with copies of all arrays, as of now: to rehearse with. Laws of one's own are left out there."""

    def touch(self) -> None:
        """Meet every page of the arrays and of the record's ring now, so that no tick has to wait for one."""

    def take_rows(self) -> tuple[_Int64s, np.ndarray[Any, np.dtype[np.float32]], _Int64s]:
        """Recorded rows so far, oldest first: ticks, values and marks. Call until n is 0.

        Shapes (n,), (n, recorded) and (n,), of the marks (0,) where they were not asked for. One thread takes them.
        """

    def advance(self, until_tick: int) -> None:
        """Run the ticks up to `until_tick`, which must not be in the past.

        Raises ValueError for it, and for arrays that a tick could not run on: an index or a divisor that a script has spoilt;
        RuntimeError while a pacer runs the ticks.
        """
