"""Samples of measured power from the files of those who measure: rows of one device or many, with times of many kinds.

What lies between samples, and how they become ticks, is trace.py's.
"""

from __future__ import annotations

import csv
import itertools
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from hil.errors import RecordingError, ScenarioError
from hil.loads.rows import header_of, lines_of, problem, told
from hil.loads.times import POWERS, TIMES, seconds, unit_of
from hil.scenario.load.trace import TraceLoad

_NVIDIA_TIME, _NVIDIA_DEVICES = "timestamp", ("index", "uuid", "gpu_uuid", "pci.bus_id")
_NVIDIA_POWERS = ("power.draw [W]", "power.draw.average [W]", "power.draw.instant [W]")

_NUMBER_AND_UNIT = re.compile(r"(\S+?)\s*([mkM]?W)")

Sample = tuple[int, float, float]
"""Line, time from the file's own zero, s, and power, W."""


class Samples:
    """Samples of a file, in order, each the sum over its columns and devices. Raises ScenarioError naming file and line.

    A copy opens the file for itself and goes on where the original stands.
    """

    def __init__(self, load: TraceLoad, source: str) -> None:
        self._load, self._source = load, source
        self._taken = 0
        self._open: Iterator[Sample] | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Sample:
        if self._open is None:
            self._open = itertools.islice(_Reading(self._load, self._source).samples(), self._taken, None)
        sample = next(self._open)
        self._taken += 1
        return sample

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": None}


class _Reading:
    """One pass through a file: its rows, and which of them belong together."""

    def __init__(self, load: TraceLoad, source: str) -> None:
        self._load, self._source = load, source
        self._began: tuple[int, float] | None = None  # line and time of the sample that rows are being summed for
        self._of_sample: dict[str, float] = {}  # its powers, by device
        self._known: frozenset[str] | None = None  # the devices of the first sample

    def samples(self) -> Iterator[Sample]:
        """All samples of the file."""
        rows = {"zeus": self._zeus, "dcgmi_dmon": self._dmon}.get(self._load.format, self._columns)()
        for line, when, device, cells in rows:
            self._check(line, when, cells)
            yield from self._sum(line, when, device, sum(cells))
        yield from self._rest()

    def _check(self, line: int, time_s: float, cells: list[float]) -> None:
        if not (math.isfinite(time_s) and all(map(math.isfinite, cells))):
            raise self._problem("time and power must be finite", line)

    def _problem(self, what: str, line: int | None = None) -> ScenarioError:
        return problem(self._source, self._load.trace, what, line)

    # --- Rows that make a sample together ---

    def _sum(self, line: int, time_s: float, device: str | None, power_w: float) -> Iterator[Sample]:
        """The sample that is complete with this row, or because this row begins another."""
        count = self._load.devices
        if device is None and count is None:
            yield line, time_s, power_w
            return
        key = str(len(self._of_sample) if self._began else 0) if device is None else device
        if self._began is not None and (device in self._of_sample if device is not None else len(self._of_sample) == count):
            yield from self._complete()
            key = key if device is not None else "0"
        if self._began is None:
            self._began, self._of_sample = (line, time_s), {}
        self._of_sample[key] = power_w

    def _complete(self) -> Iterator[Sample]:
        assert self._began is not None
        line, time_s = self._began
        there = frozenset(self._of_sample)
        if self._known is None:
            self._known = there
        if there != self._known:
            name = min(there ^ self._known)
            what = f"device {name} is {'new' if name in there else 'missing'} in the sample that begins here"
            raise self._problem(what, line)
        power_w, self._began = math.fsum(self._of_sample.values()), None
        yield line, time_s, power_w

    def _rest(self) -> Iterator[Sample]:
        """The last sample, unless the file ends within it."""
        if self._began is not None and (self._known is None or frozenset(self._of_sample) == self._known):
            yield from self._complete()

    # --- Rows of each format: line, time, device, powers in W ---

    def _columns(self) -> Iterator[tuple[int, float, str | None, list[float]]]:
        load = self._load
        parquet = load.trace.suffix.lower() == ".parquet"
        with _recording(load.trace, self._source):
            header = _parquet_header(load.trace) if parquet else header_of(load.trace, self._source)
        time, powers, device = self._names(header)
        units = [unit_of(name, POWERS) for name in powers]
        time_s = unit_of(time, TIMES)
        names = (time, *powers, *([device] if device is not None else []))
        dated: bool | None = None
        first = 0.0
        with _recording(load.trace, self._source):
            for line, cells in _parquet(load.trace, names) if parquet else _csv(load.trace, names, self._source):
                try:
                    when, is_date = seconds(cells[0])
                    values = [_watts(cell, unit) * load.scale for cell, unit in zip(cells[1:], units, strict=False)]
                except (TypeError, ValueError, OverflowError, AttributeError, KeyError):
                    raise self._problem("time and power must be numbers", line) from None
                if dated is None:
                    dated, first = is_date, when
                if is_date is not dated:
                    raise self._problem("times must all be numbers, or all dates", line)
                yield line, when - first if dated else when * time_s, None if device is None else str(cells[-1]), values

    def _names(self, header: list[str]) -> tuple[str, list[str], str | None]:
        """Columns of time, powers and device. Raises ScenarioError for one that is not there."""
        load = self._load
        if load.format == "nvidia_smi":
            device = next((name for name in _NVIDIA_DEVICES if name in header), None) if load.devices is None else None
            power = next((name for name in _NVIDIA_POWERS if name in header), _NVIDIA_POWERS[0])
            wanted = [_NVIDIA_TIME, power]
        else:
            device = load.device_column
            wanted = [load.time_column, *([load.power_column] if load.power_columns is None else load.power_columns)]
        found = []
        for name in [*wanted, *([device] if device is not None else [])]:
            pattern = re.compile(re.escape(name).replace(r"\*", ".*"))
            match = [name] if name in header else [one for one in header if "*" in name and pattern.fullmatch(one)]
            if not match:
                raise self._problem(f"no column {name!r}; it has: {', '.join(header) or 'none'}")
            found.append(match)
        powers = list(dict.fromkeys(itertools.chain.from_iterable(found[1 : len(wanted)])))
        return found[0][0], powers, device

    def _zeus(self) -> Iterator[tuple[int, float, str | None, list[float]]]:
        """No header; a time in seconds, then the watts of each GPU."""
        with told(self._load.trace, self._source):
            for line, cells in enumerate(csv.reader(lines_of(self._load.trace)), 1):
                if not cells:
                    continue
                try:
                    when, *powers = map(float, cells)
                except ValueError:
                    raise self._problem("time and power must be numbers", line) from None
                if not powers:
                    raise self._problem("must hold a time and a power for each GPU", line)
                yield line, when, None, [power * self._load.scale for power in powers]

    def _dmon(self) -> Iterator[tuple[int, float, str | None, list[float]]]:
        """Columns of text under a line of names, which comes again; the device is two words; no times."""
        assert self._load.period_s is not None
        place: int | None = None
        rounds, seen = 0, set[str]()
        with told(self._load.trace, self._source):
            for line, text in enumerate(lines_of(self._load.trace), 1):
                words = text.split()
                if words and words[0].startswith("#"):
                    names = text.replace("#", " ").split()
                    if "POWER" not in names:
                        raise self._problem(f"no column 'POWER'; it has: {', '.join(names)}", line)
                    place = names.index("POWER") + 1  # behind the two words of the device
                elif words and words[0].upper() != "ID":
                    if place is None or len(words) <= place:
                        raise self._problem("must hold a device and its numbers, under a line of names", line)
                    device = " ".join(words[:2])
                    if device in seen:
                        rounds, seen = rounds + 1, set()
                    seen.add(device)
                    try:
                        power = float(words[place])
                    except ValueError:
                        raise self._problem("time and power must be numbers", line) from None
                    yield line, rounds * self._load.period_s, device, [power * self._load.scale]


def _watts(cell: Any, of_column: float) -> float:
    """A power in W; as text it may end in a unit of its own. of_column: what a number without one is."""
    if isinstance(cell, (bool, datetime)):
        raise TypeError
    if isinstance(cell, str) and cell.rstrip().endswith("W"):
        number, unit = _NUMBER_AND_UNIT.fullmatch(cell.strip()).groups()  # type: ignore[union-attr]
        return float(number) * POWERS[unit]
    return float(cell) * of_column


def _csv(path: Path, names: tuple[str, ...], source: str) -> Iterator[tuple[int, list[Any]]]:
    from hil.loads.rows import Rows

    yield from Rows(path, names, source)


def _parquet(path: Path, names: tuple[str, ...]) -> Iterator[tuple[int, list[Any]]]:
    from hil.recordings.rows import parquet_rows

    for row, cells in enumerate(parquet_rows(path, names), 1):
        yield row, list(cells)


def _parquet_header(path: Path) -> list[str]:
    from hil.recordings.rows import parquet_names

    return parquet_names(path)


@contextmanager
def _recording(path: Path, source: str) -> Iterator[None]:
    """What reading Parquet raises, as the error of the load's file."""
    try:
        yield
    except RecordingError as error:
        raise problem(source, path, str(error).removeprefix(f"{path}: ")) from None
    except OSError as error:
        raise problem(source, path, f"cannot be read: {error.strerror or error}") from None
