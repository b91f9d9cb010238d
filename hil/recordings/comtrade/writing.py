"""A recording as COMTRADE of 2013: .cfg and .dat, or one .cff."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hil.errors import RecordingError
from hil.recordings.comtrade.data import LARGEST_NEGATIVE, row_type
from hil.recordings.comtrade.stamps import code
from hil.recordings.raw import Floats
from hil.recordings.recording import Recording

Form = Literal["FLOAT32", "BINARY32", "ASCII"]

_MOST_STAMP = 0xFFFFFFFE
_MOST_SAMPLES = 9_999_999_999
_MOST_32 = 0x7FFFFFFF
_MISSING_32 = -0x80000000
_LONGEST_NUMBER = 13  # characters of a value in ASCII
_LONGEST_NAME = 64
_LONGEST_UNIT = 32
_ROWS = 1 << 16


def write(
    path: str | Path,
    recording: Recording,
    form: Form = "FLOAT32",
    *,
    station: str = "",
    device: str = "",
    line_hz: float | None = None,
) -> None:
    """Write a recording's signals to a .cfg with a .dat beside it, or to a .cff, as the suffix says; files there are replaced.

    Signals keep names, units, skew and zone; values are primary. FLOAT32 has 24 bits, BINARY32 the range of the signal in
    2^32 - 2 steps, ASCII as many digits as 13 characters hold. Samples that are missing or not finite are written as missing.
    Even times become a rate, others stamps in microseconds, or in as many of them as 32 bits need.

    Raises RecordingError where the format cannot hold it: rows that do not ascend, a name with a comma; OSError.
    """
    path = Path(path)
    single = path.suffix.lower() == ".cff"
    if not single and path.suffix.lower() != ".cfg":
        raise RecordingError(path, "a COMTRADE recording is written to .cfg, with a .dat beside it, or to .cff")
    if form not in ("FLOAT32", "BINARY32", "ASCII"):
        raise RecordingError(path, f"form: must be FLOAT32, BINARY32 or ASCII, and is {form!r}")
    export = _Export(path, recording, form)
    configuration = export.configuration(station, device, line_hz)
    if single:
        size = f" BINARY: {export.size}" if form != "ASCII" else " ASCII"
        empty = "--- file type: INF ---\r\n--- file type: HDR ---\r\n"
        head = f"--- file type: CFG ---\r\n{configuration}{empty}--- file type: DAT{size} ---\r\n"
        _save(path, [head.encode(), *export.data()])
        return
    _save(path.with_suffix(".DAT" if path.suffix.isupper() else ".dat"), export.data())
    _save(path, [configuration.encode()])


def _save(path: Path, pieces: Any) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)


class _Export:
    """What of a recording stands in its files."""

    def __init__(self, path: Path, recording: Recording, form: Form) -> None:
        self._path, self._recording, self._form = path, recording, form
        time_s = recording.time_s
        if not recording.ordered.all() or time_s.size > _MOST_SAMPLES:
            raise RecordingError(path, "samples must come in order of time to be written")
        self._analog = [name for name, signal in recording.about.items() if not signal.digital]
        self._status = [name for name, signal in recording.about.items() if signal.digital]
        if not recording.signals:
            raise RecordingError(path, "no signals to be written")
        self._factors = {name: self._factor(name) for name in self._analog}
        micros = time_s * 1e6
        self._multiplier = max(1, int(np.ceil(micros[-1] / _MOST_STAMP)))
        self._stamps = np.rint(micros / self._multiplier).astype(np.uint32)
        if not recording.is_uniform and (np.diff(self._stamps.astype(np.int64)) <= 0).any():
            raise RecordingError(path, f"samples closer together than stamps of {self._multiplier} us can tell")
        self.size = time_s.size * row_type("FLOAT32", len(self._analog), len(self._status)).itemsize

    def configuration(self, station: str, device: str, line_hz: float | None) -> str:
        """The text of the .cfg file."""
        recording = self._recording
        count = recording.time_s.size
        lines = [
            f"{self._word(station, _LONGEST_NAME)},{self._word(device, _LONGEST_NAME)},2013",
            f"{len(self._analog) + len(self._status)},{len(self._analog)}A,{len(self._status)}D",
            *(self._analog_line(place + 1, name) for place, name in enumerate(self._analog)),
            *(f"{place + 1},{self._word(name, _LONGEST_NAME)},,,0" for place, name in enumerate(self._status)),
            "" if line_hz is None else repr(float(line_hz)),
            *(["1", f"{float(recording.rate_hz)!r},{count}"] if recording.is_uniform else ["0", f"0,{count}"]),
            *[self._moment()] * 2,
            self._form,
            str(self._multiplier),
        ]
        try:
            zone = code(recording.start)
        except ValueError as error:
            raise RecordingError(self._path, str(error)) from None
        return "\r\n".join([*lines, f"{zone},{zone}", "0,3", ""])

    def data(self) -> Iterator[bytes]:
        """The bytes of the data, some thousand samples at a time."""
        for first in range(0, self._recording.time_s.size, _ROWS):
            part = slice(first, first + _ROWS)
            yield self._text(part, first) if self._form == "ASCII" else self._bytes(part, first)

    def _factor(self, name: str) -> float:
        """The channel's a: a step of BINARY32, else 1."""
        values = self._values(name)
        most = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
        if self._form != "BINARY32":
            if most > -LARGEST_NEGATIVE or (self._form == "FLOAT32" and (values == LARGEST_NEGATIVE).any()):
                raise RecordingError(self._path, f"{name}: values up to {most:g} are beyond those of the format")
            return 1.0
        return max(most / _MOST_32, float(np.finfo(np.float64).tiny)) if most else 1.0

    def _values(self, name: str) -> Floats:
        return self._recording.signals[name]

    def _analog_line(self, place: int, name: str) -> str:
        signal = self._recording.about[name]
        least, most = {"FLOAT32": ("-3.4028235E38", "3.4028235E38"), "ASCII": ("-99999", "99999")}.get(
            self._form, (str(-_MOST_32), str(_MOST_32))
        )
        unit = self._word(signal.unit, _LONGEST_UNIT) or "none"
        skew = repr(signal.skew_s * 1e6)
        return f"{place},{self._word(name, _LONGEST_NAME)},,,{unit},{self._factors[name]!r},0,{skew},{least},{most},1,1,P"

    def _word(self, text: str, longest: int) -> str:
        if "," in text or len(text) > longest or not text.isprintable() or text != text.strip():
            raise RecordingError(self._path, f"{text!r}: must have no comma and at most {longest} characters to be written")
        return text

    def _moment(self) -> str:
        start = self._recording.start
        return "," if start is None else f"{start.day:02d}/{start.month:02d}/{start.year:04d},{start:%H:%M:%S.%f}"

    def _bytes(self, part: slice, first: int) -> bytes:
        count = self._stamps[part].size
        rows = np.zeros(count, row_type(self._form, len(self._analog), len(self._status)))
        rows["number"] = np.arange(first + 1, first + count + 1)
        rows["stamp"] = self._stamps[part]
        for place, name in enumerate(self._analog):
            values = self._values(name)[part]
            there = np.isfinite(values)
            if self._form == "FLOAT32":
                rows["analog"][:, place] = np.where(there, values, LARGEST_NEGATIVE)
            else:
                steps = np.rint(np.where(there, values, 0.0) / self._factors[name])
                rows["analog"][:, place] = np.where(there, steps, _MISSING_32)
        for place, name in enumerate(self._status):
            rows["status"][:, place // 16] |= (self._values(name)[part] == 1).astype(np.uint16) << np.uint16(place % 16)
        return rows.tobytes()

    def _text(self, part: slice, first: int) -> bytes:
        columns = [[_written(value) for value in self._values(name)[part].tolist()] for name in self._analog]
        columns += [["1" if value == 1 else "0" for value in self._values(name)[part].tolist()] for name in self._status]
        rows = zip(range(first + 1, first + 1 + _ROWS), self._stamps[part].tolist(), *columns, strict=False)
        return "".join(",".join(map(str, row)) + "\r\n" for row in rows).encode()


def _written(value: float) -> str:
    """A number in the most digits that 13 characters hold; nothing for one that is missing."""
    if not math.isfinite(value):
        return ""
    text = repr(value).removesuffix(".0")
    digits = _LONGEST_NUMBER - 1
    while len(text) > _LONGEST_NUMBER:
        text = f"{value:.{digits}g}"
        digits -= max(1, len(text) - _LONGEST_NUMBER)
    return text
