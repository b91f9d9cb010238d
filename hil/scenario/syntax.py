"""What a line that is no TOML was probably meant to say."""

from __future__ import annotations

import re
from collections.abc import Iterable

_DIGITS = r"[-+]?[0-9][0-9_]*"
_BEFORE = r"[=\[,]\s*"
_QUANTITY = re.compile(
    rf"{_BEFORE}({_DIGITS}(?:[.,][0-9]+)?(?:[eE][-+]?[0-9]+)?)[ \t]*([A-Za-z°µ%][\w°µ/%]*)(?![\w.-]|[ \t]*[=.])"
)
_COMMA = re.compile(rf"{_BEFORE}({_DIGITS}),([0-9]+)")
_FLAG = re.compile(rf"{_BEFORE}(true|false)(?![\w.-])", re.IGNORECASE)
_TABLE = re.compile(r"\s*\[{1,2}\s*([A-Za-z0-9_-]+)\s*\]")
_PLACE = re.compile(r"\(at line ([0-9]+), column ([0-9]+)\)$")


def hint(text: str, problem: str, lists: Iterable[str]) -> str:
    """What to write instead, with a semicolon before it; nothing where that cannot be told.

    text: the document. problem: what tomllib says of it, with the place. lists: keys that hold a list of tables.
    """
    place = _PLACE.search(problem)
    if place is None:  # at the end of the document
        return ""
    line = text.split("\n")[int(place[1]) - 1]
    column = int(place[2]) - 1
    table = _TABLE.match(line)
    if table:
        return f"; {each_entry(table[1])}" if table[1] in lists else ""
    if quantity := _at(_QUANTITY, line, column):
        number = quantity[1].replace(",", ".")
        if quantity[2] == "%":
            return "; a share is a number between 0 and 1, not in %"
        return f'; a quantity is a text: "{number} {quantity[2]}"'
    if comma := _at(_COMMA, line, column):
        return f"; a number has a decimal point: {comma[1]}.{comma[2]}"
    if _at(_FLAG, line, column):
        return "; true and false are written small"
    return ""


def each_entry(key: str) -> str:
    """How the entries of a list of tables are written."""
    return f"each entry begins with [[{key}]]"


def _at(pattern: re.Pattern[str], line: str, column: int) -> re.Match[str] | None:
    """The match that reaches to a column, where tomllib gave up: within what it could not read, or just after."""
    return next((match for match in pattern.finditer(line) if match.start(1) <= column <= match.end()), None)
