"""Rows of a CSV file, read as they are needed; whatever is wrong is told in one line with its place."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from hil.errors import ScenarioError


def problem(source: str, path: Path, what: str, line: int | None = None) -> ScenarioError:
    """The error of a load's file."""
    where = "" if line is None else f"line {line}: "
    return ScenarioError(source, "load.trace", f" = {str(path)!r}: {where}{what}")


def rows(path: Path, columns: tuple[str, ...], source: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and the named columns of each row. Raises ScenarioError."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header = list(reader.fieldnames or [])
            for column in columns:
                if column not in header:
                    raise problem(source, path, f"no column {column!r}; it has: {', '.join(header) or 'none'}")
            for row in reader:
                yield reader.line_num, [row[column] or "" for column in columns]
    except UnicodeDecodeError as error:
        raise problem(source, path, f"not UTF-8 text, at byte {error.start}") from None
    except csv.Error as error:
        raise problem(source, path, f"not CSV: {error}") from None
    except OSError as error:
        raise problem(source, path, f"cannot be read: {error.strerror or error}") from None
