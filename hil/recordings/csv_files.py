"""CSV: a line of names, then a row a line."""

from __future__ import annotations

import csv
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import Any, BinaryIO

import numpy as np

from hil.recordings.arrays import wholes, words
from hil.recordings.asking import Request, TimeColumn, listed
from hil.recordings.raw import Channel, Raw, dated
from hil.recordings.text import Cells, blocks, looks_like_number, numbers, timestamps
from hil.recordings.times import UNITS, unit_of, zone_of

_MOST_HEADER = 1 << 24
_DELIMITERS = (",", ";", "\t")


def read_csv(request: Request) -> Raw:
    """Columns of a CSV file. Raises RecordingError, OSError."""
    with request.path.open("rb") as file:
        names, delimiter = _header(request, file)
        time_name = names[0] if request.time.name is None else request.time.name
        _one(request, names, time_name)
        wanted = request.choose([name for name in names if name not in ("", time_name)])
        return _columns(request, file, names, delimiter, time_name, wanted)


def _one(request: Request, names: list[str], time_name: str) -> None:
    if names.count(time_name) != 1:
        count = names.count(time_name)
        raise request.error(
            f"{count} columns are named {time_name!r}, which is the time's; it must be one"
            if count
            else f"no column {time_name!r} for the time; there is {listed(names)}"
        )


def _header(request: Request, file: BinaryIO) -> tuple[list[str], str]:
    """Names of the columns, and what stands between them; the file then stands at the first row."""
    encoding = request.text.encoding
    line = file.readline(_MOST_HEADER)
    if line.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise request.error("is UTF-16, of which CSV files are not read; write it as UTF-8")
    line = line.removeprefix(BOM_UTF8)
    try:
        text = line.decode(encoding).rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise request.error(f"line 1: not text in {encoding}, at byte {error.start}; say its encoding") from None
    except LookupError:
        raise request.error(f"encoding {encoding!r}: no such encoding") from None
    if not text.strip():
        raise request.error("empty" if not line else "line 1: must hold the names of the columns")
    if request.text.decimal not in (".", ",") or len(request.text.delimiter or ",") != 1:
        raise request.error("text: the decimal sign must be . or , and the delimiter one character")
    delimiter = request.text.delimiter or max(_DELIMITERS, key=text.count)
    if delimiter == request.text.decimal or not delimiter.isascii() or delimiter in '"\r\n':
        raise request.error(f"text: the delimiter {delimiter!r} must be another sign, and not that of the decimals")
    try:
        (names,) = csv.reader([text], delimiter=delimiter)
    except (csv.Error, ValueError):
        raise request.error("line 1: no names of columns") from None
    if len(names) < 2:
        raise request.error(
            f"line 1: one column only; there must be a time and a signal, with {' or '.join(map(repr, _DELIMITERS))} between"
        )
    if looks_like_number(names[-1]) and looks_like_number(names[0]):
        raise request.error("line 1: must hold the names of the columns, and holds numbers")
    return [name.strip() for name in names], delimiter


def _columns(request: Request, file: BinaryIO, names: list[str], delimiter: str, time_name: str, wanted: list[str]) -> Raw:
    places = [names.index(name) for name in (time_name, *wanted)]
    reading = _TimeReading(request, time_name)
    values: list[list[Any]] = [[] for _ in wanted]
    for line, cells in blocks(
        file,
        len(names),
        places,
        request.error,
        delimiter=delimiter,
        encoding=request.text.encoding,
        first_line=2,
    ):
        reading.take(cells[0], line)
        for name, column, gathered in zip(wanted, cells[1:], values, strict=True):
            read = numbers(column, decimal=request.text.decimal)
            if isinstance(read, Cells):
                hint = _sign(read, request.text.decimal)
                raise request.error(f"line {line + read.first}, column {name!r}: is {read.text!r}; must be a number{hint}")
            gathered.append(read)
    channels = {
        name: Channel(np.concatenate(gathered) if gathered else np.empty(0))
        for name, gathered in zip(wanted, values, strict=True)
    }
    return reading.dated(channels)


def _sign(cells: Cells, decimal: str) -> str:
    other = "," if decimal == "." else "."
    asked = cells.text.count(other) == 1 and looks_like_number(cells.text)
    return f"; its decimals are asked for with {decimal!r}, and not with {other!r}" if asked else ""


class _TimeReading:
    """Reads the cells of the time's column as it is asked for, or as its name and first cell say."""

    def __init__(self, request: Request, name: str) -> None:
        self._request, self._name = request, name
        self._asked: TimeColumn = request.time
        self._unit = self._asked.unit or unit_of(name)
        self._numbers: list[Any] = []
        self._there: list[Any] = []
        if self._unit not in (None, "iso", *UNITS):
            raise request.error(f"time: its unit must be {', '.join(UNITS)} or iso")
        try:
            self._zone = None if self._asked.zone is None else zone_of(self._asked.zone)
        except ValueError as error:
            raise request.error(f"time: {error}") from None

    def take(self, cells: Any, line: int) -> None:
        """Cells of a block that begins in a line."""
        if self._unit is None or (self._asked.unit is None and not self._numbers):
            self._unit = self._seen(cells)
        if self._unit == "iso":
            read = timestamps(cells, zoned=self._zone is None)
            if isinstance(read, Cells):
                raise self._wrong(line, read, self._iso_words())
            self._numbers.append(read[0])
            self._there.append(read[1])
            return
        read = _whole(cells) if self._unit in ("us", "ns") else None
        if read is None:
            read = numbers(cells, decimal=self._request.text.decimal)
        if isinstance(read, Cells):
            raise self._wrong(line, read, f"must be a number of {self._unit}")
        self._numbers.append(read)
        self._there.append(np.isfinite(read))

    def dated(self, channels: dict[str, Channel]) -> Raw:
        """The columns with these times."""
        if not self._numbers:
            return dated("csv", np.empty(0), np.empty(0, np.bool_), 1.0, channels, unix=False)
        number, there = np.concatenate(self._numbers), np.concatenate(self._there)
        if self._unit != "iso":
            return dated("csv", number, there, UNITS[self._unit or "s"], channels, unix=self._asked.unix)
        if self._zone is not None:
            number = number - round(self._zone.utcoffset(None).total_seconds()) * 1_000_000_000
        return dated("csv", number, there, 1e-9, channels, unix=True)

    def _seen(self, cells: Any) -> str:
        """The unit: that of the name for numbers, ISO 8601 for what looks like a date."""
        import pyarrow.compute as pc

        filled = cells.filter(pc.not_equal(pc.utf8_trim_whitespace(cells), words("")[0]))
        first = filled[0].as_py() if len(filled) else ""
        if not first:
            return self._unit or "s"
        if looks_like_number(first):
            if self._unit is None:
                raise self._request.error(
                    f"column {self._name!r}: the time is in numbers; say whether in {', '.join(UNITS)}, or let its name end so"
                )
            return self._unit
        return "iso"

    def _iso_words(self) -> str:
        if self._zone is None:
            return (
                "must be an ISO 8601 timestamp with its zone, such as 2026-11-29T12:00:00.5+01:00, or the zone of all be said"
            )
        return "must be an ISO 8601 timestamp without a zone, since one is said for all"

    def _wrong(self, line: int, cells: Cells, words: str) -> Exception:
        return self._request.error(f"line {line + cells.first}, column {self._name!r}: is {cells.text!r}; {words}")


def _whole(cells: Any) -> Any:
    """Cells as int64, exact, where all are whole numbers; None otherwise."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return wholes(pc.utf8_trim_whitespace(cells))
    except pa.ArrowInvalid:
        return None
