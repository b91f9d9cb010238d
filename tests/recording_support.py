"""Recordings to read: a file of some text, and a table of Arrow in each of its formats."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq


def made(folder, text, name="site.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


TABLE = pa.table(
    {
        "time_ms": pa.array([0, 20, 40, 60], pa.int32()),
        "P": pa.array([1.5, None, 2.5, float("nan")], pa.float32()),
        "n": pa.array([1, 2, 3, 2**60], pa.int64()),
        "on": pa.array([True, False, None, True]),
        "text": ["a", "b", "c", "d"],
    },
    schema=pa.schema(
        [
            pa.field("time_ms", pa.int32()),
            pa.field("P", pa.float32(), metadata={"unit": "kW"}),
            pa.field("n", pa.int64()),
            pa.field("on", pa.bool_()),
            pa.field("text", pa.string()),
        ]
    ),
)


def save(table, path, suffix):
    if suffix == "parquet":
        pq.write_table(table, path)
    elif suffix == "arrow":
        with pa.ipc.new_stream(path, table.schema) as stream:
            stream.write_table(table, max_chunksize=3)
    else:
        with pa.ipc.new_file(path, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as file:
            file.write_table(table, max_chunksize=3)
