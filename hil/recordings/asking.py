"""What a caller says of a file: which columns are which signals, where the time stands, how its text is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hil.errors import RecordingError

Kind = Literal["rms", "waveform"]
Side = Literal["primary", "secondary", "recorded"]

_MOST_NAMED = 20


@dataclass(frozen=True)
class Column:
    """Which column of a file a signal is, and how its numbers become SI: `number * scale + offset`.

    name: as the file has it; of COMTRADE the channel's name, or `A1`, `D1` by its place. unit: in which its numbers are,
    such as `kW`, in place of scale; left out too, it is the unit that the file gives, or SI. kind: whether the numbers are
    effective values (`rms`) or instantaneous ones (`waveform`), which no file says.
    """

    name: str
    scale: float | None = None
    offset: float = 0.0
    unit: str | None = None
    kind: Kind | None = None


@dataclass(frozen=True)
class TimeColumn:
    """Which column holds the time, and how.

    name: None is the first. unit: `s`, `ms`, `us`, `ns`, or `iso` for ISO 8601; None is that in which its name ends, such as
    `time_ms` or `t [s]`, or ISO 8601 where it looks so. zone: `Z`, `+02:00` and the like, for timestamps that carry none.
    unix: numbers count from 1970-01-01 UTC, so that the recording has a start.
    """

    name: str | None = None
    unit: Literal["s", "ms", "us", "ns", "iso"] | None = None
    zone: str | None = None
    unix: bool = False


@dataclass(frozen=True)
class Text:
    """How a text file is written. delimiter: None is what its header has: comma, semicolon or tab. decimal: `.` or `,`."""

    delimiter: str | None = None
    decimal: str = "."
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Request:
    """What a reader is asked for. wanted: names of columns in the file; None: all of them."""

    path: Path
    wanted: Sequence[str] | None
    time: TimeColumn
    text: Text
    side: Side
    stream: str

    def error(self, problem: str) -> RecordingError:
        """What is wrong with the file."""
        return RecordingError(self.path, problem)

    def choose(self, there: Sequence[str], also: Mapping[str, str] | None = None) -> list[str]:
        """Names of the columns wanted, of those there are, each once. also: other names of some. Raises RecordingError."""
        if self.wanted is None:
            self._unlike(there, there)
            return list(there)
        known = dict(also or {}) | {name: name for name in there}
        for name in self.wanted:
            if name not in known:
                raise self.error(f"no column {name!r}; there is {listed(there)}")
        self._unlike(self.wanted, there)
        return list(dict.fromkeys(known[name] for name in self.wanted))

    def _unlike(self, names: Sequence[str], there: Sequence[str]) -> None:
        count = Counter(there)
        for name in names:
            if count[name] > 1:
                raise self.error(f"{count[name]} columns are named {name!r}; it must be one")


def listed(names: Sequence[str]) -> str:
    """Names in a line, the first of many."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (", ".join(names[:_MOST_NAMED]) or "none") + more
