"""A stream of the record as a Parquet file, made from its Arrow file batch by batch."""

from __future__ import annotations

from pathlib import Path

_GROUP_ROWS = 131_072


def to_parquet(source: Path, target: Path) -> None:
    """Convert an Arrow IPC stream that was ended; a group of rows at a time, so that its length does not matter.

    zstd; floats split by bytes, times as differences. The target is there whole or not at all. Raises OSError.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    part = target.with_name(target.name + ".part")
    try:
        with pa.OSFile(str(source)) as file, pa.ipc.open_stream(file) as reader:
            schema = reader.schema
            coding = {field.name: "BYTE_STREAM_SPLIT" for field in schema if pa.types.is_floating(field.type)}
            coding["time_ns"] = "DELTA_BINARY_PACKED"
            with pq.ParquetWriter(part, schema, compression="zstd", use_dictionary=False, column_encoding=coding) as writer:
                batches: list[pa.RecordBatch] = []
                rows = 0
                for batch in reader:
                    batches.append(batch)
                    rows += batch.num_rows
                    if rows >= _GROUP_ROWS:
                        writer.write_table(pa.Table.from_batches(batches, schema), row_group_size=rows)
                        batches, rows = [], 0
                if rows:
                    writer.write_table(pa.Table.from_batches(batches, schema), row_group_size=rows)
        part.replace(target)
    except pa.ArrowException as error:
        raise OSError(str(error).splitlines()[0]) from None
    finally:
        part.unlink(missing_ok=True)
