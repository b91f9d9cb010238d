"""The selection of benchmarks/limits.py in C: compiled as the product's extension is, and driven through ctypes."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any, Self

import numpy as np
from limits_site import WORDS, Array
from tick_compiled import flags
from tick_site import mirror

from hil.kernel.protection.replay import Replay

SOURCE = Path(__file__).parent / "limits_c" / "limits.c"
SECTION_WORDS = 7

Parameters = mirror(
    "Parameters",
    **dict.fromkeys(("dt", "current_scale", "pickup", "dropout", "a", "exponent", "dial"), ctypes.c_double),
    **dict.fromkeys(("per_square", "heating", "towards", "level"), ctypes.c_double),
    band=ctypes.c_double * SECTION_WORDS * 2,
    **dict.fromkeys(("range_high", "bound", "low", "high", "stays", "before_gain", "before"), ctypes.c_double),
    threshold=ctypes.c_double * 16,
    flicker=ctypes.c_double * SECTION_WORDS * 6,
    **dict.fromkeys(("mean_gain", "carrier_re", "carrier_im", "smooth_gain", "scale"), ctypes.c_double),
    exceeded=ctypes.c_double * 15,
    weight=ctypes.c_double * 15,
    **dict.fromkeys(("range_span", "counter_ticks", "counter_places", "recovery_ticks"), ctypes.c_int64),
    **dict.fromkeys(("thresholds", "settle_ticks", "block_ticks"), ctypes.c_int64),
    allowed=ctypes.c_int64 * 16,
)
Results = mirror(
    "Results",
    real="highest",
    whole="highest_tick judged_ticks beyond_ticks excursions first_tick pickups disturbances",
)


def compiled(folder: Path) -> ctypes.CDLL:
    """The shared library, made anew in a folder."""
    target = folder / "limits.so"
    subprocess.run([*flags(), "-shared", str(SOURCE), "-o", str(target), "-lm"], check=True)
    library = ctypes.CDLL(str(target))
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    library.limits_create.restype, library.limits_create.argtypes = pointer, [pointer]
    library.limits_destroy.restype, library.limits_destroy.argtypes = None, [pointer]
    library.limits_run.restype, library.limits_run.argtypes = None, [pointer, pointer, count]
    library.limits_results.restype, library.limits_results.argtypes = None, [pointer, pointer]
    library.limits_parameters_size.restype = count
    assert library.limits_parameters_size() == ctypes.sizeof(Parameters)
    return library


def parameters(replay: Replay) -> Any:
    """What the C is given, from the arrays of a fresh replay. Refuses settings that are more than it knows."""
    given, states = replay.parameters, replay.states
    relay, thermal, envelope, flicker = (given[name][0] for name in ("relays", "thermals", "envelopes", "flickers"))
    counter, limit, band = given["counters"][0], given["limits"][0], given["filters"][0]
    assert relay["b"] == relay["delay_ticks"] == relay["reset"] == relay["under"] == 0
    assert thermal["heating"] == thermal["cooling"]
    assert band["sections"] == 2
    assert envelope["relative"] == 1
    assert envelope["window_ticks"] == 0
    used = slice(int(envelope["thresholds"]))
    assert envelope["under"][used].all()
    assert not envelope["inclusive"][used].any()
    assert not envelope["slope"][used].any()
    assert counter["under"] == limit["has_low"] == limit["delay_ticks"] == 0
    out = Parameters(
        current_scale=given["ratios"][0]["scale"],
        towards=states["thermals"][0]["towards"],
        level=states["thermals"][0]["level"],
        range_high=limit["high"],
        range_span=states["limits"][0]["top"]["span"],
        counter_ticks=counter["window_ticks"],
        counter_places=counter["ring"],
        before=states["envelopes"][0]["before"],
        before_gain=envelope["mean_gain"],
        bound=counter["bound"],
    )
    _fill(out, relay, "dt pickup dropout a exponent dial")
    _fill(out, thermal, "per_square heating")
    _fill(out, envelope, "low high stays recovery_ticks thresholds")
    _fill(out, flicker, "mean_gain carrier_re carrier_im smooth_gain scale settle_ticks block_ticks")
    _copy(out.threshold, envelope["level"])
    _copy(out.allowed, envelope["allowed_ticks"])
    _copy(out.exceeded, flicker["exceeded"])
    _copy(out.weight, flicker["weight"])
    for sections, offset in ((out.band, band["offset"]), (out.flicker, flicker["offset"])):
        for i, section in enumerate(sections):
            begin = int(offset) + SECTION_WORDS * i
            _copy(section, states["arena"][begin : begin + SECTION_WORDS])
    return out


def _fill(out: Any, row: Any, names: str) -> None:
    for name in names.split():
        setattr(out, name, row[name].item())


def _copy(target: Any, values: Any) -> None:
    target[:] = values.tolist()


class CLimits:
    """The selection in C; frees itself at the end of a `with`."""

    def __init__(self, library: ctypes.CDLL, replay: Replay) -> None:
        self._library = library
        self._handle = library.limits_create(ctypes.byref(parameters(replay)))
        if not self._handle:
            raise MemoryError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._library.limits_destroy(self._handle)

    def run(self, rows: Array) -> None:
        """One tick a row; outputs are written into the rows."""
        assert rows.shape[1] == WORDS
        assert rows.flags.c_contiguous
        assert rows.dtype == np.float64
        self._library.limits_run(self._handle, rows.ctypes.data, len(rows))

    def results(self) -> Any:
        """What the limit behind the band-pass came to."""
        out = Results()
        self._library.limits_results(self._handle, ctypes.byref(out))
        return out
