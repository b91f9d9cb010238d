"""A stream of a record as a file of another format, some MB at a time, whatever its length.

In Parquet floats are split by bytes and times are differences, which is what makes them small there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hil.record.arrays import to_numpy
from hil.record.reading import CHUNK_BYTES, TIME, ArrowRecord
from hil.whole import whole

FORMATS = {"parquet": ".parquet", "csv": ".csv", "arrow": ".feather"}
"""Formats, and how the names of their files end: Parquet, text, and an Arrow IPC file."""


def convert(
    record: ArrowRecord,
    path: Path,
    form: str,
    *,
    channels: Sequence[str] | None = None,
    from_ns: int | None = None,
    to_ns: int | None = None,
) -> int:
    """Write a record, or the rows between two times, both included, into a file of one of the FORMATS; how many rows.

    Text has the time in s first, and each value in the fewest digits that give the same float32 again. The file appears under
    its name once it is whole; whatever was there before is replaced. Raises OSError where it cannot be read or written.
    """
    wanted = record.channels if channels is None else list(channels)
    rows = 0
    with whole(path) as part, _writer(part, form, record, wanted) as write:
        for chunk in record.chunks(wanted, to_ns, CHUNK_BYTES):
            kept = _between(chunk, from_ns, to_ns)
            if kept.num_rows:
                write(kept)
                rows += kept.num_rows
    return rows


def _between(chunk: Any, from_ns: int | None, to_ns: int | None) -> Any:
    """Rows come in order of time."""
    times = to_numpy(chunk.column(0))
    first = 0 if from_ns is None else int(times.searchsorted(from_ns))
    last = times.size if to_ns is None else int(times.searchsorted(to_ns, side="right"))
    return chunk.slice(first, max(0, last - first))


@contextmanager
def _writer(path: Path, form: str, record: ArrowRecord, channels: list[str]) -> Iterator[Any]:
    """Something that takes batches and writes them."""
    import pyarrow as pa

    there = record.schema
    schema = pa.schema([there.field(0), *(field for field in there if field.name in channels)], metadata=there.metadata)
    with path.open("wb") as file:
        if form == "parquet":
            import pyarrow.parquet as pq

            coding = dict.fromkeys(schema.names, "BYTE_STREAM_SPLIT") | {TIME: "DELTA_BINARY_PACKED"}
            with pq.ParquetWriter(file, schema, compression="zstd", use_dictionary=False, column_encoding=coding) as parquet:
                yield lambda batch: parquet.write_table(pa.Table.from_batches([batch]))
        elif form == "arrow":
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            with pa.ipc.new_file(file, schema, options=options) as arrow:
                yield arrow.write_batch
        else:
            from pyarrow import csv

            text = pa.schema([pa.field("time_s", pa.float64()), *list(schema)[1:]])
            file.write(f"{','.join(text.names)}\n".encode())  # pyarrow's own head has quotation marks
            options = csv.WriteOptions(include_header=False, quoting_style="none")
            with csv.CSVWriter(file, text, write_options=options) as lines:
                yield lambda batch: lines.write_batch(
                    pa.record_batch([pa.array(to_numpy(batch.column(0)) / 1e9), *batch.columns[1:]], schema=text)
                )
