"""A recording from a file: the reader that its suffix names, and the signals that are asked of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from hil.errors import RecordingError
from hil.recordings.asking import Column, Request, Side, Text, TimeColumn
from hil.recordings.raw import Channel, Raw
from hil.recordings.recording import Recording, Signal, rate
from hil.recordings.units import to_si, wanted


def _csv(request: Request) -> Raw:
    from hil.recordings.csv_files import read_csv

    return read_csv(request)


def _parquet(request: Request) -> Raw:
    from hil.recordings.arrow_files import read_parquet

    return read_parquet(request)


def _arrow(request: Request) -> Raw:
    from hil.recordings.arrow_files import read_arrow

    return read_arrow(request)


def _run(request: Request) -> Raw:
    from hil.recordings.arrow_files import read_run

    return read_run(request)


def _comtrade(request: Request) -> Raw:
    from hil.recordings.comtrade.reading import read_comtrade

    return read_comtrade(request)


READERS: dict[str, Callable[[Request], Raw]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".txt": _csv,
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".feather": _arrow,
    ".cfg": _comtrade,
    ".dat": _comtrade,
    ".cff": _comtrade,
}
"""How a file is read, by its suffix in lower case; a folder is that of a run."""


def read(
    path: str | Path,
    columns: Mapping[str, Column | str] | None = None,
    *,
    time: TimeColumn | str | None = None,
    text: Text | None = None,
    side: Side = "primary",
    stream: str = "main",
) -> Recording:
    """Read a recording: a file of one of the READERS, or the folder of a run.

    columns: by signal the column that it is; columns that are not named are not read. None: every column, under its own
    name. time: the column of the time; None is the first, and what its name says. text: how a CSV file is written. side: of
    transformers, to which values of COMTRADE are brought; `recorded` leaves them. stream: of a run's record.

    Raises RecordingError, one line, for whatever cannot be read as asked, and nothing else.
    """
    path = Path(path)
    asked = None if columns is None else {name: _column(path, name, column) for name, column in columns.items()}
    request = Request(
        path,
        None if asked is None else list(dict.fromkeys(column.name for column in asked.values())),
        time if isinstance(time, TimeColumn) else TimeColumn(time),
        text or Text(),
        side,
        stream,
    )
    try:
        raw = _reader(path)(request)
    except OSError as error:
        raise RecordingError(error.filename or path, error.strerror or str(error) or "cannot be read") from None
    except MemoryError:
        raise RecordingError(path, "does not fit into memory; name the columns that are wanted") from None
    if raw.times.time_s.size == 0:
        raise RecordingError(path, "no samples in it")
    if not np.isfinite(raw.times.time_s).all():
        raise RecordingError(path, "its times are beyond all bounds")
    return _recording(path, raw, asked)


def _column(path: Path, signal: str, column: Column | str) -> Column:
    column = Column(column) if isinstance(column, str) else column
    if column.kind not in (None, "rms", "waveform"):
        raise RecordingError(path, f"{signal}: kind: must be rms or waveform, and is {column.kind!r}")
    if column.scale is not None and column.unit is not None:
        raise RecordingError(path, f"{signal}: has a scale and a unit; give one of them")
    if (
        not (math.isfinite(1.0 if column.scale is None else column.scale) and math.isfinite(column.offset))
        or column.scale == 0
    ):
        raise RecordingError(path, f"{signal}: scale and offset must be finite, and the scale not 0")
    return column


def _reader(path: Path) -> Callable[[Request], Raw]:
    if path.is_dir():
        return _run
    if not path.exists():
        raise RecordingError(path, "no such file")
    if not path.is_file():
        raise RecordingError(path, "not a file")
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise RecordingError(path, f"its suffix must be {', '.join(READERS)}; or it is the folder of a run")
    return reader


def _recording(path: Path, raw: Raw, asked: Mapping[str, Column] | None) -> Recording:
    times, notes = raw.times, list(raw.notes)
    ordered_s = times.time_s[times.ordered]
    rate_hz, even = rate(ordered_s)
    late = np.flatnonzero(~times.ordered)
    if late.size:
        notes.append(
            f"{late.size} of {times.time_s.size} samples are not later than those before: the first is number {late[0] + 1}, "
            f"at {times.time_s[late[0]]:g} s"
        )
    columns = {name: Column(name) for name in raw.channels} if asked is None else asked
    signals, valid, about = {}, {}, {}
    for name, column in columns.items():
        channel = raw.channels[column.name]
        try:
            scale, unit = _scale(name, column, channel, mapped=asked is not None)
        except ValueError as error:
            raise RecordingError(path, f"column {column.name!r} for {name}: {error}") from None
        with np.errstate(all="ignore"):
            values = channel.values if scale == 1 and column.offset == 0 else channel.values * scale + column.offset
        there = np.isfinite(values)
        missing = values.size - int(np.count_nonzero(there))
        if missing:
            notes.append(f"{name}: {missing} of {values.size} samples are missing or not finite")
        valid[name] = there & times.ordered
        own_hz = rate_hz if valid[name].all() else rate(times.time_s[valid[name]])[0]
        step = None if channel.step is None else abs(channel.step * scale)
        signals[name] = values
        about[name] = Signal(column.name, unit, column.kind, own_hz, step, channel.skew_s, channel.digital)
    return Recording(
        path=path,
        form=raw.form,
        time_s=times.time_s,
        first_s=times.first_s,
        start=times.start,
        ordered=times.ordered,
        signals=signals,
        valid=valid,
        about=about,
        rate_hz=rate_hz,
        is_uniform=even and not late.size,
        notes=tuple(notes),
    )


def _scale(signal: str, column: Column, channel: Channel, *, mapped: bool) -> tuple[float, str]:
    """What a column's numbers are multiplied by, and the unit then. Raises ValueError."""
    unit = wanted(signal) if mapped or not channel.unit.strip() else ""
    if column.scale is not None:
        return column.scale, unit
    return to_si(channel.unit if column.unit is None else column.unit, unit)
