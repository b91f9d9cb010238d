"""Interface of the compiled engine."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

_Float64s: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

CODES: dict[str, int]
"""Numbers that stand in the structs for laws, priorities, kinds of limits, blanking and events, measurements, and points."""

def channel_names(bess_names: Sequence[str]) -> tuple[str, ...]:
    """Channels of a row, in order: the site's, then those of each BESS."""

def struct_dtypes() -> dict[str, np.dtype[Any]]:
    """NumPy dtype of each struct that an engine's arrays hold."""

class Engine:
    """A site and its ticks.

    arrays: parameters and states as structured arrays (`struct_dtypes`), and `arena`; the engine works in them, so they can
    be read between calls of `advance`. Times are ticks; tick k covers k*period to (k+1)*period and its row states the end.
    """

    tick: int
    end_tick: int
    period_ns: int
    channels: tuple[str, ...]
    arrays: dict[str, Any]
    load_filled: int
    underruns: int
    dropped_rows: int
    load_energy_j: float
    largest_demand_w: float

    def __init__(
        self,
        arrays: Mapping[str, Any],
        bess_names: Sequence[str],
        *,
        first_demand_w: float,
        period_ns: int,
        end_tick: int,
        load_tan_phi: float,
        load_capacity: int,
        record_every: int,
        record_channels: Sequence[str],
        record_capacity: int,
    ) -> None: ...
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
        """Append a block of load, W per tick, shape (n,). Raises ValueError beyond `load_room`."""

    def command(self, device: int, point: int, value: float) -> None:
        """Queue a validated write for the next tick. Raises IndexError, OverflowError."""

    def value(self, channel: int) -> float:
        """A channel of the latest row."""

    def attach_tap(self, rows: _Float64s | None) -> None:
        """Copy every judged row, float64, into `rows`, shape (n, channels), from the next tick until it is full."""

    def close(self) -> None:
        """End the judged part of the run at this tick; later ticks still move the plant."""

    def take_rows(self) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.float32]]]:
        """Recorded rows so far, oldest first: ticks, shape (n,), and values, shape (n, recorded). Call until n is 0."""

    def advance(self, until_tick: int) -> None:
        """Run the ticks up to `until_tick`, which must not be in the past."""
