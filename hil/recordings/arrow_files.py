"""Parquet and Arrow files, whoever wrote them, and the records of our own runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from hil.record.composite import stream_files
from hil.record.framing import END_MARK, frames
from hil.recordings.arrays import floats, present, wholes
from hil.recordings.asking import Request, listed
from hil.recordings.raw import Channel, Floats, Mask, Raw, dated
from hil.recordings.text import Cells, timestamps
from hil.recordings.times import UNITS, unit_of, zone_of

_FILE_MAGIC = b"ARROW1"
_OLD_MAGIC = b"FEA1"


def read_run(request: Request) -> Raw:
    """A stream of the record in a run's folder, finished or not. Raises RecordingError, OSError."""
    files = stream_files(request.path)
    if not files["main"].is_file():
        raise request.error("not the folder of a run: there is no record.arrow")
    if request.stream not in files:
        raise request.error(f"no stream {request.stream!r} in it; there is {', '.join(files)}")
    return _read_arrow(request, os.fspath(files[request.stream]), "run")


def read_arrow(request: Request) -> Raw:
    """An Arrow IPC stream or file (Feather 2); of a stream without an end what there is. Raises RecordingError, OSError."""
    return _read_arrow(request, os.fspath(request.path), "arrow")


def read_parquet(request: Request) -> Raw:
    """A Parquet file. Raises RecordingError, OSError."""
    import pyarrow.parquet as pq

    with _damage(request), request.path.open("rb") as file, pq.ParquetFile(file, memory_map=False) as parquet:
        columns = _Columns(request, parquet.schema_arrow)
        return columns.gather(parquet.iter_batches(columns=columns.names), "parquet", [])


def _read_arrow(request: Request, path: str, form: str) -> Raw:
    import pyarrow as pa

    with _damage(request), open(path, "rb") as file:  # noqa: PTH123  # a path already
        size = os.fstat(file.fileno()).st_size
        magic = file.read(len(_FILE_MAGIC))
        if magic.startswith(_OLD_MAGIC):
            raise request.error("is Feather 1, which is not read; write it as Feather 2 or Parquet")
        file.seek(0)
        if magic == _FILE_MAGIC:
            with pa.ipc.open_file(file) as reader:
                columns = _Columns(request, reader.schema)
            with pa.ipc.open_file(file, options=columns.options()) as reader:
                whole = (reader.get_batch(place) for place in range(reader.num_record_batches))
                return columns.gather(whole, form, [])
        last = max((frame.end for frame in frames(file, size)), default=0)
        if last == 0:
            raise request.error("not an Arrow file, or damaged: it has no schema")
        file.seek(last)
        notes = [] if file.read() == END_MARK else [f"read to byte {last} of {size}: its end is missing, or damaged"]
        file.seek(0)
        columns = _Columns(request, pa.ipc.open_stream(file).schema)
        file.seek(0)
        return columns.gather(_until(pa.ipc.open_stream(file, options=columns.options()), file, last), form, notes)


def _until(reader: Any, file: Any, last: int) -> Iterator[Any]:
    """The batches of a stream, which has whole messages to a byte."""
    while file.tell() < last:
        try:
            yield reader.read_next_batch()
        except StopIteration:
            return


@contextmanager
def _damage(request: Request) -> Iterator[None]:
    """Tells what the library says of a damaged file in one line."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeError, MemoryError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        said = (str(error) or type(error).__name__).splitlines()[0]
        raise request.error(f"not what its suffix says, or damaged ({said})") from None


class _Columns:
    """The columns that are asked for of a schema, gathered from batches as numbers."""

    def __init__(self, request: Request, schema: Any) -> None:
        self._request = request
        there = [str(name) for name in schema.names]
        if len(there) < 2:
            raise request.error(f"must hold a time and a signal; there is {listed(there)}")
        self._time = there[0] if request.time.name is None else request.time.name
        if there.count(self._time) != 1:
            raise request.error(f"must have one column {self._time!r} for the time; there is {listed(there)}")
        self._wanted = request.choose([name for name in there if name != self._time])
        self.names = [self._time, *self._wanted]
        self._places = sorted(there.index(name) for name in self.names)
        self._schema = schema
        for name in self._wanted:
            self._check(name, schema.field(there.index(name)).type)
        self._shift_ns = 0
        self._unit_s, self._unix = self._clock(schema.field(there.index(self._time)).type)

    def options(self) -> Any:
        """By which a reader of Arrow takes no others."""
        import pyarrow as pa

        return pa.ipc.IpcReadOptions(included_fields=self._places)

    def gather(self, batches: Iterator[Any], form: str, notes: list[str]) -> Raw:
        """The rows of all batches."""
        values: dict[str, list[Floats]] = {name: [] for name in self._wanted}
        times: list[Any] = []
        there: list[Mask] = []
        for batch in batches:
            batch.validate(full=True)  # what is damaged may point anywhere
            number, known = self._numbers(batch.column(batch.schema.get_field_index(self._time)))
            times.append(number)
            there.append(known)
            for name, gathered in values.items():
                gathered.append(floats(batch.column(batch.schema.get_field_index(name))))
        channels = {
            name: Channel(np.concatenate(gathered) if gathered else np.empty(0), self._unit(name))
            for name, gathered in values.items()
        }
        number = np.concatenate(times) if times else np.empty(0)
        known = np.concatenate(there) if there else np.empty(0, np.bool_)
        raw = dated(form, number, known, self._unit_s, channels, unix=self._unix)
        return Raw(raw.form, raw.times, raw.channels, notes + raw.notes)

    def _check(self, name: str, kind: Any) -> None:
        import pyarrow as pa

        types = pa.types
        if not (types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind)):
            raise self._request.error(f"column {name!r}: must hold numbers, and holds {kind}")

    def _clock(self, kind: Any) -> tuple[float, bool]:
        """Unit of the time's numbers, s, and whether they count from 1970; of text they become ns."""
        import pyarrow as pa

        asked, types = self._request.time, pa.types
        if types.is_timestamp(kind) or types.is_string(kind) or types.is_large_string(kind):
            zoned = types.is_timestamp(kind) and kind.tz is not None
            if types.is_timestamp(kind) and not zoned and asked.zone is None:
                raise self._request.error(f"column {self._time!r}: its timestamps carry no zone; say the zone of all")
            if zoned and asked.zone is not None:
                raise self._request.error(f"column {self._time!r}: its timestamps carry a zone; say none")
            self._shift_ns = self._ahead_ns()
            return UNITS[kind.unit] if types.is_timestamp(kind) else 1e-9, True
        if not (types.is_integer(kind) or types.is_floating(kind)):
            raise self._request.error(f"column {self._time!r}: must hold times, and holds {kind}")
        unit = asked.unit or unit_of(self._time)
        if unit not in UNITS:
            raise self._request.error(
                f"column {self._time!r}: the time is in numbers; say whether in {', '.join(UNITS)}, or let its name end so"
            )
        return UNITS[unit], asked.unix

    def _ahead_ns(self) -> int:
        """By how much the zone that is said for all is ahead of UTC."""
        zone = self._request.time.zone
        if zone is None:
            return 0
        try:
            return round(zone_of(zone).utcoffset(None).total_seconds()) * 1_000_000_000
        except ValueError as error:
            raise self._request.error(f"time: {error}") from None

    def _numbers(self, column: Any) -> tuple[Any, Mask]:
        """Times of a batch, and where there are some."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            read = timestamps(pc.cast(column, pa.string()), zoned=self._request.time.zone is None)
            if isinstance(read, Cells):
                raise self._request.error(
                    f"column {self._time!r}: must hold ISO 8601 timestamps with a zone, and holds {read.text!r}"
                )
            return read[0] - self._shift_ns, read[1]
        if pa.types.is_floating(kind):
            number = floats(column)
            return number, np.isfinite(number)
        return wholes(column) - round(self._shift_ns * 1e-9 / self._unit_s), present(column)

    def _unit(self, name: str) -> str:
        metadata = self._schema.field(self._schema.get_field_index(name)).metadata or {}
        return str(metadata.get(b"unit", b"").decode("utf-8", "replace"))
