"""Rows of a CSV file, read as they are needed; whatever is wrong is told in one line with its place."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from hil.errors import ScenarioError

Row = tuple[int, list[str]]

_BLOCK_LINES = 4096


def problem(source: str, path: Path, what: str, line: int | None = None) -> ScenarioError:
    """The error of a load's file."""
    where = "" if line is None else f"line {line}: "
    return ScenarioError(source, "load.trace", f" = {str(path)!r}: {where}{what}")


class Rows:
    """Line number and the named columns of each row, in order. Raises ScenarioError.

    A copy opens the file for itself and goes on where the original stands.
    """

    def __init__(self, path: Path, columns: tuple[str, ...], source: str) -> None:
        self._of = (path, columns, source)
        self._taken = 0
        self._open: Iterator[Row] | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Row:
        if self._open is None:
            self._open = itertools.islice(_read(*self._of), self._taken, None)
        row = next(self._open)
        self._taken += 1
        return row

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": None}


def lines_of(path: Path) -> Iterator[str]:
    """Lines of a text file, read a block at a time, so that no file stays open where a reader is left standing."""
    at = 0
    while True:
        with path.open(newline="", encoding="utf-8-sig") as file:
            file.seek(at)
            block = list(itertools.islice(iter(file.readline, ""), _BLOCK_LINES))
            at = file.tell()
        if not block:
            return
        yield from block


def header_of(path: Path, source: str) -> list[str]:
    """The names of the columns. Raises ScenarioError."""
    with told(path, source):
        return _header(csv.DictReader(lines_of(path), skipinitialspace=True))


def _header(reader: csv.DictReader[str]) -> list[str]:
    return [name.strip() for name in reader.fieldnames or []]


@contextmanager
def told(path: Path, source: str) -> Iterator[None]:
    """What reading raises, as the error of the file."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise problem(source, path, f"not UTF-8 text, at byte {error.start}") from None
    except csv.Error as error:
        raise problem(source, path, f"not CSV: {error}") from None
    except OSError as error:
        raise problem(source, path, f"cannot be read: {error.strerror or error}") from None


def _read(path: Path, columns: tuple[str, ...], source: str) -> Iterator[Row]:
    with told(path, source):
        reader = csv.DictReader(lines_of(path), skipinitialspace=True)
        header = reader.fieldnames = _header(reader)
        for column in columns:
            if column not in header:
                raise problem(source, path, f"no column {column!r}; it has: {', '.join(header) or 'none'}")
        for row in reader:
            yield reader.line_num, [row[column] or "" for column in columns]
