"""Columns between NumPy and Arrow, without a copy.

Not by Arrow's own conversions: they import pandas wherever that is installed, which takes longer than many a run.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_NAMES = {"int64": np.int64, "float": np.float32}


def to_arrow(column: np.ndarray[Any, Any]) -> Any:
    """A `pyarrow.Array` of an int64 or float32 array, shape (n,), contiguous."""
    import pyarrow as pa

    kind = pa.int64() if column.dtype == np.int64 else pa.float32()
    return pa.Array.from_buffers(kind, column.size, [None, pa.py_buffer(column)])


def to_numpy(array: Any) -> np.ndarray[Any, Any]:
    """What an int64 or float32 `pyarrow.Array` without nulls holds, shape (n,); read-only."""
    kind = np.dtype(_NAMES[str(array.type)])
    if len(array) == 0:
        return np.empty(0, kind)
    return np.frombuffer(array.buffers()[1], kind, count=len(array), offset=array.offset * kind.itemsize)
