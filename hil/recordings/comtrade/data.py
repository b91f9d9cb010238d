"""The data of a COMTRADE recording: sample numbers, stamps, and the numbers of the channels that are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.errors import RecordingError
from hil.recordings.comtrade.configuration import Analog, Configuration
from hil.recordings.comtrade.files import Located
from hil.recordings.raw import Floats
from hil.recordings.text import Cells, blocks, numbers

NO_STAMP = 0xFFFFFFFF
"""A stamp that is missing, in binary data."""
LARGEST_NEGATIVE = float(np.finfo(np.float32).min)
"""A value that is missing, in FLOAT32."""
_MISSING = {"BINARY": -0x8000, "BINARY32": -0x80000000}
_MISSING_1991 = -1  # all bits set
_MISSING_ASCII = 99999.0
_CODES = {"BINARY": "<i2", "BINARY32": "<i4", "FLOAT32": "<f4"}
_CHUNK_BYTES = 1 << 23
_PADDING = b"\x1a\r\n\t \x00"


@dataclass(frozen=True)
class Samples:
    """Sample numbers, stamps, NaN where one is missing, and channels: numbers as stored, NaN where missing; shape (n,) each.

    analog, status: by place from 0.
    """

    number: Floats
    stamp: Floats
    analog: dict[int, Floats]
    status: dict[int, Floats]


def row_type(form: str, analog: int, status: int) -> np.dtype[Any]:
    """A sample of a binary form: number, stamp, analog values, status bits in words of 16, the first in the lowest bit."""
    fields: list[Any] = [("number", "<u4"), ("stamp", "<u4")]
    fields += [("analog", _CODES[form], (analog,))] * (analog > 0) + [("status", "<u2", (-(-status // 16),))] * (status > 0)
    return np.dtype(fields)


def samples(located: Located, analog: Sequence[int], status: Sequence[int]) -> Samples:
    """The samples of some channels. Raises RecordingError, OSError."""
    configuration = located.configuration
    binary = configuration.form != "ASCII"
    pieces = list((_binary if binary else _ascii)(located, analog, status))
    number = _joined([piece.number for piece in pieces])
    if number.size != configuration.count:
        raise RecordingError(
            located.path,
            f"holds {number.size:,} samples, and the configuration says {configuration.count:,}"
            + ("; cut short" if number.size < configuration.count else ""),
        )
    return Samples(
        number,
        _joined([piece.stamp for piece in pieces]),
        {place: _joined([piece.analog[place] for piece in pieces]) for place in analog},
        {place: _joined([piece.status[place] for piece in pieces]) for place in status},
    )


def _joined(pieces: list[Floats]) -> Floats:
    return np.concatenate(pieces) if pieces else np.empty(0)


def _binary(located: Located, analog: Sequence[int], status: Sequence[int]) -> Iterator[Samples]:
    configuration = located.configuration
    kind = row_type(configuration.form, len(configuration.analog), len(configuration.status))
    count, rest = divmod(located.end - located.start, kind.itemsize)
    with located.path.open("rb") as file:
        if rest:
            file.seek(located.end - rest)
            if rest >= kind.itemsize or file.read(rest).strip(_PADDING):
                raise RecordingError(
                    located.path,
                    f"{located.end - located.start:,} bytes are no whole number of samples of {kind.itemsize:,}: cut short, "
                    f"or not {configuration.form}",
                )
        file.seek(located.start)
        while count > 0:
            rows = min(count, max(1, _CHUNK_BYTES // kind.itemsize))
            data = file.read(rows * kind.itemsize)
            if len(data) < rows * kind.itemsize:
                raise RecordingError(located.path, "was cut while it was read")
            yield _decoded(configuration, np.frombuffer(data, kind), analog, status)
            count -= rows


def _decoded(configuration: Configuration, rows: Any, analog: Sequence[int], status: Sequence[int]) -> Samples:
    stamp = rows["stamp"].astype(np.float64)
    stamp[rows["stamp"] == NO_STAMP] = np.nan
    values = {place: _present(configuration, rows["analog"][:, place]) for place in analog}
    bits = {place: (rows["status"][:, place // 16] >> (place % 16) & 1).astype(np.float64) for place in status}
    return Samples(rows["number"].astype(np.float64), stamp, values, bits)


def _present(configuration: Configuration, stored: Any) -> Floats:
    """Numbers as float64, NaN where the value means that there is none."""
    with np.errstate(all="ignore"):  # a signalling NaN
        values: Floats = stored.astype(np.float64)
    if configuration.form == "FLOAT32":
        values[values <= LARGEST_NEGATIVE] = np.nan
        return values
    values[stored == _MISSING[configuration.form]] = np.nan
    if configuration.revision == "1991":
        values[stored == _MISSING_1991] = np.nan
    return values


def _ascii(located: Located, analog: Sequence[int], status: Sequence[int]) -> Iterator[Samples]:
    configuration = located.configuration
    places = [0, 1, *(2 + place for place in analog), *(2 + len(configuration.analog) + place for place in status)]
    names = ["sample number", "time stamp", *(f"analog channel {place + 1}" for place in analog)]
    names += [f"status channel {place + 1}" for place in status]
    count = 2 + len(configuration.analog) + len(configuration.status)

    def complain(problem: str) -> RecordingError:
        return RecordingError(located.path, problem)

    if located.end == located.start:
        return
    with located.path.open("rb") as file:
        file.seek(located.start)
        for line, cells in blocks(file, count, places, complain, quotes=False, encoding="latin-1", first_line=located.line):
            columns = []
            for name, column in zip(names, cells, strict=True):
                read = numbers(column)
                if isinstance(read, Cells):
                    raise complain(f"line {line + read.first}: {name}: must be a number, and is {read.text!r}")
                columns.append(read)
            there = np.isfinite(columns[0])  # a blank line is no sample
            number, stamp, *values = [column[there] for column in columns]
            yield Samples(
                number,
                stamp,
                {place: _written(configuration, configuration.analog[place], values[k]) for k, place in enumerate(analog)},
                {place: values[len(analog) + k] for k, place in enumerate(status)},
            )


def _written(configuration: Configuration, channel: Analog, values: Floats) -> Floats:
    """NaN where 99999 is a missing value: always in 1999; in 2013, which leaves the field empty, where it is out of range."""
    beyond = channel.most is not None and channel.most < _MISSING_ASCII
    if configuration.revision in ("1999", "2001") or beyond:
        values[values == _MISSING_ASCII] = np.nan
    return values
