"""Rows of a Parquet file as Python values, read as they are asked for, for those who take a row at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hil.errors import RecordingError

_BATCH_ROWS = 16_384


def parquet_names(path: Path) -> list[str]:
    """Names of the columns. Raises RecordingError, OSError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file:
            return list(pq.read_schema(file, memory_map=False).names)
    except pa.ArrowException as error:
        raise RecordingError(path, f"not Parquet: {str(error).splitlines()[0]}") from None


def parquet_rows(path: Path, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The named columns of each row: numbers, texts, datetimes, None for nothing. Raises RecordingError, OSError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file, pq.ParquetFile(file, memory_map=False) as parquet:
            for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, columns=list(dict.fromkeys(names))):
                columns = batch.to_pydict()
                yield from zip(*(columns[name] for name in names), strict=True)
    except pa.ArrowException as error:
        raise RecordingError(path, f"not Parquet: {str(error).splitlines()[0]}") from None
