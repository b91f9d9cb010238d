"""Columns of Arrow as NumPy arrays, and words for Arrow.

Not by Arrow's own conversions: they import pandas wherever that is installed, which takes longer than many a file.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hil.recordings.raw import Floats, Mask
from hil.recordings.times import Integers


def floats(array: Any) -> Floats:
    """Numbers or booleans of a `pyarrow.Array` as float64, shape (n,), NaN where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(array.type):
        array = pc.cast(array, pa.int8())
    wide = pc.cast(array, pa.float64(), safe=False)
    values: Floats = _values(wide, np.dtype(np.float64)).copy()
    values[~present(array)] = np.nan
    return values


def wholes(array: Any) -> Integers:
    """Whole numbers of a `pyarrow.Array` as int64, shape (n,), anything where there is none. Raises ArrowInvalid."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values: Integers = _values(pc.cast(array, pa.int64()), np.dtype(np.int64)).copy()
    return values


def present(array: Any) -> Mask:
    """Where a `pyarrow.Array` has values, shape (n,)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if array.null_count == 0:
        return np.ones(len(array), np.bool_)
    there: Mask = _values(pc.cast(pc.is_valid(array), pa.int8()), np.dtype(np.int8)) == 1
    return there


def words(*texts: str) -> Any:
    """A `pyarrow.StringArray` of some texts."""
    import pyarrow as pa

    pieces = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, pieces)]).astype(np.int32)
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(b"".join(pieces)))


def _values(array: Any, kind: np.dtype[Any]) -> Any:
    if len(array) == 0:
        return np.empty(0, kind)
    return np.frombuffer(array.buffers()[1], kind, count=len(array), offset=array.offset * kind.itemsize)
