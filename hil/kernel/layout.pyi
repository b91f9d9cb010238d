"""Interface of the compiled layout."""

from collections.abc import Sequence
from typing import Any

import numpy as np

CODES: dict[str, int]
"""Numbers that stand in the structs, and positions and sizes of arrays."""

FUNCTIONS: tuple[str, ...]
"""Families of protection functions, by the names of their arrays, in the order in which they run."""

def channel_names(bess_names: Sequence[str], ups_names: Sequence[str] = (), ups_groups: Sequence[str] = ()) -> tuple[str, ...]:
    """Channels of a row, in order: the site's, of each BESS, of each UPS that stands alone, of each group of UPSs."""

def parameter_dtypes() -> dict[str, np.dtype[Any]]:
    """NumPy dtype of each array of parameters (`law_memory` besides is plain bytes)."""

def state_dtypes() -> dict[str, np.dtype[Any]]:
    """NumPy dtype of each array of states."""

def ups_rest_dtype() -> np.dtype[Any]:
    """Of what the tick keeps of each UPS within a stretch of ticks."""

def timing_dtype() -> np.dtype[Any]:
    """Of `Pacer.timing`."""

def law_dtypes() -> tuple[np.dtype[Any], np.dtype[Any]]:
    """`signals_t` and `command_t` of controllers/include/ridethrough_law.h."""
