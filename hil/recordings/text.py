"""Columns of numbers and timestamps in text, block by block, so that those which are not asked for take no memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

from hil.recordings.arrays import floats, present, wholes, words
from hil.recordings.raw import Floats

Complaint = Callable[[str], Exception]

_BLOCK_BYTES = 1 << 22
_MISSING = ("", "nan", "na", "n/a", "null", "none", "-")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?inf(inity)?", re.IGNORECASE)
_COUNTS = re.compile(r"Row #([0-9]+): Expected ([0-9]+) columns, got ([0-9]+)")
_BLANK = "\x1a\r\n\t "


class Cells:
    """Cells of a column of a block that do not read as they should.

    first: row of the first, from 0. text: what stands there.
    """

    def __init__(self, first: int, text: str) -> None:
        self.first, self.text = first, text


def blocks(
    file: BinaryIO,
    count: int,
    wanted: Sequence[int],
    complain: Complaint,
    *,
    delimiter: str = ",",
    quotes: bool = True,
    encoding: str = "utf-8",
    first_line: int = 1,
) -> Iterator[tuple[int, list[Any]]]:
    """Cells of some of the `count` columns of a file from where it stands, block by block, and the line that each begins in.

    A column is a `pyarrow.StringArray`. Blank lines are rows of empty cells, a lone end-of-file sign is none. Raises what
    `complain` makes of a line of words.
    """
    import pyarrow as pa
    from pyarrow import csv

    names = [str(place) for place in range(count)]
    taken = [names[place] for place in dict.fromkeys(wanted)]
    try:
        reader = csv.open_csv(
            _Utf8(file, encoding, first_line),
            read_options=csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, column_names=names),
            parse_options=csv.ParseOptions(
                delimiter=delimiter,
                quote_char='"' if quotes else False,
                ignore_empty_lines=False,
                invalid_row_handler=lambda row: "error" if row.text.strip(_BLANK) else "skip",
            ),
            convert_options=csv.ConvertOptions(include_columns=taken, column_types=dict.fromkeys(taken, pa.string())),
        )
        line = first_line
        for batch in reader:
            columns = dict(zip(taken, batch.columns, strict=True))
            yield line, [columns[names[place]] for place in wanted]
            line += batch.num_rows
    except (pa.ArrowException, UnicodeError, ValueError, LookupError) as error:
        raise complain(_words(error, first_line, encoding)) from None


def numbers(cells: Any, *, decimal: str = ".") -> Floats | Cells:
    """Cells as float64, NaN where a number is missing: empty, or a word for that; or the first that is no number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim(cells, _BLANK)
    if decimal != ".":
        pointed = np.flatnonzero(floats(pc.match_substring(trimmed, ".")) == 1)
        if pointed.size:  # perhaps it parts thousands
            return Cells(int(pointed[0]), str(cells[int(pointed[0])].as_py()))
        trimmed = pc.replace_substring(trimmed, decimal, ".")
    empty, missing = words("", "nan")
    filled = pc.if_else(pc.equal(trimmed, empty), missing, trimmed)
    try:
        parsed = pc.cast(filled, pa.float64())
    except pa.ArrowInvalid:
        read = filled.to_pylist()
        first = next((row for row, word in enumerate(read) if not _is_number(word)), None)
        if first is not None:
            return Cells(first, str(cells[first].as_py()))
        return np.array([float("nan") if word.lower() in _MISSING else float(word) for word in read])
    return floats(parsed)


def timestamps(cells: Any, *, zoned: bool) -> Any:
    """Cells as int64 nanoseconds since 1970 UTC and where there are some, or the first that is no ISO 8601 timestamp.

    zoned: each carries its zone; otherwise none does, and they count as UTC.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pa.timestamp("ns", "UTC" if zoned else None)
    trimmed = pc.utf8_trim(cells, _BLANK)
    gone = pc.is_in(pc.utf8_lower(trimmed), value_set=words(*_MISSING))
    filled = pc.if_else(gone, pa.nulls(1, pa.string())[0], trimmed)
    try:
        parsed = pc.cast(filled, kind)
    except pa.ArrowInvalid:
        for row, word in enumerate(filled.to_pylist()):
            try:
                pc.cast(pa.array([word], pa.string()), kind)
            except pa.ArrowInvalid:
                return Cells(row, word)
        raise
    return wholes(parsed), present(parsed)


def looks_like_number(word: str) -> bool:
    """Whether a cell holds a number, with a decimal point or comma."""
    return _NUMBER.fullmatch(word.strip(_BLANK).replace(",", ".")) is not None


def _is_number(word: str) -> bool:
    return word.lower() in _MISSING or _NUMBER.fullmatch(word) is not None


def _words(error: Exception, first_line: int, encoding: str) -> str:
    """What is wrong, of an error of the reader."""
    said = (str(error) or type(error).__name__).splitlines()[0]
    if match := _COUNTS.search(said):
        return f"line {int(match[1]) + first_line - 1}: has {match[3]} cell{'s' * (match[3] != '1')}; must have {match[2]}"
    if "Empty CSV file" in said:
        return "no samples in it"
    if isinstance(error, LookupError):
        return f"encoding {encoding!r}: no such encoding"
    return said


class _Utf8:
    """A file as UTF-8, whatever it is in. Raises ValueError naming the line of what is no text in it."""

    def __init__(self, file: BinaryIO, encoding: str, first_line: int) -> None:
        self._file, self._encoding, self._line = file, encoding, first_line
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """So many bytes of the file, fewer at its end."""
        while True:
            data = self._file.read(size)
            try:
                text = self._decoder.decode(data, final=not data)
            except UnicodeError as error:
                before = data[: getattr(error, "start", 0)].count(b"\n")
                raise ValueError(f"line {self._line + before}: not text in {self._encoding}; say its encoding") from None
            self._line += text.count("\n")
            if text or not data:
                return text.encode("utf-8", "replace")

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It need not be."""
        return False

    def close(self) -> None:
        """The file is closed by who opened it."""
        self.closed = True
